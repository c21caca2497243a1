"""Structured box: rods, beams and blocks for verification."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import multiscale.parallel.fenics  # noqa: F401
from meshes.impact_mesh import ImpactMesh, build
from meshes.section import Section, cells_of, require_room
from microscale.inputs.numbers import Count, Length, checked

from dolfinx import mesh as dolfinx_mesh

GROUPS = (("left", "right"), ("front", "back"), ("bottom", "top"))


@checked
def box(
    size: tuple[Length, Length, Length],
    cells: tuple[Count, Count, Count],
    cell: str = "hexahedron",
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> ImpactMesh:
    """Mesh the box 0 <= x, y, z <= size.

    Groups of facets: ``left``, ``right`` (x = 0 and x = size), ``front``, ``back`` (y), ``bottom``, ``top``
    (z).

    Args:
        size: Lengths along x, y, z, mm.
        cells: Number of cells along x, y, z.
        cell: "hexahedron", or "tetrahedron" for six ten-node tetrahedra in place of each.
        comm: Communicator the mesh is distributed over.

    Raises:
        InputError: A size is not positive, there are no cells, or the cell is unknown.
    """
    require_room(math.prod(cells), cells=max(cells))
    make = _hexahedra if cells_of(cell) == 1 else _tetrahedra
    mesh = make(size, cells, comm)
    record = {"geometry": "box", "size_mm": list(size), "cells": list(cells), "cell": cell}
    return ImpactMesh(mesh, *_facets(mesh, size), record)


def _hexahedra(size: Sequence[float], cells: Sequence[int], comm: MPI.Comm) -> dolfinx_mesh.Mesh:
    return dolfinx_mesh.create_box(
        comm,
        [np.zeros(3), np.asarray(size, dtype=float)],
        list(cells),
        dolfinx_mesh.CellType.hexahedron,
        ghost_mode=dolfinx_mesh.GhostMode.none,
    )


def _tetrahedra(size: Sequence[float], cells: Sequence[int], comm: MPI.Comm) -> dolfinx_mesh.Mesh:
    """Quadratic cells, which dolfinx's own box lacks."""

    def draw(gmsh: Any) -> None:
        section = Section(gmsh, 1, "tetrahedron")
        corners = [(0.0, 0.0), (size[0], 0.0), (size[0], size[1]), (0.0, size[1])]
        section.patch(corners, (cells[0], cells[1]))
        section.extrude(size[2], cells[2], bottom="bottom", top="top")

    return build(draw, {}, comm).mesh


def _facets(
    mesh: dolfinx_mesh.Mesh, size: Sequence[float]
) -> tuple[dict[str, int], dict[str, NDArray[np.int32]]]:
    """Return the number of facets on all ranks and those of this rank, by group."""
    local: dict[str, NDArray[np.int32]] = {}
    for axis, names in enumerate(GROUPS):
        for name, at in ((names[0], 0.0), (names[1], size[axis])):
            local[name] = dolfinx_mesh.locate_entities_boundary(
                mesh, 2, lambda x, axis=axis, at=at: np.isclose(x[axis], at, atol=1e-9 * size[axis])
            )
    return {name: mesh.comm.allreduce(len(facets)) for name, facets in local.items()}, local
