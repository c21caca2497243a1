"""Run a simulation to its end and leave its record: fields, energy ledger, picture and summary in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from multiscale.dynamics.ranks import shared_errors
from multiscale.dynamics.simulation import Observer, Simulation
from multiscale.io.ledger import LedgerWriter
from multiscale.io.progress import CycleLine
from multiscale.io.provenance import provenance
from multiscale.io.results import ResultWriter
from multiscale.io.shape import extremes
from multiscale.io.summary import account, write_summary
from multiscale.io.vtkhdf import Results

#: Names of the files in the folder.
RESULTS, LEDGER, PICTURE, SUMMARY = "results.vtkhdf", "energy.csv", "section.png", "summary.json"


def run_and_record(
    simulation: Simulation,
    end_time: float,
    folder: Path | str,
    steps_between_outputs: int,
    inputs: Mapping[str, Any],
    obstacle: Mapping[str, float],
    measure: Callable[[Results], dict[str, float]],
    title: str = "",
) -> dict[str, Any]:
    """Run ``simulation`` to ``end_time`` and write its record; collective.

    Args:
        simulation: A simulation at its start.
        end_time: Time to reach, us.
        folder: Folder of the record; made if need be, earlier files of the same names are replaced.
        steps_between_outputs: Steps from one output of the fields to the next; energies are kept at every step.
        inputs: Everything the user chose, kept in the summary and in the result file.
        obstacle: What the body meets, for pictures, see :func:`multiscale.io.pictures.draw_sections`.
        measure: Figures of the deformed body to put first in the summary, such as
            :func:`multiscale.io.shape.bar_shape`.
        title: Text above the picture.

    Returns:
        The summary, on every rank.

    Raises:
        InputError: The folder cannot be written to.
        Exception: What the simulation raises; outputs so far are complete.
    """
    begin, comm, folder = perf_counter(), simulation.mesh.comm, Path(folder)
    with shared_errors(comm):
        folder.mkdir(parents=True, exist_ok=True)
        ledger = LedgerWriter(folder / LEDGER, comm.rank)
    attributes = {**provenance(inputs), "obstacle": json.dumps(dict(obstacle))}
    results = ResultWriter(folder / RESULTS, simulation, attributes)
    with CycleLine(end_time, comm.rank) as cycle_line:
        observers = (sparsely(results, steps_between_outputs, end_time), ledger, cycle_line)
        simulation.run(end_time, observers, every=1)
    wall = {**simulation.timers, "output": results.seconds, "total": perf_counter() - begin}
    summary = account(simulation, inputs, wall)
    summary["largest_energy_error_percent"] = 100.0 * ledger.largest_error
    with shared_errors(comm):
        if comm.rank == 0:
            summary = _finish(folder, summary, measure, title)
    return comm.bcast(summary)


def sparsely(observer: Observer, steps: int, end_time: float) -> Observer:
    """Return an observer that passes on every ``steps``-th step and the end."""

    def observe(simulation: Simulation) -> None:
        if simulation.step_count % steps == 0 or simulation.time >= end_time:
            observer(simulation)

    return observe


def _finish(
    folder: Path, summary: dict[str, Any], measure: Callable[[Results], dict[str, float]], title: str
) -> dict[str, Any]:
    """Draw the picture, write the summary and return it, on one rank."""
    # Loading the libraries that draw takes a second; ranks that draw nothing are spared it.
    from multiscale.io.pictures import draw_sections

    begin = perf_counter()
    results = Results(folder / RESULTS)
    summary = {**measure(results), **extremes(results), **summary}
    draw_sections(folder / RESULTS, folder / PICTURE, title=title)
    summary["wall_seconds"]["picture"] = perf_counter() - begin
    write_summary(folder / SUMMARY, summary)
    return summary


def how_to_open(folder: Path | str) -> str:
    """Return the lines that say where the record is and how to open it."""
    folder = Path(folder)
    return (
        f"{folder / RESULTS}  fields at every output: open in ParaView, or pyvista.read(...)\n"
        f"{folder / LEDGER}      energies at every step\n"
        f"{folder / PICTURE}     axial section as in the paper's Figure 3\n"
        f"{folder / SUMMARY}    final figures, inputs and versions"
    )
