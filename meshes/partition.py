"""Which rank gets which cells: sectors about the axis of impact, so that each has its share of what flows.

A graph partitioner cuts a bar across, where the cut is smallest; but then the foot, where plastic flow costs
the law more, lies on one rank, and the others wait for it. Sectors about the z axis, the axis of impact of
every geometry here, cut along it: each has the same part of the foot, or of the zone a projectile hits. Their
cuts are larger, so beyond :data:`MOST_SECTORS` ranks the graph partitioner decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import multiscale.parallel.fenics  # noqa: F401
from microscale.tensors import FloatArray

from dolfinx import graph
from dolfinx import mesh as dolfinx_mesh
from dolfinx.cpp.mesh import cell_num_entities

#: Ranks up to which the mesh is cut into sectors.
MOST_SECTORS = 16


def partitioner(points: FloatArray, comm: MPI.Comm) -> Callable[..., Any]:
    """Return the function that gives cells to ranks, for :func:`dolfinx.mesh.create_mesh`.

    Args:
        points: Positions of the mesh's nodes in input order on the rank that has the mesh, shape (n, 3), mm;
            empty elsewhere.
        comm: Communicator the mesh is distributed over.
    """
    if comm.size > MOST_SECTORS:
        return dolfinx_mesh.create_cell_partitioner(dolfinx_mesh.GhostMode.none, 2)

    def destinations(
        _: MPI.Comm, parts: int, types: list[Any], cells: list[NDArray[np.int64]]
    ) -> graph.AdjacencyList:
        centres = points[cells[0].reshape(-1, cell_num_entities(types[0], 0))].mean(axis=1)
        return graph.adjacencylist(sectors(centres, parts)[:, None])._cpp_object

    return destinations


def sectors(centres: FloatArray, parts: int) -> NDArray[np.int32]:
    """Return the sector about the z axis each cell is in; sectors have as many cells, up to one.

    Args:
        centres: Centres of the cells, shape (cells, 3), mm.
        parts: Number of sectors.
    """
    angle = np.mod(np.arctan2(centres[:, 1], centres[:, 0]), 2.0 * np.pi)
    rank_of_place = np.arange(len(centres)) * parts // max(len(centres), 1)
    part = np.empty(len(centres), dtype=np.int32)
    part[np.argsort(angle, kind="stable")] = rank_of_place
    return part
