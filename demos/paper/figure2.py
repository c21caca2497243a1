"""Figure 2 of the paper: does a network know what has not happened yet?

Five strain paths that part at half time (a), and five uniaxial ones that stop at different times (b). The
paper's network reads whole histories and learns causality from data, to some error; the recurrent one cannot
see the future. Measured: how far the stresses of paths differ before these part, relative to the stress.

    python demos/paper/figure2.py --output results/paper
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from runs import write_figures
from table_si2 import Study

from microscale.inputs.numbers import Count, OutFolder
from microscale.law import drive
from microscale.paths.protocols import StrainPaths, is_admissible
from multiscale.laws import make_law
from multiscale.run.command import launch

STRAIN, PATHS = 0.5, 5
HOLDS = (0.2, 0.4, 0.6, 0.8, 1.0)
NETWORK = ("taylor_R50_train", 30_000, 100)
"""Case 19 of Table SI-2: data, paths, modes."""


def figure2(
    *,
    output: OutFolder = Path("results/paper"),
    weights: Path | None = None,
    grains: Count = 128,
    fast: bool = False,
) -> dict[str, Any]:
    """Draw figure2.png and measure figure2.json.

    Args:
        output: Folder of picture and figures; the paper's network is in its folder ``table_si2``, or trained.
        weights: Weights of the recurrent network; by default those that come with the repository.
        grains: Grains of the polycrystal that says what is right.
        fast: A tiny paper's network, for a test.
    """
    networks = surrogates(output, weights, fast)
    taylor = make_law("taylor", grains=grains)
    figures: dict[str, Any] = {}
    picture = Figure(figsize=(13.0, 6.4), layout="constrained")
    panels = picture.subplots(2, len(networks), sharex=True, sharey="row")
    for row, (name, (U, part)) in enumerate({"diverging": diverging(), "held": held()}.items()):
        times = np.broadcast_to(np.linspace(0.0, 1.0, U.shape[1]), U.shape[:2])
        exact = drive(taylor, U, times)
        for column, (network, predict) in enumerate(networks.items()):
            found = predict(times, U)
            _draw(panels[row, column], times, exact, found)
            panels[row, column].set_title(f"({'ab'[row]}) {network}")
            figures[f"{name}, {network}"] = before_parting(found, part)
        figures[f"{name}, polycrystal"] = before_parting(exact, part)
        panels[row, 0].set_ylabel("Cauchy stress 11, GPa")
    for axes in panels[1]:
        axes.set_xlabel("time, us (dashed: network)")
    picture.savefig(output / "figure2.png", dpi=90)
    return write_figures(output / "figure2.json", figures)


def surrogates(output: Path, weights: Path | None, fast: bool) -> dict[str, Callable[..., np.ndarray]]:
    """Return the networks, from times and stretches to Cauchy stress, GPa."""
    name, paths, modes = NETWORK
    study, size = Study.of(output, fast=fast), (90, 10) if fast else (paths, modes)
    recurrent = make_law("learned", weights=weights)
    return {
        "the paper's network": study.network(name, *size).predict,
        "the same, pressure computed": study.network(name, *size, exact_pressure=True).predict,
        "recurrent network": lambda times, U: drive(recurrent, U, times),
    }


def diverging() -> tuple[np.ndarray, np.ndarray]:
    """Return stretches (paths, samples, 3, 3) that part at half time, and when each parts from the next."""
    paths = StrainPaths("R", STRAIN, seed=5)
    U = paths.path(0).stretch
    half = len(U) // 2
    found, index = [U], 0
    while len(found) < PATHS:
        index += 1
        other = paths.path(index).stretch
        joined = np.concatenate([U[: half + 1], U[half] + other[half + 1 :] - other[half]])
        if is_admissible(joined):
            found.append(joined)
    return np.stack(found), np.full(PATHS - 1, half)


def held() -> tuple[np.ndarray, np.ndarray]:
    """Return uniaxial stretches that grow up to different times, and when each parts from the next."""
    t = np.linspace(0.0, 1.0, 201)
    f = 1.0 + STRAIN * np.minimum(t, np.array(HOLDS)[:, None])
    U = np.zeros((len(HOLDS), len(t), 3, 3))
    U[..., 0, 0], U[..., 1, 1], U[..., 2, 2] = f, 1.0 / f, 1.0
    return U, np.round(200 * np.array(HOLDS[:-1])).astype(int)


def before_parting(stress: np.ndarray, part: np.ndarray) -> float:
    """Return how far neighbours differ in stress before they part, relative L2, the mean over pairs."""
    differences = []
    for k, last in enumerate(part):
        one, other = stress[k, : last + 1], stress[k + 1, : last + 1]
        differences.append(np.linalg.norm(one - other) / np.linalg.norm(other))
    return float(np.mean(differences))


def _draw(axes: Any, times: np.ndarray, exact: np.ndarray, found: np.ndarray) -> None:
    for k in range(len(times)):
        axes.plot(times[k], exact[k, :, 0, 0], f"C{k}", lw=1.5)
        axes.plot(times[k], found[k, :, 0, 0], f"C{k}--", lw=1.5)
    axes.grid(alpha=0.3)


if __name__ == "__main__":
    launch(figure2)
