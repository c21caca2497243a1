"""The consistent tangent of a unit cell: its equilibrium linearised, and solved for nine mean gradients.

Around the equilibrium that a step reaches, F changes everywhere by dF = <dF> + grad dv.
The stress follows by the tangents of the local law, and with it follow forces, mean pressure and what flow
leaves of the resistance to hourglasses. The change dv is that which leaves the forces in balance.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from microscale.law import ConstitutiveLaw, State
from microscale.tensors import FloatArray, polar_decomposition
from microscale.unit_cell.cell_state import CellState
from microscale.unit_cell.conjugate_residuals import ConjugateResiduals
from microscale.unit_cell.grid import ComplexArray, PeriodicGrid
from microscale.unit_cell.hourglass import Resistance
from microscale.unit_cell.medium import Medium
from microscale.unit_cell.pressure import cofactors, less_uniform_pressure, pressure_slope, uniform_stress

if TYPE_CHECKING:
    from microscale.unit_cell.cell import FullFieldCell

TOLERANCE, ROUNDING = 1e-11, 1e-14
"""Of a cell around whose equilibrium equations are linearised, as those of cell.py."""
PATIENCE = 10
"""How many times as many iterations it takes at most."""
LEFT = 1e-10
"""Of the largest stiffness: what linear equations leave of the forces."""
ENOUGH = 0.1
"""Of the forces: what the medium may leave of them in an iteration."""
STEP = 1e-7
"""Change of F by which dissipation is differenced: flow bends stress within strains of 1e-4."""


def finely_balanced[Cell: "FullFieldCell"](cell: Cell) -> Cell:
    """Return the same cell, but balanced so finely that its equations can be linearised."""
    other = copy(cell)
    other.law, other._rounding = cell.law.smooth, min(cell._rounding, ROUNDING)
    other.tolerance = min(cell.tolerance, TOLERANCE)
    other.max_iterations = PATIENCE * cell.max_iterations
    return other


@dataclass(frozen=True)
class Balanced:
    """A cell at the end of a step, in balance.

    Attributes:
        grid: Its grid.
        law: Local law.
        medium: What answered forces.
        resistance: To hourglasses, at the end.
        F: Deformation gradients of the voxels, shape (voxels, 3, 3).
        P: Their first Piola-Kirchhoff stress less that of the mean pressure, GPa, same shape.
        pressure: Mean pressure, GPa, positive in tension.
        mean_F: Mean deformation gradient, shape (3, 3).
        dt: Time of the step, us.
        voxels: State of the local law at the beginning.
        before: The cell at the beginning.
    """

    grid: PeriodicGrid
    law: ConstitutiveLaw
    medium: Medium
    resistance: Resistance
    F: FloatArray
    P: FloatArray
    pressure: float
    mean_F: FloatArray
    dt: float
    voxels: State
    before: CellState


def tangent_of(cell: Balanced) -> FloatArray:
    """Return d<P>_ij / d<F>_kl of the step, shape (3, 3, 3, 3), GPa.

    Raises:
        ConvergenceError: The linear equations were not solved.
    """
    return _Linearised(cell).tangent()


class _Linearised:
    """How forces and mean stress follow displacement and mean F, around a balance.

    Attributes:
        goal: Norm of forces that counts as none, GPa.
    """

    def __init__(self, cell: Balanced) -> None:
        self._cell, voxels = cell, len(cell.F)
        self._C = np.empty((voxels, 3, 3, 3, 3))
        cell.law.tangent(cell.F, cell.dt, cell.voxels, self._C)
        less_uniform_pressure(cell.pressure, cell.F, self._C)
        cell.medium.sharpen(self._C)
        self.goal = LEFT * float(np.abs(self._C).max())
        self._cof = cofactors(cell.F)
        self._pressure = pressure_slope(cell.F, cell.P, self._C, self._cof)
        self._left = _slope_of_what_flow_leaves(cell)
        self._uniform = np.zeros((1, 3, 3, 3, 3))  # of the stress of the mean pressure, which less a minus is
        less_uniform_pressure(-cell.pressure, cell.mean_F[None], self._uniform)

    def tangent(self) -> FloatArray:
        """Solve for all changes of the mean F; return what :func:`tangent_of` says."""
        still, tangent = np.zeros(self._cell.grid.amplitude_shape, dtype=complex), np.empty((3, 3, 3, 3))
        solver = ConjugateResiduals(self._respond, self._precondition, 2 * still.size)
        for k, l in np.ndindex(3, 3):
            change = np.zeros((3, 3))
            change[k, l] = 1.0
            turn = _change_of_turn(self._cell.before.mean_F, self._cell.mean_F, change)
            moved = self._forces(still, change, turn)
            displacement = _complex(solver.solve(-_real(moved), self.goal))
            tangent[:, :, k, l] = self._mean_stress(displacement, change)
        return tangent

    def _respond(self, displacement: FloatArray) -> FloatArray:
        return _real(self._forces(_complex(displacement), *np.zeros((2, 3, 3))))

    def _precondition(self, forces: FloatArray) -> FloatArray:
        answer, goal = np.empty_like(_complex(forces)), ENOUGH * float(np.linalg.norm(forces))
        self._cell.medium.relax(_complex(forces), self._cell.resistance.stiffness, goal, answer)
        return _real(answer)

    def _stress(self, displacement: ComplexArray, mean: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Changes of F, of the stress that must be in balance, and of the mean pressure."""
        dF = np.empty_like(self._cell.F)
        self._cell.grid.deformation(displacement, mean, dF)
        dp = float((self._pressure * dF).sum())
        dP = (self._C.reshape(-1, 9, 9) @ dF.reshape(-1, 9, 1)).reshape(dF.shape) - dp * self._cof
        return dF, dP, dp

    def _forces(self, displacement: ComplexArray, mean: FloatArray, turn: FloatArray) -> ComplexArray:
        """Change of the forces with the displacement, the mean F, and the turn of what was before it."""
        cell, forces = self._cell, np.empty_like(displacement)
        dF, dP, _ = self._stress(displacement, mean)
        cell.grid.forces(dP, forces)
        moved = displacement - cell.before.displacement @ turn
        carried = cell.resistance.turned(cell.before.hourglass_stress, turn)
        forces += cell.resistance.change(moved, carried, (self._left * dF).sum(axis=(1, 2)))
        cell.grid.make_real(forces)
        return forces

    def _mean_stress(self, displacement: ComplexArray, mean: FloatArray) -> FloatArray:
        _, dP, dp = self._stress(displacement, mean)
        uniform = np.einsum("ijkl,kl->ij", self._uniform[0], mean)
        return np.asarray(dP.mean(axis=0) + uniform_stress(dp, self._cell.mean_F) + uniform)


