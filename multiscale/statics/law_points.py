"""The law at the quadrature points of one rank: stress and tangent of a step that may yet be given up."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from microscale.errors import DeformationError, InputError
from microscale.law import ConstitutiveLaw, State
from microscale.tensors import FloatArray, first_inadmissible

#: Points handed to the law at once: scratch arrays of a tangent stay small.
BATCH_POINTS = 4096


class UnreachableError(DeformationError):
    """The law has no stress at a point.

    Attributes:
        cell: Local number of its cell.
    """

    def __init__(self, message: str, cell: int) -> None:
        super().__init__(message)
        self.cell = cell


class _Batch(NamedTuple):
    first: int
    F: FloatArray
    P: FloatArray
    tangent: FloatArray
    state: State
    trial: State


class LawPoints:
    """Deformation gradient, stress, tangent and state at every point, a cell's points next to each other.

    Attributes:
        F: As the law sees it, shape (cells, points, 3, 3).
        P: First Piola-Kirchhoff stress, GPa, same shape.
        state: The law's state at the last accepted step, leading axis cells * points.
    """

    def __init__(self, law: ConstitutiveLaw, P: FloatArray, tangent: FloatArray) -> None:
        """Start at rest; stress and tangent go to arrays of others, (cells, points, 3, 3 and 3, 3, 3, 3)."""
        self._law, self.P = law, P
        cells, self._points = P.shape[:2]
        self.F = np.broadcast_to(np.eye(3), P.shape).copy()
        self.state, self._trial = (law.init_state(cells * self._points) for _ in range(2))
        F, P, C = self.F.reshape(-1, 3, 3), P.reshape(-1, 3, 3), tangent.reshape(-1, 3, 3, 3, 3)
        parts = [slice(k, k + BATCH_POINTS) for k in range(0, cells * self._points, BATCH_POINTS)]
        self._batches = [
            _Batch(k.start, F[k], P[k], C[k], self.state.points(k), self._trial.points(k)) for k in parts
        ]

    def try_step(self, dt: float) -> None:
        """Find the stress at ``F``, ``dt`` us after the last accepted step; the state stays.

        Raises:
            UnreachableError: A cell is inside out.
            ConvergenceError: Of the law.
        """
        for batch in self._batches:
            for name, array in batch.state.items():
                batch.trial[name][...] = array
            self._advance(batch, dt, batch.trial)

    def linearise(self, dt: float) -> None:
        """Find dP/dF of the step to ``F``."""
        for batch in self._batches:
            self._law.tangent(batch.F, dt, batch.state, batch.tangent)

    def accept(self, dt: float) -> None:
        """Advance the state to ``F``."""
        for batch in self._batches:
            self._advance(batch, dt, batch.state)

    def saved_arrays(self) -> dict[str, FloatArray]:
        """What the points need to go on, as views, leading axes cells and points.

        Raises:
            InputError: The law has put other arrays into the state instead of writing into those it got.
        """
        cells = len(self.F)
        arrays = {"stress": self.P}
        for name, array in self.state.items():
            if array.size and not all(
                np.may_share_memory(batch.state[name], array) for batch in self._batches
            ):
                raise InputError(
                    f"the law {self._law.name} replaced its state array '{name}', expected it to be advanced "
                    f"in place: write state['{name}'][:] = ..."
                )
            arrays[f"state/{name}"] = array.reshape(cells, self._points, *array.shape[1:])
        return arrays

    def resume(self) -> None:
        """Take up the arrays of :meth:`saved_arrays` after they have been filled."""
        self._law.resume(self.state)

    def _advance(self, batch: _Batch, dt: float, state: State) -> None:
        try:
            self._law.update(batch.F, dt, state, batch.P)
        except DeformationError as error:
            point = batch.first + max(0, first_inadmissible(batch.F))
            raise UnreachableError(str(error), point // self._points) from error
