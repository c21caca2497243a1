"""Every anvil stays valid or ends with an error: laws, elements and velocities in one table.

Each run is judged by its result file and not by the program's own check: at every output all corners of all
cells are right side out and no node is below the wall. An end is

    valid     the run reached its end time, and all its outputs are valid
    error     the run ended with an error; its message and the time of the last output are in the table
    INVALID   an output is not valid: this command then ends with exit code 1

    python demos/studies/valid_ends.py --output results/valid_ends
    python demos/studies/valid_ends.py --laws johnson-cook --elements hex8-one-point --velocities 400 500
    --cells 750

Rows are appended to ``valid_ends.csv`` as runs end; started again, the command goes on with those that are
missing. The polycrystal (``taylor``) and its unit cell (``fft3d``) get small meshes and short times.
"""

import csv
import sys
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter
from matplotlib import pyplot as plt

sys.path.insert(0, str(Path(__file__).parents[1]))  # the demos are scripts beside this folder

from taylor_anvil import taylor_anvil

from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.progress import tracked
from microscale.tensors import FloatArray
from multiscale.results.vtkhdf import Results
from multiscale.run.command import launch

Law = Literal["neo-hooke", "j2", "johnson-cook", "learned", "taylor", "fft3d"]
ElementName = Literal["hex8-one-point", "hex8-fbar", "tet10"]
SEVERAL = Parameter(consume_multiple=True)

COLUMNS = [
    "law",
    "element",
    "velocity",
    "cells",
    "end_time",
    "end",
    "reached",
    "worst_corner",
    "lowest_node",
    "message",
]
COLOURS = {"valid": "#8fc98f", "error": "#f2c572", "INVALID": "#d9534f"}

# Cells and end time, us, of the laws that take a millisecond a point and step or more.
SMALL = {"taylor": (60, 3.0), "fft3d": (20, 0.3)}

# Depth that counts as below the wall, mm: round-off of positions of some millimetres.
ROUND_OFF = 1e-9

# VTK's hexahedron: each corner and its three neighbours.
HEXAHEDRON = [
    (0, 1, 3, 4), (1, 2, 0, 5), (2, 3, 1, 6), (3, 0, 2, 7),
    (4, 7, 5, 0), (5, 4, 6, 1), (6, 5, 7, 2), (7, 6, 4, 3),
]  # fmt: skip

# VTK's quadratic tetrahedron has the middles of the edges 01, 12, 02, 03, 13, 23 as 4 to 9; 10 is the centre
# that the composite element ties to them. At the corners and around the centre: twelve linear tetrahedra.
TETRAHEDRON = [
    (0, 4, 6, 7), (1, 5, 4, 8), (2, 6, 5, 9), (3, 8, 7, 9), (10, 4, 6, 7), (10, 5, 4, 8),
    (10, 6, 5, 9), (10, 8, 7, 9), (10, 5, 8, 9), (10, 6, 7, 9), (10, 4, 7, 8), (10, 4, 5, 6),
]  # fmt: skip


def corner_volumes(x: FloatArray) -> FloatArray:
    """Six times the signed volumes of the corners of cells with nodes at ``x``, (cells, nodes, 3)."""
    if x.shape[1] == 8:
        corner = x[:, HEXAHEDRON]
    else:
        corner = np.concatenate([x, x[:, 4:].mean(axis=1, keepdims=True)], axis=1)[:, TETRAHEDRON]
    a, b, c = np.moveaxis(corner[:, :, 1:] - corner[:, :, :1], 2, 0)
    return np.einsum("nci,nci->nc", np.cross(a, b), c)


def judge(results: Results) -> tuple[float, float, float]:
    """Time of the last output, us; worst corner volume over that at rest; lowest node, mm above the wall."""
    at_rest = corner_volumes(results.points[results.cells])
    worst, lowest = np.inf, np.inf
    for step in range(len(results.times)):
        x = results.points + results.field("displacement_mm", step)
        worst = min(worst, float((corner_volumes(x[results.cells]) / at_rest).min()))
        lowest = min(lowest, float(x[:, 2].min()))
    return float(results.times[-1]), worst, lowest


