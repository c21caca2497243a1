"""Is the surrogate right where it is used? Both impacts with it, and with the polycrystal at every point.

The same meshes, velocities and time steps: what differs is the law. Measured at the end of each run: the
relative L2 difference of displacement (nodes) and von Mises stress (elements), and the relative difference of
each figure of the deformed shape.

    python demos/paper/beside_taylor.py --output results/paper

takes two minutes on a core. The picture shows the von Mises stress of every element with either law.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from runs import anvil, plate, write_figures

from microscale.inputs.numbers import Count, OutFolder, Speed, Time
from multiscale.results.vtkhdf import Results
from multiscale.run.command import launch

VELOCITIES = (100.0, 200.0, 400.0)
PROBLEMS = {
    "anvil": (anvil, {"elements": 3000, "model": "full"}, ("foot_radius_mm", "final_length_mm")),
    "plate": (plate, {"layers": 8}, ("struck_face_depth_mm", "rear_face_bulge_mm")),
}
FIELDS = {"displacement": "displacement_mm", "von_mises": "von_mises_GPa"}


def beside_taylor(
    *,
    output: OutFolder = Path("results/paper"),
    weights: Path | None = None,
    velocities: tuple[Speed, ...] = VELOCITIES,
    end_time: Time = 1.0,
    grains: Count = 128,
    fast: bool = False,
) -> dict[str, Any]:
    """Draw beside_taylor.png and measure beside_taylor.json.

    Args:
        output: Folder for picture, figures and runs.
        weights: Weights of the learned law; by default those that come with the repository.
        velocities: Impact velocities, m/s.
        end_time: Simulated time, us.
        grains: Grains of the polycrystal.
        fast: Small meshes, for a test.
    """
    laws: dict[str, dict[str, Any]] = {"taylor": {"grains": grains}, "learned": {"weights": weights}}
    picture = Figure(figsize=(3.2 * len(velocities), 6.4), layout="constrained")
    panels = picture.subplots(len(PROBLEMS), len(velocities), squeeze=False)
    figures: dict[str, Any] = {}
    for row, (problem, (run, size, shape)) in zip(panels, PROBLEMS.items(), strict=True):
        flags: dict[str, Any] = {"end_time": end_time, "steps_between_outputs": 10**6}
        flags |= {} if fast else size
        for axes, velocity in zip(row, velocities, strict=True):
            name = f"{problem} at {velocity:g} m/s"
            folder = output / "beside_taylor" / f"{problem}_{velocity:g}"
            (exact, polycrystal), (found, surrogate) = (
                run(folder / law, fast, law=law, velocity=velocity, **flags, **options)
                for law, options in laws.items()
            )
            figures[name] = difference(polycrystal, surrogate)
            figures[name] |= {key: abs(found[key] / exact[key] - 1.0) for key in shape}
            _draw(axes, polycrystal, surrogate, title=name)
    picture.savefig(output / "beside_taylor.png", dpi=90)
    return write_figures(output / "beside_taylor.json", figures)


def difference(exact: Results, found: Results) -> dict[str, float]:
    """Return the relative L2 difference of each field at the end."""
    errors = {}
    for name, field in FIELDS.items():
        reference = exact.field(field, -1)
        errors[name] = float(np.linalg.norm(found.field(field, -1) - reference) / np.linalg.norm(reference))
    return errors


def _draw(axes: Any, exact: Results, found: Results, title: str) -> None:
    stress = [1e3 * results.field(FIELDS["von_mises"], -1) for results in (exact, found)]
    limit = 1.05 * max(values.max() for values in stress)
    axes.plot([0.0, limit], [0.0, limit], "k-", linewidth=0.5)
    axes.plot(*stress, ".", markersize=2)
    axes.set(title=title, xlabel="taylor, MPa", ylabel="learned, MPa", aspect="equal")


if __name__ == "__main__":
    launch(beside_taylor)
