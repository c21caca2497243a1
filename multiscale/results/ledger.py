"""The energy ledger as a CSV file: where the energy of the body is, at every step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from microscale.errors import InputError
from multiscale.results.step_table import StepTable, read_rows

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
            kept: Bytes to keep of an existing one, see :func:`ledger_until`.
            largest_error: Largest energy error of the steps before.

        Raises:
            InputError: The file cannot be written.
        """
        self.path = Path(path)
        self.largest_error, self.seconds = largest_error, 0.0
        self._table = StepTable(self.path, COLUMNS, kept, "ledger") if rank == 0 else None

    def flush(self) -> None:
        """Wait until all rows so far are on the disk.

        Raises:
            InputError: They cannot be written.
        """
        if self._table is not None:
            self._table.flush()

    def __call__(self, simulation: Simulation) -> None:
        """Write the energies of the present step; where that cannot be, all ranks end at the next one."""
        begin, energy = perf_counter(), simulation.energy
        self.largest_error = max(self.largest_error, abs(energy.error))
        if self._table is None:
            return
        numbers = [simulation.time, simulation.dt, *(getattr(energy, name) for name in ENERGIES)]
        try:
            self._table.write(simulation.step_count, [*numbers, 100.0 * energy.error])
        except InputError as error:
            simulation.fail(error)
        self.seconds += perf_counter() - begin


def ledger_until(
    path: Path, step: int, columns: Sequence[str] = COLUMNS, kind: str = "ledger"
) -> tuple[int, int]:
    """Return the bytes of a ledger up to the row of ``step``, with the header, and the number of those rows.

    There are no such rows where the ledger begins with the step after, or has none at all.

    Raises:
        InputError: The file is no ledger, or lacks one of these rows.
    """
    (_, header), *rows = read_rows(path, columns, kind)
    if not rows or rows[0][0] == step + 1:
        return header, 0
    first, due = rows[0][0], rows[0][0]
    for number, size in rows:
        if number != due:
            break
        if number == step:
            return size, step - first + 1
        due += 1
    raise InputError(
        f"{kind} {path} has no row of step {due}, the checkpoint is of step {step}: "
        "restart into another --output"
    )
