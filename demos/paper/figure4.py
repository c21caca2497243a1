"""Figure 4 of the paper: the Taylor anvil at 1 us for several velocities, and for several aspect ratios.

python demos/paper/figure4.py --output results/paper
"""

from pathlib import Path
from typing import Any

from panels import draw_panels
from runs import ELASTIC_SPEED, anvil, axis_history, farthest, write_figures

from microscale.inputs.numbers import OutFolder
from multiscale.results.vtkhdf import Results
from multiscale.run.command import launch

VELOCITIES = (100.0, 200.0, 300.0, 400.0)
DIAMETERS = {"H/D = 10": 0.5, "H/D = 5": 1.0, "H/D = 2.5": 2.0}
HEIGHT, VELOCITY = 5.0, 200.0


def figure4(
    *, output: OutFolder = Path("results/paper"), weights: Path | None = None, fast: bool = False
) -> dict[str, Any]:
    """Draw figure4.png and measure figure4.json.

    Args:
        output: Folder for picture, figures and runs.
        weights: Weights of the learned law; by default those that come with the repository.
        fast: Small meshes, for a test.
    """
    cases = {f"{velocity:g} m/s": {"velocity": velocity} for velocity in VELOCITIES}
    cases |= {label: {"velocity": VELOCITY, "diameter": size} for label, size in DIAMETERS.items()}
    runs, figures = {}, {}
    for label, flags in cases.items():
        folder = output / "figure4" / label.replace("/", "_").replace(" ", "_")
        summary, runs[label] = anvil(folder, fast, height=HEIGHT, weights=weights, **flags)
        figures[label] = _measure(summary, runs[label], flags["velocity"])
    draw_panels(output / "figure4.png", runs)
    return write_figures(output / "figure4.json", figures)


def _measure(summary: dict[str, Any], run: Results, velocity: float) -> dict[str, float]:
    """Return how far the wave came, how much it compressed, and how much the foot deformed."""
    height, e_v = axis_history(run, "e_v")
    strain = 1e-3 * velocity / ELASTIC_SPEED
    shape = {
        name: summary[name] for name in ("foot_radius_mm", "final_length_mm", "max_von_mises_GPa", "max_e_d")
    }
    return shape | {
        "front_at_one_per_cent_mm": farthest(height, e_v, 0.01 * strain)[-1],
        "largest_compression_on_the_axis": -e_v.min(),
        "energy_error_percent": summary["energy_error_percent"],
    }


if __name__ == "__main__":
    launch(figure4)
