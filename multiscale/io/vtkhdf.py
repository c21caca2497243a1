"""Temporal VTKHDF files of a fixed unstructured mesh: appended step by step, read back by step.

The format is Kitware's VTKHDF 2.0 (UnstructuredGrid with a Steps group): points and connectivity are
written once and each step only adds its fields. The file is closed after every addition, so what an
interrupted run leaves behind opens in ParaView. It is not locked, so a ParaView that has it open does not
stop the run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from microscale.errors import InputError
from multiscale.io.result_reading import read_field, read_mesh

FloatArray = NDArray[np.float64]

#: Rows of one HDF5 chunk at most: a step of a small mesh is one chunk, one of a large mesh is several.
CHUNK_ROWS = 65536


def create(
    path: Path,
    points: FloatArray,
    cells: NDArray[np.int64],
    vtk_cell_type: int,
    attributes: Mapping[str, Any],
) -> None:
    """Write mesh and attributes; the file is valid and holds no step yet.

    Args:
        path: File to write; an existing one is replaced.
        points: Coordinates, shape (n_points, 3), mm.
        cells: Points of each cell in VTK order, shape (n_cells, n_points_per_cell).
        vtk_cell_type: VTK's number of the cell type, such as 12 for the hexahedron.
        attributes: Provenance, stored as attributes of the file's root.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        require_space(path, points.nbytes + 2 * cells.nbytes)
        file = h5py.File(path, "w", locking=False)
    except OSError as error:
        raise InputError(f"result file {path} cannot be written ({error}): choose another folder") from error
    with file:
        file.attrs.update(attributes)
        root = file.create_group("VTKHDF")
        root.attrs["Version"] = (2, 0)
        root.attrs.create("Type", np.bytes_("UnstructuredGrid"))
        root["NumberOfPoints"] = np.array([len(points)])
        root["NumberOfCells"] = np.array([len(cells)])
        root["NumberOfConnectivityIds"] = np.array([cells.size])
        root["Points"] = points
        root["Connectivity"] = cells.reshape(-1)
        root["Offsets"] = cells.shape[1] * np.arange(len(cells) + 1)
        root["Types"] = np.full(len(cells), vtk_cell_type, dtype=np.uint8)
        for name in ("PointData", "CellData"):
            root.create_group(name)
        _create_steps(root)


def _create_steps(root: h5py.Group) -> None:
    steps = root.create_group("Steps")
    steps.attrs["NSteps"] = 0
    _growing(steps, "Values", (), float)
    for name in ("PartOffsets", "NumberOfParts", "PointOffsets"):
        _growing(steps, name, (), np.int64)
    for name in ("CellOffsets", "ConnectivityIdOffsets"):
        _growing(steps, name, (1,), np.int64)
    for name in ("PointDataOffsets", "CellDataOffsets"):
        steps.create_group(name)


def _growing(group: h5py.Group, name: str, shape: tuple[int, ...], dtype: Any, rows: int = 256) -> None:
    group.create_dataset(name, (0, *shape), dtype, chunks=(rows, *shape), maxshape=(None, *shape))


class Step(NamedTuple):
    """What the file holds of one time.

    Attributes:
        time: Time of the step, us.
        point_fields: Arrays with a leading axis of points; names carry the unit.
        cell_fields: Arrays with a leading axis of cells; names carry the unit.
    """

    time: float
    point_fields: Mapping[str, FloatArray]
    cell_fields: Mapping[str, FloatArray]

    @property
    def nbytes(self) -> int:
        """Size of the fields."""
        return sum(values.nbytes for values in (*self.point_fields.values(), *self.cell_fields.values()))


def append(path: Path, steps: Sequence[Step]) -> None:
    """Add steps, the same fields at each; several at once cost little more than one.

    Args:
        path: File made by :func:`create`.
        steps: At least one.

    Raises:
        OSError: The disk is full or the file is gone; the steps before are untouched.
    """
    require_space(path, sum(step.nbytes for step in steps))
    with h5py.File(path, "r+", locking=False) as file:
        root = file["VTKHDF"]
        index = root["Steps"]
        count = int(index.attrs["NSteps"])
        for association, name, blocks in _by_field(steps):
            _append_rows(root[f"{association}Data"], name, blocks, count)
            offsets = len(blocks[0]) * np.arange(count, count + len(steps))
            _append_values(index[f"{association}DataOffsets"], name, offsets, count)
        _append_values(index, "Values", [step.time for step in steps], count)
        for name in ("PartOffsets", "PointOffsets", "CellOffsets", "ConnectivityIdOffsets"):
            _append_values(index, name, [0] * len(steps), count)
        _append_values(index, "NumberOfParts", [1] * len(steps), count)
        # Fields first, count last: a reader never sees a step that is not complete.
        file.flush()
        index.attrs.modify("NSteps", count + len(steps))


