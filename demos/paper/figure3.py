"""Figure 3 of the paper: the Taylor anvil at 200 m/s, sigma_M, e_d and e_v on the axial section over time.

Beside the picture, what the paper sees is measured: the speed of the front (of an elastic body too, whose
front must run at sqrt((4 G / 3 + K) / rho) = 2.852 mm/us), the plastic front behind it, and the release from
the sides, which must reach the axis after R / 2.852 mm/us = 0.175 us.

    python demos/paper/figure3.py --output results/paper
"""

from pathlib import Path
from typing import Any

import numpy as np
from runs import BULK_SPEED, ELASTIC_SPEED, anvil, axis_history, farthest, front_speeds, write_figures

from microscale.inputs.numbers import OutFolder
from multiscale.results.pictures import draw_sections
from multiscale.run.command import launch

VELOCITY, RADIUS = 200.0, 0.5

# More than the e_d = 0.057 that an elastic plane wave of this velocity makes.
PLASTIC = 0.1

TIMES = (0.25, 0.5, 0.75, 1.0)  # us


def figure3(
    *, output: OutFolder = Path("results/paper"), weights: Path | None = None, fast: bool = False
) -> dict[str, Any]:
    """Draw figure3.png and measure figure3.json.

    Args:
        output: Folder for picture, figures and runs.
        weights: Weights of the learned law; by default those that come with the repository.
        fast: Small meshes, for a test.
    """
    flags = {"velocity": VELOCITY, "weights": weights, "steps_between_outputs": 1}
    summary, run = anvil(output / "figure3", fast, **flags)
    title = f"Taylor anvil, {VELOCITY:g} m/s, learned law"
    draw_sections(run.path, output / "figure3.png", (0.1, *TIMES), title=title)
    depth, e_d = axis_history(run, "e_d")
    plastic = np.nan_to_num(farthest(depth, e_d, PLASTIC))  # zero before there is any
    return write_figures(
        output / "figure3.json",
        {
            "elastic_speed_mm_per_us": ELASTIC_SPEED,
            "bulk_speed_mm_per_us": BULK_SPEED,
            "elastic_law": _first_wave(output / "waves", "neo-hooke", fast),
            "learned_law": _first_wave(output / "waves", "learned", fast, weights=weights),
            "plastic_front_mm": {
                f"{time:g} us": plastic[np.abs(run.times - time).argmin()] for time in TIMES
            },
            "radius_over_elastic_speed_us": RADIUS / ELASTIC_SPEED,
            "foot_radius_mm": summary["foot_radius_mm"],
            "length_mm": summary["final_length_mm"],
            "energy_error_percent": summary["energy_error_percent"],
        },
    )


def _first_wave(folder: Path, law: str, fast: bool, **flags: Any) -> dict[str, float]:
    """Return the speed of the first front, and how much and how long it compresses the foot's centre."""
    elements = 2_000 if fast else 30_000
    _, run = anvil(
        folder,
        fast,
        law=law,
        velocity=VELOCITY,
        end_time=0.35,
        steps_between_outputs=1,
        elements=elements,
        **flags,
    )
    _, e_v = axis_history(run, "e_v")
    plateau = float(np.mean(-e_v[(run.times > 0.05) & (run.times < 0.15), 0]))
    held = np.flatnonzero(-e_v[:, 0] > 0.9 * plateau)
    return {
        **front_speeds(run, VELOCITY, 0.05, 0.35),
        "compression_of_the_foot": plateau,
        "release_at_the_axis_us": run.times[held[-1]],
    }


if __name__ == "__main__":
    launch(figure3)