def _slope_of_what_flow_leaves(cell: Balanced) -> FloatArray:
    """Change of what flow leaves of the resistance with F of each voxel, shape (voxels, 3, 3).

    Of dissipation a law gives no derivative. It is differenced.
    """
    if "dissipation" not in cell.voxels:
        return np.zeros_like(cell.F)
    P, found = np.empty_like(cell.F), np.empty((3, len(cell.F), 2))
    slopes = np.empty((len(cell.F), 2, 3, 3))

    def at(F: FloatArray, out: FloatArray) -> None:
        voxels = cell.voxels.copy()
        cell.law.update(F, cell.dt, voxels, P)
        cell.resistance.relaxation(F, P, voxels["dissipation"] - cell.voxels["dissipation"], out)

    for k, l in np.ndindex(3, 3):
        for side, sign in enumerate((1.0, -1.0)):
            moved = cell.F.copy()
            moved[:, k, l] += sign * STEP
            at(moved, found[side])
        slopes[..., k, l] = (found[0] - found[1]) / (2.0 * STEP)
    at(cell.F, found[2])
    return cell.resistance.slope(found[2], slopes)


def _change_of_turn(begin: FloatArray, end: FloatArray, change: FloatArray) -> FloatArray:
    """Change of R(begin) R(end)^T with that of the F at the end; all of shape (3, 3).

    With F = R U and A = R^T dF the spin of R^T dR is (tr U I - U)^-1 axial(A - A^T).
    """
    R, U = polar_decomposition(end)
    A = R.T @ change
    axial = [A[2, 1] - A[1, 2], A[0, 2] - A[2, 0], A[1, 0] - A[0, 1]]
    w = np.linalg.solve(np.trace(U) * np.eye(3) - U, axial)
    spin = np.array([[0.0, -w[2], w[1]], [w[2], 0.0, -w[0]], [-w[1], w[0], 0.0]])
    return np.asarray(polar_decomposition(begin)[0] @ (R @ spin).T)


def _real(amplitude: ComplexArray) -> FloatArray:
    return amplitude.view(float).reshape(-1)


def _complex(vector: FloatArray) -> ComplexArray:
    return vector.view(complex).reshape(-1, 3)
