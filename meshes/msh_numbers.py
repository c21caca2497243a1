"""The numbers of a section of a .msh file, text or binary, read one after another and never past the end.

Nothing is allocated for a count that the file only claims: a count is held against what is left first.
"""

from __future__ import annotations

import warnings
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.tensors import FloatArray

IntArray = NDArray[np.int64]

#: Integers up to here are exact in double precision, as which text is read.
LARGEST_INTEGER = 2**53


class Numbers(Protocol):
    """What is left of a section."""

    def integers(self, count: int) -> IntArray:
        """Return the next ``count`` tags or kinds; C ints in binary."""

    def sizes(self, count: int) -> IntArray:
        """Return the next ``count`` counts or node numbers; C size_t in binary."""

    def reals(self, count: int) -> FloatArray:
        """Return the next ``count`` real numbers."""

    def finish(self) -> None:
        """Raise an InputError if anything is left."""


class TextNumbers:
    """Numbers written as text.

    Args:
        data: The section between its two marks.
        name: Name of the section, for errors.

    Raises:
        InputError: Something in the section is not a number.
    """

    def __init__(self, data: bytes, name: str) -> None:
        self._name, self._at = name, 0
        text = data.decode("ascii", errors="replace").strip()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                # Of an empty string numpy makes one number.
                self._values = np.fromstring(text, sep=" ") if text else np.empty(0)
        except (ValueError, DeprecationWarning) as error:
            raise InputError(f"section ${name} holds something that is not a number") from error

    def reals(self, count: int) -> FloatArray:
        """Return the next ``count`` real numbers."""
        require_left(self._name, count, self.left)
        self._at += count
        return self._values[self._at - count : self._at]

    def integers(self, count: int) -> IntArray:
        """Return the next ``count`` integers."""
        return integral(self.reals(count), self._name)

    sizes = integers

    @property
    def left(self) -> int:
        """How many numbers are left."""
        return len(self._values) - self._at

    def finish(self) -> None:
        """Raise an InputError if anything is left."""
        require_nothing_left(self._name, self.left, "number(s)")


class BinaryNumbers:
    """Numbers written as bytes.

    Args:
        data: The section between its two marks.
        name: Name of the section, for errors.
        order: "<" or ">", the order of bytes.
    """

    def __init__(self, data: bytes, name: str, order: str) -> None:
        self._data, self._name, self._order, self._at = data, name, order, 0

    def records(self, kind: Any, count: int) -> NDArray[Any]:
        """Return the next ``count`` items of a numpy type."""
        kind = np.dtype(kind).newbyteorder(self._order)
        require_left(self._name, count, (len(self._data) - self._at) // kind.itemsize)
        found = np.frombuffer(self._data, kind, count, self._at)
        self._at += count * kind.itemsize
        return found

    def integers(self, count: int) -> IntArray:
        """Return the next ``count`` C ints."""
        return self.records(np.int32, count).astype(np.int64)

    def sizes(self, count: int) -> IntArray:
        """Return the next ``count`` values of type size_t."""
        return self.records(np.uint64, count).astype(np.int64)

    def reals(self, count: int) -> FloatArray:
        """Return the next ``count`` doubles."""
        return self.records(np.float64, count).astype(np.float64)

    def finish(self) -> None:
        """Raise an InputError if anything but a line break is left."""
        require_nothing_left(self._name, len(self._data[self._at :].strip(b"\r\n")), "byte(s)")


def integral(values: FloatArray, name: str) -> IntArray:
    """Return numbers that were read as text as integers.

    Raises:
        InputError: One is none, or too large to be exact.
    """
    odd = ~(np.abs(values) <= LARGEST_INTEGER) | (values != np.rint(values))
    if odd.any():
        raise InputError(f"section ${name} holds {values[odd][0]:g}, expected an integer")
    return values.astype(np.int64)


def require_left(name: str, count: int, left: int) -> None:
    """Raise an InputError for a count that is negative or larger than what is left."""
    if not 0 <= count <= left:
        raise InputError(f"section ${name} claims {count} numbers where it has {left} left")


def require_nothing_left(name: str, left: int, what: str) -> None:
    """Raise an InputError for a section that holds more than it says."""
    if left:
        raise InputError(f"section ${name} has {left} {what} more than it says")
