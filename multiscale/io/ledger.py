"""The energy ledger as a CSV file: where the energy of the body is, at every step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from microscale.errors import InputError

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation

#: Energies of the ledger, J, in the order of the columns.
ENERGIES = ("kinetic", "internal", "contact", "hourglass", "viscous", "external")
COLUMNS = ("step", "time_us", "dt_us", *(f"{name}_J" for name in ENERGIES), "error_percent")


class LedgerWriter:
    """Observer that writes one row of the energy ledger each time it is called (rank 0 only).

    Attributes:
        path: The file.
        largest_error: Largest magnitude of the energy error so far, relative to the initial kinetic energy.
    """

    def __init__(self, path: Path | str, rank: int) -> None:
        """Write the header.

        Args:
            path: File to write; an existing one is replaced.
            rank: Rank of this process; all but rank 0 only keep the largest error.

        Raises:
            InputError: The file cannot be written.
        """
        self.path = Path(path)
        self.largest_error = 0.0
        self._file: TextIO | None = None
        if rank == 0:
            try:
                # Line buffered: an interrupted run loses no row.
                self._file = self.path.open("w", buffering=1)
            except OSError as error:
                raise InputError(
                    f"ledger {path} cannot be written ({error}): choose another folder"
                ) from error
            print(*COLUMNS, sep=",", file=self._file)

    def __call__(self, simulation: Simulation) -> None:
        """Write the energies of the present step.

        Raises:
            InputError: The file cannot be extended (on rank 0).
        """
        energy = simulation.energy
        self.largest_error = max(self.largest_error, abs(energy.error))
        if self._file is None:
            return
        numbers = [simulation.time, simulation.dt, *(getattr(energy, name) for name in ENERGIES)]
        texts = (f"{number:.12g}" for number in [*numbers, 100.0 * energy.error])
        try:
            print(simulation.step_count, *texts, sep=",", file=self._file)
        except OSError as error:
            raise InputError(
                f"ledger {self.path} cannot be extended at t = {simulation.time:.6g} us ({error}): "
                "free space on the disk or choose another folder"
            ) from error
