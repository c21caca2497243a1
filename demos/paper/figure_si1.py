"""Figure SI-1 of the paper: is a network as isotropic as a polycrystal without texture?

Uniaxial stretch in an axis x1' that makes an angle with x1 in the plane of x1 and x3: the tensile stress
along x1' should not depend on the angle. Measured: its standard deviation over the angles, relative, for both
networks and for the polycrystal, of 128 grains evenly spread (which taught the recurrent network) or drawn
(which taught the paper's); the same over random directions; and how far each mean is from the first's.

    python demos/paper/figure_si1.py --output results/paper
"""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from figure2 import surrogates
from matplotlib.figure import Figure
from runs import write_figures
from scipy.spatial.transform import Rotation

from microscale.inputs.numbers import Count, OutFolder
from microscale.law import ConstitutiveLaw, drive
from multiscale.laws import make_law
from multiscale.run.command import launch
from multiscale.surrogate.evaluate import Predict

ANGLES = np.arange(0.0, 360.0, 30.0)
HALF_TURN = len(ANGLES) // 2
IN_PLANE = Rotation.from_rotvec(-np.radians(ANGLES)[:, None] * [0.0, 1.0, 0.0])
RANDOM = Rotation.random(200, rng=0)
STRAIN = 0.5


def figure_si1(
    *,
    output: OutFolder = Path("results/paper"),
    weights: Path | None = None,
    grains: Count = 128,
    fast: bool = False,
) -> dict[str, Any]:
    """Draw figure_si1.png and measure figure_si1.json.

    Args:
        output: Folder of picture and figures; the paper's network is in its folder ``table_si2``, or trained.
        weights: Weights of the recurrent network; by default those that come with the repository.
        grains: Grains of the polycrystal.
        fast: A tiny paper's network, for a test.
    """
    polycrystals = {
        f"polycrystal, {texture} grains": partial(_drive, make_law("taylor", grains=grains, texture=texture))
        for texture in ("uniform", "random")
    }
    laws = {**polycrystals, **surrogates(output, weights, fast)}
    times = np.linspace(0.0, 1.0, 201)
    picture = Figure(figsize=(16.0, 4.2), layout="constrained")
    panels = picture.subplots(1, len(laws))  # each with a scale of its own: the stresses are unlike
    figures, reference = {}, None
    for axes, (name, predict) in zip(panels, laws.items(), strict=True):
        stress, elsewhere = (tensile_stress(predict, frames, times) for frames in (IN_PLANE, RANDOM))
        mean = stress.mean(axis=0)
        reference = mean if reference is None else reference
        figures[name] = {
            "scatter": scatter(stress),
            "scatter_over_random_directions": scatter(elsewhere),
            "error_of_the_mean": float(np.linalg.norm(mean - reference) / np.linalg.norm(reference)),
        }
        for k, (angle, history) in enumerate(zip(ANGLES, stress, strict=True)):
            # A stretch along x1' is one along -x1': such two lines lie upon each other, and share a colour.
            label = f"{angle:g}°, {angle + 180.0:g}°" if angle < 180.0 else None
            axes.plot(STRAIN * times, 1e3 * history, f"C{k % HALF_TURN}", label=label)
        axes.set(title=name, xlabel="U' - 1 along x1'")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("tensile stress along x1', MPa")
    lines = panels[0].get_lines()[:HALF_TURN]
    picture.legend(handles=lines, ncols=len(lines), loc="outside lower center", title="angle of x1' to x1")
    picture.savefig(output / "figure_si1.png", dpi=90)
    return write_figures(output / "figure_si1.json", figures)


def _drive(law: ConstitutiveLaw, times: np.ndarray, U: np.ndarray) -> np.ndarray:
    return drive(law, U, times)


def tensile_stress(predict: Predict, frames: Rotation, times: np.ndarray) -> np.ndarray:
    """Return the stress along x1', GPa, shape (frames, samples), of a law or a network."""
    U, axis = tension(frames, len(times))
    stress = predict(np.broadcast_to(times, U.shape[:2]), U)
    return np.einsum("ai,anij,aj->an", axis, stress, axis)


def scatter(histories: np.ndarray) -> float:
    """Return the standard deviation of histories (directions, samples) over their mean, norms in time."""
    return float(np.linalg.norm(histories.std(axis=0)) / np.linalg.norm(histories.mean(axis=0)))


def tension(frames: Rotation, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return stretches (frames, samples, 3, 3) f along x1', 1/f along x3', and the axes x1' (frames, 3)."""
    f = 1.0 + STRAIN * np.linspace(0.0, 1.0, samples)
    principal = np.zeros((samples, 3, 3))
    principal[:, 0, 0], principal[:, 1, 1], principal[:, 2, 2] = f, 1.0, 1.0 / f
    Q = frames.as_matrix()[:, None]
    return Q @ principal @ np.swapaxes(Q, 2, 3), Q[:, 0, :, 0]


if __name__ == "__main__":
    launch(figure_si1)
