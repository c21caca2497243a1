"""The axial section of a deformed body, cut out of a result file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microscale.tensors import FloatArray
from multiscale.results.run_folder import unstructured_grid
from multiscale.results.vtkhdf import Results

#: Distance of the cut from the axis, relative to the body: a plane through nodes cuts cells on both sides.
CUT_OFFSET = 1e-6


@dataclass(frozen=True)
class Section:
    """The axial section y = 0 of a body at one step.

    Attributes:
        reference: Reference coordinates x, z of the section's points, shape (n, 2), mm.
        deformed: The same points in the deformed body, shape (n, 2), mm.
        triangles: Points of each triangle, shape (m, 3).
        values: Quantities at the points by field name, averaged from the cells around each node, shape (n,).
    """

    reference: FloatArray
    deformed: FloatArray
    triangles: NDArray[np.int64]
    values: dict[str, FloatArray]

    def mirrored(self) -> Section:
        """Return the section together with its mirror image in the plane x = 0."""
        flip, count = np.array([-1.0, 1.0]), len(self.reference)
        return Section(
            np.concatenate([self.reference, self.reference * flip]),
            np.concatenate([self.deformed, self.deformed * flip]),
            np.concatenate([self.triangles, self.triangles[:, ::-1] + count]),
            {name: np.concatenate([values, values]) for name, values in self.values.items()},
        )

    def outline(self) -> FloatArray:
        """Return the deformed edges that bound the section, shape (edges, 2, 2); a mirror's seam is none."""
        edges = np.sort(self.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2))
        edges, count = np.unique(edges, axis=0, return_counts=True)
        edges = edges[count == 1]
        near = 1e-6 * np.ptp(self.reference)
        seam = (np.abs(self.reference[edges][..., 0]) < near).all(axis=1)
        return self.deformed[edges[~seam]]


def axial_section(results: Results, step: int, names: Sequence[str]) -> Section:
    """Cut a body along y = 0, or, where it is elsewhere, along its middle.

    Args:
        results: Result file. The missing half of a quarter model, x, y >= 0, is its mirror image.
        step: Step to cut.
        names: Cell fields wanted.
    """
    grid = unstructured_grid(results)
    grid.point_data["displacement"] = results.field("displacement_mm", step)
    for name in names:
        grid.cell_data[name] = results.field(name, step)
    offset = CUT_OFFSET * grid.length
    # The reference body is cut, then displaced: points of the plane stay on it by symmetry.
    low, high = results.points.min(axis=0), results.points.max(axis=0)
    along_axis = low[1] < offset < high[1]
    y = offset if along_axis else 0.5 * (low[1] + high[1]) + offset
    cut = grid.cell_data_to_point_data().slice(normal="y", origin=(0.0, y, 0.0), generate_triangles=True)
    section = Section(
        np.asarray(cut.points, dtype=float)[:, [0, 2]],
        np.asarray(cut.points + cut.point_data["displacement"], dtype=float)[:, [0, 2]],
        cut.faces.reshape(-1, 4)[:, 1:].astype(np.int64),
        {name: np.asarray(cut.point_data[name], dtype=float) for name in names},
    )
    is_quarter = along_axis and abs(low[0]) < offset
    return section.mirrored() if is_quarter else section
