"""One picture of several runs: a panel for each run and quantity at the end of the run, colours in common."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from multiscale.results.axial_section import axial_section
from multiscale.results.pictures import (
    FIGURE_3,
    Quantity,
    colour_range,
    draw_colour_bar,
    draw_obstacles,
    draw_scale,
    draw_section,
)
from multiscale.results.vtkhdf import Results

STRESS_AND_STRAIN = FIGURE_3[:2]


def draw_panels(
    path: Path,
    runs: Mapping[str, Results],
    quantities: Sequence[Quantity] = STRESS_AND_STRAIN,
    within: float = np.inf,
) -> None:
    """Draw the last step of each run: upright bodies side by side, flat ones one below the other.

    Args:
        path: PNG to write.
        runs: Result files by the label of their panel.
        quantities: Cell fields, each with colours common to all runs.
        within: Distance from the axis up to which a flat body is shown, mm.
    """
    sections = [axial_section(run, -1, [quantity.field for quantity in quantities]) for run in runs.values()]
    boxes = [_box(section.deformed, within) for section in sections]
    sizes = np.array([box[1] - box[0] for box in boxes])
    flat = sizes[0, 0] > sizes[0, 1]
    tall = 1.0 + 0.3 * len(runs) + 5.2 * sizes[:, 1].sum() / sizes[0, 0]
    figure = Figure((11.0, tall) if flat else (10.5, 7.4))
    figure.set_layout_engine("constrained")
    if flat:
        panels = figure.subplots(len(runs), len(quantities), squeeze=False, height_ratios=sizes[:, 1])
    else:
        panels = figure.subplots(len(quantities), len(runs), squeeze=False, width_ratios=sizes[:, 0]).T
    for column, quantity in enumerate(quantities):
        values = [section.values[quantity.field] for section in sections]
        norm = colour_range(values, quantity.signed)
        for k, (label, run) in enumerate(runs.items()):
            axes = panels[k, column]
            draw_obstacles(axes, run, run.times[-1], sections[k].deformed, np.zeros(2))
            draw_section(axes, sections[k], quantity, norm, np.zeros(2))
            axes.set(title=label, aspect="equal", xlim=boxes[k][:, 0], ylim=boxes[k if flat else 0][:, 1])
            axes.set_axis_off()
        last = boxes[-1 if flat else 0]
        draw_scale(panels[-1 if flat else 0, column], last[0] + (0.0, 0.05), last[1] - last[0])
        place = {"location": "bottom", "aspect": 35} if flat else {"location": "right", "aspect": 25}
        draw_colour_bar(figure, panels[:, column], quantity, norm, values, **place)
    figure.savefig(path, dpi=100, pil_kwargs={"optimize": True})


def _box(points: np.ndarray, within: float) -> np.ndarray:
    """Return the corners of the points near the axis, with room for the obstacle, shape (2, 2), mm."""
    points = points[np.abs(points[:, 0]) <= within]
    low, high = points.min(axis=0), points.max(axis=0)
    room = (0.0, 0.15) if np.isfinite(within) else (0.15, 0.2)
    return np.array([low - room, high + room])
