"""The elements of a gmsh mesh as they stand in a file or a model: blocks of one type in the same groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from meshes.msh_numbers import IntArray
from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.tensors import FloatArray

#: Name, dimension and nodes of gmsh's types of elements up to second order.
ELEMENTS = {
    1: ("Line 2", 1, 2),
    2: ("Triangle 3", 2, 3),
    3: ("Quadrilateral 4", 2, 4),
    4: ("Tetrahedron 4", 3, 4),
    5: ("Hexahedron 8", 3, 8),
    6: ("Prism 6", 3, 6),
    7: ("Pyramid 5", 3, 5),
    8: ("Line 3", 1, 3),
    9: ("Triangle 6", 2, 6),
    10: ("Quadrilateral 9", 2, 9),
    11: ("Tetrahedron 10", 3, 10),
    12: ("Hexahedron 27", 3, 27),
    13: ("Prism 18", 3, 18),
    14: ("Pyramid 14", 3, 14),
    15: ("Point", 0, 1),
    16: ("Quadrilateral 8", 2, 8),
    17: ("Hexahedron 20", 3, 20),
    18: ("Prism 15", 3, 15),
    19: ("Pyramid 13", 3, 13),
}

#: Characters of a name that are shown.
SHOWN = 60


@dataclass(frozen=True)
class Block:
    """Elements of one type that are in the same physical groups.

    Attributes:
        kind: gmsh's number of the type.
        numbers: Numbers of the elements, shape (n,).
        nodes: Numbers of their nodes in gmsh's order, shape (n, nodes).
        groups: Tags of the physical groups they are in.
    """

    kind: int
    numbers: IntArray
    nodes: IntArray
    groups: tuple[int, ...]

    @property
    def dimension(self) -> int:
        """Of the elements: 3 for cells, 2 for facets."""
        return ELEMENTS[self.kind][1]


@dataclass(frozen=True)
class Blocks:
    """All of a mesh.

    Attributes:
        numbers: Numbers of the nodes, shape (n,).
        points: Their positions, shape (n, 3), mm.
        elements: Blocks of elements.
        names: Names of the physical groups by dimension and tag.
    """

    numbers: IntArray
    points: FloatArray
    elements: list[Block]
    names: dict[tuple[int, int], str]

    def of(self, dimension: int) -> list[Block]:
        """Return the blocks of a dimension that hold elements."""
        return [block for block in self.elements if block.dimension == dimension and len(block.numbers)]

    def named(self, block: Block) -> list[str]:
        """Return the names of the groups a block is in; a group without a name has one of its number."""
        dimension = block.dimension
        names = (self.names.get((dimension, tag)) or f"(unnamed {tag})" for tag in block.groups)
        return list(dict.fromkeys(names))


def nodes_of(kind: int) -> int:
    """Return the number of nodes of an element.

    Raises:
        InputError: The type is not known, or of third order.
    """
    if kind not in ELEMENTS:
        raise InputError(
            f"the mesh has elements of gmsh's type {kind}, expected 8-node hexahedra or else tetrahedra, "
            "of first or second order, and their faces"
        )
    return ELEMENTS[kind][2]


def model_blocks(model: Any) -> Blocks:
    """Return the mesh of gmsh's current model."""
    numbers, points, _ = model.mesh.getNodes()
    elements = []
    for dimension, entity in model.getEntities():
        groups = tuple(int(tag) for tag in model.getPhysicalGroupsForEntity(dimension, entity))
        for kind, tags, nodes in zip(*model.mesh.getElements(dimension, entity), strict=True):
            rows = nodes.astype(np.int64).reshape(-1, nodes_of(int(kind)))
            elements.append(Block(int(kind), tags.astype(np.int64), rows, groups))
    names = {group: model.getPhysicalName(*group) for group in model.getPhysicalGroups()}
    return Blocks(numbers.astype(np.int64), points.reshape(-1, 3), elements, names)


def shown(name: object) -> str:
    """Return a name from a file as it can be printed, cut where it is long."""
    return printable(name, SHOWN)


def listed(names: Iterable[str]) -> str:
    """Return names in alphabetical order, for a message; of many the first ten."""
    ordered = sorted(names)
    more = f" and {len(ordered) - 10} more" if len(ordered) > 10 else ""
    return ", ".join(shown(name) for name in ordered[:10]) + more or "none"
