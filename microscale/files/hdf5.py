"""HDF5 files as data: sizes are known before anything is read, and nothing in a file leads out of it.

HDF5 can link to other files, keep its numbers in them, or promise numbers that are nowhere. Whatever is read
goes through here: arrays of numbers that lie in the file itself, of a known shape, and texts of known length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.files.printable import printable

DAMAGE: tuple[type[Exception], ...] = (AttributeError, KeyError, IndexError, MemoryError, OSError)
DAMAGE += (ArithmeticError, RuntimeError, TypeError, ValueError)
"""What h5py raises on a file that is damaged or not as it should be, depending on where."""
LONGEST_TEXT = 2**22
"""Bytes of a text."""
FILTERS = {h5py.h5z.FILTER_DEFLATE: 1100, h5py.h5z.FILTER_SHUFFLE: 1, h5py.h5z.FILTER_FLETCHER32: 1}
"""Filters that are read, and how many times smaller they can make numbers; others are code from elsewhere."""


@contextmanager
def opened(path: Path, what: str, remedy: str) -> Iterator[h5py.File]:
    """Open a file to read it; whatever goes wrong while it is read is one line.

    Args:
        path: The file.
        what: What it is, for messages.
        remedy: What the user can do, for messages.

    Raises:
        InputError: It cannot be read, is no HDF5 file, damaged, or not as it should be.
    """
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise InputError(f"{what} {path} cannot be read ({error.strerror}); {remedy}") from error
    try:
        # No lock: files appear whole, and one that another process holds open is not damaged.
        file = h5py.File(path, "r", locking=False)
    except DAMAGE as error:
        raise InputError(_unopened(path, what, remedy, _reason(error))) from error
    try:
        with file:
            yield file
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(
            f"{what} {path} is damaged or cannot be used ({_reason(error)}); {remedy}"
        ) from error


def _unopened(path: Path, what: str, remedy: str, reason: str) -> str:
    """Say why HDF5 did not open a file: one that is open for writing is marked, not damaged."""
    if "already open for write" in reason:
        return (
            f"{what} {path} is open for writing in another program (a notebook, say), or one that had "
            "it open was killed; close it there, expected a file that nobody writes (after a kill: "
            f"h5clear -s {path})"
        )
    if "file signature not found" in reason:  # weights, a picture: nothing to be removed on our advice
        remedy = f"give another file, or if this was one: {remedy}"
    return f"{path} cannot be read as a {what}: damaged, or none ({reason}); {remedy}"


def _reason(error: Exception) -> str:
    return printable(" ".join(str(error).split()) or type(error).__name__)


def text_of(file: h5py.File, name: str) -> str:
    """Return a text among the attributes of a file.

    Raises:
        ValueError: It is missing, no text, or too long.
    """
    if name not in file.attrs:
        raise ValueError(f"attribute '{name}' is missing")
    stored = file.attrs.get_id(name)
    kind = stored.dtype
    is_text = kind.kind in "SV" and kind.names is None and kind.subdtype is None
    if stored.shape != () or not (is_text or h5py.check_string_dtype(kind) is not None):
        raise ValueError(f"attribute '{name}' is no text")
    if stored.get_storage_size() > LONGEST_TEXT:
        raise ValueError(f"attribute '{name}' has {stored.get_storage_size()} bytes")
    value = file.attrs[name]
    text = value if isinstance(value, str) else bytes(value).decode()
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"attribute '{name}' has {len(text)} letters")
    return text


def numbers_of(
    file: h5py.File, name: str, shape: Sequence[int | None], whole: bool = False, complete: bool = True
) -> h5py.Dataset:
    """Return an array of numbers that is safe to read.

    Args:
        file: An open file.
        name: Of the array, groups before it separated by ``/``.
        shape: Its shape; None for any length.
        whole: Whether the numbers are whole ones.
        complete: Whether all of them must be stored; else those that are not are zeros.

    Raises:
        ValueError: It is missing, a link, of another shape or kind, or not stored in this file.
    """
    array = _member(file, name)
    if not isinstance(array, h5py.Dataset):
        raise ValueError(f"{name} is a {type(array).__name__.lower()}, expected an array")
    found, kind = array.shape, array.dtype
    if kind.kind not in ("iu" if whole else "f") or kind.subdtype is not None or kind.itemsize > 8:
        expected = "whole numbers" if whole else "floating-point numbers"
        raise ValueError(f"{name} holds {printable(kind, 60)}, expected {expected}")
    fits = found is not None and len(found) == len(shape)
    if not fits or any(n is not None and n != m for n, m in zip(shape, found, strict=True)):
        expected = ", ".join("any" if n is None else str(n) for n in shape)
        raise ValueError(f"{name} has shape {found}, expected ({expected})")
    size = math.prod(found) * kind.itemsize
    _require_storage(array, name, size, complete)
    return array


def group_of(file: h5py.File, name: str) -> h5py.Group:
    """Return a group of a file.

    Raises:
        ValueError: It is missing, a link, or no group.
    """
    found = _member(file, name)
    if not isinstance(found, h5py.Group):
        raise ValueError(f"{name} is no group")
    return found


def _member(file: h5py.File, name: str) -> h5py.HLObject:
    """Go from group to group, along no links."""
    place: h5py.Group = file
    for part in name.split("/"):
        if not isinstance(place, h5py.Group):
            raise ValueError(f"{name} is missing")
        link = place.get(part, getlink=True)
        if link is None:
            raise ValueError(f"{name} is missing")
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{name} is a link, which is not followed; expected the numbers themselves")
        place = place[part]
    return place


def _require_storage(array: h5py.Dataset, name: str, size: int, complete: bool) -> None:
    """Raise unless the numbers lie in this file and can be read without more memory than they need."""
    made = array.id.get_create_plist()
    if made.get_layout() == h5py.h5d.VIRTUAL or made.get_external_count():
        raise ValueError(f"{name} has its numbers in other files, which are not followed")
    filters = [made.get_filter(k)[0] for k in range(made.get_nfilters())]
    if unknown := [code for code in filters if code not in FILTERS]:
        raise ValueError(f"{name} is stored with filter {unknown[0]}, expected none but deflate")
    stored = array.id.get_storage_size() * math.prod(FILTERS[code] for code in filters)
    if complete and stored < size:
        raise ValueError(f"{name} claims {size} bytes of numbers and holds {array.id.get_storage_size()}")
    if array.chunks is not None and math.prod(array.chunks) * array.dtype.itemsize > max(2 * size, 2**24):
        raise ValueError(f"{name} is stored in chunks of shape {array.chunks}, larger than itself")


def _require_memory(name: str, size: int) -> None:
    if size > (free := free_memory()):
        raise ValueError(
            f"{name} has {size} bytes and {free} are free: use fewer numbers or a larger machine"
        )


def free_memory() -> int:
    """Return the bytes of memory that are free; where the system does not say, a great number."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    return 2**50


def rows_of(array: h5py.Dataset, first: int = 0, last: int | None = None) -> NDArray[Any]:
    """Return rows of an array of :func:`numbers_of`: doubles, or whole numbers of 64 bits."""
    rows = range(len(array))[first:last]
    _require_memory(array.name, len(rows) * 8 * math.prod(array.shape[1:]))
    return np.asarray(array[first:last], dtype=np.float64 if array.dtype.kind == "f" else np.int64)
