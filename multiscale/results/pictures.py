"""Pictures of the axial section, as in Figure 3 of the paper, drawn from a result file alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation
from pydantic import Field

from microscale.errors import InputError
from microscale.files.documents import parse_json
from microscale.files.schema import Record, validated
from microscale.tensors import FloatArray
from multiscale.results.axial_section import Section, axial_section
from multiscale.results.reading import REMEDY
from multiscale.results.vtkhdf import Results

Pair = Annotated[list[float], Field(min_length=2, max_length=2)]

#: Margin around what is shown of body and obstacle, relative to the body: a layer of an obstacle fits.
MARGIN = 0.05

#: How far from the body an obstacle may be to be seen with it, relative to its size.
FAR = 3.0

#: How far beyond the colours a value may be by round-off, relative to their range.
ROUND_OFF = 1e-9

#: Share of the values the colours span; the rest, a few cells at corners, takes the end colours.
COLOUR_SHARE = 0.995

#: Width of a picture, inches; its dots per inch and its pixels at most, which keep the file below 300 KB.
FIGURE_WIDTH, DOTS_PER_INCH, PIXELS = 13.0, 120.0, 8e5


@dataclass(frozen=True)
class Quantity:
    """How a cell field is shown: its title with unit, its colours, and whether zero is the middle of them."""

    field: str
    title: str
    colours: str
    signed: bool = False


#: The three quantities of the paper's Figure 3.
FIGURE_3 = (
    Quantity("von_mises_GPa", r"von Mises stress $\sigma_M$ (GPa)", "inferno"),
    Quantity("e_d", r"deviatoric strain $e_d$ (-)", "viridis"),
    Quantity("e_v", r"volumetric strain $e_v$ (-)", "RdBu", signed=True),
)


def draw_sections(
    results_path: Path | str,
    picture_path: Path | str,
    times: Sequence[float] | None = None,
    quantities: Sequence[Quantity] = FIGURE_3,
    title: str = "",
    within: float = np.inf,
) -> None:
    """Draw the deformed axial section at several times, one group of panels a quantity.

    Args:
        results_path: Result file of a run.
        picture_path: PNG to write.
        times: Times to show, us, each taken at the nearest step; by default five, equally spaced to the end.
        quantities: Cell fields to show.
        title: Text above the panels; by default the material.
        within: Distance from the axis up to which a flat body is shown, mm.

    Raises:
        InputError: The result file is damaged, holds no step or lacks a field.
    """
    results = Results(results_path)
    steps = nearest_steps(results, times)
    names = [quantity.field for quantity in quantities]
    sections = [axial_section(results, step, names) for step in steps]
    figure = _draw(sections, results, steps, quantities, within)
    figure.suptitle(title or str(results.attributes.get("material", "")), fontsize="medium")
    dots_per_inch = min(DOTS_PER_INCH, (PIXELS / np.prod(figure.get_size_inches())) ** 0.5)
    figure.savefig(picture_path, dpi=dots_per_inch, pil_kwargs={"optimize": True})


def nearest_steps(results: Results, times: Sequence[float] | None) -> list[int]:
    """Return the steps nearest to ``times`` without repetition; see :func:`draw_sections` for the default."""
    if len(results.times) == 0:
        raise InputError(f"{results.path} holds no step yet: let the run reach its first output")
    if times is None:
        times = [float(time) for time in np.linspace(0.2, 1.0, 5) * results.times[-1]]
    return sorted({int(np.argmin(np.abs(results.times - time))) for time in times})


def _draw(
    sections: list[Section], results: Results, steps: list[int], quantities: Sequence[Quantity], within: float
) -> Figure:
    """Give each quantity one set of axes holding all times, side by side, or stacked if the body is flat."""
    points = np.concatenate([section.deformed for section in sections])
    points = points[np.abs(points[:, 0]) <= within]
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    flat = size[0] > size[1]
    shift = np.array([0.0, -1.8 * size[1]]) if flat else np.array([1.35 * size[0], 0.0])
    extent = size + (len(sections) - 1) * np.abs(shift)
    width = FIGURE_WIDTH / len(quantities)
    figure = Figure((FIGURE_WIDTH, 1.02 * width * extent[1] / extent[0] + 1.2), layout="constrained")
    for axes, quantity in zip(figure.subplots(1, len(quantities), squeeze=False)[0], quantities, strict=True):
        values = [section.values[quantity.field] for section in sections]
        norm = colour_range(values, quantity.signed)
        seen = points
        for k, (section, time) in enumerate(zip(sections, results.times[steps], strict=True)):
            drawn = draw_obstacles(axes, results, time, points, k * shift)
            seen = np.concatenate([seen, drawn])
            draw_section(axes, section, quantity, norm, k * shift)
            place = low + k * shift + size * (0.05 if flat else 0.5, 1.0)
            axes.annotate(f"{time:.3g} µs", place, (0, 6), textcoords="offset points", ha="center")
        draw_scale(axes, seen.min(axis=0), size)
        _frame(axes, (low[0], low[0] + size[0]) if flat else None)
        draw_colour_bar(figure, axes, quantity, norm, values, location="bottom", aspect=35, pad=0.03)
    return figure


def draw_colour_bar(
    figure: Figure,
    axes: Any,
    quantity: Quantity,
    norm: Normalize,
    values: Sequence[FloatArray],
    **place: Any,
) -> None:
    """Draw a colour bar beside axes, with an arrow at an end that values go beyond."""
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 0.0)
    round_off = ROUND_OFF * (high - low)
    below = min(float(part.min()) for part in values) < low - round_off
    above = max(float(part.max()) for part in values) > high + round_off
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get((below, above), "neither")
    colours = ScalarMappable(norm, quantity.colours)
    few = MaxNLocator(5)  # labels of more overlap
    figure.colorbar(colours, ax=axes, label=quantity.title, extend=extend, ticks=few, **place)


def draw_scale(axes: Axes, corner: FloatArray, size: FloatArray) -> None:
    """Draw a bar of a round length, mm, below what is seen.

    Args:
        axes: Axes in mm.
        corner: Smallest coordinates of what is seen, shape (2,), mm.
        size: Extent of the body, shape (2,), mm.
    """
    wanted = 0.5 * float(size.max() if size[0] > size[1] else size.min())
    power = 10.0 ** np.floor(np.log10(wanted))
    length = power * max(step for step in (1.0, 2.0, 5.0) if step * power <= wanted)
    z = float(corner[1] - 0.03 * size.max())
    axes.plot([corner[0], corner[0] + length], [z, z], color="0.2", lw=2.0, solid_capstyle="butt")
    axes.annotate(
        f"{length:g} mm", (corner[0] + length, z), (4, 0), textcoords="offset points", va="center",
        fontsize="small",
    )  # fmt: skip


def _frame(axes: Axes, limits: tuple[float, float] | None) -> None:
    axes.set_aspect("equal")
    axes.margins(0.01)
    axes.set_axis_off()
    if limits is not None:
        axes.set_xlim(*limits)


def draw_section(
    axes: Axes, section: Section, quantity: Quantity, norm: Normalize, shift: FloatArray
) -> None:
    """Draw a quantity on a section moved by ``shift``, shape (2,), mm, with the outline of the body."""
    x, z = (section.deformed + shift).T
    mesh = Triangulation(x, z, section.triangles)
    values = section.values[quantity.field]
    axes.tripcolor(mesh, values, norm=norm, cmap=quantity.colours, shading="gouraud")
    axes.add_collection(
        LineCollection(list(section.outline() + shift), colors="0.25", linewidths=0.6, snap=False)
    )


def draw_obstacles(
    axes: Axes, results: Results, time: float, body: FloatArray, shift: FloatArray
) -> FloatArray:
    """Draw what the body meets where it is at a time, as far as it is beside the body.

    Args:
        axes: Axes in mm.
        results: A result file; an obstacle has given its outline there.
        time: Time, us.
        body: Points of the body, x and z, shape (n, 2), mm.
        shift: Where the drawing is moved, shape (2,), mm.

    Returns:
        Corners of what was drawn, shape (k, 2), without the shift, mm.

    Raises:
        InputError: The file says it in other words than a run.
    """
    seen = [np.empty((0, 2))]
    for obstacle in _obstacles(results):
        outline = np.array(obstacle.outline_mm) + time * np.array(obstacle.velocity_mm_per_us)
        low, high = _window(body, outline)
        drawn = Polygon(outline + shift, facecolor="0.8", edgecolor="0.4", hatch="////", lw=0)
        axes.add_artist(drawn)
        drawn.set_clip_path(Rectangle(tuple(low + shift), *(high - low), transform=axes.transData))
        seen.append(np.clip(outline, low, high))
    return np.concatenate(seen)


def _window(body: FloatArray, outline: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the corners of what is shown: the body, what of an obstacle is nearest to it, and a margin."""
    low, high = body.min(axis=0), body.max(axis=0)
    share = np.linspace(0.0, 1.0, 201)[:, None, None]
    along = (outline + share * (np.roll(outline, -1, axis=0) - outline)).reshape(-1, 2)
    away = np.linalg.norm(np.maximum(low - along, 0.0) + np.maximum(along - high, 0.0), axis=1)
    size = float((high - low).max())
    if away.min() < FAR * size:
        nearest = along[away.argmin()]
        low, high = np.minimum(low, nearest), np.maximum(high, nearest)
    margin = MARGIN * size
    return low - margin, high + margin


class _Obstacle(Record):
    outline_mm: Annotated[list[Pair], Field(min_length=3, max_length=1000)]
    velocity_mm_per_us: Pair


class _Obstacles(Record):
    obstacles: list[_Obstacle]


def _obstacles(results: Results) -> list[_Obstacle]:
    text, where = results.attributes.get("obstacles", "[]"), f"obstacles in {results.path}"
    try:
        found = parse_json(text if isinstance(text, str) else bytes(text).decode())
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {error}; {REMEDY}") from error
    return validated(_Obstacles, {"obstacles": found}, where, REMEDY).obstacles


def colour_range(values: list[FloatArray], signed: bool) -> Normalize:
    """Span the colours over nearly all values, from zero or, for a signed quantity, about zero."""
    top = float(np.quantile(np.abs(np.concatenate(values)), COLOUR_SHARE)) or 1.0
    return Normalize(-top if signed else 0.0, top)
