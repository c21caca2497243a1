"""Pictures of textures: pole figures and inverse pole figures, contours of multiples of random."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from microscale.crystals.texture.density import HALF_WIDTH, inverse_pole_density, pole_density
from microscale.crystals.texture.lattice import Lattice
from microscale.crystals.texture.projection import disc_grid, to_disc
from microscale.crystals.texture.texture import Texture
from microscale.files.whole_file import write_whole
from microscale.progress import tracked
from microscale.tensors import FloatArray

GRID = 61
"""Points along each axis of a pole figure."""
SIDE = 2.6
"""Of a panel, inches."""
KERNEL = "equal area; kernel of de la Vallée Poussin, half width {:g}°"
SAMPLE_AXES = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}

Named = Sequence[tuple[str, Texture]]


def draw_pole_figures(
    file: Path,
    textures: Named,
    lattice: Lattice,
    *,
    poles: Sequence[str] = (),
    axes: tuple[str, str] = ("x", "y"),
    half_width: float = HALF_WIDTH,
) -> dict[str, float]:
    """Draw a row of pole figures for each texture, looking down the sample's z; one scale a pole.

    Args:
        file: PNG to write.
        textures: Titles and textures.
        lattice: That of the crystal.
        poles: Indices; by default those of the lattice.
        axes: Names of the sample's x (to the right) and y (up).
        half_width: Of the kernel, degrees.

    Returns:
        Largest density of each panel, by "TITLE (POLE)".
    """
    shown = tuple(poles) or lattice.poles
    along, directions = disc_grid(GRID)
    figure, panels = _panels(len(textures), len(shown), half_width)
    largest = {}
    for column, indices in enumerate(tracked(shown, "poles")):
        pole = lattice.direction(indices)
        found = [pole_density(t, pole, lattice.group, directions, half_width) for _, t in textures]
        levels = _levels(found)
        for row, ((title, _), density) in enumerate(zip(textures, found, strict=True)):
            panel = panels[row, column]
            drawn = panel.contourf(along, along, density.reshape(GRID, GRID), levels, cmap="viridis")
            rim = Circle((0.0, 0.0), 1.0, fill=False, lw=0.8)
            panel.add_patch(rim)
            drawn.set_clip_path(rim)
            panel.set(xlim=(-1.2, 1.2), ylim=(-1.05, 1.2))
            panel.text(1.04, 0.0, axes[0], va="center", fontsize=8)
            panel.text(0.0, 1.04, axes[1], ha="center", fontsize=8)
            largest[f"{title} ({indices})"] = _titled(panel, title, f"({indices})", density)
        _scaled(figure, drawn, panels[:, column], levels)
    _written(file, figure)
    return largest


def draw_inverse_pole_figures(
    file: Path, textures: Named, lattice: Lattice, *, half_width: float = HALF_WIDTH
) -> dict[str, float]:
    """Draw a row of inverse pole figures for each texture: where the sample's x, y and z lie in the crystal.

    Arguments and result are those of :func:`draw_pole_figures`.
    """
    flat, directions, shape = _sector(lattice)
    tall = SIDE if not lattice.sector else 0.75 * SIDE
    figure, panels = _panels(len(textures), len(SAMPLE_AXES), half_width, tall)
    largest = {}
    for column, (axis, direction) in enumerate(tracked(SAMPLE_AXES.items(), "axes of inverse pole figures")):
        found = [
            inverse_pole_density(t, direction, lattice.group, directions, half_width) for _, t in textures
        ]
        levels = _levels(found)
        for row, ((title, _), density) in enumerate(zip(textures, found, strict=True)):
            panel = panels[row, column]
            x, y = (flat[:, k].reshape(shape) for k in range(2))
            drawn: ContourSet = panel.contourf(x, y, density.reshape(shape), levels, cmap="viridis")
            for corner in lattice.sector:
                place = to_disc(lattice.direction(corner)[None])[0]
                side = "bottom" if place[1] > 0.1 else "top"
                panel.text(*place, corner, fontsize=7, ha="center", va=side)
            largest[f"{title} (along {axis})"] = _titled(panel, title, f"along {axis}", density)
        _scaled(figure, drawn, panels[:, column], levels)
    _written(file, figure)
    return largest


def _panels(rows: int, columns: int, half_width: float, tall: float = SIDE) -> tuple[Figure, np.ndarray]:
    figure = Figure(figsize=(SIDE * columns + 0.2, (tall + 0.25) * rows + 0.8), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for panel in panels.ravel():
        panel.set(aspect="equal")
        panel.axis("off")
    figure.supxlabel(f"multiples of random; {KERNEL.format(half_width)}", fontsize=8)
    return figure, panels


def _levels(densities: Sequence[FloatArray]) -> FloatArray:
    """Levels of contours: from zero, unless nothing is far from one."""
    low = min(float(d.min()) for d in densities)
    high = max(1.01, *(float(d.max()) for d in densities))
    return np.linspace(min(low, 0.99) if high < 1.5 and low > 0.5 else 0.0, high, 13)


def _scaled(figure: Figure, drawn: ContourSet, panels: np.ndarray, levels: FloatArray) -> None:
    """Add the scale of a column of panels."""
    bar = figure.colorbar(drawn, ax=panels, shrink=0.7, format="%.2f", location="bottom")
    bar.set_ticks(levels[::4].tolist())
    bar.ax.tick_params(labelsize=8)


def _titled(panel: Axes, title: str, what: str, density: FloatArray) -> float:
    panel.set_title(f"{title}\n{what}, at most {density.max():.3g}", fontsize=9)
    return float(density.max())


def _sector(lattice: Lattice) -> tuple[FloatArray, FloatArray, tuple[int, int]]:
    """Points (n, 2) and directions (n, 3) of the part of the sphere that symmetry leaves, and their grid."""
    widest = {"hexagonal": 30.0, "cubic": 45.0}.get(lattice.name, 360.0)
    phi = np.radians(np.linspace(0.0, widest, 31 if widest < 90.0 else 121))[:, None]
    rim = np.arctan2(1.0, np.cos(phi)) if lattice.name == "cubic" else np.full_like(phi, np.pi / 2.0)
    theta = rim * np.linspace(0.0, 1.0, 46)
    sine = np.sin(theta)
    directions = np.stack([sine * np.cos(phi), sine * np.sin(phi), np.cos(theta)], axis=-1)
    flat = directions.reshape(-1, 3)
    return to_disc(flat), flat, (len(phi), theta.shape[1])


def _written(file: Path, figure: Figure) -> None:
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_whole(file, picture.getvalue())
