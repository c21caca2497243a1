"""A small bar with the full field at every point; beside it what learnt it, what learnt Taylor, and Taylor.

    python demos/studies/full_field_anvil.py                              three quarters of an hour of a core
    python demos/studies/full_field_anvil.py --resolution 8 --output results/full_field_anvil_8        minutes
    python demos/studies/full_field_anvil.py --weights W.safetensors                          another network

The truth solves a unit cell at every point and step. Each point has a microstructure of its own, as no two
places of a bar have the same grains: cells of the seeds that follow ``--seed``. The learnt laws and Taylor
stand for the mean of all microstructures, so the scatter between these is a floor that they cannot beat.
``--others 1`` runs the truth again with other microstructures, and says how far the two are apart.

Every run has a folder under --output with checkpoints. Ended at any time and started again, the study goes on
where it was, and to the same bits; runs that are done are kept.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Self

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "paper"))

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mpi4py import MPI
from oval_foot import run_once
from runs import plastic_front

from microscale.crystals.crystal import read_crystal
from microscale.errors import InputError
from microscale.files.whole_file import write_json, write_whole
from microscale.inputs.numbers import Count, CountOrZero, Fraction, OutFolder, Seed, Speed, Time, checked
from microscale.law import State
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.microstructure import Microstructure
from multiscale.cases.anvil import anvil_case
from multiscale.dynamics.elements.names import ElementName
from multiscale.laws import is_registered, register
from multiscale.laws.polycrystals import solid_cell
from multiscale.results.axial_section import axial_section
from multiscale.results.vtkhdf import Results
from multiscale.run.command import launch

TRUTH, LEARNT = "full field", "learnt the full field"
EACH_ITS_OWN = "fft3d-each-its-own"
LATE = np.linspace(0.5, 1.0, 21)
"""Times at which stress is compared, relative to the end."""
FIELD = "von_mises_GPa"


class EachItsOwn(FullFieldCell):
    """A unit cell whose points have microstructures of their own.

    Point k of the state has that of the seed k after the first. It is part of the state, and so of a
    checkpoint.
    """

    grains_of: Callable[[int], Microstructure]

    @classmethod
    def sampled(cls, grains: int, resolution: int, first: int, **options: object) -> Self:
        """Return the cell; the options are those of the class."""
        crystal = read_crystal()
        grains_of = partial(solid_cell, crystal, grains, resolution)
        cell = cls.polycrystal(grains_of(first), crystal, **options)
        cell.grains_of, cell.first = grains_of, first
        return cell

    def init_state(self, n_points: int) -> State:
        """Return points at rest, each with its own grains."""
        state = super().init_state(n_points)
        for point, orientation in enumerate(state["voxel_orientation"]):
            orientation[:] = self.grains_of(self.first + point).voxel_orientations()
        return state


@checked
def each_its_own(
    grains: Count = 256, resolution: Count = 16, tolerance: float = 0.01, seed: Seed = 0
) -> EachItsOwn:
    """Return the law that is called :data:`EACH_ITS_OWN`.

    Raises:
        InputError: There are several ranks, and so no order of all points.
    """
    if MPI.COMM_WORLD.size > 1:
        raise InputError(f"{MPI.COMM_WORLD.size} ranks, expected one: points get their grains by their order")
    return EachItsOwn.sampled(grains, resolution, seed, tolerance=tolerance)


@checked
def full_field_anvil(
    *,
    weights: Path = Path("full-field"),
    grains: Count = 256,
    resolution: Count = 16,
    tolerance: Fraction = 0.01,
    seed: Seed = 0,
    others: CountOrZero = 0,
    velocity: Speed = 200.0,
    elements: Count = 300,
    element: ElementName = "hex8-one-point",
    end_time: Time = 2.0,
    output: OutFolder = Path("results/full_field_anvil"),
) -> dict[str, dict[str, float]]:
    """Run the bar with each law; leave full_field_anvil.md, .json and .png.

    Args:
        weights: A network that learnt the full field, or its name.
        grains: Grains of each unit cell.
        resolution: Voxels along its side.
        tolerance: Of its equilibrium.
        seed: Of the microstructure of the first point.
        others: Further runs of the truth, each with other microstructures.
        velocity: Impact velocity, m/s.
        elements: Number of elements of a quarter of the bar, about.
        element: Its type.
        end_time: Simulated time, us.
        output: Folder of runs, table and picture.

    Returns:
        Figures of each law, by name.
    """
    if not is_registered(EACH_ITS_OWN):
        register(EACH_ITS_OWN, each_its_own)
    cell = {"law": EACH_ITS_OWN, "grains": grains, "resolution": resolution, "tolerance": tolerance}
    laws: dict[str, dict[str, Any]] = {TRUTH: cell | {"seed": seed}}
    for k in range(1, others + 1):
        laws[f"{TRUTH}, other grains {k}"] = cell | {"seed": seed + 10_000 + 1_000_000 * (k - 1)}
    laws |= {
        LEARNT: {"law": "learned", "weights": weights},
        "learnt Taylor": {"law": "learned"},
        "Taylor": {"law": "taylor"},
    }
    bar = {"velocity": velocity, "elements": elements, "element": element, "end_time": end_time}
    runs, found = {}, {}
    for name, law in laws.items():
        case = anvil_case(**bar, **law, model="quarter", steps_between_outputs=1)
        runs[name], summary = run_once(case, name, output)
        found[name] = figures(runs[TRUTH], runs[name], summary)
    write_json(output / "full_field_anvil.json", found)
    write_whole(output / "full_field_anvil.md", table(found).encode())
    draw(output / "full_field_anvil.png", runs, f"{velocity:g} m/s, {end_time:g} us")
    print(f"{table(found)}\npicture: {output / 'full_field_anvil.png'}")
    return found


def figures(truth: Results, found: Results, summary: dict[str, Any]) -> dict[str, float]:
    """Return the figures of a run: shape, mm, front, and how far its stress is off that of the truth."""
    front, front_speed = plastic_front(found)
    end = float(truth.times[-1])
    radius = np.hypot(*(found.points + found.field("displacement_mm", -1))[:, :2].T)
    return {
        "length": summary["final_length_mm"],
        "foot radius": summary["foot_radius_mm"],
        "foot radius, mean": foot_mean(found, radius),
        "plastic front": front,
        "front speed": front_speed,
        "von Mises": apart(truth, found, end),
        "von Mises over time": float(np.mean([apart(truth, found, time) for time in LATE * end])),
        "mean von Mises": float(found.field(FIELD, -1).mean()),
        "seconds": summary["wall_seconds"]["law"],
    }


def foot_mean(results: Results, radius: np.ndarray) -> float:
    """Return the mean radius, mm, of the nodes that are on the rim of the foot in the reference body."""
    z, before = results.points[:, 2], np.hypot(*results.points[:, :2].T)
    rim = (z < z.min() + 1e-6 * np.ptp(z)) & (before > (1.0 - 1e-6) * before.max())
    return float(radius[rim].mean())


def apart(truth: Results, found: Results, time: float) -> float:
    """Return the relative L2 difference of the von Mises stress at a time, us, over the elements."""
    exact = stress_at(truth, time)
    return float(np.linalg.norm(stress_at(found, time) - exact) / np.linalg.norm(exact))


def stress_at(results: Results, time: float) -> np.ndarray:
    """Return the von Mises stress of the elements at a time, linear between the steps of a run, GPa."""
    after = int(np.clip(np.searchsorted(results.times, time), 1, len(results.times) - 1))
    begin, end = results.times[after - 1], results.times[after]
    part = min(1.0, (time - begin) / (end - begin))
    return (1.0 - part) * results.field(FIELD, after - 1) + part * results.field(FIELD, after)


def table(found: dict[str, dict[str, float]]) -> str:
    """Return the figures as a table of markdown."""
    heads = ("length, mm", "foot radius, mm", "off by", "plastic front at, mm", "its speed, mm/us")
    heads = (*heads, "von Mises, off by", "over time")
    lines = [f"| law | {' | '.join(heads)} |", "| --- |" + " ---: |" * len(heads)]
    exact = found[TRUTH]["foot radius"]
    for name, one in found.items():
        errors = (one["foot radius"] / exact - 1.0, one["von Mises"], one["von Mises over time"])
        radius, stress, over = ("" if name == TRUTH else f"{100.0 * error:.2f} %" for error in errors)
        lines.append(
            f"| {name} | {one['length']:.4f} | {one['foot radius']:.4f} | {radius} | "
            f"{one['plastic front']:.3f} | {one['front speed']:.3f} | {stress} | {over} |"
        )
    return "\n".join(lines) + "\n"


def draw(file: Path, runs: dict[str, Results], title: str) -> None:
    """Draw the von Mises stress on the axial sections, and that of the elements beside the truth."""
    sections = {name: axial_section(results, -1, [FIELD]) for name, results in runs.items()}
    largest = 1e3 * max(results.field(FIELD, -1).max() for results in runs.values())
    figure = Figure(figsize=(2.0 * len(runs) + 4.5, 5.6), layout="constrained")
    *panels, last = figure.subplots(1, len(runs) + 1, width_ratios=[1.0] * len(runs) + [2.4])
    for axes, (name, section) in zip(panels, sections.items(), strict=True):
        values = 1e3 * section.values[FIELD]
        drawn = axes.tripcolor(*section.deformed.T, section.triangles, values, vmin=0.0, vmax=largest)
        axes.set(aspect="equal", yticks=[], xticks=[-0.5, 0.0, 0.5], xlabel="mm")
        axes.set_title(name.replace(" ", "\n", 1), fontsize="small")
    figure.colorbar(drawn, ax=panels, label="von Mises stress (MPa)")
    _draw_beside(last, runs, largest)
    figure.suptitle(title, fontsize="medium")
    figure.savefig(file, dpi=90)


def _draw_beside(axes: Axes, runs: dict[str, Results], largest: float) -> None:
    """Draw the stress of every element over that of the truth."""
    exact = 1e3 * runs[TRUTH].field(FIELD, -1)
    axes.plot([0.0, largest], [0.0, largest], "k-", linewidth=0.5)
    for colour, name in enumerate(name for name in runs if name != TRUTH):
        axes.plot(exact, 1e3 * runs[name].field(FIELD, -1), f"C{colour}.", markersize=3, label=name)
    axes.set(aspect="equal", xlabel="full field, MPa", ylabel="MPa", title="von Mises stress")
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)


if __name__ == "__main__":
    launch(full_field_anvil)
