"""Room on the disk, asked for before an HDF5 file is written: HDF5 crashes on a disk that fills up."""

from __future__ import annotations

import os
from pathlib import Path

import h5py


def reserve_hdf5(path: Path, size: int, library: tuple[str, str]) -> None:
    """Make an empty HDF5 file with room for ``size`` bytes; what was there under this name is removed.

    The room stays reserved while HDF5 writes into it; it returns what is left over when it closes the file.

    Raises:
        OSError: There is no such room.
    """
    with h5py.File.in_memory(libver=library) as empty:
        empty.flush()
        image = empty.id.get_file_image()
    path.unlink(missing_ok=True)  # what a kill has left, or a link to somewhere else
    with path.open("xb") as reserved:
        reserved.write(image)
        os.posix_fallocate(reserved.fileno(), 0, size)


def require_space(path: Path, size: int) -> None:
    """Raise an OSError if a file cannot grow by some ``size`` bytes."""
    with Path(path).open("ab") as file:
        end = file.tell()
        try:
            # The data and a little more: there are headers.
            os.posix_fallocate(file.fileno(), end, size + 2**17)
        finally:
            file.truncate(end)
