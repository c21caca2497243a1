"""A rolled plate of magnesium: yield surface, tension beside compression, and pole figures.

    python demos/rolled_plate.py                            beside networks: one told the texture, one without
    python demos/rolled_plate.py --weights W.safetensors    another one that is told textures

The yield surface is a section through the deviatoric plane, with principal axes along the rolling (RD),
transverse (TD) and normal direction (ND): stresses after a small strain in each of many directions of flow.
Tension and compression are of free sides. Twins open one way only: they lengthen c axes. So pressed along ND,
with the c axes, the plate is hard and pulled it is soft; along RD and TD it is the other way round.
"""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import multiscale as ms
from microscale.crystals.texture.deformed import deformed_texture
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.pole_figures import draw_pole_figures
from microscale.errors import InputError
from microscale.files.whole_file import write_whole
from microscale.inputs.numbers import Count, OutFolder, Steps, Strain, Time, checked
from microscale.law import ConstitutiveLaw
from microscale.material_test.program import MaterialTest, Segment
from microscale.material_test.run import Curve, run_tests
from microscale.tensors import FloatArray, deviator
from multiscale.run.command import launch

AXES = ("RD", "TD", "ND")
SIGNS = {"tension": 1.0, "compression": -1.0}
EARLY = 0.02
"""Logarithmic strain at which tension and compression are compared."""
PLANE = np.array([[1.0, -1.0, 0.0], [-1.0, -1.0, 2.0]]) / np.sqrt([[2.0], [6.0]])
"""Axes of the deviatoric plane: RD against TD, and ND against both."""
NO_TEXTURE, TOLD = "network without texture", "network told the texture"
STYLES = {NO_TEXTURE: {"ls": ":", "lw": 1.2, "alpha": 0.7}, TOLD: {"ls": "--", "lw": 2.0}}
"""Lines of laws; that of the polycrystal is whole."""
COLORS = {NO_TEXTURE: "C0", TOLD: "C3"}
"""Of yield surfaces; that of the polycrystal is black."""
Curves = dict[tuple[str, str], Curve]
"""By axis and sign of the load."""


@checked
def rolled_plate(
    *,
    texture: str = "rolled:15,25",
    weights: Path = Path("any-texture"),
    grains: Count = 128,
    directions: Count = 36,
    strain: Strain = 0.1,
    yield_strain: Strain = 0.01,
    steps: Steps = 100,
    duration: Time = 10.0,
    output: OutFolder = Path("results/rolled_plate"),
) -> dict[str, dict[str, float]]:
    """Draw yield_surface.png, tension_compression.png and pole_figures.png; leave rolled_plate.md and .json.

    Args:
        texture: Texture of the plate.
        weights: A network that is told textures, or its name.
        grains: Grains of the polycrystal.
        directions: Directions of flow of the yield surface.
        strain: Logarithmic strain of tension and compression.
        yield_strain: Norm of the logarithmic strain at which the yield surface is read.
        steps: Steps of a path.
        duration: Time of tension and of compression, us; the yield surface has the same rate of strain.
        output: Folder of the pictures.

    Returns:
        By law: how far yield surface and curves are from the polycrystal's, relative, and compression over
        tension along RD, TD and ND, at 2 % and at the end.
    """
    if strain < EARLY:
        raise InputError(
            f"strain = {strain}, expected at least {EARLY}, where tension and compression are compared"
        )
    output.mkdir(parents=True, exist_ok=True)
    plate = ms.make_law("taylor", texture=texture, grains=grains)
    laws: dict[str, ConstitutiveLaw] = {
        "polycrystal": plate,
        TOLD: ms.make_law("learned", weights=weights, texture=texture),
        NO_TEXTURE: ms.make_law("learned"),
    }
    brief = duration * yield_strain / strain
    surfaces = {n: yield_surface(law, yield_strain, directions, steps, brief) for n, law in laws.items()}
    curves = {name: pulled_and_pressed(law, strain, steps, duration) for name, law in laws.items()}
    draw_surfaces(output / "yield_surface.png", surfaces, texture)
    draw_curves(output / "tension_compression.png", curves, texture)
    pressed = curves["polycrystal"]["RD", "compression"]
    state = plate.init_state(1)
    ms.drive(plate, pressed.F[None], pressed.times, state)
    draw_pole_figures(
        output / "pole_figures.png",
        [("as rolled", plate.texture), (f"pressed along RD by {strain:.0%}", deformed_texture(plate, state))],
        lattice_of(plate.crystal),
        axes=("RD", "TD"),
    )
    found = {name: figures(surfaces, curves, name) for name in laws}
    write_whole(output / "rolled_plate.json", (json.dumps(found, indent=2) + "\n").encode())
    write_whole(output / "rolled_plate.md", table(found).encode())
    print(f"{table(found)}\npictures: yield_surface, tension_compression, pole_figures in {output}")
    return found


