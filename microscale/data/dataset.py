"""Data sets: stress histories of a law along sampled strain paths, in one HDF5 file.

Arrays, each with a leading axis of paths (chunked by path): ``times`` (samples,), us; ``stretch`` and
``stress`` (samples, 6), the right stretch U and the Cauchy stress (GPa) in Mandel order of
:mod:`microscale.tensors`; ``attempt``, 0 unless the law failed on a path and it was redrawn; ``rejected``,
draws that were not positive definite. A set whose polycrystal has another texture every few paths holds
``texture`` and ``orientations`` too (:mod:`microscale.data.textures`). Attributes: ``format``, ``provenance``
(JSON: law, paths, versions), ``units`` (JSON). A data-set file exists only complete: what is under way lives
in a folder beside it (:mod:`microscale.data.generate`). Arrays and metadata carry check sums, so that damage
is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from microscale.data.origin import require_recorded_paths, textures_each
from microscale.data.schema import Provenance, require_histories
from microscale.data.textures import (
    FORMER_NUMBERS,
    numbers_of_paths,
    require_textures,
    rows_of_textures,
    whole_numbers,
)
from microscale.errors import InputError
from microscale.files.documents import parse_json
from microscale.files.hdf5 import numbers_of, opened, rows_of, text_of
from microscale.files.printable import printable
from microscale.files.schema import validated
from microscale.tensors import FloatArray, from_mandel

IntArray = NDArray[np.int64]

FORMAT = "multiscale data set 1"
UNITS = {"times": "us", "stretch": "-", "stress": "GPa", "attempt": "-", "rejected": "-"}
ARRAYS = tuple(UNITS)
LIBRARY = ("v110", "v110")
"""HDF5 format: the first whose metadata carry check sums throughout."""
COUNTS = ("attempt", "rejected")
"""Arrays of whole numbers, one a path."""
REMEDY = "remove it and generate it again, or choose another --out"


@dataclass(frozen=True)
class DataSet:
    """A complete data set in memory.

    Attributes:
        times: Times of the samples, us, shape (paths, samples).
        stretch: Right stretch U, Mandel order, shape (paths, samples, 6).
        stress: Cauchy stress, GPa, Mandel order, shape (paths, samples, 6).
        attempt: How often the law failed on a path before this draw of it, shape (paths,).
        rejected: Draws before this path that were not positive definite, shape (paths,).
        provenance: What made it: ``law``, ``paths``, ``versions``.
        texture: Harmonic coefficients of order 2, 4 and 6 of the grains of each path, shape (paths, 27); None
            where all paths have one polycrystal.
        orientations: These grains, Bunge angles in degrees, shape (paths, grains, 3).
        weights: Their shares of the volume, shape (paths, grains); None where they are equal.
    """

    times: FloatArray
    stretch: FloatArray
    stress: FloatArray
    attempt: IntArray
    rejected: IntArray
    provenance: dict[str, Any]
    texture: FloatArray | None = None
    orientations: FloatArray | None = None
    weights: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.times)

    @property
    def texture_numbers(self) -> FloatArray | None:
        """Harmonic coefficients of each path, shape (paths, 27), of one texture too where its law says it."""
        return numbers_of_paths(self.provenance, len(self), self.texture)

    @property
    def stretch_tensors(self) -> FloatArray:
        """U as tensors, shape (paths, samples, 3, 3)."""
        return from_mandel(self.stretch)

    @property
    def stress_tensors(self) -> FloatArray:
        """Cauchy stress as tensors, shape (paths, samples, 3, 3), GPa."""
        return from_mandel(self.stress)


def read_dataset(file: Path) -> DataSet:
    """Read a data set.

    Raises:
        InputError: The file is missing, damaged, no data set of this format, its numbers are no histories, or
            its paths are not those it says.
    """
    with _opened(file) as stored:
        provenance = _provenance(stored)
        content = {name: rows_of(array) for name, array in _arrays(stored, provenance).items()}
        require_histories(content)
        _require_recorded(content, provenance)
        if "texture" in content:
            content["texture"] = whole_numbers(content, provenance["law"])
    return DataSet(**content, provenance=provenance)


def read_provenance(file: Path) -> dict[str, Any]:
    """Read only what made a data set; errors as :func:`read_dataset`."""
    with _opened(file) as stored:
        return _provenance(stored)


def read_part(file: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
    """Read some arrays, of known shapes, of some paths of a set that is being made.

    Raises:
        InputError: As :func:`read_dataset`, or a shape is another.
    """
    with _opened(file) as stored:
        part = {name: rows_of(_numbers(stored, name, shape)) for name, shape in shapes.items()}
        if set(part) >= set(ARRAYS):
            require_histories(part)
        return part


def check_file(file: Path) -> None:
    """Read everything once, a thousand paths at a time; errors as :func:`read_dataset`."""
    with _opened(file) as stored:
        provenance = _provenance(stored)
        arrays = _arrays(stored, provenance)
        for block in blocks_of(len(arrays["times"]), 1000):
            require_histories(
                {name: rows_of(array, block.start, block.stop) for name, array in arrays.items()}
            )
        _require_recorded(arrays, provenance)


def _require_recorded(arrays: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
    require_recorded_paths(arrays, provenance)
    if "texture" in arrays:
        require_textures(arrays, provenance["law"])


def _provenance(stored: h5py.File) -> dict[str, Any]:
    text = text_of(stored, "provenance")
    provenance: dict[str, Any] = parse_json(text)
    validated(Provenance, provenance, f"data set {stored.filename}: provenance", REMEDY)
    return provenance


def _arrays(stored: h5py.File, provenance: Mapping[str, Any]) -> dict[str, h5py.Dataset]:
    """The arrays of a set, of shapes that belong together and to the number of paths that was asked for."""
    paths = int(provenance["paths"]["count"])
    times = _numbers(stored, "times", (paths, None))
    samples = times.shape[1]
    if samples < 2:
        raise ValueError(f"times has {samples} sample(s) a path, expected at least 2")
    shapes: dict[str, tuple[int, ...]] = {"stretch": (paths, samples, 6), "stress": (paths, samples, 6)}
    shapes |= {name: (paths,) for name in COUNTS}
    if (textures := provenance["law"].get("textures")) is not None:
        rows = rows_of_textures(textures["grains"], textures_each(provenance) > 1)
        if _numbers(stored, "texture", (paths, None)).shape[1] == FORMER_NUMBERS:
            rows["texture"] = (FORMER_NUMBERS,)
        shapes |= {name: (paths, *row) for name, row in rows.items()}
    return {"times": times, **{name: _numbers(stored, name, shape) for name, shape in shapes.items()}}


def _numbers(stored: h5py.File, name: str, shape: tuple[int | None, ...]) -> h5py.Dataset:
    """An array of a set: whole numbers, or doubles as they were written."""
    array = numbers_of(stored, name, shape, name in COUNTS)
    if name not in COUNTS and array.dtype.itemsize != 8:
        raise ValueError(f"{name} holds {array.dtype}, expected float64: fewer digits lose the increments")
    return array


def parts_folder(file: Path) -> Path:
    """The folder beside a data set that holds its finished blocks while it is being made."""
    return file.with_name(file.name + ".parts")


@contextmanager
def _opened(file: Path) -> Iterator[h5py.File]:
    if not file.is_file():
        unfinished = parts_folder(file).is_dir()
        raise InputError(
            f"data set {file} is unfinished; run the command that began it again"
            if unfinished
            else f"data set {file} does not exist; make one with `multiscale generate --out {file}`"
        )
    with opened(file, "data set", REMEDY) as stored:
        if (found := text_of(stored, "format")) != FORMAT:
            raise ValueError(f"has format '{printable(found, 60)}', expected '{FORMAT}'")
        yield stored


def blocks_of(paths: int, size: int) -> Iterator[range]:
    """Ranges of at most ``size`` path indices that cover ``paths``."""
    for first in range(0, paths, size):
        yield range(first, min(first + size, paths))
