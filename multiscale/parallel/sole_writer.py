"""One writer at a time under MPI: rank 0 holds the lock, an error is raised on every rank."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mpi4py import MPI

from microscale.files.one_writer import one_writer
from multiscale.parallel.ranks import shared_errors


@contextmanager
def sole_writer(comm: MPI.Comm, output: Path, lock: Path | None = None) -> Iterator[None]:
    """Hold the lock of an output (:mod:`microscale.files.one_writer`); collective at the beginning.

    Raises:
        InputError: Another process holds the lock; on every rank.
    """
    with ExitStack() as held:
        with shared_errors(comm):
            if comm.rank == 0:
                held.enter_context(one_writer(output, lock))
        yield