def _by_field(steps: Sequence[Step]) -> Iterator[tuple[str, str, list[FloatArray]]]:
    """Association and name of every field with its values at each step."""
    for name in steps[0].point_fields:
        yield "Point", name, [step.point_fields[name] for step in steps]
    for name in steps[0].cell_fields:
        yield "Cell", name, [step.cell_fields[name] for step in steps]


def keep_until(path: Path, time: float) -> None:
    """Drop the steps after ``time``, us, so that a restarted run appends to those before it.

    Raises:
        InputError: The file is damaged or not a temporal VTKHDF file.
    """
    try:
        with h5py.File(path, "r+", locking=False) as file:
            root, steps = file["VTKHDF"], file["VTKHDF/Steps"]
            times = steps["Values"][: int(steps.attrs["NSteps"])]
            count = int(np.searchsorted(times, time * (1.0 + 1e-12), side="right"))
            # The count first: a reader never sees a step that is not complete.
            steps.attrs.modify("NSteps", count)
            file.flush()
            for association in ("Point", "Cell"):
                rows = int(root[f"NumberOf{association}s"][0])
                for name in root[f"{association}Data"]:
                    root[f"{association}Data"][name].resize(count * rows, axis=0)
            steps.visititems(lambda _, item: _shrink(item, count))
    except (OSError, KeyError, RuntimeError) as error:
        raise InputError(
            f"result file {path} cannot be continued ({error}): restart into another --output"
        ) from error


def _shrink(item: h5py.Dataset | h5py.Group, count: int) -> None:
    if isinstance(item, h5py.Dataset):
        item.resize(count, axis=0)


def require_space(path: Path, size: int) -> None:
    """Raise an OSError if a file cannot grow by some ``size`` bytes; HDF5 crashes on a disk that fills up."""
    with Path(path).open("ab") as file:
        end = file.tell()
        try:
            # Twice the data and a little more: chunks are filled up, and there are indices.
            os.posix_fallocate(file.fileno(), end, 2 * size + 2**19)
        finally:
            file.truncate(end)


def _append_rows(group: h5py.Group, name: str, blocks: Sequence[FloatArray], count: int) -> None:
    """Append the rows of ``blocks``, all of one shape, as the steps from ``count`` on."""
    rows, *shape = blocks[0].shape
    if name.encode() not in group.id:
        _growing(group, name, tuple(shape), np.float64, rows=max(1, min(rows, CHUNK_ROWS)))
    _write_rows(group, name, count * rows, blocks)


def _append_values(group: h5py.Group, name: str, values: ArrayLike, count: int) -> None:
    if name.encode() not in group.id:
        _growing(group, name, (), np.int64)
    _write_rows(group, name, count, [np.array(values, dtype=float)])


def _write_rows(group: h5py.Group, name: str, first: int, blocks: Sequence[FloatArray]) -> None:
    """Let a data set end with ``blocks``, from row ``first``; h5py's own slices cost ten times as much."""
    dataset = h5py.h5d.open(group.id, name.encode())
    trailing = dataset.shape[1:]
    dataset.set_extent((first + sum(map(len, blocks)), *trailing))
    where = dataset.get_space()
    for block in blocks:
        rows = np.ascontiguousarray(block, dtype=np.float64)
        where.select_hyperslab((first, *(0 for _ in trailing)), (len(rows), *trailing))
        dataset.write(h5py.h5s.create_simple((len(rows), *trailing)), where, rows)
        first += len(rows)


class Results:
    """A temporal VTKHDF file, read back.

    Attributes:
        points: Reference coordinates, shape (n_points, 3), mm.
        cells: Points of each cell in VTK order, shape (n_cells, n_points_per_cell).
        vtk_cell_type: VTK's number of the cell type.
        times: Times of the steps, shape (n_steps,), us.
        cell_fields: Names of the cell fields.
        attributes: Provenance of the file.
    """

    def __init__(self, path: Path | str) -> None:
        """Open ``path`` and read its mesh and times.

        Raises:
            InputError: The file is missing, damaged or not a temporal VTKHDF file.
        """
        self.path = Path(path)
        self._mesh = read_mesh(self.path)
        self.points, self.cells, self.vtk_cell_type, self.times, self.cell_fields, self.attributes = (
            self._mesh
        )

    def field(self, name: str, step: int) -> FloatArray:
        """Return the point or cell field ``name`` at ``step`` (negative: from the end).

        Raises:
            InputError: There is no such field, or the file is damaged.
        """
        return read_field(self.path, self._mesh, name, range(len(self.times))[step])
