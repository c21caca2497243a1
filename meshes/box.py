"""Structured box: rods, beams and blocks for verification."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import multiscale.fenics  # noqa: F401
from meshes.cylinder import require_positive
from meshes.impact_mesh import ImpactMesh
from microscale.errors import InputError

from dolfinx import mesh as dolfinx_mesh

GROUPS = (("left", "right"), ("front", "back"), ("bottom", "top"))


def box(size: Sequence[float], cells: Sequence[int], comm: MPI.Comm = MPI.COMM_WORLD) -> ImpactMesh:
    """Mesh the box 0 <= x, y, z <= size.

    Groups of facets: ``left``, ``right`` (x = 0 and x = size), ``front``, ``back`` (y), ``bottom``, ``top``
    (z).

    Args:
        size: Lengths along x, y, z, mm.
        cells: Number of cells along x, y, z.
        comm: Communicator the mesh is distributed over.

    Raises:
        InputError: A size is not positive or there are no cells.
    """
    for name, length in zip("xyz", size, strict=True):
        require_positive(f"size along {name}", length)
    if min(cells) < 1:
        raise InputError(f"cells = {list(cells)}, expected at least one along each axis")
    mesh = dolfinx_mesh.create_box(
        comm,
        [np.zeros(3), np.asarray(size, dtype=float)],
        list(cells),
        dolfinx_mesh.CellType.hexahedron,
        ghost_mode=dolfinx_mesh.GhostMode.none,
    )
    found: list[NDArray[np.int32]] = []
    groups: dict[str, int] = {}
    for axis, names in enumerate(GROUPS):
        for name, at in ((names[0], 0.0), (names[1], size[axis])):
            groups[name] = len(groups) + 1
            facets = dolfinx_mesh.locate_entities_boundary(
                mesh, 2, lambda x, axis=axis, at=at: np.isclose(x[axis], at, atol=1e-9 * size[axis])
            )
            found.append(np.stack([facets, np.full_like(facets, groups[name])]))
    facets, tags = np.concatenate(found, axis=1)
    order = np.argsort(facets)
    facet_tags = dolfinx_mesh.meshtags(mesh, 2, facets[order], tags[order])
    return ImpactMesh(
        mesh, facet_tags, groups, {"geometry": "box", "size_mm": list(size), "cells": list(cells)}
    )
