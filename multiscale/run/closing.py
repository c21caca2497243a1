"""The end of a run: pictures, summary, report, and what is said of them in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from microscale.files.printable import drawable, printable
from multiscale.results.dimensions import extremes
from multiscale.results.run_folder import CASE, HISTORIES, LEDGER, PICTURE, REPORT, SUMMARY
from multiscale.results.vtkhdf import Results
from multiscale.run.summary import write_summary
from multiscale.run.told_material import wrapped


def draw_histories(folder: Path, summary: Mapping[str, Any]) -> None:
    """Draw what probes and gauges saw, if there are any."""
    from multiscale.results.history_picture import draw_histories as draw

    if summary["histories"]:
        draw({name: folder / f"{name}.csv" for name in summary["histories"]}, folder / HISTORIES)


def finish(
    results_path: Path,
    summary: dict[str, Any],
    measure: Callable[[Results], dict[str, float]],
    picture: Mapping[str, Any],
    draw: Callable[[Path, Mapping[str, Any]], None],
    report: Callable[[Path, Mapping[str, Any], Iterable[str]], str],
) -> dict[str, Any]:
    """Draw the pictures, write summary and report, say where all is, and return the summary; on one rank.

    Args:
        results_path: The result file or index, in the folder of the run.
        summary: What the run says of itself.
        measure: Figures of the deformed body, put first.
        picture: How to draw the section.
        draw: Draws what else there is into the folder.
        report: Returns what is printed in the end.
    """
    # Loading the libraries that draw takes a second; ranks that draw nothing are spared it.
    from multiscale.results.html_report import write_report
    from multiscale.results.pictures import draw_sections

    begin, folder = perf_counter(), results_path.parent
    results = Results(results_path)
    figures = measure(results)
    summary = {**figures, **extremes(results), **summary}
    lines = picture.get("title", "").splitlines()
    draw_sections(results_path, folder / PICTURE, **{**picture, "title": "\n".join(map(drawable, lines))})
    draw(folder, summary)
    summary["wall_seconds"]["picture"] = perf_counter() - begin
    write_summary(folder / SUMMARY, summary)
    write_report(folder, picture.get("title", "").partition("\n")[0])
    print(report(results_path, summary, figures), flush=True)
    return summary


def report(results_path: Path, summary: Mapping[str, Any], figures: Iterable[str]) -> str:
    """Return what a user wants to know at the end: the figures, where the files are, how to open them."""
    folder, wall = results_path.parent, summary["wall_seconds"]["total"]
    told = ", ".join(f"{name} = {summary[name]:.6g}" for name in figures)
    missed = "" if summary["touched"] else "NEVER TOUCHED: the body has met no obstacle\n"
    noted = "".join(f"note: {line}\n" for line in summary["notes"])
    warned = "".join(f"warning: {line}\n" for line in summary["warnings"])
    files = {
        results_path: _how_to_open(results_path),
        folder / REPORT: "all of this in one page, with a view to turn, for a browser",
        folder / PICTURE: "axial section at up to five times",
        folder / LEDGER: "energies of every step",
        **{folder / f"{name}.csv": "what it saw over time" for name in summary["histories"]},
        **({folder / HISTORIES: "probes and gauges over time"} if summary["histories"] else {}),
        folder / SUMMARY: "final figures, cost by stage, inputs and versions",
    }
    if (folder / CASE).exists():
        files[folder / CASE] = "all it was computed from: 'multiscale run' repeats it"
    return (
        f"\n{missed}{wrapped(summary['material']['told'])}\n{told}\n"
        f"energy error {summary['energy_error_percent']:+.3f} % after {summary['steps']} steps; "
        f"{summary['elements']} elements, {wall:.1f} s on {summary['ranks']} rank(s)\n\n"
        + "".join(f"{printable(file)}\n    {what}\n" for file, what in files.items())
        + (f"\n{noted}{warned}" if noted or warned else "")
    )


def _how_to_open(results_path: Path) -> str:
    opened = "ParaView" if results_path.suffix == ".pvd" else "ParaView 5.13 or later"
    return (
        f"fields of every output: open it in {opened}, or in Python\n"
        "    multiscale.read_results(folder)[-1] is the last one, a pyvista mesh"
    )
