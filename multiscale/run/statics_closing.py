"""What statics says of itself: the line of a step, the summary, and the end of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

from mpi4py import MPI

from microscale.files.printable import printable
from multiscale.results.provenance import plain, versions
from multiscale.results.run_folder import LOADS, LOADS_PICTURE, PICTURE, REPORT, SUMMARY
from multiscale.run.progress import clock
from multiscale.run.told_material import material_line, material_of, wrapped
from multiscale.run.training_range import left_range, told
from multiscale.statics.statics import Statics


def line(statics: Statics, seconds_to_go: float | None) -> str:
    """Return the account of the present load step in one line of at most 79 letters."""
    residuals = " ".join(f"{residual:.0e}" for residual in statics.last.residuals[-3:])
    return (
        f"step {statics.step_count:4d}  t {statics.time:7.5g} us  {statics.last.iterations:2d} iterations  "
        f"{residuals:17s}  ETA {clock(seconds_to_go)}"
    )


def account(
    statics: Statics, law: Mapping[str, str], inputs: Mapping[str, Any], wall: Mapping[str, float]
) -> dict[str, Any]:
    """Return what a finished run says about itself; collective.

    Args:
        statics: The body at its end.
        law: Its law as it was at the start.
        inputs: Everything the user chose.
        wall: Wall time by stage on this rank, s; the slowest rank is reported.
    """
    comm, left = statics.mesh.comm, left_range(statics)
    peak = 1024 * getrusage(RUSAGE_SELF).ru_maxrss
    return {
        "final_time_us": statics.time,
        "steps": statics.step_count,
        "steps_cut": statics.cuts,
        "iterations": statics.iterations,
        "most_iterations_a_step": statics.most_iterations,
        "last_residuals": list(statics.last.residuals[-3:]),
        "work_J": statics.work,
        "elements": statics.n_cells_global,
        "points": statics.n_points_global,
        "ranks": comm.size,
        "wall_seconds": {stage: comm.allreduce(seconds, MPI.MAX) for stage, seconds in sorted(wall.items())},
        "process_peak_bytes": comm.allreduce(peak),
        "law": dict(law),
        "material": {**material_of(statics.law), "told": material_line(statics.law)},
        "warnings": told(left, statics.n_points_global),
        "left_training_range": left,
        "versions": versions(),
        "inputs": plain(inputs),
    }


def draw_reactions(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw the reactions over the displacements."""
    from multiscale.results.loads import draw_loads

    draw_loads(folder / LOADS, folder / LOADS_PICTURE)


def report(results_path: Path, summary: Mapping[str, Any], figures: Iterable[str]) -> str:
    """Return what a user wants to know at the end: the figures, where the files are."""
    folder, wall = results_path.parent, summary["wall_seconds"]["total"]
    said = ", ".join(f"{name} = {summary[name]:.6g}" for name in figures)
    warned = "".join(f"warning: {warning}\n" for warning in summary["warnings"])
    files = {
        results_path: "fields of every output; multiscale.read_results(folder)[-1] is the last one",
        folder / REPORT: "all of this in one page, with a view to turn, for a browser",
        folder / PICTURE: "axial section at up to five times",
        folder / LOADS_PICTURE: "reactions over displacements",
        folder / LOADS: "convergence, displacements, reactions and loads of every load step",
        folder / SUMMARY: "final figures, cost by stage, inputs and versions",
    }
    return (
        f"\n{wrapped(summary['material']['told'])}\n{said}\n"
        f"{summary['steps']} load steps, {summary['steps_cut']} cut, {summary['iterations']} iterations, at "
        f"most {summary['most_iterations_a_step']} a step; {summary['elements']} elements, {wall:.1f} s on "
        f"{summary['ranks']} rank(s)\n\n"
        + "".join(f"{printable(file)}\n    {what}\n" for file, what in files.items())
        + (f"\n{warned}" if warned else "")
    )
