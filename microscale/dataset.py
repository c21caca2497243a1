"""Data sets: stress histories of a law along sampled strain paths, in one HDF5 file.

Arrays, each with a leading axis of paths (chunked by path): ``times`` (samples,), us; ``stretch`` and
``stress`` (samples, 6), the right stretch U and the Cauchy stress (GPa) in Mandel order of
:mod:`microscale.tensors`; ``attempt``, 0 unless the law failed on a path and it was drawn anew; ``rejected``,
draws that were not positive definite. Attributes: ``format``, ``provenance`` (JSON: law, paths, versions),
``units`` (JSON). A data-set file exists only complete: what is under way lives in a folder beside it
(:mod:`microscale.generate`). Arrays and metadata carry check sums, so that damage is an error.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import h5py
import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.tensors import FloatArray, from_mandel

IntArray = NDArray[np.int64]

FORMAT = "multiscale data set 1"
UNITS = {"times": "us", "stretch": "-", "stress": "GPa", "attempt": "-", "rejected": "-"}
ARRAYS = tuple(UNITS)
LIBRARY = ("v110", "v110")
"""HDF5 format: the first whose metadata carry check sums throughout."""
DAMAGE = (KeyError, OSError, RuntimeError, ValueError)
"""What h5py raises on a damaged file, depending on where the damage is."""


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
    """

    times: FloatArray
    stretch: FloatArray
    stress: FloatArray
    attempt: IntArray
    rejected: IntArray
    provenance: dict[str, Any]

    def __len__(self) -> int:
        return len(self.times)

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
        InputError: The file is missing, damaged, or no data set of this format.
    """
    arrays, provenance = read_file(file)
    return DataSet(**arrays, provenance=provenance)


def read_provenance(file: Path) -> dict[str, Any]:
    """Read only what made a data set; errors as :func:`read_dataset`."""
    return read_file(file, ())[1]


def read_file(file: Path, names: Sequence[str] = ARRAYS) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read arrays by name and provenance; errors as :func:`read_dataset`."""
    with _open(file) as stored:
        try:
            provenance = dict(json.loads(stored.attrs["provenance"]))
            return {name: stored[name][...] for name in names}, provenance
        except DAMAGE as error:
            raise InputError(
                f"data set {file} is damaged ({error}); remove it and generate it again"
            ) from error


def check_file(file: Path) -> None:
    """Read everything once, a thousand paths at a time; errors as :func:`read_dataset`."""
    with _open(file) as stored:
        try:
            for name in ARRAYS:
                for block in blocks_of(len(stored[name]), 1000):
                    stored[name][block.start : block.stop]
        except DAMAGE as error:
            raise InputError(
                f"data set {file} is damaged ({error}); remove it and generate it again"
            ) from error


def write_file(file: Path, arrays: Mapping[str, Any], provenance: Mapping[str, Any], scratch: Path) -> None:
    """Write a file whole or not at all: under another name first, flushed to disk, then renamed.

    Args:
        file: File to write or replace.
        arrays: By the names of ``ARRAYS``, each an array, or the shape of the whole and an iterator over its
            blocks of paths, so that a large set need not fit in memory.
        provenance: Plain values.
        scratch: Folder on the same file system for the unfinished file.

    Raises:
        InputError: The disk is full or the folder cannot be written; nothing is left behind.
    """
    unfinished = scratch / f".{file.name}.{uuid4().hex}"
    try:
        _reserve(unfinished, arrays)
        with h5py.File(unfinished, "r+", libver=LIBRARY) as stored:
            texts = {"provenance": json.dumps(provenance, sort_keys=True), "units": json.dumps(UNITS)}
            for name, text in {"format": FORMAT, **texts}.items():
                stored.attrs[name] = np.bytes_(text.encode())  # texts of variable length have no check sum
            for name in ARRAYS:
                _write_array(stored, name, arrays[name])
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise InputError(
            f"cannot write {file}: {error.strerror or error}; free space or choose another --out"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _reserve(file: Path, arrays: Mapping[str, Any]) -> None:
    """Make an empty HDF5 file with room on disk for the arrays: HDF5 crashes on a disk that fills up.

    The room stays reserved while HDF5 writes into it; it returns what is left over when it closes the file.
    """
    shapes = [values.shape if isinstance(values, np.ndarray) else values[0] for values in arrays.values()]
    numbers = sum(math.prod(shape) for shape in shapes)
    chunks = sum(shape[0] for shape in shapes)
    with h5py.File.in_memory(libver=LIBRARY) as empty:
        empty.flush()
        image = empty.id.get_file_image()
    with file.open("wb") as reserved:
        reserved.write(image)
        # Eight bytes a number, generously an index entry a chunk, attributes.
        os.posix_fallocate(reserved.fileno(), 0, 8 * numbers + 64 * chunks + 2**16)


def _write_array(stored: h5py.File, name: str, values: Any) -> None:
    if isinstance(values, np.ndarray):
        values = (values.shape, iter([values]))
    shape, blocks = values
    dtype = np.int64 if name in ("attempt", "rejected") else np.float64
    chunks = (1, *shape[1:]) if len(shape) > 1 else shape
    array = stored.create_dataset(name, shape, dtype, chunks=chunks, fletcher32=True)
    first = 0
    for block in blocks:
        array[first : first + len(block)] = block
        first += len(block)


def parts_folder(file: Path) -> Path:
    """The folder beside a data set that holds its finished blocks while it is being made."""
    return file.with_name(file.name + ".parts")


def _open(file: Path) -> h5py.File:
    if not file.is_file():
        unfinished = parts_folder(file).is_dir()
        raise InputError(
            f"data set {file} is unfinished; run the command that began it again"
            if unfinished
            else f"data set {file} does not exist; make one with `multiscale generate --out {file}`"
        )
    try:
        stored = h5py.File(file, "r")
        found = np.asarray(stored.attrs.get("format", "")).astype(str)
    except DAMAGE as error:
        raise InputError(
            f"{file} is no HDF5 file or is damaged; choose another --out or remove it"
        ) from error
    if found != FORMAT:
        stored.close()
        raise InputError(
            f"{file} has format '{found}', expected {FORMAT!r}; choose another --out or remove it"
        )
    return stored


def blocks_of(paths: int, size: int) -> Iterator[range]:
    """Ranges of at most ``size`` path indices that cover ``paths``."""
    for first in range(0, paths, size):
        yield range(first, min(first + size, paths))
