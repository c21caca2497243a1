"""Run a simulation and leave its record in one folder: fields, energy ledger, picture and summary."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from microscale.errors import InputError
from microscale.files.whole_file import write_whole
from multiscale.dynamics.simulation import Simulation
from multiscale.parallel.ranks import shared_errors
from multiscale.parallel.sole_writer import sole_writer
from multiscale.results.dimensions import body_shape
from multiscale.results.provenance import identity, provenance
from multiscale.results.run_folder import CASE, HISTORIES, PICTURE, REPORT, RESULT_FILES, SUMMARY
from multiscale.results.vtkhdf import Results
from multiscale.run.arrest import Arrest
from multiscale.run.checkpoint import read_checkpoint, write_checkpoint
from multiscale.run.closing import draw_histories, finish, report
from multiscale.run.control import Checkpoints, RunControl
from multiscale.run.failed import last_good, leave_word
from multiscale.run.notices import notes_at_end, warnings_at_end
from multiscale.run.progress import CycleLine
from multiscale.run.record_files import LARGEST_ERROR, RecordFiles
from multiscale.run.record_options import AS_USUAL, RecordOptions
from multiscale.run.resume import ORIGIN, require_free
from multiscale.run.same_run import Origin
from multiscale.run.summary import account
from multiscale.run.told_material import material_line, material_of, material_text
from multiscale.run.written_case import WrittenCase

#: Name of the checkpoint in the folder; the other names are those of :mod:`multiscale.results.run_folder`.
CHECKPOINT = "checkpoint.h5"

#: Who writes the folder holds the lock on this file.
LOCK = ".lock"


def run_and_record(
    simulation: Simulation,
    end_time: float,
    folder: Path | str,
    inputs: Mapping[str, Any],
    record: RecordOptions = AS_USUAL,
    *,
    measure: Callable[[Results], dict[str, float]] = body_shape,
    control: RunControl | None = None,
    title: str = "",
    case: WrittenCase | None = None,
    **picture: Any,
) -> dict[str, Any]:
    """Run ``simulation`` to ``end_time`` and write its record; collective.

    Args:
        simulation: A simulation at its start; it goes on from the checkpoint that ``control`` names, if any.
        end_time: Time to reach, us.
        folder: Folder of the record; made if need be. Earlier files of the same names are replaced, but after
            a restart kept up to the checkpoint, so that the record is that of a run that was never ended.
        inputs: Everything the user chose, kept in the summary and in the result file; what ``record`` says is
            added.
        record: What to keep besides the energies of every step.
        measure: Figures of the deformed body to put first in the summary, such as
            :func:`multiscale.results.dimensions.bar_shape`; by default its extents.
        control: Checkpoints, restart and early end; None for a run without any at intervals.
        title: What was run, for picture, report and terminal; the material is added.
        case: The run as a case, kept in the folder; none by default.
        **picture: How to draw the picture, see :func:`multiscale.results.pictures.draw_sections`.

    Returns:
        The summary, on every rank.

    Raises:
        InputError: The folder cannot be written to, another run writes it, the checkpoint is not of this run,
            or the record in the folder does not reach it; nothing has been changed then.
        Stopped: The run was told to end; it has left a checkpoint.
        Exception: What the simulation raises, with a note of what was last good; outputs so far are complete.
    """
    begin, comm, folder = perf_counter(), simulation.mesh.comm, Path(folder)
    control = control or RunControl()
    arrest = Arrest(simulation, end_time, record.longest_time) if record.until_rest else None
    latest = arrest.longest_time if arrest else end_time
    simulation.require_reachable(latest)
    law = identity(simulation.law)
    inputs = {name: value for name, value in inputs.items() if name != "record"} | record.given
    origin = Origin(simulation, law, inputs, None if case is None else case.bound)
    files = RecordFiles(simulation, folder, record, origin)
    with shared_errors(comm):
        _require_names(folder, files, inputs)
    before = _restart(simulation, control, origin, latest, folder)
    if comm.rank == 0:
        print(f"{title}\n{material_text(simulation.law)}".strip(), flush=True)
    with sole_writer(comm, folder, folder / LOCK):
        files.begin(before, _made_by(simulation, inputs, origin))
        with shared_errors(comm):
            if case is not None and comm.rank == 0:
                write_whole(folder / CASE, case.text.encode(errors="replace"))

        def write(path: Path, simulation: Simulation) -> None:
            files.flush()
            write_checkpoint(path, simulation, origin, files.numbers())

        checkpoints = Checkpoints(folder / CHECKPOINT, control, write)
        simulation.poll = control.wish
        # Start-up, with its compilation, is no part of the run.
        ready, spent = perf_counter(), dict(simulation.timers)
        line = CycleLine(latest, comm.rank, share=arrest.progress if arrest else None)
        word = partial(leave_word, simulation, law, inputs, folder / SUMMARY, partial(_own, simulation))
        with line, control.listening(), last_good(files.results, checkpoints, word):
            # A checkpoint comes last: what it is of has been recorded.
            observers = (files.outputs(latest), files.ledger, files.histories, line, checkpoints)
            simulation.run(latest, observers, every=1, until=arrest)
            files.results.finish(simulation)
        now = perf_counter()
        wall = {stage: seconds - spent[stage] for stage, seconds in simulation.timers.items()}
        wall |= {**files.seconds(), "progress": line.seconds, "run": now - ready, "total": now - begin}
        summary = account(simulation, law, inputs, wall)
        summary["warnings"] += warnings_at_end(simulation, arrest)
        summary |= _told(simulation, files, arrest)
        with shared_errors(comm):
            if comm.rank == 0:
                heading = f"{title}\n{material_line(simulation.law)}".strip()
                drawn = {**picture, "title": heading}
                summary = finish(files.path, summary, measure, drawn, draw_histories, report)
        return comm.bcast(summary)


def _require_names(folder: Path, files: RecordFiles, inputs: Mapping[str, Any]) -> None:
    names = (PICTURE, HISTORIES, SUMMARY, REPORT, CHECKPOINT, CASE)
    require_free((*files.names, *(folder / name for name in names)), inputs)


def _made_by(simulation: Simulation, inputs: Mapping[str, Any], origin: Origin) -> dict[str, str]:
    """Return the attributes of the file of the fields."""
    outlines = ((obstacle, obstacle.outline(simulation.size)) for obstacle in simulation.obstacles)
    drawn = [
        {"outline_mm": outline.tolist(), "velocity_mm_per_us": obstacle.velocity[[0, 2]].tolist()}
        for obstacle, outline in outlines
        if outline is not None
    ]
    return {
        **provenance(inputs),
        "obstacles": json.dumps(drawn),
        "material": material_line(simulation.law),
        ORIGIN: json.dumps(origin.content),
    }


def _own(simulation: Simulation) -> dict[str, Any]:
    """Return what the summary of a failed impact has beside that of any run."""
    return {"touched": simulation.touched, "warnings": simulation.doubts}


def _told(simulation: Simulation, files: RecordFiles, arrest: Arrest | None) -> dict[str, Any]:
    """Return what the summary says of the material, the record, and what is worth knowing."""
    material = {**material_of(simulation.law), "told": material_line(simulation.law)}
    told = {
        "material": material,
        "histories": files.histories.told,
        "notes": notes_at_end(simulation, arrest),
        "largest_energy_error_percent": 100.0 * files.ledger.largest_error,
    }
    return told if arrest is None else {**told, "at_rest_at_us": arrest.at}


def _restart(
    simulation: Simulation, control: RunControl, origin: Origin, end_time: float, folder: Path
) -> dict[str, float]:
    """Go on from the checkpoint, if there is one; return its numbers of the record."""
    if control.restart is None:
        return {LARGEST_ERROR: 0.0}
    if control.restart.is_dir():
        raise InputError(f"checkpoint {control.restart} is a folder: give the {CHECKPOINT} in it")
    record = read_checkpoint(control.restart, simulation, origin)
    # A run that was killed between its last checkpoint and its summary is finished in its own folder.
    recorded = simulation.mesh.comm.bcast(any((folder / name).exists() for name in RESULT_FILES.values()))
    if simulation.time > end_time * (1.0 + (1e-9 if recorded else -1e-9)):
        raise InputError(
            f"end-time = {end_time} us, checkpoint {control.restart} is at {simulation.time:.6g} us: "
            "give a later --end-time"
        )
    return record
