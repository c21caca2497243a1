"""Let arrays of an HDF5 file grow together so that, whatever ends the program, the file is whole.

HDF5 itself rewrites the index of an array that grows, in several writes and in an order of its own: killed
between two of them, the file may be lost. So the library only makes the file, and this module appends to it.
New data and new nodes of the index go behind the end of the file, where nothing refers to them. Then numbers
are changed in place, each of eight bytes at most and in one write: the end of the file and the entries of the
nodes, the lengths of the arrays, and last the count of outputs. Each of these states is a valid file. Between
these groups the file is synchronised to the disk, so that the order holds when the power fails, too.

One array is as long as the count at every moment (VTK reads all times into room for the count, and crashes
where they are more): its length is changed together with the count, in one write within one page of the
first 4096 bytes, which a kill does not divide.

The index of each array is a B-tree (version 1 of the HDF5 File Format Specification) of three levels of 64
entries. Keys of its nodes are known when a node is made, since arrays grow at their end only. What an output
costs does not depend on the number of outputs before.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from multiscale.results.hdf5_places import END_OF_FILE, attribute_value, length_and_index, require_format

Array = NDArray[Any]

#: Bytes of a page: a write within one is there whole or not at all.
PAGE = 4096

#: Entries of a node, as superblock 0 has them, and levels of the tree.
WIDTH, LEVELS = 64, 3

_NOWHERE = 2**64 - 1


@dataclass(frozen=True)
class _Growing:
    """One array that grows.

    Attributes:
        dtype: Type of its numbers.
        row: Shape of a row.
        rows: Rows an output.
        per_chunk: Outputs a chunk.
        length: Place of its length in the file.
        root: Address of the root node of its index; :data:`_NOWHERE` before it is planted.
        root_place: Place of that address.
    """

    dtype: np.dtype[Any]
    row: tuple[int, ...]
    rows: int
    per_chunk: int
    length: int
    root: int
    root_place: int

    @property
    def output_bytes(self) -> int:
        return self.rows * self.dtype.itemsize * int(np.prod(self.row, dtype=int))

    @property
    def chunk_bytes(self) -> int:
        return self.per_chunk * self.output_bytes

    @property
    def key_bytes(self) -> int:
        """Size of a key: size of the chunk, filters, and where it begins along each axis and in a number."""
        return 8 + 8 * (len(self.row) + 2)

    @property
    def node_bytes(self) -> int:
        return 24 + WIDTH * (self.key_bytes + 8) + self.key_bytes

    def node(self, level: int, first: int, children: Sequence[int]) -> bytes:
        """Return a node of ``level`` whose chunks begin with number ``first``."""
        begins = first + np.arange(WIDTH + 1) * WIDTH**level
        keys = np.zeros((WIDTH + 1, self.key_bytes // 8), dtype="<u8")
        keys[:, 0] = self.chunk_bytes  # the upper half of it says that no filter is left out
        keys[:, 1] = begins * self.per_chunk * self.rows
        pointers = np.full((WIDTH + 1, 1), _NOWHERE, dtype="<u8")
        pointers[: len(children), 0] = children
        head = struct.pack("<4sBBHQQ", b"TREE", 1, level, len(children), _NOWHERE, _NOWHERE)
        return head + np.hstack([keys, pointers]).tobytes()[:-8]

    def child_place(self, node: int, slot: int) -> int:
        """Place of the address of a child of a node."""
        return node + 24 + slot * (self.key_bytes + 8) + self.key_bytes


class GrowingFile:
    """An open HDF5 file whose chunked arrays grow by some rows an output.

    Attributes:
        count: Outputs in the file.
    """

    def __init__(
        self,
        path: Path | str,
        stored: h5py.Group,
        counter: tuple[str, str],
        rows: Mapping[str, int],
        counted: str,
    ) -> None:
        """Open a file made with ``libver`` as :data:`multiscale.results.hdf5_places.LIBRARY`.

        Args:
            path: The file.
            stored: The group of it that the names are of; it may be closed afterwards.
            counter: The object and its attribute, of eight bytes, that counts the outputs.
            rows: Rows an output of every array, by name; chunks hold one output or several.
            counted: The array, of one row an output, that is as long as the count at every moment.

        Raises:
            OSError: The file cannot be written.
            ValueError: It is of another format.
        """
        self._file = os.open(path, os.O_RDWR)
        try:
            require_format(self._file)
            self._end = self._number(END_OF_FILE)
            owner = stored[counter[0]]
            self.count = int(owner.attrs[counter[1]])
            self._counter = attribute_value(self._file, h5py.h5g.get_objinfo(owner.id).objno[0], counter[1])
            self._arrays = {name: self._located(stored[name], rows[name]) for name in rows}
            self._counted = self._arrays[counted].length
            if max(self._counter, self._counted) + 8 > PAGE:
                raise ValueError(f"count and length of {counted} are not in its first page")
        except BaseException:
            os.close(self._file)
            raise

    def _located(self, item: h5py.Dataset, rows: int) -> _Growing:
        length, root = length_and_index(self._file, h5py.h5g.get_objinfo(item.id).objno[0])
        shape = item.shape[1:]
        return _Growing(item.dtype, shape, rows, item.chunks[0] // rows, length, self._number(root), root)

    def __enter__(self) -> GrowingFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def plant(self) -> None:
        """Give each array of a new file, still empty, an index without entries; once."""
        for array in self._arrays.values():
            node = self._put(array.node(0, 0, []))
            for level in range(1, LEVELS):
                node = self._put(array.node(level, 0, [node]))
            self._write(array.root_place, struct.pack("<Q", node))
        self._change({END_OF_FILE: self._end})

    def append(self, outputs: Sequence[Mapping[str, Array]]) -> None:
        """Append outputs, each with the rows of every array.

        Raises:
            OSError: The disk is full; nothing has changed.
            ValueError: The index is full or damaged; nothing has changed.
        """
        if self._end != self._extent(self.count)[0]:  # a program has ended in the middle of a change
            self.cut(self.count)
        before = self._end
        lengths: dict[int, int] = {}
        entries: dict[int, int] = {}
        try:
            for number, output in enumerate(outputs, self.count):
                for name, array in self._arrays.items():
                    entries |= self._put_rows(array, number, output[name])
                    lengths[array.length] = (number + 1) * array.rows
            del lengths[self._counted]
            os.fdatasync(self._file)
        except BaseException:
            self._end = before
            os.ftruncate(self._file, before)
            raise
        self._change({END_OF_FILE: self._end}, entries)
        self._change(lengths)
        self._set_count(self.count + len(outputs))

    def cut(self, count: int) -> None:
        """Drop the outputs from ``count`` on; the changes of :meth:`append` in the reverse order.

        Raises:
            ValueError: The index is damaged; nothing has changed.
        """
        end, entries = self._extent(count)
        self._set_count(count)
        self._change({array.length: count * array.rows for array in self._arrays.values()})
        self._change({}, entries)
        self._change({END_OF_FILE: end})
        self._end = end
        os.ftruncate(self._file, end)

    def _set_count(self, count: int) -> None:
        """Change the count, and with it the length of the array that is as long."""
        places = self._counter, self._counted
        first, last = min(places), max(places)
        page = bytearray(os.pread(self._file, last + 8 - first, first))
        for place in places:
            struct.pack_into("<Q", page, place - first, count)
        self._write(first, bytes(page))
        os.fdatasync(self._file)
        self.count = count

    def _extent(self, count: int) -> tuple[int, dict[int, int]]:
        """Where ``count`` outputs end, and the nodes that are the last of their level, with their entries."""
        end = 0
        entries: dict[int, int] = {}
        for array in self._arrays.values():
            chunks = -(-count // array.per_chunk)
            last = max(chunks - 1, 0)
            path = [self._node(array, level, last) for level in range(LEVELS)]
            entries |= {node: last // WIDTH**level % WIDTH + 1 for level, node in enumerate(path)}
            end = max(end, max(path) + array.node_bytes)
            if chunks:
                end = max(end, self._child(array, path[0], last % WIDTH) + array.chunk_bytes)
            else:
                entries[path[0]] = 0
        return end, entries

    def _put_rows(self, array: _Growing, number: int, rows: Array) -> dict[int, int]:
        """Write the rows of an output; return what :meth:`_enter` does."""
        data = np.ascontiguousarray(rows, dtype=array.dtype)
        if data.nbytes != array.output_bytes:
            raise ValueError(f"an output of shape {data.shape}, expected {(array.rows, *array.row)}")
        chunk, within = divmod(number, array.per_chunk)
        if within:
            address = self._child(array, self._node(array, 0, chunk), chunk % WIDTH)
            self._write(address + within * array.output_bytes, data)
            return {}
        address = self._put(data)
        rest = array.chunk_bytes - array.output_bytes
        if rest:
            self._put(bytes(rest))
        return self._enter(array, chunk, address)

    def _enter(self, array: _Growing, chunk: int, address: int) -> dict[int, int]:
        """Write the address of a new chunk into the index; return the node that then has one entry more.

        It is the lowest that is not new; new ones, below it, are written whole.
        """
        if chunk >= WIDTH**LEVELS:
            raise ValueError(f"it is full with {chunk * array.per_chunk} outputs")
        for level in range(LEVELS):
            slot = chunk // WIDTH**level % WIDTH
            if slot > 0 or chunk == 0:
                node = self._node(array, level, chunk)
                self._write(array.child_place(node, slot), struct.pack("<Q", address))
                return {node: slot + 1}
            address = self._put(array.node(level, chunk, [address]))
        raise AssertionError("a root is never new")

    def _node(self, array: _Growing, level: int, chunk: int) -> int:
        """Address of the node of ``level`` that a chunk belongs to."""
        node = array.root
        for above in range(LEVELS - 1, level, -1):
            node = self._child(array, node, chunk // WIDTH**above % WIDTH, above)
        return node

    def _child(self, array: _Growing, node: int, slot: int, level: int = 0) -> int:
        """Address of a child of a node."""
        if os.pread(self._file, 6, node) != b"TREE" + bytes([1, level]):
            raise ValueError("the index of its arrays is damaged, or of another version")
        return self._number(array.child_place(node, slot))

    def _number(self, place: int) -> int:
        data = os.pread(self._file, 8, place)
        if len(data) < 8:
            raise ValueError(f"it ends before byte {place + 8}")
        return int.from_bytes(data, "little")

    def _put(self, data: Array | bytes) -> int:
        """Write behind the end of the file, and move the end; return the address."""
        address = self._end
        self._end += self._write(address, data)
        return address

    def _write(self, place: int, data: Array | bytes) -> int:
        left = memoryview(data).cast("B")
        while left:
            written = os.pwrite(self._file, left, place)
            left, place = left[written:], place + written
        return memoryview(data).nbytes

    def _change(self, numbers: Mapping[int, int], entries: Mapping[int, int] | None = None) -> None:
        """Change numbers at their places, then the counts of entries of nodes, and wait for the disk."""
        for place, number in numbers.items():
            self._write(place, struct.pack("<Q", number))
        for node, count in (entries or {}).items():
            self._write(node + 6, struct.pack("<H", count))
        os.fdatasync(self._file)
