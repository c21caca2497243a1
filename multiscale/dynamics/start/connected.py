"""Check that a mesh is in one piece: parts that share no node would fly apart, or through each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from microscale.errors import InputError
from microscale.tensors import FloatArray

IntArray = NDArray[np.int64]


def require_one_piece(
    cells: IntArray, centres: FloatArray, node_numbers: IntArray, shared: IntArray, comm: MPI.Comm
) -> None:
    """Refuse a mesh of several pieces. Collective.

    Args:
        cells: Local nodes of each cell, shape (n, nodes of a cell).
        centres: Centres of the cells, shape (n, 3), mm.
        node_numbers: Global number of each local node, shape (nodes,).
        shared: Local nodes that other ranks have too.
        comm: The ranks.

    Raises:
        InputError: There are several; on every rank, with the place of the smallest.
    """
    piece_of_node = _pieces(cells, len(node_numbers))
    piece_of_cell = piece_of_node[cells[:, 0]]
    pieces, piece_of_cell, count = np.unique(piece_of_cell, return_inverse=True, return_counts=True)
    middles = np.zeros((len(pieces), 3))
    np.add.at(middles, piece_of_cell, centres)
    links = np.stack([node_numbers[shared], np.searchsorted(pieces, piece_of_node[shared])])
    everywhere = comm.gather((count, middles / count[:, None], links))
    complaint = _complaint(everywhere) if everywhere is not None else None
    complaint = comm.bcast(complaint)
    if complaint is not None:
        raise InputError(complaint)


def _pieces(cells: IntArray, nodes: int) -> IntArray:
    """Number of the piece each of a rank's nodes belongs to."""
    first = np.repeat(cells[:, 0], cells.shape[1] - 1)
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, cells[:, 1:].ravel())), (nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _complaint(everywhere: list[tuple[IntArray, FloatArray, IntArray]]) -> str | None:
    """Join the ranks' pieces where they share nodes; say which is loose, if any is."""
    counts = np.concatenate([count for count, _, _ in everywhere])
    middles = np.concatenate([middle for _, middle, _ in everywhere])
    ends = np.concatenate([*_links(everywhere)], axis=1)
    order = np.argsort(ends[0], kind="stable")
    nodes, pieces = ends[:, order]
    same = nodes[1:] == nodes[:-1]
    graph = coo_array((np.ones(same.sum()), (pieces[:-1][same], pieces[1:][same])), (len(counts),) * 2)
    number, whole = connected_components(graph, directed=False)
    if number == 1:
        return None
    sizes = np.bincount(whole, counts)
    loose = int(sizes.argmin())
    here = whole == loose
    x, y, z = np.average(middles[here], axis=0, weights=counts[here])
    return (
        f"the mesh is in {number} pieces that share no node: one of {int(sizes[loose])} cell(s) about "
        f"({x:.4g}, {y:.4g}, {z:.4g}) mm is loose from the other {int(sizes.sum() - sizes[loose])}, expected "
        "one body: there is no contact between parts; fragment the volumes in gmsh (or merge double nodes), "
        "or leave one out"
    )


def _links(everywhere: list[tuple[IntArray, FloatArray, IntArray]]) -> Iterator[IntArray]:
    """Shared nodes and the pieces they are of, numbered through the ranks."""
    offset = 0
    for count, _, links in everywhere:
        yield links + np.array([[0], [offset]])
        offset += len(count)
