"""Pictures of fields in a unit cell: maps of a plane cell, a solid one with an eighth cut out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from microscale.law import FloatArray, State
from microscale.tensors import cauchy_from_piola, von_mises
from microscale.unit_cell.cell import VOXEL, FullFieldCell


def crystal_maps(cell: FullFieldCell, state: State, point: int = 0) -> dict[str, FloatArray]:
    """Return what is worth seeing of a cell of crystals, each of the shape of the cell, by its label."""
    F, P = cell.voxel_fields(state, point)
    maps = {
        "von Mises stress, GPa": von_mises(cauchy_from_piola(P, F)),
        "accumulated slip": state[VOXEL + "slip"][point].sum(axis=-1),
    }
    twins = state[VOXEL + "twin_fraction"][point]
    if twins.shape[-1]:
        maps["twin fraction"] = twins.sum(axis=-1)
    return {label: values.reshape(cell.grid.shape) for label, values in maps.items()}


Rows = Sequence[tuple[str, Mapping[str, FloatArray]]]


def draw_fields(file: Path, rows: Rows) -> None:
    """Draw labelled fields, one row a state of the cell; each label has one colour scale.

    Args:
        file: Picture to write.
        rows: Title of the row, and fields of shape (n1, n2) or (n1, n2, n3) by label.
    """
    plane = next(iter(rows[0][1].values())).ndim == 2
    (_draw_maps if plane else _draw_solids)(file, rows)


def _draw_maps(file: Path, rows: Rows) -> None:
    columns = max(len(maps) for _, maps in rows)
    figure = Figure(figsize=(3.4 * columns, 3.0 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row, (title, maps) in zip(axes, rows, strict=True):
        for panel in row[len(maps) :]:
            panel.axis("off")
        for panel, (label, values) in zip(row, maps.items(), strict=False):
            limits = _limits([other[label] for _, other in rows if label in other])
            image = panel.imshow(values.T, origin="lower", vmin=limits[0], vmax=limits[1])
            panel.set(title=label, xticks=[], yticks=[])
            figure.colorbar(image, ax=panel)
        row[0].set_ylabel(title)
    figure.savefig(file, dpi=120)


def _draw_solids(file: Path, rows: Rows) -> None:
    import pyvista

    columns = max(len(maps) for _, maps in rows)
    size = (360 * columns, 340 * len(rows))
    plotter = pyvista.Plotter(off_screen=True, shape=(len(rows), columns), border=False, window_size=size)
    for row, (title, maps) in enumerate(rows):
        for column, (label, values) in enumerate(maps.items()):
            plotter.subplot(row, column)
            limits = _limits([other[label] for _, other in rows if label in other])
            heading = f"{label}, {title}" if title else label
            bar = {"title": heading, "color": "black", "n_labels": 2, "height": 0.14, "position_y": 0.02}
            bar |= {"title_font_size": 15, "label_font_size": 13, "width": 0.8, "position_x": 0.1}
            mesh = _without_an_eighth(values, heading)
            plotter.add_mesh(mesh, clim=limits, ambient=0.5, diffuse=0.6, scalar_bar_args=bar)
            plotter.camera.zoom(0.75)
    plotter.set_background("white")
    plotter.screenshot(str(file))
    plotter.close()


def _without_an_eighth(values: FloatArray, name: str) -> Any:
    """The voxels as a mesh, less the eighth that is nearest to the eye: the inside is seen too."""
    import pyvista

    grid = pyvista.ImageData(dimensions=[n + 1 for n in values.shape])
    grid.cell_data[name] = values.ravel(order="F")
    near = np.ones(values.shape, dtype=bool)
    near[tuple(slice(n // 2, None) for n in values.shape)] = False
    return grid.extract_cells(np.flatnonzero(near.ravel(order="F")))


def _limits(fields: Sequence[FloatArray]) -> tuple[float, float]:
    """Colour scale that a few extreme voxels do not spoil."""
    return float(min(np.quantile(f, 0.005) for f in fields)), float(
        max(np.quantile(f, 0.995) for f in fields)
    )
