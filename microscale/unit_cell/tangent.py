"""The tangent of a unit cell by differences of its equilibria."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from microscale.differences import differences
from microscale.law import State
from microscale.tensors import FloatArray, polar_decomposition

if TYPE_CHECKING:
    from microscale.unit_cell.cell import FullFieldCell

TOLERANCE, ROUNDING = 1e-11, 1e-14
"""Of a cell that is differenced, as those of cell.py."""
STEP = 1e-7
"""Change of F: flow bends the stress of crystals within strains of 1e-4."""
PATIENCE = 10
"""How many times as many iterations it takes at most."""


def finely_balanced[Cell: "FullFieldCell"](cell: Cell) -> Cell:
    """Return the same cell, but balanced so finely that its stress can be differenced."""
    other = copy(cell)
    other.law, other._rounding = cell.law.smooth, min(cell._rounding, ROUNDING)
    other.tolerance = min(cell.tolerance, TOLERANCE)
    other.max_iterations = PATIENCE * cell.max_iterations
    return other


def difference_equilibria(
    cell: FullFieldCell, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray
) -> None:
    """Fill ``out`` as :meth:`microscale.law.ConstitutiveLaw.tangent` says.

    All steps begin from the equilibrium at ``F``, which few iterations separate from theirs: the next
    displacement is predicted by a rate, and the rate is chosen so that it is that of the equilibrium.
    """
    solved, P = state.copy(), np.empty_like(F)
    cell.update(F, dt, solved, P)
    turn = polar_decomposition(state["mean_F"])[0] @ np.swapaxes(polar_decomposition(F)[0], 1, 2)
    rate = np.einsum("p...ic,pji->p...jc", solved["displacement_rate"], turn)
    known = {"displacement_rate": rate, "secants": solved["secants"], "secant_count": solved["secant_count"]}
    differences(cell, F, dt, State(state | known), out, STEP)
