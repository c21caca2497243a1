"""Pictures of the axial section, as in Figure 3 of the paper, drawn from a result file alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.files.documents import parse_json
from microscale.files.schema import Positive, Record, validated
from multiscale.results.axial_section import Section, axial_section
from multiscale.results.reading import REMEDY
from multiscale.results.vtkhdf import Results

FloatArray = NDArray[np.float64]

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
        title: Text above the panels.
        within: Distance from the axis up to which a flat body is shown, mm.

    Raises:
        InputError: The result file is damaged, holds no step or lacks a field.
    """
    results = Results(results_path)
    steps = nearest_steps(results, times)
    names = [quantity.field for quantity in quantities]
    sections = [axial_section(results, step, names) for step in steps]
    figure = _draw(sections, results, steps, quantities, within)
    figure.suptitle(title)
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
        norm = colour_range([section.values[quantity.field] for section in sections], quantity.signed)
        for k, (section, time) in enumerate(zip(sections, results.times[steps], strict=True)):
            draw_obstacle(axes, results, time, points, k * shift)
            draw_section(axes, section, quantity, norm, k * shift)
            place = low + k * shift + size * (0.05 if flat else 0.5, 1.0)
            axes.annotate(f"{time:.2f} µs", place, (0, 6), textcoords="offset points", ha="center")
        _frame(axes, (low[0], low[0] + size[0]) if flat else None)
        colours = ScalarMappable(norm, quantity.colours)
        figure.colorbar(colours, ax=axes, location="bottom", aspect=35, pad=0.03, label=quantity.title)
    return figure


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


def draw_obstacle(axes: Axes, results: Results, time: float, body: FloatArray, shift: FloatArray) -> None:
    """Draw what the body meets, if the file says so: a wall below it or a flat-ended cylinder above it.

    Raises:
        InputError: It says so in other words than a run.
    """
    obstacle = _obstacle(results)
    thick = 0.03 * float(np.ptp(body, axis=0).max())
    if obstacle.wall_z_mm is not None:
        left, right = 1.1 * float(body[:, 0].min()), 1.1 * float(body[:, 0].max())
        bottom = obstacle.wall_z_mm - thick
    elif obstacle.cylinder_radius_mm is not None:
        left, right = -obstacle.cylinder_radius_mm, obstacle.cylinder_radius_mm
        bottom = obstacle.face_z_mm + obstacle.velocity_mm_per_us * time
    else:
        return
    corner = (left + shift[0], bottom + shift[1])
    axes.add_patch(
        Rectangle(corner, right - left, thick, facecolor="0.8", edgecolor="0.4", hatch="////", lw=0)
    )


class _Obstacle(Record):
    wall_z_mm: float | None = None
    cylinder_radius_mm: Positive | None = None
    face_z_mm: float = 0.0
    velocity_mm_per_us: float = 0.0


def _obstacle(results: Results) -> _Obstacle:
    text, where = results.attributes.get("obstacle", "{}"), f"obstacle in {results.path}"
    try:
        found = parse_json(text if isinstance(text, str) else bytes(text).decode())
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: {error}; {REMEDY}") from error
    return validated(_Obstacle, found, where, REMEDY)


def colour_range(values: list[FloatArray], signed: bool) -> Normalize:
    """Span the colours over nearly all values, from zero or, for a signed quantity, about zero."""
    top = float(np.quantile(np.abs(np.concatenate(values)), COLOUR_SHARE)) or 1.0
    return Normalize(-top if signed else 0.0, top)
