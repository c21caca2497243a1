"""Pictures of fields in a unit cell: maps of a plane cell, a solid one with an eighth cut out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from microscale.law import State
from microscale.tensors import FloatArray, cauchy_from_piola, von_mises
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.cell_state import VOXEL


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
    def show(panel: Axes, values: FloatArray, limits: tuple[float, float]) -> None:
        panel.imshow(values.T, origin="lower", vmin=limits[0], vmax=limits[1])

    _draw_panels(file, rows, show)


def _draw_solids(file: Path, rows: Rows) -> None:
    def show(panel: Axes, values: FloatArray, limits: tuple[float, float]) -> None:
        panel.imshow(_view(values, limits))

    _draw_panels(file, rows, show)


def _draw_panels(
    file: Path, rows: Rows, show: Callable[[Axes, FloatArray, tuple[float, float]], None]
) -> None:
    """Draw a panel for each field and state, with a colour bar; an arrow is where values go beyond it."""
    columns = max(len(maps) for _, maps in rows)
    figure = Figure(figsize=(3.4 * columns, 3.0 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row, (title, maps) in zip(axes, rows, strict=True):
        for panel in row[len(maps) :]:
            panel.axis("off")
        for panel, (label, values) in zip(row, maps.items(), strict=False):
            limits = _limits([other[label] for _, other in rows if label in other])
            show(panel, values, limits)
            panel.set(title=label, xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            beyond = bool(values.min() < limits[0]), bool(values.max() > limits[1])
            extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(beyond, "neither")
            figure.colorbar(ScalarMappable(Normalize(*limits)), ax=panel, extend=extend)
        row[0].set_ylabel(title)
    figure.savefig(file, dpi=80, pil_kwargs={"optimize": True})


def _view(values: FloatArray, limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return a picture of a solid field in the colours of the limits, shape (height, width, 3)."""
    import pyvista

    plotter = pyvista.Plotter(off_screen=True, border=False, window_size=(300, 280))
    mesh = _without_an_eighth(values, "values")
    plotter.add_mesh(mesh, clim=limits, ambient=0.5, diffuse=0.6, show_scalar_bar=False)
    plotter.set_background("white")
    plotter.camera.zoom(0.95)
    picture = np.asarray(plotter.screenshot(return_img=True))
    plotter.close()
    return picture


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
