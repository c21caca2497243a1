"""A series of .vtu files with an index (.pvd), for what cannot read VTKHDF, as ParaView before 5.13.

Kitware's XML formats, the arrays as raw bytes appended to a file of each step, which holds the mesh too. A
step's file is whole before the index names it, so a run that is killed leaves a series that opens. What the
run says of itself stands in ``attributes.json`` beside the files.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.files.whole_file import write_whole
from microscale.tensors import FloatArray
from multiscale.results.reading import Mesh

if TYPE_CHECKING:
    from multiscale.results.vtkhdf import Step


ATTRIBUTES = "attributes.json"
KINDS = {"Float64": np.float64, "Int64": np.int64, "UInt8": np.uint8}
REMEDY = "give the .pvd file that a run has written, with the folder beside it"
ARRAY = re.compile(
    r'<DataArray type="(\w+)" Name="([^"]*)" NumberOfComponents="(\d+)" format="appended" offset="(\d+)"/>'
)
BEGIN = b'<AppendedData encoding="raw">\n_'
END = b"\n</AppendedData>\n</VTKFile>\n"


def create(
    path: Path,
    points: FloatArray,
    cells: NDArray[np.int64],
    vtk_cell_type: int,
    attributes: Mapping[str, Any],
    like: Step,
) -> None:
    """Begin a series that holds no step yet; arguments as of :func:`multiscale.results.vtkhdf.create`.

    Raises:
        InputError: The files cannot be written.
    """
    folder = _folder(path)
    try:
        folder.mkdir(exist_ok=True)
        for stale in folder.glob("*.vtu"):
            stale.unlink()
        write_whole(folder / ATTRIBUTES, json.dumps(dict(attributes), default=int).encode())
        write_whole(_file(path, -1), _unstructured_grid(points, cells, vtk_cell_type, {}, {}))
        _write_index(path, [])
    except OSError as error:
        raise InputError(f"result file {path} cannot be written ({error}): choose another folder") from error


def append(path: Path, steps: Sequence[Step]) -> None:
    """Add steps.

    Raises:
        OSError: The disk is full or the files are gone; the steps before are untouched.
        InputError: The series is damaged.
    """
    mesh = read_mesh(path)
    times = list(mesh.times)
    for step in steps:
        data = _unstructured_grid(
            mesh.points, mesh.cells, mesh.vtk_cell_type, step.point_fields, step.cell_fields
        )
        try:
            write_whole(_file(path, len(times)), data)
            _write_index(path, [*times, step.time])
        except InputError as error:
            raise OSError(str(error)) from error
        times.append(step.time)


def keep(path: Path, count: int) -> None:
    """Drop the steps from ``count`` on.

    Raises:
        InputError: The series is damaged, or cannot be written.
    """
    times = read_mesh(path).times
    _write_index(path, list(times[:count]))
    for dropped in range(count, len(times)):
        with suppress(OSError):
            _file(path, dropped).unlink()


def read_mesh(path: Path) -> Mesh:
    """Read all but the fields.

    Raises:
        InputError: A file is missing or damaged.
    """
    try:
        text = path.read_text()
        times = np.array([float(time) for time in re.findall(r'timestep="([^"]*)"', text)])
        attributes = json.loads((_folder(path) / ATTRIBUTES).read_text())
        grid = _read(_file(path, -1))
        fields = _read(_file(path, 0)) if len(times) else grid
        cells = grid["Cells/connectivity"]
        types = grid["Cells/types"]
        return Mesh(
            grid["Points/Points"], cells.reshape(len(types), -1), int(types[0]), times,
            [name.removeprefix("PointData/") for name in fields if name.startswith("PointData/")],
            [name.removeprefix("CellData/") for name in fields if name.startswith("CellData/")],
            attributes,
        )  # fmt: skip
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a series of results ({error}); {REMEDY}") from error


def read_field(path: Path, mesh: Mesh, name: str, step: int) -> FloatArray:
    """Return a point or cell field at a step, shape (rows, ...).

    Raises:
        InputError: There is no such field, or the file is damaged.
    """
    file = _file(path, step)
    try:
        arrays = _read(file)
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise InputError(f"{file} cannot be read as a result file ({error}); {REMEDY}") from error
    for association, rows in (("PointData", len(mesh.points)), ("CellData", len(mesh.cells))):
        array = arrays.get(f"{association}/{name}")
        if array is not None and len(array) == rows:
            return np.asarray(array, dtype=float)
    known = sorted({*mesh.point_fields, *mesh.cell_fields})
    raise InputError(f"{path} holds no field {name!r}, expected one of {', '.join(known)}")


def _folder(path: Path) -> Path:
    return path.with_suffix("")


def _file(path: Path, step: int) -> Path:
    """Return the file of a step; of -1 that of the mesh alone."""
    return _folder(path) / ("mesh.vtu" if step < 0 else f"{step:05d}.vtu")


def _write_index(path: Path, times: Sequence[float]) -> None:
    names = (f"{_folder(path).name}/{_file(path, k).name}" for k in range(len(times)))
    lines = (
        f'<DataSet timestep="{float(time)!r}" part="0" file="{name}"/>'
        for time, name in zip(times, names, strict=True)
    )
    head = '<?xml version="1.0"?>\n<VTKFile type="Collection" version="1.0">\n<Collection>\n'
    write_whole(
        path, (head + "".join(f"{line}\n" for line in lines) + "</Collection>\n</VTKFile>\n").encode()
    )


def _unstructured_grid(
    points: FloatArray,
    cells: NDArray[np.int64],
    vtk_cell_type: int,
    point_fields: Mapping[str, FloatArray],
    cell_fields: Mapping[str, FloatArray],
) -> bytes:
    """Return the bytes of a .vtu file."""
    of_cells = {
        "connectivity": cells.reshape(-1),
        "offsets": cells.shape[1] * np.arange(1, len(cells) + 1),
        "types": np.full(len(cells), vtk_cell_type, dtype=np.uint8),
    }
    groups = {
        "PointData": point_fields,
        "CellData": cell_fields,
        "Points": {"Points": points},
        "Cells": of_cells,
    }
    body, data, offset = [], [], 0
    for group, arrays in groups.items():
        body.append(f"<{group}>")
        for name, array in arrays.items():
            kind = next(name for name, dtype in KINDS.items() if array.dtype == dtype)
            components = int(np.prod(array.shape[1:]))
            body.append(
                f'<DataArray type="{kind}" Name="{html.escape(name)}" NumberOfComponents="{components}" '
                f'format="appended" offset="{offset}"/>'
            )
            block = np.uint64(array.nbytes).tobytes() + np.ascontiguousarray(array).tobytes()
            data.append(block)
            offset += len(block)
        body.append(f"</{group}>")
    head = (
        '<?xml version="1.0"?>\n<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" '
        f'header_type="UInt64">\n<UnstructuredGrid>\n<Piece NumberOfPoints="{len(points)}" '
        f'NumberOfCells="{len(cells)}">\n'
    )
    tail = "\n</Piece>\n</UnstructuredGrid>\n"
    return (head + "\n".join(body) + tail).encode() + BEGIN + b"".join(data) + END


def _read(file: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a .vtu file of ours, by group and name.

    Raises:
        ValueError: It is none, or not whole.
    """
    content = file.read_bytes()
    head, found, data = content.partition(BEGIN)
    if not found or not data.endswith(END):
        raise ValueError(f"{file.name} is not whole")
    arrays = {}
    for group in ("PointData", "CellData", "Points", "Cells"):
        part = re.search(f"<{group}>(.*?)</{group}>", head.decode(), re.DOTALL)
        for kind, name, components, offset in ARRAY.findall(part.group(1) if part else ""):
            first = int(offset) + 8
            size = int(np.frombuffer(data, np.uint64, 1, int(offset))[0])
            if first + size > len(data) - len(END):
                raise ValueError(f"{name} in {file.name} is not whole")
            array = np.frombuffer(data[first : first + size], KINDS[kind])
            shape = (-1, int(components)) if int(components) > 1 else (-1,)
            arrays[f"{group}/{html.unescape(name)}"] = array.reshape(shape)
    return arrays
