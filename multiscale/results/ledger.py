"""The energy ledger as a CSV file: where the energy of the body is, at every step."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, TextIO

from microscale.errors import InputError

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation

#: Energies of the ledger, J, in the order of the columns.
ENERGIES = ("kinetic", "internal", "contact", "gained", "hourglass", "viscous", "external")
COLUMNS = ("step", "time_us", "dt_us", *(f"{name}_J" for name in ENERGIES), "error_percent")


class LedgerWriter:
    """Observer that writes one row of the energy ledger each time it is called (rank 0 only).

    Attributes:
        path: The file.
        largest_error: Largest magnitude of the energy error so far, relative to the initial kinetic energy.
        seconds: Wall time spent in writing, s.
    """

    def __init__(self, path: Path | str, rank: int, kept: int = 0, largest_error: float = 0.0) -> None:
        """Write the header, or go on with the ledger of a run that is restarted.

        Args:
            path: File to write; an existing one is replaced, or cut.
            rank: Rank of this process; all but rank 0 only keep the largest error.
            kept: Bytes to keep of an existing one, see :func:`bytes_until`.
            largest_error: Largest energy error of the steps before.

        Raises:
            InputError: The file cannot be written.
        """
        self.path = Path(path)
        self.largest_error, self.seconds = largest_error, 0.0
        self._file: TextIO | None = None
        if rank == 0:
            try:
                # Line buffered: an interrupted run loses no row.
                self._file = self.path.open("a" if kept else "w", buffering=1)
                self._file.truncate(kept)
                if not kept:
                    print(*COLUMNS, sep=",", file=self._file)
            except OSError as error:
                raise InputError(
                    f"ledger {path} cannot be written ({error}): choose another folder"
                ) from error

    def flush(self) -> None:
        """Wait until all rows so far are on the disk.

        Raises:
            InputError: They cannot be written.
        """
        if self._file is None:
            return
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InputError(
                f"ledger {self.path} cannot be extended ({error}): free space on the disk"
            ) from error

    def __call__(self, simulation: Simulation) -> None:
        """Write the energies of the present step; where that cannot be, all ranks end at the next one."""
        begin, energy = perf_counter(), simulation.energy
        self.largest_error = max(self.largest_error, abs(energy.error))
        if self._file is None:
            return
        numbers = [simulation.time, simulation.dt, *(getattr(energy, name) for name in ENERGIES)]
        texts = (f"{number:.12g}" for number in [*numbers, 100.0 * energy.error])
        try:
            print(simulation.step_count, *texts, sep=",", file=self._file)
        except OSError as error:
            message = f"ledger {self.path} cannot be extended at t = {simulation.time:.6g} us ({error})"
            simulation.fail(InputError(f"{message}: free space on the disk or choose another folder"))
            with suppress(OSError):  # what is left in its buffer
                self._file.close()
            self._file = None
        self.seconds += perf_counter() - begin


def rows_until(path: Path, step: int) -> tuple[int, int]:
    """Return the bytes of a ledger up to the row of ``step``, with the header, and the number of those rows.

    There are no such rows where the ledger begins with the step after, or has none at all.

    Raises:
        InputError: The file is no ledger, or lacks one of these rows.
    """
    try:
        header, *rows = path.read_bytes().splitlines(keepends=True) or [b""]
    except OSError as error:
        raise InputError(f"ledger {path} cannot be read ({error}): restart into another --output") from error
    if header != f"{','.join(COLUMNS)}\n".encode():
        raise InputError(f"{path} is no ledger of a run: restart into another --output")
    size, count = len(header), 0
    due = first = _step_of(rows[0]) if rows else None
    if first is None or first == step + 1:
        return size, 0
    for row in rows:
        if _step_of(row) != due:
            break
        size, count, due = size + len(row), count + 1, first + count + 1
        if due == step + 1:
            return size, count
    raise InputError(
        f"ledger {path} has no row of step {due}, the checkpoint is of step {step}: "
        "restart into another --output"
    )


def _step_of(row: bytes) -> int | None:
    """Step of a row of a ledger; None of one that is not complete."""
    number, *rest = row.split(b",")
    complete = row.endswith(b"\n") and len(rest) == len(COLUMNS) - 1
    return int(number) if complete and number.isdigit() else None
