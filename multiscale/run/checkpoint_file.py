"""The HDF5 file of a checkpoint while it is written, on rank 0: whole or not there at all."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from microscale.errors import InputError
from microscale.files.reservation import reserve_hdf5
from microscale.files.whole_file import flush
from microscale.tensors import FloatArray
from multiscale.parallel.gather import IndexArray

FORMAT = "multiscale checkpoint 2"

#: HDF5 format: the first whose metadata carry check sums throughout.
LIBRARY = ("v110", "v110")

#: Bytes of a chunk at most, unless one row is larger: what a rank reads to get a row.
CHUNK_BYTES = 2**20


def chunk_rows(row_shape: tuple[int, ...], size: int) -> int:
    """Rows in ``size`` bytes, a power of two, so that larger blocks hold whole chunks; at least one."""
    rows = size // (8 * math.prod(row_shape))
    return 1 << max(0, rows.bit_length() - 1)


class CheckpointFile:
    """A checkpoint being written; after a failure it takes what comes and writes nothing."""

    def __init__(
        self,
        path: Path,
        header: Mapping[str, Any],
        booked: FloatArray,
        layout: Mapping[str, tuple[int, ...]],
    ) -> None:
        """Begin the file under another name.

        Args:
            path: File to become.
            header: Plain values.
            booked: What each rank has booked, shape (ranks, n).
            layout: Shape of each array, by its name.
        """
        self._path, self._unfinished = path, path.with_name(path.name + ".unfinished")
        self._error: InputError | None = None
        self._attempt(lambda: self._begin(header, booked, layout))

    def _begin(
        self, header: Mapping[str, Any], booked: FloatArray, layout: Mapping[str, tuple[int, ...]]
    ) -> None:
        chunks = {name: (_chunk(shape), *shape[1:]) for name, shape in layout.items()}
        reserve_hdf5(self._unfinished, _size(layout, chunks), LIBRARY)
        self._file = h5py.File(self._unfinished, "r+", libver=LIBRARY, locking=False)
        self._file.attrs["format"] = np.bytes_(FORMAT.encode())
        # Texts of variable length have no check sum.
        self._file.attrs["header"] = np.void(json.dumps(header).encode())
        self._file.create_dataset("booked", data=booked, chunks=booked.shape, fletcher32=True)
        for name, shape in layout.items():
            self._file.create_dataset(name, shape, np.float64, chunks=chunks[name], fletcher32=True)

    def write(self, name: str, labels: IndexArray, rows: FloatArray) -> None:
        """Write rows, sorted by their labels; labels may have gaps."""
        if not len(labels):
            return
        first, last = int(labels[0]), int(labels[-1]) + 1
        block = np.zeros((last - first, *rows.shape[1:]))
        block[labels - first] = rows

        def put() -> None:
            self._file[name][first:last] = block

        self._attempt(put)

    def finish(self) -> InputError | None:
        """Flush the file to the disk and give it its name; return the error if anything failed."""
        self._attempt(self._publish)
        if self._error is not None:
            with suppress(OSError):
                self._unfinished.unlink(missing_ok=True)
        return self._error

    def _publish(self) -> None:
        self._file.close()
        flush(self._unfinished)
        self._unfinished.replace(self._path)
        flush(self._path.parent)

    def _attempt(self, action: Callable[[], None]) -> None:
        if self._error is not None:
            return
        try:
            action()
        except (OSError, RuntimeError) as error:  # the latter where HDF5 fails while it closes the file
            self._error = InputError(
                f"checkpoint {self._path} cannot be written ({error}): free space on the disk or choose "
                "another folder"
            )


def _chunk(shape: tuple[int, ...]) -> int:
    return max(1, min(shape[0], chunk_rows(shape[1:], CHUNK_BYTES)))


def _size(layout: Mapping[str, tuple[int, ...]], chunks: Mapping[str, tuple[int, ...]]) -> int:
    """Return the bytes a file of these arrays takes at most."""
    counts = {name: -(-shape[0] // chunks[name][0]) for name, shape in layout.items()}
    return 2**20 + sum(count * (8 * math.prod(chunks[name]) + 128) for name, count in counts.items())
