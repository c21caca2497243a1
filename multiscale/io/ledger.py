"""The energy ledger as a CSV file: where the energy of the body is, at every step."""

from __future__ import annotations

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

    def __init__(self, path: Path | str, rank: int, step_count: int = 0, largest_error: float = 0.0) -> None:
        """Write the header, or go on with the ledger of a run that is restarted.

        Args:
            path: File to write. An existing one is replaced; after a restart its rows up to there are kept.
            rank: Rank of this process; all but rank 0 only keep the largest error.
            step_count: Steps taken before: zero, or those of the checkpoint that was restarted.
            largest_error: Largest energy error of those steps.

        Raises:
            InputError: The file cannot be written.
        """
        self.path = Path(path)
        self.largest_error, self.seconds = largest_error, 0.0
        self._file: TextIO | None = None
        if rank == 0:
            try:
                # Line buffered: an interrupted run loses no row.
                kept = _rows_until(self.path, step_count) if step_count and self.path.exists() else ""
                self._file = self.path.open("r+" if kept else "w", buffering=1)
                self._file.write(kept)
                self._file.truncate()
            except OSError as error:
                raise InputError(
                    f"ledger {path} cannot be written ({error}): choose another folder"
                ) from error
            if not kept:
                print(*COLUMNS, sep=",", file=self._file)

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


def _rows_until(path: Path, step: int) -> str:
    """Return the header and the complete rows up to ``step`` of a ledger.

    Raises:
        InputError: The file is no ledger.
    """
    header, *rows = path.read_text().splitlines(keepends=True) or [""]
    if header.rstrip("\n") != ",".join(COLUMNS):
        raise InputError(f"{path} is no ledger of a run: restart into another --output")
    complete = (row for row in rows if row.endswith("\n"))
    return "".join([header, *(row for row in complete if int(row.split(",", 1)[0]) <= step)])
