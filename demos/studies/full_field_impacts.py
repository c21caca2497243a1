"""Bar and plate with the surrogate of the full field and with that of Taylor: one table and one picture.

    python demos/studies/full_field_impacts.py                                          a minute on a core
    python demos/studies/full_field_impacts.py --weights W.safetensors                  another network

Meshes and velocities are those of the demos. What differs is the weights of the learned law: the strength of
the body, and so its shape. The elastic front differs by some 2 %; the plastic one behind it by more.
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "paper"))

import numpy as np
from matplotlib.figure import Figure
from oval_foot import run_once
from runs import front_speeds, plastic_front

from microscale.files.whole_file import write_json, write_whole
from microscale.inputs.numbers import Count, OutFolder, Speed, checked
from multiscale.cases.anvil import anvil_case
from multiscale.cases.case import Case
from multiscale.cases.plate import plate_case
from multiscale.results.axial_section import axial_section
from multiscale.results.vtkhdf import Results
from multiscale.run.command import launch

FIELD = "von_mises_GPa"
BEHIND = ("plastic front on the axis", "speed of the plastic front")
WITHIN = {"bar": 1.2, "plate": 5.0}
"""Distance from the axis that is shown, mm."""
EDGE = "front_edge_mm_per_us"
SETTLED = {"bar": (0.05, 0.35), "plate": (0.05, 0.25)}
"""Times in which the speed of its edge is measured, us: before it has crossed the plate."""
SHAPE = {
    "final_length_mm": "length",
    "foot_radius_mm": "foot radius",
    "struck_face_depth_mm": "depth of the struck face",
    "rear_face_bulge_mm": "bulge of the rear face",
}


@checked
def full_field_impacts(
    *,
    weights: Path = Path("full-field"),
    velocity: Speed = 200.0,
    elements: Count = 3000,
    layers: Count = 8,
    output: OutFolder = Path("results/full_field_impacts"),
) -> dict[str, dict[str, dict[str, float]]]:
    """Run both bodies with both networks; leave full_field_impacts.md, .json and .png.

    Args:
        weights: A network that learnt the full field, or its name.
        velocity: Impact velocity, m/s.
        elements: Number of elements of a quarter of the bar, about.
        layers: Elements through the plate.
        output: Folder of runs, table and picture.

    Returns:
        Figures by body and by network.
    """
    networks: dict[str, dict[str, Any]] = {
        "full field": {"weights": weights},
        "Taylor": {},
    }
    shared: dict[str, Any] = {"velocity": velocity, "steps_between_outputs": 1}  # fronts are read from them
    runs: dict[str, dict[str, Results]] = {"bar": {}, "plate": {}}
    found: dict[str, dict[str, dict[str, float]]] = {"bar": {}, "plate": {}}
    for name, network in networks.items():
        bodies: dict[str, Case] = {
            "bar": anvil_case(**shared, **network, elements=elements, model="quarter", end_time=3.0),
            "plate": plate_case(**shared, **network, layers=layers),
        }
        for body, case in bodies.items():
            runs[body][name], summary = run_once(case, f"{body} {name}", output)
            found[body][name] = figures(body, runs[body][name], summary, velocity)
    write_json(output / "full_field_impacts.json", found)
    write_whole(output / "full_field_impacts.md", table(found).encode())
    draw(output / "full_field_impacts.png", runs)
    print(f"{table(found)}\npicture: {output / 'full_field_impacts.png'}")
    return found


def figures(body: str, results: Results, summary: dict[str, Any], velocity: float) -> dict[str, float]:
    """Return the figures of a run by their names in the table; mm, mm/us, MPa."""
    shape = {told: summary[name] for name, told in SHAPE.items() if name in summary}
    elastic = {"speed of the elastic front": front_speeds(results, velocity, *SETTLED[body])[EDGE]}
    behind = dict(zip(BEHIND, plastic_front(results), strict=True))
    largest = {"largest von Mises stress": 1e3 * results.field(FIELD, -1).max()}
    found = shape | elastic | (behind if body == "bar" else {}) | largest  # a plate has none on its axis
    return {name: float(np.nan_to_num(value)) for name, value in found.items()}


def table(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """Return the figures as a table of markdown; their units follow from their names."""
    lines = []
    for body, networks in found.items():
        lines += [f"| {body} | {' | '.join(networks)} | changed by |", "| --- |" + " ---: |" * 3]
        for name in next(iter(networks.values())):
            first, second = (one[name] for one in networks.values())
            unit = "MPa" if "stress" in name else "mm/us" if "speed" in name else "mm"
            change = f"{100.0 * (first / second - 1.0):+.2f} %" if second else ""  # no front on a coarse mesh
            lines.append(f"| {name}, {unit} | {first:.4g} | {second:.4g} | {change} |")
        lines.append("")
    return "\n".join(lines)


def draw(file: Path, runs: dict[str, dict[str, Results]]) -> None:
    """Draw the von Mises stress on the axial section of both bodies with both networks."""
    figure = Figure(figsize=(10.0, 5.0), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.0, 1.5))
    shown = {
        "bar": left.subplots(1, 2, sharex=True, sharey=True),
        "plate": right.subplots(2, 1, sharex=True, sharey=True),
    }
    for body, panels in shown.items():
        largest = 1e3 * max(results.field(FIELD, -1).max() for results in runs[body].values())
        for axes, (name, results) in zip(panels, runs[body].items(), strict=True):
            section = axial_section(results, -1, [FIELD])
            values = 1e3 * section.values[FIELD]
            drawn = axes.tripcolor(
                *section.deformed.T, section.triangles, values, vmin=0.0, vmax=largest, shading="gouraud"
            )
            title = f"{name}, {results.times[-1]:.3g} us"
            axes.text(0.5, 0.97, title, transform=axes.transAxes, ha="center", va="top")
            low, high = section.deformed[:, 1].min(), section.deformed[:, 1].max()
            room = 0.15 * (high - low) if body == "bar" else 0.5 * (high - low)  # for the text
            axes.set(aspect="equal", xlabel="mm", ylim=(low - 0.02 * (high - low), high + room))
            axes.set_xlim(-WITHIN[body], WITHIN[body])
        figure_of = left if body == "bar" else right
        figure_of.colorbar(drawn, ax=panels, label="von Mises stress (MPa)", location="bottom", shrink=0.8)
    figure.savefig(file, dpi=90)


if __name__ == "__main__":
    launch(full_field_impacts)
