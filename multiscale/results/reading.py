"""Result files as data: mesh, times and fields of the sizes that belong together, from the file itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.files.hdf5 import group_of, numbers_of, opened, rows_of
from microscale.tensors import FloatArray

REMEDY = "give the .vtkhdf file a run has written"


class Mesh(NamedTuple):
    """What stands once in a result file.

    Attributes:
        points: Reference coordinates, shape (n_points, 3), mm.
        cells: Points of each cell in VTK order, shape (n_cells, n_points_per_cell).
        vtk_cell_type: VTK's number of the cell type.
        times: Times of the steps, shape (n_steps,), us.
        point_fields: Names of the point fields.
        cell_fields: Names of the cell fields.
        attributes: Provenance of the file.
    """

    points: FloatArray
    cells: NDArray[np.int64]
    vtk_cell_type: int
    times: FloatArray
    point_fields: list[str]
    cell_fields: list[str]
    attributes: dict[str, Any]


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    if not path.is_file():
        raise InputError(f"{path} cannot be read as a result file (there is none); {REMEDY}")
    with opened(path, "result file", REMEDY) as file:
        yield file


def read_mesh(path: Path) -> Mesh:
    """Read all but the fields.

    Raises:
        InputError: The file is missing, damaged, or no temporal VTKHDF file of one mesh.
    """
    with _opened(path) as file:
        count = int(group_of(file, "VTKHDF/Steps").attrs["NSteps"])
        points = rows_of(numbers_of(file, "VTKHDF/Points", (None, 3)))
        types = rows_of(numbers_of(file, "VTKHDF/Types", (None,), whole=True))
        connectivity = rows_of(numbers_of(file, "VTKHDF/Connectivity", (None,), whole=True))
        times = rows_of(numbers_of(file, "VTKHDF/Steps/Values", (None,)), 0, max(0, count))
        _require(count == len(times), f"{len(times)} times of {count} steps")
        _require(len(types) > 0 and len(connectivity) % len(types) == 0, "cells of unlike numbers of points")
        cells = connectivity.reshape(len(types), -1)
        _require(bool(((cells >= 0) & (cells < len(points))).all()), "cells of points that are not there")
        _require(bool(np.isfinite(points).all() and np.isfinite(times).all()), "numbers that are not finite")
        point_fields, cell_fields = (sorted(group_of(file, f"VTKHDF/{of}Data")) for of in ("Point", "Cell"))
        return Mesh(points, cells, int(types[0]), times, point_fields, cell_fields, dict(file.attrs))


def read_field(path: Path, mesh: Mesh, name: str, step: int) -> FloatArray:
    """Return a point or cell field at a step, shape (rows, ...).

    Raises:
        InputError: There is no such field, or the file is damaged.
    """
    known: list[str] = []
    with _opened(path) as file:
        for association, rows in (("PointData", len(mesh.points)), ("CellData", len(mesh.cells))):
            group = group_of(file, f"VTKHDF/{association}")
            known += group
            if name in group:
                found = group.get(name, getlink=True)
                _require(isinstance(found, h5py.HardLink), f"{name} is a link, which is not followed")
                shape = (None, *([None] * (len(group[name].shape or ()) - 1)))
                array = numbers_of(file, f"VTKHDF/{association}/{name}", shape, complete=False)
                _require(len(array) >= (step + 1) * rows, f"{name} has {len(array)} rows at step {step}")
                return rows_of(array, step * rows, (step + 1) * rows)
    raise InputError(f"{path} holds no field {name!r}, expected one of {', '.join(sorted({*known}))}")


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise ValueError(problem)
