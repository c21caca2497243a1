"""Run a simulation and leave its record in one folder: fields, energy ledger, picture and summary."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from microscale.errors import InputError
from microscale.files.printable import printable
from multiscale.dynamics.simulation import Observer, Simulation
from multiscale.parallel.ranks import shared_errors
from multiscale.parallel.sole_writer import sole_writer
from multiscale.results.dimensions import extremes
from multiscale.results.field_writer import ResultWriter
from multiscale.results.ledger import LedgerWriter
from multiscale.results.provenance import identity, provenance
from multiscale.results.run_folder import LEDGER, PICTURE, REPORT, RESULTS, SUMMARY
from multiscale.results.vtkhdf import Results
from multiscale.run.checkpoint import read_checkpoint, write_checkpoint
from multiscale.run.control import Checkpoints, RunControl
from multiscale.run.failed import leave_word
from multiscale.run.inputs import require_apart
from multiscale.run.progress import CycleLine
from multiscale.run.resume import ORIGIN, Kept, kept_record, require_files
from multiscale.run.same_run import Origin
from multiscale.run.stopped import Stopped
from multiscale.run.summary import account, write_summary

#: Name of the checkpoint in the folder; the other names are those of :mod:`multiscale.results.run_folder`.
CHECKPOINT = "checkpoint.h5"

#: Number of the record that a checkpoint keeps.
LARGEST_ERROR = "largest_energy_error"

#: Who writes the folder holds the lock on this file.
LOCK = ".lock"

#: Outputs of the fields after the initial one, if the user does not say otherwise, and those of a run that is
#: expected to take fewer steps than given: one output takes as long as half a step of a cheap law.
OUTPUTS, FEW_OUTPUTS, FEW_STEPS = 20, 8, 160


def run_and_record(
    simulation: Simulation,
    end_time: float,
    folder: Path | str,
    steps_between_outputs: int | None,
    inputs: Mapping[str, Any],
    obstacle: Mapping[str, float],
    measure: Callable[[Results], dict[str, float]],
    control: RunControl | None = None,
    **picture: Any,
) -> dict[str, Any]:
    """Run ``simulation`` to ``end_time`` and write its record; collective.

    Args:
        simulation: A simulation at its start; it goes on from the checkpoint that ``control`` names, if any.
        end_time: Time to reach, us.
        folder: Folder of the record; made if need be. Earlier files of the same names are replaced, but after
            a restart kept up to the checkpoint, so that the record is that of a run that was never ended.
        steps_between_outputs: Steps from one output of the fields to the next; None for
            :data:`OUTPUTS`, evenly spaced in time. Energies are kept at every step.
        inputs: Everything the user chose, kept in the summary and in the result file.
        obstacle: What the body meets, for pictures, see :func:`multiscale.results.pictures.draw_sections`.
        measure: Figures of the deformed body to put first in the summary, such as
            :func:`multiscale.results.dimensions.bar_shape`.
        control: Checkpoints, restart and early end; None for a run without any at intervals.
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
    simulation.require_reachable(end_time)
    law = identity(simulation.law)
    origin = Origin(simulation, law, inputs)
    require_interval(steps_between_outputs)
    with shared_errors(comm):
        read = [value for name, value in inputs.items() if isinstance(value, Path) and name != "restart"]
        names = (RESULTS, LEDGER, PICTURE, SUMMARY, REPORT, CHECKPOINT)
        require_apart((folder / name for name in names), read)
    record = _restart(simulation, control, origin, end_time, folder)
    made_by = {
        **provenance(inputs),
        "obstacle": json.dumps(dict(obstacle)),
        ORIGIN: json.dumps(origin.content),
    }
    with sole_writer(comm, folder, folder / LOCK):
        ledger, results = _writers(simulation, folder, record, origin, made_by)

        def write(path: Path, simulation: Simulation) -> None:
            results.flush()
            with shared_errors(comm):
                ledger.flush()
            numbers = {LARGEST_ERROR: ledger.largest_error, **results.numbers()}
            write_checkpoint(path, simulation, origin, numbers)

        checkpoints = Checkpoints(folder / CHECKPOINT, control, write)
        simulation.poll = control.wish
        # Start-up, with its compilation, is no part of the run.
        ready, before = perf_counter(), dict(simulation.timers)
        with (
            CycleLine(end_time, comm.rank) as cycle_line,
            control.listening(),
            _last_good(results, checkpoints, partial(leave_word, simulation, law, inputs, folder / SUMMARY)),
        ):
            outputs = sparsely(results, steps_between_outputs, end_time, simulation)
            # A checkpoint comes last: what it is of has been recorded.
            simulation.run(end_time, (outputs, ledger, cycle_line, checkpoints), every=1)
            results.flush()
        now = perf_counter()
        wall = {stage: seconds - before[stage] for stage, seconds in simulation.timers.items()}
        wall |= {"output": results.seconds, "ledger": ledger.seconds, "progress": cycle_line.seconds}
        wall |= {"run": now - ready, "total": now - begin}
        summary = account(simulation, law, inputs, wall)
        summary["largest_energy_error_percent"] = 100.0 * ledger.largest_error
        with shared_errors(comm):
            if comm.rank == 0:
                summary = _finish(folder, summary, measure, picture)
        return comm.bcast(summary)


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
    recorded = simulation.mesh.comm.bcast((folder / RESULTS).exists())
    if simulation.time > end_time * (1.0 + (1e-9 if recorded else -1e-9)):
        raise InputError(
            f"end-time = {end_time} us, checkpoint {control.restart} is at {simulation.time:.6g} us: "
            "give a later --end-time"
        )
    return record


