"""The stable step all ranks agree on."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI


class AgreedStep:
    """The smallest of the ranks' stable steps.

    Attributes:
        cell: Local number of the cell that limits this rank's own step; -1 without one.
        nbytes: Bytes of an agreement.
    """

    def __init__(self, comm: MPI.Comm) -> None:
        pair = np.dtype([("value", "f8"), ("rank", "i4")], align=True)
        self._comm, self.cell = comm, -1
        self._local, self._global = np.zeros((), pair), np.zeros((), pair)
        self._local["rank"] = comm.rank
        self.nbytes = 12  # a double and an int; what pads them is not sent

    def offer(self, value: float, cell: int) -> None:
        """Set this rank's own stable step, us, and the cell that limits it."""
        self._local["value"], self.cell = value, cell

    def agree(self) -> None:
        """Agree on the smallest step and its rank. Collective."""
        self._comm.Allreduce([self._local, MPI.DOUBLE_INT], [self._global, MPI.DOUBLE_INT], op=MPI.MINLOC)

    @property
    def value(self) -> float:
        """The step agreed on, us."""
        return float(self._global["value"])

    @property
    def is_here(self) -> bool:
        """Whether a cell of this rank limits it."""
        return bool(self._global["rank"] == self._comm.rank and self.cell >= 0)
