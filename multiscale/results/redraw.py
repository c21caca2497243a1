"""The picture of a run drawn again, of other fields or at other times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from microscale.errors import InputError
from microscale.files.printable import drawable, printable
from microscale.files.toml import read_toml
from multiscale.results.history_picture import draw_histories
from multiscale.results.pictures import FIGURE_3, Quantity, draw_sections
from multiscale.results.run_folder import CASE, HISTORIES, PICTURE, SUMMARY, RunFolder

#: A unit at the end of a field's name, as in von_mises_GPa.
UNIT = re.compile(r"(.+)_(GPa|mm|us|K|mm_per_us|J_per_mm3|per_us)")


def redraw(
    folder: Path | str, fields: Sequence[str] = (), times: Sequence[float] = (), picture: Path | None = None
) -> Path:
    """Draw the axial section of a run again and return the picture.

    Args:
        folder: Folder of the run.
        fields: Cell fields to show; by default the three of the paper's Figure 3.
        times: Times to show, us, each at the nearest output; by default five.
        picture: PNG to write; by default that of the folder.

    Raises:
        InputError: The folder holds no results, or no such field.
    """
    run = RunFolder(folder)
    picture = run.path / PICTURE if picture is None else picture
    shown = [quantity_of(run, name) for name in fields] or FIGURE_3
    title, within = _told(run)
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw_sections(run.results.path, picture, times or None, shown, title=title, within=within)
    return picture


def redraw_histories(folder: Path | str) -> Path | None:
    """Draw what probes and gauges of a run saw again, and return the picture; None where there are none.

    Raises:
        InputError: The folder holds no results, or a table of them is missing or cannot be read.
    """
    run = RunFolder(folder)
    names = run.summary.get("histories", {}) if (run.path / SUMMARY).exists() else {}
    if not names:
        return None
    draw_histories({name: run.path / f"{name}.csv" for name in names}, run.path / HISTORIES)
    return run.path / HISTORIES


def _told(run: RunFolder) -> tuple[str, float]:
    """Return the title of a run, with its material, and how far from the axis it is shown, mm."""
    case = run.path / CASE
    told = read_toml(case, "case", "remove it, or run it again") if case.exists() else {}
    within = str(told.get("shown_within", "inf mm")).removesuffix("mm")
    material = ""
    if (run.path / SUMMARY).exists():
        material = run.summary.get("material", {}).get("told", "")
    lines = printable(told.get("title", run.path.name)), material
    return "\n".join(drawable(line) for line in lines if line), float(within)


def quantity_of(run: RunFolder, name: str) -> Quantity:
    """Return how a field of a run is shown.

    Raises:
        InputError: The run has no such field of one number a cell.
    """
    known = [field for field in run.results.cell_fields if run.results.field(field, 0).ndim == 1]
    if name not in known:
        raise InputError(f"field = {name!r}, expected one of {', '.join(known)}, which {run.path} has")
    for quantity in FIGURE_3:
        if quantity.field == name:
            return quantity
    match = UNIT.fullmatch(name)
    words, unit = match.groups() if match else (name, "-")
    signed = any(bool((run.results.field(name, step) < 0.0).any()) for step in range(len(run)))
    colours = "RdBu" if signed else "viridis"
    return Quantity(name, f"{drawable(words.replace('_', ' '))} ({unit})", colours, signed)
