"""Format 4.1 of gmsh's .msh files: nodes and elements by entity of the geometry, which has the groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from meshes.blocks import Block, Blocks, nodes_of
from meshes.msh_numbers import BinaryNumbers, IntArray, Numbers, TextNumbers
from microscale.errors import InputError
from microscale.tensors import FloatArray

Groups = dict[tuple[int, int], tuple[int, ...]]


def read(sections: Mapping[str, bytes], names: dict[tuple[int, int], str], order: str) -> Blocks:
    """Read the sections $Entities, $Nodes and $Elements.

    Args:
        sections: What stands in each section.
        names: Names of the physical groups by dimension and tag.
        order: Order of bytes, "<" or ">"; "" for text.

    Raises:
        InputError: A section is damaged.
    """

    def numbers(name: str) -> Numbers:
        data = sections[name]
        return BinaryNumbers(data, name, order) if order else TextNumbers(data, name)

    groups = _entities(numbers("Entities")) if "Entities" in sections else {}
    tags, points = _nodes(numbers("Nodes"))
    return Blocks(tags, points, list(_elements(numbers("Elements"), groups)), names)


def _entities(numbers: Numbers) -> Groups:
    """Return the physical groups of each entity, by its dimension and tag."""
    groups: Groups = {}
    for dimension, count in enumerate(numbers.sizes(4)):
        for _ in range(int(count)):  # each takes some numbers: a count that is too large meets the end
            tag = int(numbers.integers(1)[0])
            numbers.reals(6 if dimension else 3)  # its bounding box
            # A negative tag says that the entity is reversed.
            of_entity = numbers.integers(int(numbers.sizes(1)[0]))
            groups[dimension, tag] = tuple(dict.fromkeys(np.abs(of_entity).tolist()))
            if dimension:
                numbers.integers(int(numbers.sizes(1)[0]))  # what bounds it
    numbers.finish()
    return groups


def _nodes(numbers: Numbers) -> tuple[IntArray, FloatArray]:
    blocks, count, _, _ = (int(value) for value in numbers.sizes(4))
    tags, points = [np.empty(0, np.int64)], [np.empty((0, 3))]
    for _ in range(blocks):
        dimension, _, parametric = (int(value) for value in numbers.integers(3))
        here = int(numbers.sizes(1)[0])
        if not (0 <= dimension <= 3 and parametric in (0, 1)):
            raise InputError(f"section $Nodes has a block of dimension {dimension}, parametric {parametric}")
        tags.append(numbers.sizes(here))
        columns = 3 + (dimension if parametric else 0)
        points.append(numbers.reals(here * columns).reshape(here, columns)[:, :3])
    numbers.finish()
    found = sum(map(len, tags))
    if found != count:
        raise InputError(f"section $Nodes claims {count} nodes and has {found}")
    return np.concatenate(tags), np.concatenate(points)


def _elements(numbers: Numbers, groups: Groups) -> Iterator[Block]:
    blocks, count, _, _ = (int(value) for value in numbers.sizes(4))
    found = 0
    for _ in range(blocks):
        dimension, entity, kind = (int(value) for value in numbers.integers(3))
        here, columns = int(numbers.sizes(1)[0]), 1 + nodes_of(kind)
        rows = numbers.sizes(here * columns).reshape(here, columns)
        found += here
        yield Block(kind, rows[:, 0], rows[:, 1:], groups.get((dimension, entity), ()))
    numbers.finish()
    if found != count:
        raise InputError(f"section $Elements claims {count} elements and has {found}")
