"""Data sets: stress histories of a law along sampled strain paths, in one HDF5 file.

Arrays, each with a leading axis of paths (chunked by path): ``times`` (samples,), us; ``stretch`` and
``stress`` (samples, 6), the right stretch U and the Cauchy stress (GPa) in Mandel order of
:mod:`microscale.tensors`; ``attempt``, 0 unless the law failed on a path and it was drawn anew; ``rejected``,
draws that were not positive definite. Attributes: ``format``, ``provenance`` (JSON: law, paths, versions),
``units`` (JSON). A data-set file exists only complete: what is under way lives in a folder beside it
(:mod:`microscale.generate`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
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
    with _open(file) as stored:
        return _provenance(stored, file)


def read_file(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read arrays by name and provenance; errors as :func:`read_dataset`."""
    with _open(file) as stored:
        provenance = _provenance(stored, file)
        try:
            arrays = {name: stored[name][...] for name in ARRAYS}
        except (KeyError, OSError) as error:
            raise InputError(f"data set {file} is damaged ({error}); generate it again") from error
    return arrays, provenance


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
        with h5py.File(unfinished, "w") as stored:
            stored.attrs["format"] = FORMAT
            stored.attrs["provenance"] = json.dumps(provenance, sort_keys=True)
            stored.attrs["units"] = json.dumps(UNITS)
            for name in ARRAYS:
                _write_array(stored, name, arrays[name])
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(file)
    except (OSError, RuntimeError) as error:  # HDF5 reports a full disk as either
        raise InputError(
            f"cannot write {file}: {_reason(error)}; free space or choose another --out"
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _write_array(stored: h5py.File, name: str, values: Any) -> None:
    if isinstance(values, np.ndarray):
        values = (values.shape, iter([values]))
    shape, blocks = values
    dtype = np.int64 if name in ("attempt", "rejected") else np.float64
    array = stored.create_dataset(name, shape, dtype, chunks=(1, *shape[1:]) if len(shape) > 1 else None)
    first = 0
    for block in blocks:
        array[first : first + len(block)] = block
        first += len(block)


def _open(file: Path) -> h5py.File:
    if not file.is_file():
        raise InputError(f"data set {file} does not exist; make one with `multiscale generate --out {file}`")
    try:
        return h5py.File(file, "r")
    except OSError as error:
        raise InputError(
            f"{file} is no HDF5 file or is damaged; choose another --out or remove it"
        ) from error


def _provenance(stored: h5py.File, file: Path) -> dict[str, Any]:
    found = stored.attrs.get("format")
    if found != FORMAT:
        raise InputError(
            f"{file} has format {found!r}, expected {FORMAT!r}; choose another --out or remove it"
        )
    return dict(json.loads(stored.attrs["provenance"]))


def _reason(error: BaseException) -> str:
    """The cause in words: HDF5 hides the system's message in a long text of its own."""
    text = str(error)
    if "errno = " in text:
        return os.strerror(int(text.split("errno = ")[1].split(",")[0]))
    return getattr(error, "strerror", None) or text.splitlines()[0]


def blocks_of(paths: int, size: int) -> Iterator[range]:
    """Ranges of at most ``size`` path indices that cover ``paths``."""
    for first in range(0, paths, size):
        yield range(first, min(first + size, paths))
