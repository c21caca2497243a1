"""The stable step all ranks agree on; a rank that failed says so in the same message."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from multiscale.dynamics import ranks


class AgreedStep:
    """The smallest of the ranks' stable steps.

    Attributes:
        cell: Local number of the cell that limits this rank's own step; -1 without one.
    """

    def __init__(self, comm: MPI.Comm) -> None:
        pair = np.dtype([("value", "f8"), ("rank", "i4")], align=True)
        self._comm, self.cell = comm, -1
        self._local, self._global = np.zeros((), pair), np.zeros((), pair)
        self._local["rank"] = comm.rank

    def offer(self, value: float, cell: int) -> None:
        """Set this rank's own stable step, us, and the cell that limits it."""
        self._local["value"], self.cell = value, cell

    def agree(self, error: Exception | None) -> None:
        """Agree on the smallest step and its rank; a rank that failed takes part with a step of -1.

        Raises:
            Exception: The error of a rank, on all of them.
        """
        mine = self._local.copy()
        if error is not None:
            mine["value"] = -1.0
        self._comm.Allreduce([mine, MPI.DOUBLE_INT], [self._global, MPI.DOUBLE_INT], op=MPI.MINLOC)
        if self._global["value"] < 0.0:
            ranks.raise_error_of(self._comm, int(self._global["rank"]), error)

    @property
    def value(self) -> float:
        """The step agreed on, us."""
        return float(self._global["value"])

    @property
    def is_here(self) -> bool:
        """Whether a cell of this rank limits it."""
        return bool(self._global["rank"] == self._comm.rank and self.cell >= 0)
