"""One rank's failure is every rank's: shared errors before collectives, an abort as the last resort."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from mpi4py import MPI

from microscale import errors

RAISED_EVERYWHERE = "raised_on_every_rank"


class RemoteError(RuntimeError):
    """Another rank failed with an error of a type this rank cannot rebuild; the message is that rank's."""


_REBUILT: dict[str, type[Exception]] = {
    "InputError": errors.InputError,
    "DeformationError": errors.DeformationError,
    "ConvergenceError": errors.ConvergenceError,
    "ValueError": ValueError,
    "RuntimeError": RuntimeError,
    "OSError": OSError,
    "MemoryError": MemoryError,
}


@contextmanager
def shared_errors(comm: MPI.Comm) -> Iterator[None]:
    """Run a block without communication inside; if it raises on any rank, raise that error on every rank.

    Collective over ``comm`` at the end of the block.

    Raises:
        Exception: The error of the lowest failing rank, with its type where known and its message.
    """
    error = None
    try:
        yield
    except Exception as caught:
        error = caught
    raise_shared(comm, error)


def raise_shared(comm: MPI.Comm, error: Exception | None) -> None:
    """Raise the error of the lowest failing rank on every rank; return where no rank has one. Collective."""
    failing = comm.allreduce(comm.rank if error is not None else comm.size, op=MPI.MIN)
    if failing < comm.size:
        raise_error_of(comm, failing, error)


def raise_error_of(comm: MPI.Comm, failing: int, error: Exception | None) -> None:
    """Raise rank ``failing``'s error on every rank; all ranks already agree on ``failing``. Collective."""
    mine = comm.rank == failing
    name, message = comm.bcast((type(error).__name__, str(error)) if mine else None, root=failing)
    if name not in _REBUILT:
        message = f"{name}: {message}"
    if comm.size > 1:
        message = f"rank {failing}: {message}"
    shared = _REBUILT.get(name, RemoteError)(message)
    setattr(shared, RAISED_EVERYWHERE, True)
    raise shared from (error if mine else None)


def abort_on_uncaught_error(comm: MPI.Comm = MPI.COMM_WORLD) -> None:
    """Install the last resort of a parallel program: an uncaught error on one rank ends all ranks.

    An error that :func:`shared_errors` already raised everywhere is printed once, and each rank ends by
    itself with exit code 1; any other is printed by its rank, which then aborts ``comm``.
    """

    def end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        everywhere = getattr(error, RAISED_EVERYWHERE, False)
        if comm.rank == 0 or not everywhere:
            lines = traceback.format_exception(kind, error, trace)
            sys.stderr.write("".join(lines) if comm.size == 1 else f"[rank {comm.rank}] " + "".join(lines))
            sys.stderr.flush()
        if comm.size > 1 and not everywhere:
            comm.Abort(1)

    sys.excepthook = end
