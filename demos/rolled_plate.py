"""A rolled plate of magnesium: pole figures, yield surface, and tension beside compression.

The yield surface is a section through the deviatoric plane, with principal axes along the rolling (RD),
transverse (TD) and normal direction (ND): stresses of the polycrystal after a small strain in each of many
directions of flow. Twins open one way only: they lengthen c axes. So pressed along ND, with the c axes, the
plate is hard and pulled it is soft; along RD and TD it is the other way round. Dashed is the same without
texture, what a network that knows no texture learns.

    python demos/rolled_plate.py --texture rolled:15,25 --output results/rolled_plate
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt

import multiscale as ms
from microscale.crystals.texture.deformed import deformed_texture
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.pole_figures import draw_pole_figures
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.inputs.numbers import Count, OutFolder, Steps, Strain, Time, checked
from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray, deviator
from multiscale.run.command import launch

AXES = ("RD", "TD", "ND")
EARLY = 0.02
"""Logarithmic strain at which tension and compression are compared."""
PLANE = np.array([[1.0, -1.0, 0.0], [-1.0, -1.0, 2.0]]) / np.sqrt([[2.0], [6.0]])
"""Axes of the deviatoric plane: RD against TD, and ND against both."""


def stretched(rates: FloatArray, samples: int) -> FloatArray:
    """Paths of logarithmic strains (n, 3) along the axes, linear in time: F (n, samples, 3, 3)."""
    return np.exp(np.linspace(0.0, 1.0, samples)[:, None] * rates[:, None])[..., None] * np.eye(3)


def yield_surface(
    law: ConstitutiveLaw, strain: float, directions: int, steps: int, duration: float
) -> FloatArray:
    """Deviatoric stress (directions, 2), GPa, in the plane after a small strain in each direction of flow."""
    angle = 2.0 * np.pi * np.arange(directions) / directions
    rates = strain * np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ PLANE
    stress = ms.drive(law, stretched(rates, steps + 1), np.linspace(0.0, duration, steps + 1))[:, -1]
    return np.einsum("nii->ni", deviator(stress)) @ PLANE.T


def pulled_and_pressed(
    law: ConstitutiveLaw, strain: float, steps: int, duration: float
) -> tuple[FloatArray, Texture]:
    """Deviatoric stress along the axis of loading, times 3/2, of tension and compression along each axis.

    Returns:
        Shape (2, 3, steps + 1), GPa, and the texture after compression along RD.
    """
    along = np.where(np.eye(3) > 0.0, 1.0, -0.5)
    rates = strain * np.concatenate([along, -along])
    times = np.linspace(0.0, duration, steps + 1)
    state = law.init_state(6)
    stress = deviator(ms.drive(law, stretched(rates, steps + 1), times, state))
    axial = 1.5 * np.einsum("nsii->nis", stress)[np.arange(6), np.tile(np.arange(3), 2)]
    pressed = state.points(slice(3, 4))
    return axial.reshape(2, 3, -1), deformed_texture(law, pressed, made="pressed along RD")


def draw(file: Path, surfaces: dict[str, FloatArray], curves: dict[str, FloatArray], strain: float) -> None:
    """Draw the surfaces in one panel and loading along each axis in three more."""
    largest = 1e3 * max(np.linalg.norm(points, axis=1).max() for points in surfaces.values())
    figure, panels = plt.subplots(1, 4, figsize=(17.0, 4.4), constrained_layout=True)
    for style, (title, points) in zip(("-", "--"), surfaces.items(), strict=True):
        closed = 1e3 * np.concatenate([points, points[:1]])
        panels[0].plot(*closed.T, style, color="C0" if style == "-" else "0.5", label=title)
    for name, direction in zip(AXES, PLANE.T, strict=True):
        unit = direction / np.linalg.norm(direction) * largest
        panels[0].text(*(1.2 * unit), name, ha="center", va="center", color="0.3")
        panels[0].plot(*np.outer(unit, [0.0, 1.08]), color="0.8", lw=0.8, zorder=0)
    limits = (-1.4 * largest, 1.4 * largest)
    panels[0].set(aspect="equal", title="yield surface, deviatoric plane", xlabel="MPa", ylabel="MPa")
    panels[0].set(xlim=limits, ylim=limits)
    panels[0].legend(loc="upper right", fontsize=8)
    for k, name in enumerate(AXES):
        for style, (title, found) in zip(("-", "--"), curves.items(), strict=True):
            x = 100.0 * strain * np.linspace(0.0, 1.0, found.shape[-1])
            panels[k + 1].plot(x, 1e3 * found[0, k], style, color="C0", label=f"tension, {title}")
            panels[k + 1].plot(x, -1e3 * found[1, k], style, color="C3", label=f"compression, {title}")
        panels[k + 1].set(title=f"along {name}", xlabel="logarithmic strain (%)", ylim=(0.0, None))
        panels[k + 1].grid(alpha=0.3)
    panels[1].set_ylabel("3/2 axial deviatoric stress (MPa)")
    panels[1].legend(fontsize=8)
    figure.savefig(file, dpi=80)
    plt.close(figure)


@checked
def rolled_plate(
    *,
    texture: str = "rolled:15,25",
    grains: Count = 128,
    directions: Count = 72,
    strain: Strain = 0.1,
    yield_strain: Strain = 0.01,
    steps: Steps = 100,
    duration: Time = 1000.0,
    output: OutFolder = Path("results/rolled_plate"),
) -> dict[str, list[float]]:
    """Draw pole_figures.png and rolled_plate.png; return compression over tension along RD, TD and ND at 2 %.

    Args:
        texture: Texture of the plate.
        grains: Grains of the polycrystal.
        directions: Directions of flow of the yield surface.
        strain: Logarithmic strain of tension and compression.
        yield_strain: Norm of the logarithmic strain at which the yield surface is read.
        steps: Steps of a path.
        duration: Time of each path, us.
        output: Folder of the pictures.
    """
    if strain < EARLY:
        raise InputError(
            f"strain = {strain}, expected at least {EARLY}, where tension and compression are compared"
        )
    output.mkdir(parents=True, exist_ok=True)
    laws = {
        texture: ms.make_law("taylor", texture=texture, grains=grains),
        "no texture": ms.make_law("taylor", grains=grains),
    }
    brief = duration * yield_strain / strain
    surfaces = {n: yield_surface(law, yield_strain, directions, steps, brief) for n, law in laws.items()}
    loaded = {n: pulled_and_pressed(law, strain, steps, duration) for n, law in laws.items()}
    curves = {name: found[0] for name, found in loaded.items()}
    draw(output / "rolled_plate.png", surfaces, curves, strain)
    plate = laws[texture]
    draw_pole_figures(
        output / "pole_figures.png",
        [("as rolled", plate.texture), (f"pressed along RD by {strain:.0%}", loaded[texture][1])],
        lattice_of(plate.crystal),
        axes=("RD", "TD"),
    )
    asymmetry = {}
    for name, found in curves.items():
        at = round(EARLY / strain * steps)
        asymmetry[name] = [float(-found[1, k, at] / found[0, k, at]) for k in range(3)]
        told = ", ".join(f"{axis} {ratio:.2f}" for axis, ratio in zip(AXES, asymmetry[name], strict=True))
        print(f"{name}: compression over tension at {EARLY:.0%}: {told}")
    print(f"pictures: {output / 'rolled_plate.png'}, {output / 'pole_figures.png'}")
    return asymmetry


if __name__ == "__main__":
    launch(rolled_plate)
