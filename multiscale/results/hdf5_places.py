"""Offsets, in an HDF5 file, of the numbers that change when its arrays grow.

Of the earliest file format only, whose headers carry no check sums, so that a number of eight bytes can be
changed in one write (HDF5 File Format Specification, https://support.hdfgroup.org/documentation/hdf5/latest:
superblock 0, object header 1; dataspace 1, layout 3, attribute 1).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

#: What to give h5py so that it writes this format.
LIBRARY = ("earliest", "latest")

#: Place of the end of the file in the superblock; HDF5 reads nothing beyond it.
END_OF_FILE = 40

SIGNATURE = b"\x89HDF\r\n\x1a\n"

#: Messages of an object header.
DATASPACE, LAYOUT, ATTRIBUTE, CONTINUATION = 0x01, 0x08, 0x0C, 0x10


def require_format(file: int) -> None:
    """Raise a ValueError if an open file is not of the earliest format, with addresses of eight bytes."""
    if os.pread(file, 15, 0) != SIGNATURE + bytes([0, 0, 0, 0, 0, 8, 8]):
        raise ValueError("it is not of the earliest HDF5 format")


def length_and_index(file: int, header: int) -> tuple[int, int]:
    """Return the places of an array's length and of the address of its chunk index.

    Args:
        file: Open file.
        header: Address of the array's object header.

    Raises:
        ValueError: It is no chunked array of this format.
    """
    messages = {kind: place for kind, place, _ in _messages(file, header)}
    space, layout = messages.get(DATASPACE, 0), messages.get(LAYOUT, 0)
    if os.pread(file, 1, space) != b"\x01" or os.pread(file, 2, layout) != b"\x03\x02":
        raise ValueError("it holds an array that is not chunked, or of another HDF5 format")
    return space + 8, layout + 3


def attribute_value(file: int, header: int, name: str) -> int:
    """Return the place of the value of an attribute of an object.

    Raises:
        ValueError: There is none of this name.
    """
    for kind, place, size in _messages(file, header):
        if kind == ATTRIBUTE:
            message = os.pread(file, size, place)
            version, _, *sizes = struct.unpack_from("<BBHHH", message)
            padded = [-(-part // 8) * 8 for part in sizes]
            if version == 1 and message[8 : 8 + sizes[0]].rstrip(b"\0") == name.encode():
                return place + 8 + sum(padded)
    raise ValueError(f"attribute {name} is missing")


def _messages(file: int, header: int) -> Iterator[tuple[int, int, int]]:
    """Kind, place and size of every message of an object header."""
    version, size = struct.unpack("<B7xI", os.pread(file, 12, header))
    if version != 1:
        raise ValueError(f"object header {version}, expected 1")
    blocks = [(header + 16, size)]
    while blocks:
        place, size = blocks.pop(0)
        end = place + size
        while place + 8 <= end:
            kind, size = struct.unpack("<HH", os.pread(file, 4, place))
            if kind == CONTINUATION:
                blocks.append(struct.unpack("<QQ", os.pread(file, 16, place + 8)))
            yield kind, place + 8, size
            place += 8 + size
