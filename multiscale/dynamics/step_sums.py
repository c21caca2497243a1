"""What the ranks tell each other at the end of a step, in a single sum over them."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from multiscale.dynamics.energy import ACCOUNT_SIZE, Account

#: Requests are numbers from 1 to this; zero asks for nothing.
REQUESTS = 3

_ACCOUNT, _LIMITING, _FAILED = slice(0, ACCOUNT_SIZE), slice(ACCOUNT_SIZE, ACCOUNT_SIZE + 4), ACCOUNT_SIZE + 4
_REQUESTS = slice(ACCOUNT_SIZE + 5, ACCOUNT_SIZE + 5 + REQUESTS)


class StepSums:
    """Sums over the ranks; after :meth:`reduce` all ranks agree on the attributes.

    Attributes:
        account: What all ranks have booked.
        limiting_cell: Original number of the cell that limits the step.
        limiting_position: Its reference centre, mm, shape (3,).
        failed: Whether a rank has failed.
        request: The greatest request of all ranks.
        nbytes: Bytes of the sum.
    """

    def __init__(self, comm: MPI.Comm) -> None:
        self._comm = comm
        self._local, self._total = np.zeros((2, ACCOUNT_SIZE + 5 + REQUESTS))
        self.nbytes = self._local.nbytes

    def reduce(
        self,
        booked: Account,
        limiting: tuple[int, tuple[float, float, float]] | None,
        failed: bool,
        request: int,
    ) -> None:
        """Sum up. Collective.

        Args:
            booked: What this rank has booked.
            limiting: Number and centre of the cell that limits the step, from the one rank that has it.
            failed: Whether this rank has failed.
            request: What this rank asks for.
        """
        local, total = self._local, self._total
        local[:] = 0.0
        local[_ACCOUNT] = booked.numbers()
        if limiting is not None:
            local[_LIMITING] = limiting[0], *limiting[1]
        local[_FAILED] = failed
        if request > 0:
            local[_REQUESTS][request - 1] = 1.0
        self._comm.Allreduce(local, total, op=MPI.SUM)
        self.account = Account.of(total[_ACCOUNT].copy())
        self.limiting_cell, self.limiting_position = int(total[_LIMITING][0]), total[_LIMITING][1:].copy()
        self.failed = bool(total[_FAILED] > 0.0)
        self.request = int(max(np.flatnonzero(total[_REQUESTS]) + 1, default=0))
