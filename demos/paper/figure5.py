"""Figure 5 of the paper: a rigid cylinder hits a plate of 1 mm at 200 m/s; sections over time.

Measured beside it: when the wave reaches the rear face (1 mm / 2.852 mm/us = 0.351 us for the elastic one),
how fast that face is thrown off, and how fast the plate, then a wave guide, carries the wave outwards:
an elastic plate does so at sqrt(E / (rho (1 - nu^2))) = 2.63 mm/us.

    python demos/paper/figure5.py --output results/paper
"""

from pathlib import Path
from typing import Any

import numpy as np
from runs import ELASTIC_SPEED, PLATE_SPEED, farthest, front_speeds, plate, speed, write_figures

from microscale.inputs.numbers import OutFolder
from multiscale.results.pictures import draw_sections
from multiscale.results.vtkhdf import Results
from multiscale.run.command import launch

VELOCITY, RADIUS, THICKNESS = 200.0, 2.0, 1.0


def figure5(
    *, output: OutFolder = Path("results/paper"), weights: Path | None = None, fast: bool = False
) -> dict[str, Any]:
    """Draw figure5.png and measure figure5.json.

    Args:
        output: Folder for picture, figures and runs.
        weights: Weights of the learned law; by default those that come with the repository.
        fast: Small meshes, for a test.
    """
    flags = {"velocity": VELOCITY, "radius": RADIUS, "thickness": THICKNESS, "weights": weights}
    summary, run = plate(output / "figure5", fast, **flags, steps_between_outputs=1)
    title = f"Plate impact, {VELOCITY:g} m/s, learned law"
    draw_sections(
        run.path, output / "figure5.png", (0.2, 0.4, 0.6, 0.8, 1.0), title=title, within=2.5 * RADIUS
    )
    return write_figures(
        output / "figure5.json",
        {
            "thickness_over_elastic_speed_us": THICKNESS / ELASTIC_SPEED,
            "plate_speed_mm_per_us": PLATE_SPEED,
            **front_speeds(run, VELOCITY, 0.05, 0.35),
            **rear_face(run, VELOCITY),
            "radial_front_mm_per_us": radial_speed(run, VELOCITY),
            "gap_at_the_centre_mm": gap(run, VELOCITY),
            **{name: summary[name] for name in ("rear_face_bulge_mm", "max_e_d", "energy_error_percent")},
        },
    )


def centre(run: Results, face: str) -> int:
    """Return the node at the centre of the struck or of the rear face."""
    z = run.points[:, 2]
    plane = z.max() if face == "struck" else z.min()
    return int(np.argmin(np.hypot(run.points[:, 0], run.points[:, 1]) + 1e3 * np.abs(z - plane)))


def rear_face(run: Results, velocity: float) -> dict[str, float]:
    """Return when the rear face's centre has a tenth of the projectile's velocity, and its largest, m/s."""
    node = centre(run, "rear")
    history = [-1e3 * run.field("velocity_mm_per_us", step)[node, 2] for step in range(len(run.times))]
    arrival = np.argmax(np.array(history) > 0.1 * velocity)
    return {"wave_at_the_rear_us": run.times[arrival], "largest_velocity_of_the_rear_m_per_s": max(history)}


def radial_speed(run: Results, velocity: float) -> float:
    """Return the speed, mm/us, at which the foremost motion runs outwards in the plate's middle plane.

    It is the farthest place along x whose radial velocity is one per cent of the projectile's, from the time
    the wave has crossed the plate twice to the end.
    """
    z = run.points[:, 2]
    middle = np.unique(np.round(z, 9))[len(np.unique(np.round(z, 9))) // 2]
    line = np.flatnonzero((np.abs(z - middle) < 1e-6) & (np.abs(run.points[:, 1]) < 1e-6))
    line = line[np.argsort(run.points[line, 0])]
    radial = [run.field("velocity_mm_per_us", step)[line, 0] for step in range(len(run.times))]
    front = farthest(run.points[line, 0], np.array(radial), 1e-5 * velocity)
    return speed(run.times, front, 2.0 * THICKNESS / ELASTIC_SPEED, run.times[-1])


def gap(run: Results, velocity: float) -> float:
    """Return the gap between the projectile and the centre of the struck face at the end, mm."""
    sinking = -run.field("displacement_mm", -1)[centre(run, "struck"), 2]
    return float(sinking - 1e-3 * velocity * run.times[-1])


if __name__ == "__main__":
    launch(figure5)
