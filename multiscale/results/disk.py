"""Checks of a disk: whether there is room for a file, and whether what was written has arrived."""

from __future__ import annotations

import os
from pathlib import Path


def require_space(path: Path, size: int) -> None:
    """Raise an OSError if a file cannot grow by some ``size`` bytes; HDF5 crashes on a disk that fills up."""
    with Path(path).open("ab") as file:
        end = file.tell()
        try:
            # The data and a little more: there are headers.
            os.posix_fallocate(file.fileno(), end, size + 2**17)
        finally:
            file.truncate(end)
