"""Gathered meshes and fields do not depend on the number of ranks."""

import numpy as np
import pytest
from mpi4py import MPI

import multiscale.parallel.fenics  # noqa: F401
from multiscale.parallel.gather import Gather, cell_gather, degree_of_freedom_gather, input_mesh, node_gather

from dolfinx import fem
from dolfinx import mesh as dolfinx_mesh

HEXAHEDRON, TETRAHEDRON = dolfinx_mesh.CellType.hexahedron, dolfinx_mesh.CellType.tetrahedron


def box(kind):
    return dolfinx_mesh.create_box(
        MPI.COMM_WORLD, [[0, 0, 0], [1, 2, 3]], [3, 4, 5], kind, ghost_mode=dolfinx_mesh.GhostMode.none
    )


def on_root(array):
    """What a gather gives where ``array`` is expected on rank 0."""
    return array if MPI.COMM_WORLD.rank == 0 else array[:0]


# One function, so that a number of ranks costs one start of the interpreters.
@pytest.mark.parallel([1, 2, 3])
def test_gathered_rows_mesh_and_fields():
    rows_come_in_the_order_of_their_labels()
    for kind, vtk_type in ((HEXAHEDRON, 12), (TETRAHEDRON, 10)):
        gathered_mesh_has_sound_cells_in_vtk_order(kind, vtk_type)
    gathered_values_belong_to_the_gathered_points_and_cells()


def rows_come_in_the_order_of_their_labels():
    comm = MPI.COMM_WORLD
    labels = np.arange(comm.rank, 20, comm.size)[::-1] * 10
    gathered = Gather(comm, labels)(np.stack([labels, -labels], axis=1).astype(float))
    np.testing.assert_array_equal(gathered, on_root(np.arange(20)[:, None] * [10.0, -10.0]))


def gathered_mesh_has_sound_cells_in_vtk_order(kind, vtk_type):
    mesh = box(kind)
    points, cells, cell_type = input_mesh(mesh, cell_gather(mesh), node_gather(mesh))
    assert cell_type == vtk_type
    assert points.shape == on_root(np.zeros((4 * 5 * 6, 3))).shape
    if mesh.comm.rank > 0:
        return
    x = points[cells]
    edges = np.stack([x[:, i] - x[:, 0] for i in ((1, 3, 4) if vtk_type == 12 else (1, 2, 3))], axis=1)
    volume = np.abs(np.linalg.det(edges)).sum() / (1.0 if vtk_type == 12 else 6.0)
    assert volume == pytest.approx(6.0, rel=1e-12)
    if vtk_type == 12:
        np.testing.assert_allclose(x[:, 6] - x[:, 0], edges.sum(axis=1), atol=1e-12)


def gathered_values_belong_to_the_gathered_points_and_cells():
    mesh = box(HEXAHEDRON)
    space = fem.functionspace(mesh, ("Lagrange", 1, (3,)))
    u = fem.Function(space)
    u.interpolate(lambda x: np.stack([x[0] + 2 * x[1], x[1] * x[2], -x[2]]))
    gather = cell_gather(mesh)
    points, cells, _ = input_mesh(mesh, gather, node_gather(mesh))
    values = degree_of_freedom_gather(space)(u.x.array.reshape(-1, 3)[: space.dofmap.index_map.size_local])
    x, y, z = points.T
    np.testing.assert_allclose(values, np.stack([x + 2 * y, y * z, -z], axis=1), atol=1e-12)
    owned = mesh.topology.index_map(3).size_local
    centroid = mesh.geometry.x[mesh.geometry.dofmaps[0][:owned]].mean(axis=1)
    expected = points[cells].mean(axis=1) if mesh.comm.rank == 0 else np.zeros((0, 3))
    np.testing.assert_allclose(gather(centroid), expected, atol=1e-12)
