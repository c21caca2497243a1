"""Format 2.2 of gmsh's .msh files: nodes and elements, each element with its physical group.

An element of several groups stands there once for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from meshes.blocks import Block, Blocks, nodes_of
from meshes.msh_numbers import BinaryNumbers, IntArray, TextNumbers, integral
from microscale.errors import InputError
from microscale.tensors import FloatArray

NODE = np.dtype([("number", np.int32), ("at", np.float64, 3)])

#: Numbers at the head of a record of elements.
HEAD = 3

#: Tags an element can have: its group, the part of the geometry, and the parts of a partition.
MOST_TAGS = 1000


def read(sections: Mapping[str, bytes], names: dict[tuple[int, int], str], order: str) -> Blocks:
    """Read the sections $Nodes and $Elements.

    Args:
        sections: What stands in each section.
        names: Names of the physical groups by dimension and tag.
        order: Order of bytes, "<" or ">"; "" for text.

    Raises:
        InputError: A section is damaged.
    """
    numbers, points = _nodes(sections["Nodes"], order)
    elements = _binary_elements if order else _text_elements
    return Blocks(numbers, points, list(elements(sections["Elements"], order)), names)


def _nodes(section: bytes, order: str) -> tuple[IntArray, FloatArray]:
    if not order:
        text = TextNumbers(section, "Nodes")
        (count,) = text.integers(1)
        rows = text.reals(4 * int(count)).reshape(-1, 4)
        text.finish()
        return integral(rows[:, 0], "Nodes"), rows[:, 1:].copy()
    count, left = _count(section, "Nodes")
    numbers = BinaryNumbers(left, "Nodes", order)
    records = numbers.records(NODE, count)
    numbers.finish()
    return records["number"].astype(np.int64), records["at"].astype(np.float64)


def _count(section: bytes, name: str) -> tuple[int, bytes]:
    """Return the count, which is text in binary files too, and the bytes after its line."""
    line, _, left = section.partition(b"\n")
    if not line.strip().isdigit() or len(line) > 20:
        raise InputError(f"section ${name} does not begin with a count")
    return int(line), left


def _text_elements(section: bytes, _: str) -> Iterator[Block]:
    """Yield elements: number, type, number of tags, tags, nodes."""
    text = TextNumbers(section, "Elements")
    (count,), found = text.integers(1), 0
    flat = text.integers(text.left)
    for head, rows in _runs(flat, lambda _, kind, tags: HEAD - 1 + _length(kind, tags), [1, 2]):
        kind, tags = head[1:]
        yield from _by_group(rows[:, [0, *range(HEAD, rows.shape[1])]], kind, tags)
        found += len(rows)
    _require_count(int(count), found)


def _binary_elements(section: bytes, order: str) -> Iterator[Block]:
    """Yield elements: type, how many follow, number of tags, then number, tags and nodes of each."""
    count, left = _count(section, "Elements")
    numbers, found = BinaryNumbers(left, "Elements", order), 0
    flat = numbers.integers(len(left) // 4)
    numbers.finish()
    for head, rows in _runs(flat, _block, [0, 1, 2]):
        kind, _, tags = head
        elements = rows[:, HEAD:].reshape(-1, _length(kind, tags))
        yield from _by_group(elements, kind, tags)
        found += len(elements)
    _require_count(count, found)


def _runs(
    flat: IntArray, length: Callable[[int, int, int], int], alike: list[int]
) -> Iterator[tuple[list[int], IntArray]]:
    """Yield the heads of records, and those that follow each other with the same head, one a row.

    Args:
        flat: All numbers.
        length: Length of a record, from the three numbers of its head.
        alike: Which of these are the same in a run.
    """
    at, window = 0, 1
    while at < len(flat):
        head = flat[at : at + HEAD].tolist()
        size = length(*head) if len(head) == HEAD else len(flat)
        rows = flat[at : at + window * size]
        rows = rows[: len(rows) // size * size].reshape(-1, size)
        if len(head) < HEAD or not len(rows):
            raise InputError("section $Elements ends within an element")
        other = (rows[:, alike] != rows[0, alike]).any(axis=1)
        # A window that grows with its success: runs are long, but a file where they are short is no trap.
        window = 1 if other.any() else 2 * window
        rows = rows[: int(other.argmax())] if other.any() else rows
        yield head, rows
        at += rows.size


def _block(kind: int, following: int, tags: int) -> int:
    """Return how many numbers a head and the elements that follow it have."""
    if following < 1:
        raise InputError(f"section $Elements has a block of {following} elements")
    return HEAD + following * _length(kind, tags)


def _length(kind: int, tags: int) -> int:
    """Return how many numbers an element has: its own, its tags, its nodes."""
    if not 0 <= tags <= MOST_TAGS:
        raise InputError(f"section $Elements has an element with {tags} tags")
    return 1 + tags + nodes_of(kind)


def _by_group(rows: IntArray, kind: int, tags: int) -> Iterator[Block]:
    """Yield one block for each physical group, which is the first tag, in the order of the file."""
    groups = np.abs(rows[:, 1]) if tags else np.zeros(len(rows), dtype=np.int64)
    ends = np.append(np.flatnonzero(np.diff(groups)) + 1, len(rows))
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        group = int(groups[start])
        yield Block(kind, rows[start:end, 0], rows[start:end, 1 + tags :], (group,) if group else ())


def _require_count(claimed: int, found: int) -> None:
    if claimed != found:
        raise InputError(f"section $Elements claims {claimed} elements and has {found}")
