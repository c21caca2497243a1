"""A microstructure from a user's array: a label at each voxel, from NumPy, HDF5 or VTK image files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.files.documents import read_bytes
from microscale.files.hdf5 import numbers_of, opened, rows_of

LARGEST = 2**31
"""Bytes of a file."""
MOST_VOXELS = 512**3
REMEDY = "give whole numbers, one a voxel, as .npy, .h5 (and the name of the array) or .vti (cell data)"


def read_labels(path: Path, array: str | None = None) -> NDArray[np.int64]:
    """Read a labelled microstructure.

    Args:
        path: A file whose name ends in .npy, .h5, .hdf5 or .vti. The axes of an array are those of the cell;
            a VTK image is read with x, y, z as its axes.
        array: Name of the array in an HDF5 or VTK file; not needed where there is one only.

    Returns:
        Labels, shape (n1, n2) or (n1, n2, n3).

    Raises:
        InputError: The file cannot be read, or holds no such labels.
    """
    readers = {".npy": _from_numpy, ".h5": _from_hdf5, ".hdf5": _from_hdf5, ".vti": _from_vtk}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"microstructure {path}: its name ends in '{path.suffix}'; {REMEDY}")
    labels = reader(path, array)
    if labels.ndim not in (2, 3) or labels.size == 0 or labels.size > MOST_VOXELS:
        raise InputError(
            f"microstructure {path} has shape {labels.shape}, expected two or three axes; {REMEDY}"
        )
    return np.ascontiguousarray(labels, dtype=np.int64)


def _from_numpy(path: Path, array: str | None) -> NDArray[np.int64]:
    if array is not None:
        raise InputError(f"array = {array} of {path}, a file with one array without name: leave it out")
    read_bytes(path, "microstructure", REMEDY, LARGEST)
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"microstructure {path}: damaged, or no .npy ({error}); {REMEDY}") from error
    return _whole(path, found)


def _from_hdf5(path: Path, array: str | None) -> NDArray[np.int64]:
    with opened(path, "microstructure", REMEDY) as file:
        name = array or _only(path, list(file))
        for axes in (3, 2):
            try:
                return rows_of(numbers_of(file, name, (None,) * axes, whole=True))
            except ValueError as error:
                problem = error
        raise InputError(f"microstructure {path}: {problem}; {REMEDY}")


def _from_vtk(path: Path, array: str | None) -> NDArray[np.int64]:
    import pyvista

    read_bytes(path, "microstructure", REMEDY, LARGEST)
    try:
        image = pyvista.read(path)
        names = list(image.cell_data.keys())
        cells = tuple(n - 1 for n in image.dimensions)
    except Exception as error:  # VTK raises whatever it likes
        raise InputError(f"microstructure {path}: damaged, or no VTK image ({error}); {REMEDY}") from error
    name = array or _only(path, names)
    if name not in names:
        raise InputError(f"microstructure {path} has cell data {names}, expected '{name}'; {REMEDY}")
    values = np.asarray(image.cell_data[name])
    if values.ndim != 1 or values.size != math.prod(cells):
        raise InputError(f"microstructure {path}: '{name}' has shape {values.shape}; {REMEDY}")
    return _whole(path, values.reshape(cells, order="F"))


def _only(path: Path, names: list[str]) -> str:
    if len(names) != 1:
        raise InputError(f"microstructure {path} has the arrays {names}: say which one by array = NAME")
    return names[0]


def _whole(path: Path, values: NDArray[np.generic]) -> NDArray[np.int64]:
    if values.dtype.kind not in "iu":
        raise InputError(f"microstructure {path} holds {values.dtype}, expected whole numbers; {REMEDY}")
    return np.asarray(values, dtype=np.int64)
