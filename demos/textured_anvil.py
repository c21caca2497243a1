"""A bar cut along the rolling direction of a plate hits a wall: its foot becomes oval.

The c axes of the plate point along its normal, the y of the bar. Lengthening them is easy, by twins,
shortening hard. So the foot becomes oval. Without texture it stays round. Every point carries the grains of
the law taylor; the pole figures show those of the foot before and after. What a network makes of it is in
demos/studies/oval_foot.py.

    python demos/textured_anvil.py --texture rolled:15,25 --output results/textured_anvil
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt

import multiscale as ms
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.pole_figures import draw_pole_figures
from microscale.inputs.numbers import Count, OutFolder, Speed, Time, checked
from multiscale.cases.run_texture import texture_of_run
from multiscale.results.foot import foot_outline
from multiscale.run.command import launch

FOOT = 0.1
"""Part of the height whose crystals are shown."""


@checked
def textured_anvil(
    *,
    texture: str = "rolled:15,25",
    texture_axes: str = "z,x,y",
    grains: Count = 16,
    velocity: Speed = 200.0,
    elements: Count = 600,
    end_time: Time = 2.0,
    output: OutFolder = Path("results/textured_anvil"),
) -> dict[str, float]:
    """Run the bar with texture and without; return the ovality of each foot, long over short axis less one.

    Args:
        texture: Texture of the plate.
        texture_axes: Where RD, TD and ND of the plate lie in the bar, whose axis is z.
        grains: Grains at each point.
        velocity: Impact velocity, m/s.
        elements: Number of elements, about.
        end_time: Simulated time, us.
        output: Folder of the runs and pictures.
    """
    bar = {"velocity": velocity, "elements": elements, "end_time": end_time}
    polycrystal = {"law": "taylor", "grains": grains}
    plate = {"texture": texture, "texture_axes": texture_axes, "checkpoint_every": end_time}
    ms.anvil(**bar, **polycrystal, **plate, output=output / "textured")
    ms.anvil(**bar, **polycrystal, output=output / "no_texture")
    figure, panel = plt.subplots(figsize=(5.0, 5.0), constrained_layout=True)
    ovality = {}
    for name, title, style in (
        ("textured", f"{texture}, bar along RD", "C0-"),
        ("no_texture", "no texture", "k--"),
    ):
        foot = foot_outline(ms.read_results(output / name).results)
        x, y = 0.5 * np.ptp(foot.corners, axis=0)
        ovality[name] = max(x, y) / min(x, y) - 1.0
        panel.plot(
            *np.concatenate([foot.corners, foot.corners[:1]]).T,
            style,
            label=f"{title}: {x:.3f} by {y:.3f} mm",
        )
        print(f"{title}: half widths of the foot {x:.4f} mm (x), {y:.4f} mm (y), ovality {ovality[name]:.3f}")
    panel.set(aspect="equal", xlabel="x, TD (mm)", ylabel="y, ND (mm)", title=f"foot after {end_time:g} us")
    panel.legend(loc="center", fontsize="x-small")
    panel.grid(alpha=0.3)
    figure.savefig(output / "foot.png", dpi=90)
    plt.close(figure)
    corners = np.array([[-9.0, -9.0, 0.0], [9.0, 9.0, FOOT * 5.0]])
    found = texture_of_run(output / "textured", (corners[0], corners[1]))
    draw_pole_figures(
        output / "pole_figures.png",
        [("before", found.law.texture), (f"lowest tenth after {found.time:.3g} us", found.texture)],
        lattice_of(found.law.crystal),
        half_width=15.0,
    )
    print(f"pictures: {output / 'foot.png'}, {output / 'pole_figures.png'}")
    return ovality


if __name__ == "__main__":
    launch(textured_anvil)
