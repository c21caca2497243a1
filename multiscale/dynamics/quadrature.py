"""The constitutive law at the quadrature points of one rank: F in, P out, in bounded batches."""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

import numpy as np

from microscale.errors import DeformationError, InputError
from microscale.law import ConstitutiveLaw, State
from microscale.tensors import FloatArray, first_inadmissible
from multiscale.dynamics.bulk_viscosity import ViscousPressure
from multiscale.dynamics.elements.corner_volumes import InvertedCellError
from multiscale.dynamics.elements.interface import Element

# Points handed to the law at once: enough to fill vector units and hide the call, few enough that F, P and
# the state of a closed-form law stay in the cache from the kinematics to the force, and scratch arrays stay
# small.
BATCH_POINTS = 4096


class _Batch(NamedTuple):
    first: int
    last: int
    F: FloatArray
    P: FloatArray
    state: State


class QuadraturePoints:
    """Deformation gradient, stress and state at every point of this rank, a cell's points next to each other.

    Attributes:
        F: As the law sees it, shape (cells, points, 3, 3).
        P: First Piola-Kirchhoff stress with the viscous pressure, GPa, same shape.
        state: The law's state, leading axis cells * points.
    """

    def __init__(
        self,
        element: Element,
        law: ConstitutiveLaw,
        viscosity: ViscousPressure | None,
        timers: dict[str, float],
    ) -> None:
        """Start at rest; ``timers`` is where the seconds of "kinematics", "law" and "force" are added."""
        self._viscosity = viscosity
        self._element = element
        self._law = law
        cells, points = element.weights.shape
        self.F = np.broadcast_to(np.eye(3), (cells, points, 3, 3)).copy()
        self.P = np.zeros_like(self.F)
        self.state = law.init_state(cells * points)
        self._timers = timers
        self._batches = self._split(cells, points)

    def _split(self, cells: int, points: int) -> list[_Batch]:
        """Make the views of each batch once, so that a step makes none."""
        stride = max(1, BATCH_POINTS // points)
        flat_F, flat_P = self.F.reshape(-1, 3, 3), self.P.reshape(-1, 3, 3)
        batches = []
        for first in range(0, cells, stride):
            last = min(first + stride, cells)
            where = slice(first * points, last * points)
            batches.append(_Batch(first, last, flat_F[where], flat_P[where], self.state.points(where)))
        return batches

    def add_internal_force(self, u: FloatArray, dt: float, force: FloatArray) -> float:
        """Advance every point to the displacements ``u`` and add the internal nodal force.

        Args:
            u: Nodal displacements, shape (nodes, 3), mm.
            dt: Time since the last call, us.
            force: Internal nodal force, shape (nodes, 3), GPa mm^2; added to.

        Returns:
            Energy stored by hourglass control, J.

        Raises:
            DeformationError: An element of this rank has inverted or a law's stress moved it to infinity; the
                message names the local cell.
        """
        hourglass = 0.0
        for batch in self._batches:
            start = perf_counter()
            self._element.deformation(u, batch.first, batch.last, self.F)
            deformed = perf_counter()
            try:
                self._law.update(batch.F, dt, batch.state, batch.P)
            except DeformationError as error:
                raise InvertedCellError(str(error), self._cell_of_first_inadmissible(batch)) from error
            if self._viscosity is not None:
                self._viscosity.add(self.F, self.P, dt, batch.first, batch.last)
            updated = perf_counter()
            hourglass += self._element.add_force(u, self.F, self.P, batch.first, batch.last, force)
            self._timers["kinematics"] += deformed - start
            self._timers["law"] += updated - deformed
            self._timers["force"] += perf_counter() - updated
        return hourglass

    def saved_arrays(self) -> dict[str, FloatArray]:
        """What the points need to go on, as views, leading axes cells and points; see :meth:`resume`.

        Raises:
            InputError: The law has put other arrays into the state instead of writing into those it got.
        """
        cells, points = self._element.weights.shape
        arrays = {"stress": self.P}
        for name, array in self.state.items():
            shared = (np.may_share_memory(batch.state[name], array) for batch in self._batches)
            if array.size and not all(shared):  # empty ones, as of twins in a crystal without, share none
                raise InputError(
                    f"the law {self._law.name} replaced its state array '{name}', expected it to be advanced "
                    f"in place: write state['{name}'][:] = ..."
                )
            arrays[f"state/{name}"] = array.reshape(cells, points, *array.shape[1:])
        if self._viscosity is not None:
            arrays["viscosity/J"] = self._viscosity.J
        return arrays

    def resume(self, u: FloatArray) -> None:
        """Take up the arrays of :meth:`saved_arrays` after they have been filled, at displacements ``u``."""
        self._element.deformation(u, 0, len(self.F), self.F)
        self._law.resume(self.state)

    def first_cell_without_finite_stress(self) -> int:
        """First local cell with a stress that is not finite; -1 where there is none."""
        bad = ~np.isfinite(self.P).all(axis=(1, 2, 3))
        return int(bad.argmax()) if bad.any() else -1

    def _cell_of_first_inadmissible(self, batch: _Batch) -> int:
        return batch.first + max(0, first_inadmissible(batch.F)) // self._element.weights.shape[1]
