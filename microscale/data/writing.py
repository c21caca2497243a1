"""Data sets while they are written: whole or not there at all."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from microscale.data.dataset import COUNTS, FORMAT, LIBRARY, UNITS
from microscale.data.textures import TEXTURED
from microscale.files.reservation import reserve_hdf5
from microscale.files.whole_file import replacing


def write_file(file: Path, arrays: Mapping[str, Any], provenance: Mapping[str, Any], scratch: Path) -> None:
    """Write a file whole or not at all: under another name first, flushed to disk, then renamed.

    Args:
        file: File to write or replace.
        arrays: By the names of ``ARRAYS``, and of ``TEXTURED`` where paths have textures of their own; each
            an array, or the shape of the whole and an iterator over its blocks of paths, so that a large set
            need not fit in memory.
        provenance: Plain values.
        scratch: Folder on the same file system for the unfinished file.

    Raises:
        InputError: The disk is full or the folder cannot be written; nothing is left behind.
    """
    with replacing(file, scratch, "free space or choose another --out") as unfinished:
        units = UNITS | {name: unit for name, unit in TEXTURED.items() if name in arrays}
        texts = {"provenance": json.dumps(provenance, sort_keys=True), "units": json.dumps(units)}
        reserve_hdf5(unfinished, _size(arrays) + len(texts["provenance"]), LIBRARY)
        with h5py.File(unfinished, "r+", libver=LIBRARY) as stored:
            for name, text in {"format": FORMAT, **texts}.items():
                stored.attrs[name] = np.bytes_(text.encode())  # texts of variable length have no check sum
            for name in units:
                _write_array(stored, name, arrays[name])


def _size(arrays: Mapping[str, Any]) -> int:
    """Return the bytes a file of these arrays takes at most."""
    shapes = [values.shape if isinstance(values, np.ndarray) else values[0] for values in arrays.values()]
    numbers = sum(math.prod(shape) for shape in shapes)
    chunks = sum(shape[0] for shape in shapes)
    # Eight bytes a number, generously an index entry a chunk, attributes.
    return int(8 * numbers + 64 * chunks + 2**16)


def _write_array(stored: h5py.File, name: str, values: Any) -> None:
    if isinstance(values, np.ndarray):
        values = (values.shape, iter([values]))
    shape, blocks = values
    dtype = np.int64 if name in COUNTS else np.float64
    chunks = (1, *shape[1:]) if len(shape) > 1 else shape
    array = stored.create_dataset(name, shape, dtype, chunks=chunks, fletcher32=True)
    first = 0
    for block in blocks:
        array[first : first + len(block)] = block
        first += len(block)
