"""Run statics and leave its record in one folder: fields, loads, pictures, summary, report, checkpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

from cyclopts import Parameter

from microscale.files.schema import STRICT
from microscale.inputs.numbers import Count, Time, check_fields
from multiscale.parallel.ranks import shared_errors
from multiscale.parallel.sole_writer import sole_writer
from multiscale.results.dimensions import body_shape
from multiscale.results.field_writer import ResultWriter
from multiscale.results.loads import LoadsWriter, columns
from multiscale.results.provenance import identity, provenance
from multiscale.results.run_folder import LEDGER, LOADS, LOADS_PICTURE, PICTURE, REPORT, RESULT_FILES, SUMMARY
from multiscale.results.vtkhdf import Results
from multiscale.run.checkpoint import read_checkpoint, write_checkpoint
from multiscale.run.closing import finish
from multiscale.run.control import Checkpoints, RunControl
from multiscale.run.failed import last_good, leave_word
from multiscale.run.outputs import EverySteps
from multiscale.run.progress import CycleLine
from multiscale.run.record_options import ExtraField, Format
from multiscale.run.recording import CHECKPOINT, LOCK
from multiscale.run.resume import ORIGIN, Kept, kept_record, require_free
from multiscale.run.same_run import Origin
from multiscale.run.statics_closing import account, draw_reactions, line, report
from multiscale.run.told_material import material_line, material_text
from multiscale.statics.statics import Statics


@dataclass(frozen=True, kw_only=True)
class StaticsOptions:
    """Load steps and outputs of statics.

    Attributes:
        first_step: The first load step, us; by default a twentieth of the time, or a hundredth of that of
            upsetting. Steps that fail are cut.
        longest_step: The longest load step, us; by default a tenth of the time, or a twentieth.
        steps_between_outputs: Load steps from one output of the fields to the next.
        fields: Further fields of the outputs: stress (Cauchy) and deformation-gradient.
        format: One temporal VTKHDF file, or a series of .vtu files with an index (.pvd).

    Raises:
        InputError: A value is out of its range.
    """

    __pydantic_config__ = STRICT

    first_step: Time | None = None
    longest_step: Time | None = None
    steps_between_outputs: Count = 1
    fields: Annotated[tuple[ExtraField, ...], Parameter(name="--field", negative="")] = ()
    format: Format = "vtkhdf"

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", tuple(self.fields))
        check_fields(self)


def run_and_record_statics(
    statics: Statics,
    end_time: float,
    folder: Path | str,
    inputs: Mapping[str, Any],
    options: StaticsOptions | None = None,
    *,
    measure: Callable[[Results], dict[str, float]] = body_shape,
    control: RunControl | None = None,
    title: str = "",
    **picture: Any,
) -> dict[str, Any]:
    """Run ``statics`` to ``end_time`` and write its record; collective.

    Args:
        statics: A body at its start; it goes on from the checkpoint that ``control`` names, if any.
        end_time: Time to reach, us.
        folder: Folder of the record; made if need be. Earlier files of the same names are replaced, but after
            a restart kept up to the checkpoint.
        inputs: Everything the user chose, kept in the summary and in the result file.
        options: Load steps and outputs.
        measure: Figures of the deformed body to put first in the summary.
        control: Checkpoints, restart and early end; None for a run without any at intervals.
        title: What was run, for picture, report and terminal; the material is added.
        **picture: How to draw the section, see :func:`multiscale.results.pictures.draw_sections`.

    Returns:
        The summary, on every rank.

    Raises:
        InputError: The folder cannot be written to, another run writes it, or the checkpoint or the record is
            not of this run.
        Stopped: The run was told to end; it has left a checkpoint.
        Exception: What the load steps raise, with a note of what was last good; outputs so far are complete.
    """
    begin, comm, folder = perf_counter(), statics.mesh.comm, Path(folder)
    control, options = control or RunControl(), options or StaticsOptions()
    law = identity(statics.law)
    origin = Origin(statics, law, inputs)
    files = _Files(statics, folder, options, origin)
    with shared_errors(comm):
        files.require_free(inputs)
    before = {} if control.restart is None else read_checkpoint(control.restart, statics, origin)
    if comm.rank == 0:
        print(f"{title}\n{material_text(statics.law)}".strip(), flush=True)
    with sole_writer(comm, folder, folder / LOCK):
        files.begin(before, inputs)
        checkpoints = Checkpoints(folder / CHECKPOINT, control, files.write_checkpoint)
        statics.poll = control.wish
        shown = CycleLine(end_time, comm.rank, told=line)
        ready = perf_counter()
        word = partial(leave_word, statics, law, inputs, folder / SUMMARY, dict)
        with shown, control.listening(), last_good(files.results, checkpoints, word):
            observers = (files.outputs(), files.loads, shown, checkpoints)
            statics.run(end_time, observers, first_step=options.first_step, longest_step=options.longest_step)
            files.results.finish(statics)
            files.flush()
        now = perf_counter()
        wall = {**statics.timers, "output": files.results.seconds, "run": now - ready, "total": now - begin}
        summary = account(statics, law, inputs, wall)
        with shared_errors(comm):
            if comm.rank == 0:
                heading = f"{title}\n{material_line(statics.law)}".strip()
                drawn = {**picture, "title": heading}
                summary = finish(files.path, summary, measure, drawn, draw_reactions, report)
        return comm.bcast(summary)


class _Files:
    """Fields and loads of a run, begun or gone on with together."""

    def __init__(self, statics: Statics, folder: Path, options: StaticsOptions, origin: Origin) -> None:
        self._statics, self._folder, self._options, self._origin = statics, folder, options, origin
        self.path = folder / RESULT_FILES[options.format]

    def require_free(self, inputs: Mapping[str, Any]) -> None:
        """Refuse a record that would be written over what is read, or where folders are in its way."""
        names = (LOADS, LOADS_PICTURE, PICTURE, SUMMARY, REPORT, CHECKPOINT)
        require_free((self.path, *(self._folder / name for name in names)), inputs)

    def begin(self, record: Mapping[str, float], inputs: Mapping[str, Any]) -> None:
        """Begin the files, or go on with those of the folder; all is checked first; collective."""
        statics, table = self._statics, self._folder / LOADS
        kept, names = Kept(), columns(statics)
        with shared_errors(statics.mesh.comm):
            if statics.mesh.comm.rank == 0 and statics.step_count > 0:
                now = statics.step_count, statics.time
                kept = kept_record(self.path, table, *now, record, self._origin, names)
            if statics.mesh.comm.rank == 0 and kept.steps is None:
                self._remove_stale()
        self.loads = self._begin_loads(table, kept.ledger)
        made_by = {
            **provenance(inputs),
            "material": material_line(statics.law),
            ORIGIN: json.dumps(self._origin.content),
        }
        self.results = ResultWriter(self.path, statics, made_by, record, kept.steps, self._options.fields)

    def _begin_loads(self, table: Path, kept: int) -> LoadsWriter:
        with shared_errors(self._statics.mesh.comm):
            self._folder.mkdir(parents=True, exist_ok=True)
        return LoadsWriter(table, self._statics, kept)

    def _remove_stale(self) -> None:
        """Remove fields of another format and energies that an earlier run left here."""
        others = [self._folder / name for name in (*RESULT_FILES.values(), LEDGER)]
        others += [*self._folder.glob("probe_[0-9]*.csv"), *self._folder.glob("gauge_[0-9]*.csv")]
        for file in {*others} - {self.path}:
            with suppress(OSError):
                file.unlink()

    def outputs(self) -> EverySteps:
        """Return what puts the fields out."""
        return EverySteps(self.results, self._options.steps_between_outputs, self._statics)

    def flush(self) -> None:
        """Wait until all so far is on the disk; collective."""
        self.results.flush()
        with shared_errors(self._statics.mesh.comm):
            self.loads.flush()

    def write_checkpoint(self, path: Path, statics: Statics) -> None:
        """Write a checkpoint, after all that it is of; collective."""
        self.flush()
        write_checkpoint(path, statics, self._origin, self.results.numbers())
