"""Pictures of fields in a unit cell: maps of a plane cell, a cut through the middle of a solid one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from microscale.fft import VOXEL, FullFieldCell
from microscale.law import FloatArray, State
from microscale.tensors import cauchy_from_piola, von_mises


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


def draw_maps(file: Path, rows: Sequence[tuple[str, Mapping[str, FloatArray]]]) -> None:
    """Draw labelled fields, one row a state of the cell; each label has one colour scale.

    Args:
        file: Picture to write.
        rows: Title of the row, and fields of shape (n1, n2) or (n1, n2, n3) by label.
    """
    columns = max(len(maps) for _, maps in rows)
    figure = Figure(figsize=(3.4 * columns, 3.0 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), columns, squeeze=False)
    for row, (title, maps) in zip(axes, rows, strict=True):
        for panel in row[len(maps) :]:
            panel.axis("off")
        for panel, (label, values) in zip(row, maps.items(), strict=False):
            limits = _limits([other[label] for _, other in rows if label in other])
            image = panel.imshow(_cut(values).T, origin="lower", vmin=limits[0], vmax=limits[1])
            panel.set(title=label, xticks=[], yticks=[])
            figure.colorbar(image, ax=panel)
        row[0].set_ylabel(title)
    figure.savefig(file, dpi=120)


def _cut(values: FloatArray) -> FloatArray:
    """The field of a plane cell, or the plane through the middle of a solid one, normal to axis 3."""
    return values if values.ndim == 2 else values[:, :, values.shape[2] // 2]


def _limits(fields: Sequence[FloatArray]) -> tuple[float, float]:
    """Colour scale that a few extreme voxels do not spoil."""
    return float(min(np.quantile(f, 0.005) for f in fields)), float(
        max(np.quantile(f, 0.995) for f in fields)
    )