def yield_surface(
    law: ConstitutiveLaw, strain: float, directions: int, steps: int, duration: float
) -> FloatArray:
    """Deviatoric stress (directions, 2), GPa, in the plane after a small strain in each direction of flow."""
    angle = 2.0 * np.pi * np.arange(directions) / directions
    rates = strain * np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ PLANE
    F = np.exp(np.linspace(0.0, 1.0, steps + 1)[:, None] * rates[:, None])[..., None] * np.eye(3)
    stress = ms.drive(law, F, np.linspace(0.0, duration, steps + 1))[:, -1]
    return np.einsum("nii->ni", deviator(stress)) @ PLANE.T


def pulled_and_pressed(law: ConstitutiveLaw, strain: float, steps: int, duration: float) -> Curves:
    """Tension and compression along each axis, with free sides."""
    loads = {(axis, sign): (np.eye(3)[k], SIGNS[sign]) for k, axis in enumerate(AXES) for sign in SIGNS}
    tests = [
        MaterialTest(
            (Segment({"xx": sign * strain}, duration=duration, steps=steps),), tuple(map(float, along))
        )
        for along, sign in loads.values()
    ]
    return dict(zip(loads, run_tests(law, tests), strict=True))


def axial(curve: Curve) -> tuple[FloatArray, FloatArray]:
    """Return strain and stress (GPa) along the load, without their signs."""
    strain, stress = curve.component("xx")
    return np.abs(strain), np.abs(stress)


def figures(surfaces: dict[str, FloatArray], curves: dict[str, Curves], name: str) -> dict[str, float]:
    """Return the figures of a law by their names."""
    truth = next(iter(surfaces))
    found = {"yield surface": relative(surfaces[name], surfaces[truth])}
    for load, exact in curves[truth].items():
        found[" ".join(load)] = relative(axial(curves[name][load])[1], axial(exact)[1])
    last = axial(next(iter(curves[name].values())))[0][-1]
    for axis in AXES:
        for at in dict.fromkeys((EARLY, last)):
            pulled, pressed = (np.interp(at, *axial(curves[name][axis, sign])) for sign in SIGNS)
            found[f"compression over tension along {axis} at {at:.0%}"] = float(pressed / pulled)
    return found


def relative(found: FloatArray, exact: FloatArray) -> float:
    """Return the relative L2 difference."""
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def table(found: dict[str, dict[str, float]]) -> str:
    """Return the figures as a table of markdown: a column for each law."""
    lines = [f"| | {' | '.join(found)} |", "| --- |" + " ---: |" * len(found)]
    for figure in next(iter(found.values())):
        is_ratio = figure.startswith("compression over")
        values = [one[figure] for one in found.values()]
        cells = (f"{value:.2f}" if is_ratio else f"{100.0 * value:.1f} %" for value in values)
        lines.append(f"| {figure}{'' if is_ratio else ', off by'} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw_surfaces(file: Path, surfaces: dict[str, FloatArray], texture: str) -> None:
    """Draw the yield surfaces."""
    largest = 1e3 * max(np.linalg.norm(points, axis=1).max() for points in surfaces.values())
    figure = Figure(figsize=(5.6, 5.4), layout="constrained")
    axes = figure.subplots()
    for name, direction in zip(AXES, PLANE.T, strict=True):
        unit = direction / np.linalg.norm(direction) * largest
        axes.text(*(1.2 * unit), name, ha="center", va="center", color="0.3")
        axes.plot(*np.outer(unit, [0.0, 1.08]), color="0.8", lw=0.8, zorder=0)
    for name, points in surfaces.items():
        closed = 1e3 * np.concatenate([points, points[:1]])
        axes.plot(*closed.T, color=COLORS.get(name, "k"), label=name, **STYLES.get(name, {}))
    axes.set(aspect="equal", title=f"{texture}, deviatoric plane", xlabel="MPa", ylabel="MPa")
    limit = 1.4 * largest
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit))
    axes.legend(loc="upper right", fontsize=8)
    figure.savefig(file, dpi=90)


def draw_curves(file: Path, curves: dict[str, Curves], texture: str) -> None:
    """Draw true stress over true strain, an axis a panel."""
    figure = Figure(figsize=(12.5, 4.2), layout="constrained")
    panels = figure.subplots(1, len(AXES), sharey=True)
    for panel, axis in zip(panels, AXES, strict=True):
        for name, found in curves.items():
            for sign, color in zip(SIGNS, ("C0", "C3"), strict=True):
                strain, stress = axial(found[axis, sign])
                style = {"color": color, "label": f"{sign}, {name}"} | STYLES.get(name, {})
                panel.plot(100.0 * strain, 1e3 * stress, **style)
        panel.set(title=f"{texture}, along {axis}", xlabel="true strain (%)", ylim=(0.0, None))
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("true stress (MPa)")
    panels[0].legend(fontsize=8)
    figure.savefig(file, dpi=90)


if __name__ == "__main__":
    launch(rolled_plate)
