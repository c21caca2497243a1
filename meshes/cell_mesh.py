"""A mesh on one rank, before it is distributed: cells of one kind, and named groups of their faces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import multiscale.parallel.fenics  # noqa: F401
from meshes.blocks import ELEMENTS, Block, Blocks, listed, shown
from meshes.msh_numbers import IntArray
from microscale.errors import InputError
from microscale.tensors import FloatArray

import basix.ufl
from dolfinx import mesh as dolfinx_mesh
from dolfinx.io.gmsh import cell_perm_array

#: Shapes of cells the dynamics can use, by gmsh's type: linear tetrahedra get nodes in the middles of edges.
CELLS = {4: "tetrahedron", 5: "hexahedron", 11: "tetrahedron"}
LINEAR_TETRAHEDRON = 4

#: Corners of a face.
CORNERS = {"tetrahedron": 3, "hexahedron": 4}


@dataclass(frozen=True)
class CellMesh:
    """Cells, in dolfinx's order of nodes, and faces of them.

    Attributes:
        shape: "hexahedron", of 8 nodes, or "tetrahedron", of 10.
        points: Positions of the nodes, shape (n, 3), mm; each belongs to a cell.
        cells: Nodes of the cells, shape (cells, 8 or 10).
        numbers: Numbers of the cells in the file, shape (cells,).
        facets: Corners of the faces in each named group, shape (faces, 4 or 3); a face may be in several.
    """

    shape: str
    points: FloatArray
    cells: IntArray
    numbers: IntArray
    facets: dict[str, IntArray]


def element_of(shape: str) -> tuple[Any, int]:
    """Return the element that maps the reference cell to cells of a shape, and its number of nodes."""
    degree = 1 if shape == "hexahedron" else 2
    element = basix.ufl.element(
        basix.ElementFamily.P, basix.CellType[shape], degree, basix.LagrangeVariant.equispaced
    )
    return element, int(element.dim)


def gather(blocks: Blocks) -> CellMesh:
    """Make one mesh of the blocks of a file or a model.

    Raises:
        InputError: There are no cells, or of other or several types; not every cell is in the one physical
            volume; there is no named surface, or one of faces that do not fit the cells; a node is missing.
    """
    cells = blocks.of(3)
    kind = _kind(blocks, cells)
    _require_one_volume(blocks, cells)
    shape = CELLS[kind]
    index = _indices(blocks.numbers)
    nodes = index(np.concatenate([block.nodes for block in cells]))
    points = blocks.points
    if kind == LINEAR_TETRAHEDRON:
        nodes, points = _with_middles(nodes, points)
    else:
        nodes = nodes[:, cell_perm_array(dolfinx_mesh.CellType[shape], nodes.shape[1])]
    facets = _facets(blocks, shape, index)
    used = np.zeros(len(points), dtype=bool)
    used[nodes] = True
    for name, faces in facets.items():
        if not used[faces].all():
            raise InputError(f"the group {shown(name)} has a face with a node of no cell: save the cells too")
    new = np.cumsum(used) - 1
    numbers = np.concatenate([block.numbers for block in cells])
    return CellMesh(
        shape, points[used], new[nodes], numbers, {name: new[faces] for name, faces in facets.items()}
    )


def _kind(blocks: Blocks, cells: list[Block]) -> int:
    """Return the one type of the cells."""
    kinds = {block.kind for block in cells}
    if len(kinds) == 1 and kinds <= set(CELLS):
        return kinds.pop()
    other = {ELEMENTS[block.kind][0] for block in blocks.elements}
    also = "" if cells else f" (only {listed(other)})"
    raise InputError(
        f"the mesh has cells of type {listed(ELEMENTS[kind][0] for kind in kinds)}{also}, expected 8-node "
        "hexahedra only, or tetrahedra only"
    )


def _require_one_volume(blocks: Blocks, cells: list[Block]) -> None:
    groups = [blocks.named(block) for block in cells]
    volumes = {name for names in groups for name in names}
    surfaces = {name for block in blocks.of(2) for name in blocks.named(block)}
    if not volumes or not surfaces:
        raise InputError(
            f"the mesh has the physical groups {listed(volumes | surfaces)}, expected one volume and the "
            "surfaces of contact and support, each with a name and not empty"
        )
    if len(volumes) > 1:
        raise InputError(
            f"the mesh has the physical volumes {listed(volumes)}, expected one: all cells have one law, "
            "and a cell is in one volume; put all of them into one physical volume"
        )
    outside = sum(len(block.numbers) for block, names in zip(cells, groups, strict=True) if not names)
    if outside:
        raise InputError(
            f"{outside} cells of the mesh are in no physical volume, expected all in {listed(volumes)}: "
            "add them, or save only what is in groups"
        )


def _indices(numbers: IntArray) -> Callable[[IntArray], IntArray]:
    """Return the function that gives the places of nodes by their numbers."""
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    double = np.flatnonzero(np.diff(ordered) == 0)
    if double.size:
        raise InputError(f"the mesh has two nodes of number {ordered[double[0]]}, expected one")

    def index(wanted: IntArray) -> IntArray:
        place = np.searchsorted(ordered, wanted).clip(max=max(len(ordered) - 1, 0))
        missing = ordered[place] != wanted if len(ordered) else np.ones(wanted.shape, dtype=bool)
        if missing.any():
            raise InputError(
                f"the mesh has an element with node {wanted[missing][0]}, which is not among its nodes"
            )
        return order[place]

    return index


def _with_middles(cells: IntArray, points: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return tetrahedra with nodes in the middles of their straight edges, in dolfinx's order."""
    edges = cells[:, basix.topology(basix.CellType.tetrahedron)[1]]
    low, high = edges.min(axis=2), edges.max(axis=2)
    unique, of_cell = np.unique(low * len(points) + high, return_inverse=True)
    ends = np.stack(np.divmod(unique, len(points)))
    middles = 0.5 * (points[ends[0]] + points[ends[1]])
    return np.hstack([cells, len(points) + of_cell.reshape(-1, 6)]), np.concatenate([points, middles])


def _facets(blocks: Blocks, shape: str, index: Callable[[IntArray], IntArray]) -> dict[str, IntArray]:
    """Return the corners of the faces of each group, every face once."""
    corners = CORNERS[shape]
    none = np.empty((0, corners), dtype=np.int64)
    found = {name: [none] for (dimension, _), name in blocks.names.items() if dimension == 2 and name}
    for block in blocks.of(2):
        for name in blocks.named(block):
            kind = ELEMENTS[block.kind][0]
            if not kind.startswith("Triangle" if corners == 3 else "Quadrilateral"):
                raise InputError(
                    f"the group {shown(name)} has facets of type {kind}, expected faces of {shape}s"
                )
            found.setdefault(name, [none]).append(index(block.nodes[:, :corners]))
    return {name: _once(np.concatenate(parts)) for name, parts in found.items()}


def _once(faces: IntArray) -> IntArray:
    """Return each face once, in the order given."""
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    return faces[np.sort(first)]
