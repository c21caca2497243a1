"""The anvil's profile and foot as each law sees them, in one picture.

Johnson-Cook and J2 have the constants fitted to the polycrystal by ``multiscale calibrate``; the learned law
was trained on it; taylor is the polycrystal itself at every point. Measured for each law: the distance of its
profile from the polycrystal's, relative to how far the polycrystal's has moved.

    python demos/paper/profiles.py --output results/paper
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from runs import CONSTANTS, anvil, write_figures

from microscale.inputs.numbers import Count, OutFolder, Time
from multiscale.results.vtkhdf import Results
from multiscale.run.command import launch

LAWS = ("taylor", "learned", "johnson-cook", "j2")
VELOCITY, RADIUS, ELEMENTS = 200.0, 0.5, 3_000


def profiles(
    *,
    output: OutFolder = Path("results/paper"),
    weights: Path | None = None,
    end_time: Time = 2.0,
    grains: Count = 128,
    fast: bool = False,
) -> dict[str, Any]:
    """Draw profiles.png and measure profiles.json.

    Args:
        output: Folder for picture, figures and runs.
        weights: Weights of the learned law; by default those that come with the repository.
        end_time: Time of the profiles, us.
        grains: Grains of the polycrystal.
        fast: A small mesh, for a test.
    """
    size = {} if fast else {"elements": ELEMENTS}
    options = {"taylor": {"grains": grains}, "learned": {"weights": weights}}
    options |= {law: {"constants": CONSTANTS / f"{law}.json"} for law in ("johnson-cook", "j2")}
    sides, figures = {}, {}
    for law in LAWS:
        flags = {"velocity": VELOCITY, "end_time": end_time, **options[law], **size}
        summary, run = anvil(output / "profiles" / law, fast, law=law, **flags)
        sides[law] = side(run)
        kept = ("foot_radius_mm", "final_length_mm", "max_e_d", "energy_error_percent")
        figures[law] = {name: summary[name] for name in kept}
    spread = [profile[:, 0] - RADIUS for profile in sides.values()]
    for law, moved in zip(LAWS, spread, strict=True):
        figures[law]["distance_of_profile"] = float(
            np.linalg.norm(moved - spread[0]) / np.linalg.norm(spread[0])
        )
    _draw(output / "profiles.png", sides, f"Taylor anvil, {VELOCITY:g} m/s, {end_time:g} µs")
    return write_figures(output / "profiles.json", figures)


def side(run: Results) -> np.ndarray:
    """Return the deformed side of the section y = 0 from the foot up: radius and height, shape (n, 2), mm."""
    x, y, _ = run.points.T
    nodes = np.flatnonzero((np.abs(y) < 1e-6) & (x > (1.0 - 1e-6) * x.max()))
    nodes = nodes[np.argsort(run.points[nodes, 2])]
    return (run.points + run.field("displacement_mm", -1))[nodes][:, [0, 2]]


def _draw(path: Path, sides: dict[str, np.ndarray], title: str) -> None:
    figure = Figure((7.0, 4.4), layout="constrained")
    whole, foot = figure.subplots(1, 2, width_ratios=(1, 2.4))
    styles = {"taylor": "k-", "learned": "r--", "johnson-cook": "b-.", "j2": "g:"}
    for law, profile in sides.items():
        for axes in (whole, foot):
            axes.plot(*profile.T, styles[law], label=law)
    whole.set(xlabel="radius (mm)", ylabel="height (mm)", xlim=(0.0, 1.05 * sides["taylor"][:, 0].max()))
    foot.set(
        xlabel="radius (mm)", xlim=(0.95 * RADIUS, None), ylim=(-0.02, 1.6), title="foot, radius stretched"
    )
    foot.legend()
    figure.suptitle(title)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    launch(profiles)