def run(
    law: Law, element: ElementName, velocity: float, cells: int, end_time: float, folder: Path
) -> dict[str, Any]:
    """Run one anvil and judge what it left; a row of the table."""
    message = ""
    try:
        taylor_anvil(
            law=law, element=element, velocity=velocity, elements=cells, end_time=end_time, model="quarter",
            output=folder,
        )  # fmt: skip
    except (DeformationError, ConvergenceError, InputError) as error:
        message = str(error)
    reached, worst, lowest = judge(Results(folder / "results.vtkhdf"))
    valid = worst > 0.0 and lowest > -ROUND_OFF
    end = "INVALID" if not valid else "error" if message else "valid"
    values = law, element, velocity, cells, end_time, end, reached, worst, lowest, message
    return dict(zip(COLUMNS, values, strict=True))


def valid_ends(
    *,
    laws: Annotated[tuple[Law, ...], SEVERAL] = (
        "neo-hooke",
        "j2",
        "johnson-cook",
        "learned",
        "taylor",
        "fft3d",
    ),
    elements: Annotated[tuple[ElementName, ...], SEVERAL] = ("hex8-one-point", "hex8-fbar", "tet10"),
    velocities: Annotated[tuple[float, ...], SEVERAL] = (100.0, 200.0, 300.0, 400.0, 500.0),
    cells: int = 300,
    end_time: float = 10.0,
    output: Path = Path("results/valid_ends"),
) -> list[dict[str, Any]]:
    """Run what is missing in the table, draw it, and end with an error if an end is invalid.

    Args:
        laws: Laws at the points.
        elements: Element types.
        velocities: Impact velocities, m/s.
        cells: Cells of a quarter, about; fewer for the polycrystal.
        end_time: End of each run, us; earlier for the polycrystal.
        output: Folder of the table, the picture and the results of each run.
    """
    output.mkdir(parents=True, exist_ok=True)
    table = output / "valid_ends.csv"
    rows = _read(table)
    for law, velocity, element in tracked(list(product(laws, velocities, elements)), "anvils"):
        size = (
            (min(cells, SMALL[law][0]), min(end_time, SMALL[law][1])) if law in SMALL else (cells, end_time)
        )
        key = [law, element, str(velocity), str(size[0]), str(size[1])]
        if any([row[name] for name in COLUMNS[:5]] == key for row in rows):
            continue
        row = run(law, element, velocity, *size, output / "-".join(key))
        rows.append({name: str(value) for name, value in row.items()})
        _append(table, row)
    _draw(output / "valid_ends.png", rows)
    invalid = [row for row in rows if row["end"] == "INVALID"]
    if invalid:
        raise DeformationError(f"{len(invalid)} runs ended invalid, expected none: see {table}")
    return rows


def _read(table: Path) -> list[dict[str, Any]]:
    if not table.exists():
        return []
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def _append(table: Path, row: dict[str, Any]) -> None:
    new = not table.exists()
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow(row)


def _draw(path: Path, rows: list[dict[str, Any]]) -> None:
    """One field a run: how it ended, and the time an error came at."""
    runs = [(row["law"], row["element"], row["cells"], row["end_time"]) for row in rows]
    lines = sorted(set(runs), key=runs.index)
    speeds = sorted({float(row["velocity"]) for row in rows})
    figure, plot = plt.subplots(
        figsize=(2.6 + 1.1 * len(speeds), 0.8 + 0.3 * len(lines)), constrained_layout=True
    )
    for row, line in zip(rows, runs, strict=True):
        y = lines.index(line)
        x = speeds.index(float(row["velocity"]))
        plot.add_patch(plt.Rectangle((x - 0.48, y - 0.46), 0.96, 0.92, color=COLOURS[row["end"]]))
        words = row["end"] + (f" {float(row['reached']):.1f} us" if row["end"] != "valid" else "")
        plot.text(x, y, words, ha="center", va="center", fontsize=8)
    plot.set(
        xlim=(-0.5, len(speeds) - 0.5), ylim=(len(lines) - 0.5, -0.5), xlabel="velocity (m/s)",
        xticks=range(len(speeds)), xticklabels=[f"{speed:g}" for speed in speeds], yticks=range(len(lines)),
        yticklabels=[f"{law}, {element}, {cells} cells, {float(t):g} us" for law, element, cells, t in lines],
    )  # fmt: skip
    plot.tick_params(length=0, labelsize=8)
    plot.spines[:].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    launch(valid_ends)
