"""Temporal VTKHDF files of a fixed unstructured mesh: appended step by step, read back by step.

The format is Kitware's VTKHDF 2.0 (UnstructuredGrid with a Steps group): points and connectivity are
written once and each step only adds its fields. A step is there whole or not at all, whatever ends the run
(:mod:`multiscale.results.growing_hdf5`): what it leaves behind opens in ParaView. The file is not locked, so
a ParaView that has it open does not stop the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.files.reservation import require_space
from microscale.files.whole_file import flush
from microscale.tensors import FloatArray
from multiscale.results import reading, vtu
from multiscale.results.growing_hdf5 import GrowingFile
from multiscale.results.hdf5_places import LIBRARY

#: Numbers of the Steps group besides times, one a step: type, shape of a row, names that share one array.
NUMBERS: tuple[tuple[Any, tuple[int, ...], tuple[str, ...]], ...] = (
    (np.int64, (), ("NumberOfParts",)),
    (np.int64, (), ("PartOffsets", "PointOffsets")),
    (np.int64, (1,), ("CellOffsets", "ConnectivityIdOffsets")),
)

#: Steps in one HDF5 chunk of such numbers.
CHUNK_STEPS = 256


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


def create(
    path: Path | str,
    points: FloatArray,
    cells: NDArray[np.int64],
    vtk_cell_type: int,
    attributes: Mapping[str, Any],
    like: Step,
) -> None:
    """Write mesh and attributes; the file is valid and holds no step yet.

    Args:
        path: File to write; an existing one is replaced, at once, by the whole new one.
        points: Coordinates, shape (n_points, 3), mm.
        cells: Points of each cell in VTK order, shape (n_cells, n_points_per_cell).
        vtk_cell_type: VTK's number of the cell type, such as 12 for the hexahedron.
        attributes: Provenance, stored as attributes of the file's root.
        like: A step with the fields that each step will have; it is not written.

    Raises:
        InputError: The file cannot be written.
    """
    path = Path(path)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        require_space(unfinished, points.nbytes + 2 * cells.nbytes)
        with h5py.File(unfinished, "w", libver=LIBRARY, locking=False) as file:
            # Times come first: see GrowingFile, what is counted.
            _create_steps(file.create_group("VTKHDF"), like)
            _create_mesh(file["VTKHDF"], points, cells, vtk_cell_type)
            file.attrs.update(attributes)
        with _growing(unfinished) as grown:
            grown.plant()
        unfinished.replace(path)
        flush(path.parent)
    except (OSError, RuntimeError, ValueError) as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise InputError(f"result file {path} cannot be written ({error}): choose another folder") from error


def _create_mesh(root: h5py.Group, points: FloatArray, cells: NDArray[np.int64], vtk_cell_type: int) -> None:
    root.attrs["Version"] = (2, 0)
    root.attrs.create("Type", np.bytes_("UnstructuredGrid"))
    root["NumberOfPoints"] = np.array([len(points)])
    root["NumberOfCells"] = np.array([len(cells)])
    root["NumberOfConnectivityIds"] = np.array([cells.size])
    root["Points"] = points
    root["Connectivity"] = cells.reshape(-1)
    root["Offsets"] = cells.shape[1] * np.arange(len(cells) + 1)
    root["Types"] = np.full(len(cells), vtk_cell_type, dtype=np.uint8)


def _create_steps(root: h5py.Group, like: Step) -> None:
    steps = root.create_group("Steps")
    _empty(steps, "Values", CHUNK_STEPS, (), np.float64)
    steps.attrs["NSteps"] = 0
    for dtype, shape, (name, *others) in NUMBERS:
        numbers = _empty(steps, name, CHUNK_STEPS, shape, dtype)
        for other in others:
            steps[other] = numbers
    for association, fields in (("Point", like.point_fields), ("Cell", like.cell_fields)):
        data, offsets = (
            root.create_group(f"{association}Data"),
            steps.create_group(f"{association}DataOffsets"),
        )
        # Every field of points begins at the same row, as does every one of cells.
        shared = _empty(offsets, min(fields), CHUNK_STEPS, (), np.int64)
        for name, values in fields.items():
            _empty(data, name, len(values), values.shape[1:], np.float64)
            if name not in offsets:
                offsets[name] = shared


def _empty(group: h5py.Group, name: str, chunk: int, shape: tuple[int, ...], dtype: Any) -> h5py.Dataset:
    return group.create_dataset(name, (0, *shape), dtype, chunks=(chunk, *shape), maxshape=(None, *shape))


@contextmanager
def _growing(path: Path | str) -> Iterator[GrowingFile]:
    """Open the arrays of a file that grow with each step."""
    with h5py.File(path, "r", locking=False) as stored:
        root = stored["VTKHDF"]
        rows = {"Steps/Values": 1} | {f"Steps/{names[0]}": 1 for _, _, names in NUMBERS}
        for association in ("Point", "Cell"):
            fields, size = root[f"{association}Data"], int(root[f"NumberOf{association}s"][0])
            rows[f"Steps/{association}DataOffsets/{min(fields)}"] = 1
            rows |= {f"{association}Data/{name}": size for name in fields}
        grown = GrowingFile(path, root, ("Steps", "NSteps"), rows, counted="Steps/Values")
    with grown:
        yield grown


def append(path: Path | str, steps: Sequence[Step]) -> None:
    """Add steps, the same fields at each; several at once cost little more than one.

    Args:
        path: File made by :func:`create`.
        steps: At least one.

    Raises:
        OSError: The disk is full or the file is gone; the steps before are untouched.
        InputError: The file is damaged, or full.
    """
    try:
        with _growing(path) as grown:
            grown.append([_rows(step, grown.count + k) for k, step in enumerate(steps)])
    except (KeyError, ValueError) as error:
        raise InputError(f"result file {path} cannot be extended ({error}): choose another folder") from error


def _rows(step: Step, number: int) -> dict[str, NDArray[Any]]:
    """What every growing array gets of a step."""
    rows: dict[str, NDArray[Any]] = {
        f"Steps/{names[0]}": np.zeros((1, *shape)) for _, shape, names in NUMBERS
    }
    rows |= {"Steps/Values": np.array([step.time]), "Steps/NumberOfParts": np.array([1])}
    for association, fields in (("Point", step.point_fields), ("Cell", step.cell_fields)):
        rows |= {f"{association}Data/{name}": values for name, values in fields.items()}
        first = min(fields)
        rows[f"Steps/{association}DataOffsets/{first}"] = np.array([number * len(fields[first])])
    return rows


def keep(path: Path, count: int) -> None:
    """Drop the steps from ``count`` on, so that a restarted run appends to those before it.

    Raises:
        InputError: The file is damaged, or cannot be written.
    """
    try:
        with _growing(path) as grown:
            grown.cut(count)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise InputError(
            f"result file {path} cannot be continued ({error}): restart into another --output"
        ) from error


def steps_until(times: FloatArray, time: float) -> int:
    """Return how many of the steps, at ``times``, us, are not after ``time``, us, but for rounding."""
    return int(np.searchsorted(times, time * (1.0 + 1e-12), side="right"))


class Results:
    """A result file, read back: temporal VTKHDF, or the index of a series of .vtu files (.pvd).

    Attributes:
        points: Reference coordinates, shape (n_points, 3), mm.
        cells: Points of each cell in VTK order, shape (n_cells, n_points_per_cell).
        vtk_cell_type: VTK's number of the cell type.
        times: Times of the steps, shape (n_steps,), us.
        point_fields: Names of the point fields.
        cell_fields: Names of the cell fields.
        attributes: Provenance of the file.
    """

    def __init__(self, path: Path | str) -> None:
        """Open ``path`` and read its mesh and times.

        Raises:
            InputError: The file is missing, damaged or of another format.
        """
        self.path = Path(path)
        self._format: Any = vtu if self.path.suffix == ".pvd" else reading
        self._mesh: reading.Mesh = self._format.read_mesh(self.path)
        self.points, self.cells, self.vtk_cell_type, self.times = self._mesh[:4]
        self.point_fields, self.cell_fields, self.attributes = self._mesh[4:]

    def field(self, name: str, step: int) -> FloatArray:
        """Return the point or cell field ``name`` at ``step`` (negative: from the end).

        Raises:
            InputError: There is no such field, or the file is damaged.
        """
        found: FloatArray = self._format.read_field(self.path, self._mesh, name, range(len(self.times))[step])
        return found
