"""A bar from a rolled plate hits a wall: what of its oval foot does a learnt law have? A table and a picture.

    python demos/studies/oval_foot.py                              polycrystals, and networks told or not told
    python demos/studies/oval_foot.py --weights W.safetensors      another network that is told textures

The c axes of the plate point along its normal, within 15 degrees in seven grains of eight. The bar is cut
along the rolling direction, and the foot spreads where twins lengthen the c axes. The truth is the
concurrent run: a Taylor polycrystal at every point, of as many grains as the networks were taught by. Each
run has a folder of its own under --output. Ended at any time and started again, the study goes on from the
last checkpoint; runs that are done are kept, unless their law has changed.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from mpi4py import MPI

from microscale.errors import DeformationError
from microscale.files.whole_file import write_whole
from microscale.inputs.numbers import Count, OutFolder, Speed, Time, checked
from microscale.tensors import FloatArray
from multiscale.cases.anvil import anvil_case
from multiscale.cases.case import Case
from multiscale.cases.sweep import found_summary, row_of
from multiscale.cases.sweep_plan import Planned
from multiscale.results.foot import ROUND_OFF, Outline, foot_outline
from multiscale.results.provenance import identity
from multiscale.results.run_folder import RESULTS
from multiscale.results.vtkhdf import Results
from multiscale.run.command import launch
from multiscale.run.control import ControlOptions

TRUTH = "concurrent"
CHECKPOINTS = 40
"""Of a run."""
COLUMNS = ("half width, long", "short", "ovality", "of its area", "length", "von Mises", "extrapolation")
STYLES = ("k-", "C0-", "C1--", "C2:")


@checked
def oval_foot(
    *,
    weights: Path = Path("any-texture"),
    texture: str = "rolled:7.5,7.5",
    texture_axes: str = "z,x,y",
    grains: Count = 128,
    few: Count = 16,
    velocity: Speed = 200.0,
    elements: Count = 3000,
    end_time: Time = 2.0,
    output: OutFolder = Path("results/oval_foot"),
) -> dict[str, dict[str, float]]:
    """Run the bar with each law; leave oval_foot.md, .json and .png.

    Args:
        weights: A network that is told textures, or its name.
        texture: Texture of the plate.
        texture_axes: Where RD, TD and ND of the plate lie in the bar, whose axis is z.
        grains: Grains at each point of the truth.
        few: Grains at each point of a smaller polycrystal.
        velocity: Impact velocity, m/s.
        elements: Number of elements, about.
        end_time: Simulated time, us.
        output: Folder of runs, table and picture.

    Returns:
        Figures of each law, by name.
    """
    plate: dict[str, Any] = {"texture": texture, "texture_axes": texture_axes}
    laws: dict[str, dict[str, Any]] = {
        TRUTH: {"law": "taylor", "grains": grains} | plate,
        "network, told the texture": {"law": "learned", "weights": weights} | plate,
        "network without texture": {"law": "learned"},
        f"{few} grains": {"law": "taylor", "grains": few} | plate,
    }
    bar = {"velocity": velocity, "elements": elements, "end_time": end_time}
    runs, summaries = {}, {}
    for name, law in laws.items():
        runs[name], summaries[name] = run_once(anvil_case(**bar, **law), name, output)
    feet = {name: foot_outline(results) for name, results in runs.items()}
    found = {name: figures(feet[name], runs[TRUTH], runs[name], summaries[name]) for name in laws}
    write_whole(output / "oval_foot.json", (json.dumps(found, indent=2) + "\n").encode())
    write_whole(output / "oval_foot.md", table(found).encode())
    draw(output / "oval_foot.png", runs, feet, f"{texture}, bar along RD, {velocity:g} m/s, {end_time:g} us")
    print(f"{table(found)}\npicture: {output / 'oval_foot.png'}")
    return found


def run_once(case: Case, name: str, output: Path) -> tuple[Results, dict[str, Any]]:
    """Run a case, or go on with it where it ended; return its results and its summary.

    Raises:
        DeformationError: The run ended with an error.
    """
    law = identity(case.law.make(case.end_time))["hash"][:8]  # other weights are another run
    folder = output / f"{name.replace(',', '').replace(' ', '_')}_{law}"
    control = ControlOptions(checkpoint_every=case.end_time / CHECKPOINTS)
    planned = Planned(name, case, control, folder)
    row = row_of(planned, found_summary(planned, MPI.COMM_WORLD), MPI.COMM_WORLD)
    if row.error:
        raise DeformationError(f"{name}: {row.error}")
    return Results(folder / RESULTS), row.summary


def figures(foot: Outline, truth: Results, found: Results, summary: dict[str, Any]) -> dict[str, float]:
    """Return the figures of a run by their names."""
    exact, stress = (results.field("von_mises_GPa", -1) for results in (truth, found))
    error = float(np.linalg.norm(stress - exact) / np.linalg.norm(exact))
    shape = (foot.long, foot.short, foot.ovality, foot.ovality_of_area, summary["final_length_mm"])
    beyond = found.field("extrapolation", -1).max() if "extrapolation" in found.cell_fields else 0.0
    return dict(zip(COLUMNS, (*shape, error, float(beyond)), strict=True))


def table(found: dict[str, dict[str, float]]) -> str:
    """Return the figures as a table of markdown."""
    heads = [*COLUMNS[:2], "ovality", "of its area", "length", "von Mises, off by", "largest extrapolation"]
    lines = [f"| law | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(heads)]
    for name, one in found.items():
        long, short, ovality, area, length, stress, beyond = one.values()
        told = "" if name == TRUTH else f"{100.0 * stress:.1f} %"
        lines.append(
            f"| {name} | {long:.4f} mm | {short:.4f} mm | {ovality:.4f} | {area:.4f} | {length:.4f} mm | "
            f"{told} | {beyond:.2f} |"
        )
    return "\n".join(lines) + "\n"


def draw(file: Path, runs: dict[str, Results], feet: dict[str, Outline], title: str) -> None:
    """Draw the outlines of the feet, and the von Mises stress on each."""
    figure = Figure(figsize=(11.0, 5.4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(5.0, 6.0))
    draw_outlines(left.subplots(), feet, title)
    panels = right.subplots(2, -(-len(runs) // 2)).ravel()
    faces = {name: faces_of_foot(results) for name, results in runs.items()}
    largest = 1e3 * max(stress.max() for _, stress in faces.values())
    reach = 1.05 * max(foot.long for foot in feet.values())
    for panel, (name, (corners, stress)) in zip(panels, faces.items(), strict=False):
        shown = PolyCollection(corners, array=1e3 * stress, clim=(0.0, largest), edgecolors="none")
        panel.add_collection(shown)
        panel.set(xlim=(-reach, reach), ylim=(-reach, reach))
        panel.set_title(name, fontsize="small")
    for panel in panels:
        panel.set(aspect="equal", xticks=[], yticks=[], frame_on=False)
    right.colorbar(shown, ax=panels, label="von Mises stress on the foot (MPa)")
    figure.savefig(file, dpi=90)


def draw_outlines(axes: Axes, feet: dict[str, Outline], title: str) -> None:
    """Draw the outlines of the feet over each other."""
    for style, (name, foot) in zip(STYLES, feet.items(), strict=False):
        closed = np.concatenate([foot.corners, foot.corners[:1]])
        axes.plot(*closed.T, style, label=f"{name}: {foot.ovality:.3f}")
    axes.set(aspect="equal", xlabel="x, TD (mm)", ylabel="y, ND (mm)")
    axes.set_title(title, fontsize="medium")
    axes.legend(loc="center", fontsize="small", title="ovality", title_fontsize="small")
    axes.grid(alpha=0.3)


def faces_of_foot(results: Results) -> tuple[FloatArray, FloatArray]:
    """Return the faces on the wall at the end, shape (n, 4, 2), mm, and their stress, shape (n,), GPa."""
    z = results.points[:, 2]
    lowest = z < z.min() + ROUND_OFF * np.ptp(z)
    cells = np.flatnonzero(lowest[results.cells].sum(axis=1) == 4)
    nodes = np.stack([cell[lowest[cell]] for cell in results.cells[cells]])
    corners = (results.points + results.field("displacement_mm", -1))[nodes, :2]
    around = corners - corners.mean(axis=1, keepdims=True)
    order = np.argsort(np.arctan2(around[..., 1], around[..., 0]), axis=1)
    faces = np.take_along_axis(corners, order[..., None], axis=1)
    return faces, results.field("von_mises_GPa", -1)[cells]


if __name__ == "__main__":
    launch(oval_foot)
