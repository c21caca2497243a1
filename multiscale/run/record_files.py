"""The files of a run while it goes on: fields, ledger and histories, begun or gone on with together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from multiscale.dynamics.simulation import Observer, Simulation
from multiscale.parallel.ranks import shared_errors
from multiscale.results.field_writer import ResultWriter
from multiscale.results.histories import Histories
from multiscale.results.ledger import LedgerWriter
from multiscale.results.run_folder import LEDGER, LOADS, LOADS_PICTURE, RESULT_FILES
from multiscale.run.outputs import FEW_OUTPUTS, FEW_STEPS, OUTPUTS, EvenTimes, EverySteps
from multiscale.run.record_options import RecordOptions
from multiscale.run.resume import Kept, kept_record
from multiscale.run.same_run import Origin

#: Number of the record that a checkpoint keeps.
LARGEST_ERROR = "largest_energy_error"

#: Outputs of a run until rest, over its longest time, of which about a third passes.
UNTIL_REST = 60


class RecordFiles:
    """Fields, ledger and histories of a run.

    Attributes:
        results: Writer of the fields.
        ledger: Writer of the energies.
        histories: Writer of probes and gauges.
        path: The file of the fields.
    """

    def __init__(self, simulation: Simulation, folder: Path, options: RecordOptions, origin: Origin) -> None:
        """Find the places to look at, and write nothing yet; collective.

        Raises:
            InputError: A probe or a gauge is not in the body.
        """
        self._simulation, self._folder, self._options, self._origin = simulation, folder, options, origin
        self.path = folder / RESULT_FILES[options.format]
        self.histories = Histories(simulation, folder, options.probes, options.gauges, options.history_every)

    @property
    def names(self) -> Iterable[Path]:
        """All that is written while the run goes on."""
        return self.path, self._folder / LEDGER, *self.histories.files.values()

    def begin(self, record: Mapping[str, float], made_by: Mapping[str, str]) -> None:
        """Begin the files, or go on with those of the folder; all is checked first; collective.

        Args:
            record: Numbers of the checkpoint of a restarted run.
            made_by: Provenance for the file of the fields.

        Raises:
            InputError: A file is in the way, or cannot be written, or is not the record up to the checkpoint.
        """
        simulation, ledger = self._simulation, self._folder / LEDGER
        comm, kept, rows = simulation.mesh.comm, Kept(), {}
        with shared_errors(comm):
            if comm.rank == 0 and simulation.step_count > 0:
                now = simulation.step_count, simulation.time
                kept = kept_record(self.path, ledger, *now, record, self._origin)
                if kept.steps is not None:
                    rows = self.histories.kept(simulation.step_count, record)
            if comm.rank == 0 and kept.steps is None:
                self._remove_stale()
        with shared_errors(comm):
            self.ledger = LedgerWriter(ledger, comm.rank, kept.ledger, record[LARGEST_ERROR])
        self.histories.begin(simulation, record, rows)
        self.results = ResultWriter(self.path, simulation, made_by, record, kept.steps, self._options.fields)

    def _remove_stale(self) -> None:
        """Remove fields of another format and histories of other places that an earlier run left here."""
        others = [self._folder / name for name in RESULT_FILES.values()]
        others += [self._folder / LOADS, self._folder / LOADS_PICTURE]
        others += [*self._folder.glob("probe_[0-9]*.csv"), *self._folder.glob("gauge_[0-9]*.csv")]
        others += list((self._folder / RESULT_FILES["vtu"]).with_suffix("").glob("*.vtu"))
        for file in {*others} - {*self.names}:
            with suppress(OSError):
                file.unlink()

    def outputs(self, end_time: float) -> Observer:
        """Return what puts the fields out, in a run to ``end_time``, us; collective."""
        simulation, options = self._simulation, self._options
        if options.steps_between_outputs is not None:
            return EverySteps(self.results, options.steps_between_outputs, simulation)
        many = UNTIL_REST if options.until_rest else OUTPUTS
        usual = many if end_time / simulation.first_dt >= FEW_STEPS else FEW_OUTPUTS
        return EvenTimes(self.results, end_time, end_time / (options.outputs or usual), simulation)

    def flush(self) -> None:
        """Wait until all so far is on the disk; collective.

        Raises:
            InputError: It cannot be written.
        """
        self.results.flush()
        with shared_errors(self._simulation.mesh.comm):
            self.ledger.flush()
            self.histories.flush()

    def seconds(self) -> dict[str, float]:
        """Return the wall time that writing has taken so far, s, by what was written."""
        return {
            "output": self.results.seconds,
            "ledger": self.ledger.seconds,
            "histories": self.histories.seconds,
        }

    def numbers(self) -> dict[str, float]:
        """What a checkpoint keeps of the record."""
        return {
            LARGEST_ERROR: self.ledger.largest_error,
            **self.results.numbers(),
            **self.histories.numbers(),
        }
