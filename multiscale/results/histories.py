"""Histories of probes and gauges: one CSV file each, a row at every step or at intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from microscale.errors import InputError
from microscale.files.printable import printable
from multiscale.parallel.ranks import shared_errors
from multiscale.results.places import Place, group_of_surface, point_in_body, point_on_surface
from multiscale.results.sensors import OF_SURFACE, Sensors
from multiscale.results.step_table import StepTable, read_rows

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation

#: Number of the record that a checkpoint keeps: step of the last row, -1 before the first.
LAST_ROW = "last_history_step"


class Histories:
    """Observer that writes what probes and gauges see; see :mod:`multiscale.results.sensors`.

    Attributes:
        told: What there is to say of each place by its name: group, area, normal, cell.
        files: The files by name of the place.
        seconds: Wall time spent, s.
    """

    def __init__(
        self,
        simulation: Simulation,
        folder: Path,
        probes: Sequence[Any] = (),
        gauges: Sequence[Any] = (),
        every: float | None = None,
    ) -> None:
        """Find the places in the body; collective.

        Args:
            simulation: Simulation to look at.
            folder: Where the files go.
            probes: Points of the reference body, mm.
            gauges: Names of groups of facets, or points on the reference surface, mm.
            every: Simulated time between rows, us; None for a row at every step.

        Raises:
            InputError: A place is not in the body or not on its surface, or a group is not in the mesh.
        """
        places = {f"probe_{k}": point_in_body(simulation, point) for k, point in enumerate(probes, 1)}
        for k, gauge in enumerate(gauges, 1):
            on_group = isinstance(gauge, str)
            name = f"gauge_{k}_{_plain(gauge)}" if on_group else f"gauge_{k}"
            places[name] = (group_of_surface if on_group else point_on_surface)(simulation, gauge)
        self.told = {name: place.told for name, place in places.items()}
        self.files = {name: folder / f"{name}.csv" for name in places}
        self._comm, self._every, self.seconds = simulation.mesh.comm, every, 0.0
        self._sensors = Sensors(simulation, list(places.values())) if places else None
        self._columns = {name: self._columns_of(place) for name, place in places.items()}
        self._tables: list[StepTable] = []
        self._last_row, self._passed = -1, -1

    def _columns_of(self, place: Place) -> tuple[str, ...]:
        columns = self._sensors.columns if self._sensors is not None else ()
        on_surface = "normal" in place.told
        return tuple(name for name in columns if on_surface or name not in OF_SURFACE)

    def header(self, name: str) -> tuple[str, ...]:
        """Return the columns of the file of a place."""
        return ("step", "time_us", *self._columns[name])

    def begin(self, simulation: Simulation, record: Mapping[str, float], kept: Mapping[str, int]) -> None:
        """Open the files; collective.

        Args:
            simulation: The simulation at its start or restart.
            record: Numbers of the checkpoint of a restarted run.
            kept: Bytes to keep of each file; none of one that is begun.

        Raises:
            InputError: A file cannot be written; on every rank.
        """
        self._last_row = int(record.get(LAST_ROW, -1))
        self._passed = self._count(simulation.time) if simulation.step_count > 0 else -1
        with shared_errors(self._comm):
            if self._comm.rank == 0:
                self._tables = [
                    StepTable(file, self.header(name), kept.get(name, 0), "history")
                    for name, file in self.files.items()
                ]

    def _count(self, time: float) -> int:
        return 0 if self._every is None else int(time / self._every * (1.0 + 1e-9))

    def __call__(self, simulation: Simulation) -> None:
        """Write a row of each if one is due; collective. Where that cannot be, all ranks end."""
        count = self._count(simulation.time)
        if self._sensors is None or (self._every is not None and count <= self._passed):
            return
        begin, self._passed, self._last_row = perf_counter(), count, simulation.step_count
        values = self._sensors.look(simulation)
        for table, row in zip(self._tables, values, strict=False):
            by_name = dict(zip(self._sensors.columns, row, strict=True))
            try:
                table.write(
                    simulation.step_count, [simulation.time, *(by_name[name] for name in table.columns[2:])]
                )
            except InputError as error:
                simulation.fail(InputError(f"t = {simulation.time:.6g} us: {error}"))
        self.seconds += perf_counter() - begin

    def flush(self) -> None:
        """Wait until all rows so far are on the disk.

        Raises:
            InputError: They cannot be written.
        """
        for table in self._tables:
            table.flush()

    def numbers(self) -> dict[str, float]:
        """What a checkpoint keeps; nothing where there is nothing to look at."""
        return {LAST_ROW: self._last_row} if self.files else {}

    def kept(self, step: int, record: Mapping[str, float]) -> dict[str, int]:
        """Return the bytes of each file up to a checkpoint, at ``step``, whose numbers are ``record``.

        Raises:
            InputError: A file is missing or damaged, or ends before the checkpoint.
        """
        return {name: self._kept(name, step, record) for name in self.files}

    def _kept(self, name: str, step: int, record: Mapping[str, float]) -> int:
        file, last = self.files[name], int(record.get(LAST_ROW, -1))
        found = [row for row in read_rows(file, self.header(name), "history") if row[0] <= step]
        if found[-1][0] != last and not (len(found) == 1 and last < 0):
            raise InputError(
                f"history {printable(file)} ends with the row of step {found[-1][0]} up to the checkpoint, "
                f"which had that of step {last}: restart into another --output"
            )
        return found[-1][1]


def _plain(name: str) -> str:
    """Return a name of a group as a part of the name of a file."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name)[:40]
