"""Anderson acceleration of a fixed-point iteration, with a memory that outlives the time step."""

from __future__ import annotations

import numpy as np

from microscale.tensors import FloatArray

RIDGE = 1e-3
"""On products of unit columns: nearly parallel ones would cancel and leave rounding. No iteration more."""

ROUNDING = 1e-12
"""Of a sum of squares near one."""


class SecantMemory:
    """The last changes of an iterate y and of its correction d(y), by which the next correction is bettered.

    Anderson (1965): the combination of past changes that best explains d is taken out of it and out of y.
    Columns of earlier time steps stay: the stiffness they sample changes slowly. Each column has a change of
    d of norm one.

    What the combination leaves of d goes to y whole, unless a column was stiffer than twice the medium that
    answered with d: there it would grow, and is damped (Anderson's beta). Thin voxels are that stiff: at a
    stretch of 0.2 the stress P of an elastic step changes 25 times as much with F as at rest.

    Args:
        columns: Storage, shape (2, memory, size): changes of y + d, and of d; written in place.
        count: Columns written so far, possibly more than fit; the oldest go first.
    """

    def __init__(self, columns: FloatArray, count: int) -> None:
        self._steps, self._changes = columns
        self.count = count
        valid = self._changes[: self.valid]
        self._stiffness = np.zeros(len(self._changes))
        self._stiffness[: self.valid] = 1.0 / np.sqrt(self._squared_steps())
        self._gram = np.zeros((len(self._changes), len(self._changes)))
        self._gram[: self.valid, : self.valid] = valid @ valid.T

    @property
    def valid(self) -> int:
        """Number of columns in use."""
        return min(self.count, len(self._changes))

    def _squared_steps(self) -> FloatArray:
        """Squared norm of the change of y of each column, without the array of their differences."""
        both, changes = self._steps[: self.valid], self._changes[: self.valid]
        squares = np.einsum("ij,ij->i", both, both) - 2.0 * np.einsum("ij,ij->i", both, changes) + 1.0
        return np.maximum(squares, ROUNDING)

    def learn(self, step: FloatArray, change: FloatArray) -> None:
        """Add a column: the change ``step`` (size,) of y went with the ``change`` (size,) of d."""
        norm = np.linalg.norm(change)
        if norm == 0.0 or len(self._changes) == 0:
            return
        slot = self.count % len(self._changes)
        self.count += 1
        self._steps[slot] = (step + change) / norm
        self._changes[slot] = change / norm
        self._stiffness[slot] = norm / np.linalg.norm(step)
        products = self._changes[: self.valid] @ self._changes[slot]
        self._gram[slot, : self.valid] = self._gram[: self.valid, slot] = products

    def improve(self, correction: FloatArray) -> FloatArray:
        """Return the accelerated step of y for a correction d, both of shape (size,)."""
        if self.valid == 0:
            return correction.copy()
        gram = self._gram[: self.valid, : self.valid].copy()
        gram.flat[:: self.valid + 1] += RIDGE
        shares = np.linalg.solve(gram, self._changes[: self.valid] @ correction)
        beta = min(1.0, 2.0 / self._stiffness.max())
        improved = beta * correction - shares @ self._steps[: self.valid]
        if beta < 1.0:
            improved += (1.0 - beta) * (shares @ self._changes[: self.valid])
        return np.asarray(improved)
