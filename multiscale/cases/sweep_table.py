"""What a sweep found, as a table on the terminal, a CSV file and a picture."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from rich.console import Console
from rich.table import Column, Table

from microscale.errors import InputError
from microscale.files.printable import drawable, printable
from microscale.files.whole_file import write_whole

#: What is shown besides lengths of the deformed body, where a summary has it; the CSV holds all numbers.
SHOWN = ("max_von_mises_GPa", "max_e_d", "energy_error_percent", "steps")


@dataclass(frozen=True)
class Row:
    """One run of a sweep.

    Attributes:
        value: Value of the flag, as it was given.
        summary: Summary of the run; empty where it failed.
        error: Why it failed.
    """

    value: str
    summary: dict[str, Any]
    error: str = ""

    @property
    def numbers(self) -> dict[str, float]:
        """The figures of the run that are one number each, in the order of the summary."""
        found = self.summary.items()
        return {name: value for name, value in found if isinstance(value, (int, float)) and value is not None}


def shown_names(rows: Sequence[Row]) -> list[str]:
    """Names of the figures that are shown: lengths of the body first."""
    names = dict.fromkeys(name for row in rows for name in row.numbers)
    return [name for name in names if name.endswith("_mm")] + [name for name in SHOWN if name in names]


def write_rows(file: Path, flag: str, rows: Sequence[Row]) -> None:
    """Write all numbers as CSV.

    Raises:
        InputError: The file cannot be written.
    """
    names = list(dict.fromkeys(name for row in rows for name in row.numbers))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([flag, *names, "error"])
    writer.writerows([row.value, *(row.numbers.get(name, "") for name in names), row.error] for row in rows)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make {file.parent} ({error.strerror}): choose another --output") from error
    write_whole(file, text.getvalue().encode())


def print_rows(file: Path, flag: str, rows: Sequence[Row]) -> None:
    """Print the numbers that are shown, and where all of them are."""
    shown = shown_names(rows)
    heads = (printable(flag), *(name.replace("_", " ") for name in shown))  # broken between words
    columns = [Column(head, overflow="fold") for head in heads]
    table = Table(*columns, title=f"{len(rows)} runs over --{printable(flag)}")
    for row in rows:
        cells = [f"{row.numbers[name]:.5g}" if name in row.numbers else "" for name in shown]
        table.add_row(printable(row.value), *(cells if row.summary else ["failed"]))
    Console().print(table)
    print(
        f"{printable(file)}\n    all figures\n{printable(file.with_suffix('.png'))}\n    those above",
        flush=True,
    )


def draw_rows(file: Path, label: str, rows: Sequence[Row]) -> None:
    """Draw what is shown, one panel a figure, against the values: along an axis where they are numbers."""
    there = placed([row for row in rows if row.summary])
    names = shown_names([row for _, row in there])
    if not names:
        return
    columns = min(3, len(names))
    lines = -(-len(names) // columns)
    figure = Figure((3.6 * columns, 2.8 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for axes, name in zip(panels, names, strict=False):
        points = [(place, row.numbers[name]) for place, row in there if name in row.numbers]
        axes.plot(*zip(*points, strict=True), "o-")
        axes.set_title(drawable(name), fontsize=9)
        axes.set_xlabel(drawable(label))
        axes.tick_params(labelsize=8)
        if all(isinstance(number, int) for _, number in points):
            axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    figure.savefig(file, dpi=110)


def placed(rows: Sequence[Row]) -> list[tuple[Any, Row]]:
    """Return rows with where they stand along an axis: in order if all values are numbers, else as words."""
    try:
        return sorted(((float(row.value), row) for row in rows), key=lambda pair: pair[0])
    except ValueError:
        return [(drawable(Path(row.value).name, 24), row) for row in rows]
