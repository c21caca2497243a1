"""Distributed arrays brought to rank 0 in the order of the input mesh, whatever the number of ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from microscale.tensors import FloatArray

IndexArray = NDArray[np.int64]

#: VTK's Lagrange cells of low degree, by type and number of points, under the names that more tools read.
NAMED_CELLS = {(71, 4): 10, (71, 10): 24, (72, 8): 12}


class Gather:
    """Gathers rows owned by ranks to rank 0, sorted by a label each row has in the input mesh.

    Attributes:
        labels: Sorted labels of all rows on rank 0, empty elsewhere, shape (n_global,).
    """

    def __init__(self, comm: MPI.Comm, labels: IndexArray) -> None:
        """Collect the labels of the owned rows of every rank; collective.

        Args:
            comm: Communicator of the mesh.
            labels: Global label of each row this rank owns, unique over all ranks, shape (n_owned,).
        """
        self.comm = comm
        self._counts = np.array(comm.gather(len(labels)) or [], dtype=int)
        self._order = np.zeros(0, dtype=int)
        gathered = self._in_rank_order(np.ascontiguousarray(labels, dtype=np.int64))
        self._order = np.argsort(gathered)
        self.labels = gathered[self._order]

    def __call__(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Return all rows in the order of their labels on rank 0, an empty array elsewhere; collective.

        Args:
            rows: Values of the owned rows, shape (n_owned, ...).
        """
        if self.comm.size > 1:
            rows = self._in_rank_order(np.ascontiguousarray(rows))
        return np.take(rows, self._order, axis=0)

    def positions(self, labels: IndexArray) -> IndexArray:
        """Return where ``labels`` (any shape, may have gaps) stand in the gathered order; on rank 0."""
        return np.searchsorted(self.labels, labels)

    def _in_rank_order(self, rows: NDArray[Any]) -> NDArray[Any]:
        row_shape = rows.shape[1:]
        received = np.empty((self._counts.sum() if self.comm.rank == 0 else 0, *row_shape), dtype=rows.dtype)
        row_type = MPI.BYTE.Create_contiguous(rows.itemsize * int(np.prod(row_shape))).Commit()
        self.comm.Gatherv([rows, len(rows), row_type], [received, self._counts, row_type], root=0)
        row_type.Free()
        return received


def cell_gather(mesh: Any) -> Gather:
    """Return the gather of values on the cells a rank owns, in the order of the input mesh."""
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    return Gather(mesh.comm, mesh.topology.original_cell_index[:owned])


def node_gather(mesh: Any) -> Gather:
    """Return the gather of values on the geometry nodes a rank owns, in the order of the input mesh."""
    owned = mesh.geometry.index_map().size_local
    return Gather(mesh.comm, mesh.geometry.input_global_indices[:owned])


def degree_of_freedom_gather(space: Any) -> Gather:
    """Return the gather of values on the (blocked) degrees of freedom of a space like the mesh's geometry.

    Args:
        space: See :func:`degree_of_freedom_labels`.
    """
    return Gather(space.mesh.comm, degree_of_freedom_labels(space))


def degree_of_freedom_labels(space: Any) -> IndexArray:
    """Return the label in the input mesh of the node of each (blocked) degree of freedom this rank owns.

    Args:
        space: Function space of the same element as the coordinates, so that each geometry node carries one
            block of degrees of freedom; the numbering of the two may differ.
    """
    geometry = space.mesh.geometry
    dofs = space.dofmap.list
    if dofs.shape != geometry.dofmaps[0].shape:
        raise ValueError(
            f"space has {dofs.shape[1]} degrees of freedom a cell, geometry {geometry.dofmaps[0].shape[1]}"
        )
    labels = np.empty(geometry.input_global_indices.size, dtype=np.int64)
    labels[dofs] = geometry.input_global_indices[geometry.dofmaps[0]]
    return labels[: space.dofmap.index_map.size_local]


def input_mesh(mesh: Any, cells: Gather, nodes: Gather) -> tuple[FloatArray, IndexArray, int]:
    """Return the whole mesh on rank 0 as it was input (empty arrays elsewhere); collective.

    Returns:
        Points (n_points, 3), cells (n_cells, n_points_per_cell) in VTK order, VTK's number of the cell type.
    """
    import dolfinx.cpp as cpp

    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    local = cpp.io.extract_vtk_connectivity(mesh.geometry.dofmaps[0], mesh.topology.cell_type)[:owned]
    points = nodes(mesh.geometry.x[: mesh.geometry.index_map().size_local])
    connectivity = nodes.positions(cells(mesh.geometry.input_global_indices[local]))
    vtk_cell_type = int(cpp.io.get_vtk_cell_type(mesh.topology.cell_type, mesh.topology.dim))
    return points, connectivity, NAMED_CELLS.get((vtk_cell_type, local.shape[1]), vtk_cell_type)
