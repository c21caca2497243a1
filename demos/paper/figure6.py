"""Figure 6 of the paper: the plate at 1 us for several velocities, and for several thicknesses.

python demos/paper/figure6.py --output results/paper
"""

from pathlib import Path
from typing import Any

from figure5 import gap, rear_face
from panels import draw_panels
from runs import plate, write_figures

from microscale.inputs.numbers import OutFolder
from multiscale.run.command import launch

VELOCITIES = (100.0, 200.0, 300.0, 400.0)
RADIUS, THICKNESS, VELOCITY = 2.0, 1.0, 200.0

# Thickness, mm, and layers of elements; the paper's H_p / D_p with its "radius D_p".
THICKNESSES = {2.0: 16, 1.0: 12, 0.5: 8, 0.25: 4}


def figure6(
    *, output: OutFolder = Path("results/paper"), weights: Path | None = None, fast: bool = False
) -> dict[str, Any]:
    """Draw figure6_velocity.png and figure6_thickness.png, measure figure6.json.

    Args:
        output: Folder for pictures, figures and runs.
        weights: Weights of the learned law; by default those that come with the repository.
        fast: Few layers, for a test.
    """
    studies: dict[str, dict[str, dict[str, Any]]] = {
        "velocity": {f"{velocity:g} m/s": {"velocity": velocity} for velocity in VELOCITIES},
        "thickness": {
            f"{thickness:g} mm": {"thickness": thickness, "layers": 2 if fast else layers}
            for thickness, layers in THICKNESSES.items()
        },
    }
    figures: dict[str, Any] = {}
    for study, cases in studies.items():
        runs = {}
        for label, chosen in cases.items():
            flags = {
                "velocity": VELOCITY,
                "thickness": THICKNESS,
                "radius": RADIUS,
                "weights": weights,
            } | chosen
            folder = output / "figure6" / label.replace("/", "_").replace(" ", "_")
            summary, runs[label] = plate(folder, fast, **flags)
            kept = ("rear_face_bulge_mm", "max_e_d", "max_von_mises_GPa", "energy_error_percent")
            figures[label] = {name: summary[name] for name in kept}
            figures[label] |= rear_face(runs[label], flags["velocity"])
            figures[label]["gap_at_the_centre_mm"] = gap(runs[label], flags["velocity"])
        draw_panels(output / f"figure6_{study}.png", runs, within=2.5 * RADIUS)
    return write_figures(output / "figure6.json", figures)


if __name__ == "__main__":
    launch(figure6)