def _writers(
    simulation: Simulation, folder: Path, record: Mapping[str, float], origin: Origin, made_by: dict[str, str]
) -> tuple[LedgerWriter, ResultWriter]:
    """Begin ledger and result file, or go on with those of the folder; all is checked first; collective."""
    comm, kept = simulation.mesh.comm, Kept()
    with shared_errors(comm):
        require_files(folder / name for name in (RESULTS, LEDGER, PICTURE, SUMMARY, CHECKPOINT))
        if comm.rank == 0 and simulation.step_count > 0:
            files = folder / RESULTS, folder / LEDGER
            kept = kept_record(*files, simulation.step_count, simulation.time, record, origin)
    with shared_errors(comm):
        ledger = LedgerWriter(folder / LEDGER, comm.rank, kept.ledger, record[LARGEST_ERROR])
    results = ResultWriter(folder / RESULTS, simulation, made_by, record, kept.steps)
    return ledger, results


@contextmanager
def _last_good(
    results: ResultWriter, checkpoints: Checkpoints, leave_word: Callable[[BaseException], None]
) -> Iterator[None]:
    """Keep the outputs of a run that fails, leave word of it, and note on its error what was last good."""
    try:
        yield
    except Stopped:
        raise
    except BaseException as error:
        results.rescue()
        output = (
            "no new output" if results.last_time is None else f"last output at t = {results.last_time:.6g} us"
        )
        leave_word(error)
        error.add_note(f"{output} in {results.path}, {checkpoints.last}")
        raise


def require_interval(steps: int | None) -> None:
    """Raise an InputError if there are no positive ``steps`` between outputs."""
    if steps is not None and steps < 1:
        raise InputError(f"steps between outputs = {steps}, expected at least 1")


def sparsely(observer: Observer, steps: int | None, end_time: float, begun: Simulation) -> Observer:
    """Return an observer that passes on every ``steps``-th step, or :data:`OUTPUTS` even times, and the end.

    What ``begun``, the simulation at its start or restart, has behind it, or is at, was passed on before.

    Raises:
        InputError: ``steps`` is not positive.
    """
    require_interval(steps)

    def count(simulation: Simulation) -> int:
        return int(share(simulation) * outputs) if steps is None else simulation.step_count // steps

    def share(simulation: Simulation) -> float:
        return simulation.time / end_time * (1.0 + 1e-9)

    outputs = OUTPUTS if end_time / begun.first_dt >= FEW_STEPS else FEW_OUTPUTS
    passed = count(begun)

    def observe(simulation: Simulation) -> None:
        nonlocal passed
        if count(simulation) > passed or share(simulation) >= 1.0:
            passed = count(simulation)
            observer(simulation)

    return observe


def _finish(
    folder: Path,
    summary: dict[str, Any],
    measure: Callable[[Results], dict[str, float]],
    picture: Mapping[str, Any],
) -> dict[str, Any]:
    """Draw the picture, write the summary, say where all is, and return the summary; on one rank."""
    # Loading the libraries that draw takes a second; ranks that draw nothing are spared it.
    from multiscale.results.html_report import write_report
    from multiscale.results.pictures import draw_sections

    begin = perf_counter()
    results = Results(folder / RESULTS)
    figures = measure(results)
    summary = {**figures, **extremes(results), **summary}
    draw_sections(folder / RESULTS, folder / PICTURE, **picture)
    summary["wall_seconds"]["picture"] = perf_counter() - begin
    write_summary(folder / SUMMARY, summary)
    write_report(folder, picture.get("title", ""))
    print(report(folder, summary, figures), flush=True)
    return summary


def report(folder: Path, summary: Mapping[str, Any], figures: Iterable[str]) -> str:
    """Return what a user wants to know at the end: the figures, where the files are, how to open them."""
    told = ", ".join(f"{name} = {summary[name]:.6g}" for name in figures)
    wall = summary["wall_seconds"]["total"]
    warned = "".join(f"warning: {line}\n" for line in summary["warnings"])
    missed = "" if summary["touched"] else "NEVER TOUCHED: the body has met no obstacle\n"
    return (
        f"\n{missed}{told}\n"
        f"energy error {summary['energy_error_percent']:+.3f} % after {summary['steps']} steps; "
        f"{summary['elements']} elements, {wall:.1f} s on {summary['ranks']} rank(s)\n\n"
        f"{printable(folder / RESULTS)}\n"
        "    fields of every output: open it in ParaView, or in Python step by step with\n"
        "    reader = pyvista.get_reader(file); reader.reader.SetStep(k); grid = reader.read()\n"
        f"{printable(folder / REPORT)}\n    all of this in one page, with a view to turn, for a browser\n"
        f"{printable(folder / PICTURE)}\n    axial section at up to five times\n"
        f"{printable(folder / LEDGER)}\n    energies of every step\n"
        f"{printable(folder / SUMMARY)}\n    final figures, cost by stage, inputs and versions\n"
        + (f"\n{warned}" if warned else "")
    )
