"""Points of the body and parts of its surface, as weights of the nodes and cells of each rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import multiscale.parallel.fenics  # noqa: F401
from microscale.errors import InputError
from microscale.tensors import FloatArray
from multiscale.parallel.ranks import raise_shared

import basix
from dolfinx import geometry
from dolfinx import mesh as dolfinx_mesh

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation

IntArray = NDArray[np.int64]
Point = tuple[float, float, float]

#: Faces of a cell by its nodes.
FACES = {8: 6, 10: 4}

#: How far from the surface, relative to the size of the nearest facet, a point may be that is meant to be on
#: it: a round body is faceted.
OFF_SURFACE = 0.2

#: Component of a normal that is more than round-off.
FREE = 1e-3

#: Distances to facets, relative to their size, that are alike: round-off differs from rank to rank.
ALIKE = 1e-6


class Place(NamedTuple):
    """Weights with which this rank's nodes and cells count at a place; those of all ranks add up to one.

    Attributes:
        nodes: Owned nodes, shape (k,).
        weights: Their weights, shape (k,).
        directed: Weights of the velocities in the outward normal, shape (k, 3); zero within the body.
        cells: Owned cells, shape (m,).
        shares: Their weights, shape (m,).
        normals: Outward normals of the reference surface there, shape (m, 3); zero within the body.
        told: What there is to say of it, for the summary.
    """

    nodes: IntArray
    weights: FloatArray
    directed: FloatArray
    cells: IntArray
    shares: FloatArray
    normals: FloatArray
    told: dict[str, Any]


def point_in_body(simulation: Simulation, point: Point) -> Place:
    """Return a point of the reference body, mm, in the lowest of the cells that share it. Collective.

    Raises:
        InputError: No cell holds it.
    """
    mesh, x = simulation.mesh, np.array(point, dtype=float)
    owned = mesh.topology.index_map(3).size_local
    candidates = geometry.compute_collisions_points(geometry.bb_tree(mesh, 3), x[None])
    found = geometry.compute_colliding_cells(mesh, candidates, x[None]).links(0)
    found = found[found < owned]
    original = mesh.topology.original_cell_index
    best = min(mesh.comm.allgather(min(original[found], default=np.iinfo(np.int64).max)))
    if best == np.iinfo(np.int64).max:
        raise InputError(f"probe {_told(point)} is in no cell of the body, {_extent(simulation)}")
    cell = found[original[found] == best]
    told = {"point_mm": list(point), "cell": int(best)}
    return _at_point(simulation, cell, np.tile(x, (len(cell), 1)), np.zeros((len(cell), 3)), told)


def point_on_surface(simulation: Simulation, point: Point) -> Place:
    """Return the point of the reference surface nearest to a point, mm. Collective.

    Facets that cannot move along their normal, as those of a plane of symmetry, are no surface to look at.

    Raises:
        InputError: The surface is further away than :data:`OFF_SURFACE`.
    """
    mesh, x = simulation.mesh, np.array(point, dtype=float)
    facets = _Facets(simulation, _exterior(mesh), free=True)
    key, k, nearest = facets.nearest(x)
    best = min(mesh.comm.allgather(key))
    if not best[0] <= OFF_SURFACE:
        raise InputError(f"gauge {_told(point)} is not on the surface of the body, {_extent(simulation)}")
    mine = np.array([k] if key == best else [], dtype=np.int64)
    told = {"point_mm": list(point), "cell": int(best[1])}
    normals = facets.normals[mine]
    told["normal"] = next(n for n in mesh.comm.allgather(normals.tolist()) if n)[0]
    return _at_point(simulation, facets.cells[mine], np.tile(nearest, (len(mine), 1)), normals, told)


def group_of_surface(simulation: Simulation, group: str) -> Place:
    """Return a group of facets of the surface. Collective.

    Raises:
        InputError: The mesh lacks it, or it is not on the surface.
    """
    mesh, chosen = simulation.mesh, simulation.body.mesh.facets(group)
    within = not np.isin(chosen, _exterior(mesh)).all()
    error = InputError(f"gauge {group!r} has facets within the body, expected a group of its surface")
    raise_shared(mesh.comm, error if within else None)
    facets = _Facets(simulation, chosen)
    area = sum(mesh.comm.allgather(float(facets.areas.sum())))
    normal = np.sum(mesh.comm.allgather(facets.directed.sum(axis=(0, 1))), axis=0) / area
    flat = facets.nodes.ravel()
    parts = np.column_stack([facets.weights.ravel(), facets.directed.reshape(-1, 3)]) / area
    nodes, parts = _owned(simulation, flat, parts)
    told = {"group": group, "area_mm2": area, "normal": normal.tolist()}
    return Place(nodes, parts[:, 0], parts[:, 1:], facets.cells, facets.areas / area, facets.normals, told)


class _Facets:
    """Facets of the surface that are here.

    Attributes:
        cells: The cell behind each, shape (f,).
        nodes: Nodes of each, shape (f, k).
        weights: Integrals of the shape functions over them, shape (f, k), mm^2.
        directed: The same times the outward normal, shape (f, k, 3).
        areas: Shape (f,), mm^2.
        normals: Mean outward normals, of unit length, shape (f, 3).
    """

    def __init__(self, simulation: Simulation, facets: NDArray[np.int32], free: bool = False) -> None:
        """Take facets; with ``free`` only those of which a node can move along the normal."""
        space, topology = simulation.u.function_space, simulation.mesh.topology
        topology.create_connectivity(2, 3)
        topology.create_connectivity(3, 2)
        behind, of_cell = topology.connectivity(2, 3), topology.connectivity(3, 2)
        self.cells = np.array([behind.links(facet)[0] for facet in facets], dtype=np.int64)
        pairs = zip(facets, self.cells, strict=True)
        faces = [int(np.flatnonzero(of_cell.links(cell) == facet)[0]) for facet, cell in pairs]
        layout = space.dofmap.dof_layout
        self._faces, cells = np.array(faces, dtype=np.int64), np.asarray(space.dofmap.list)
        closures = np.array([layout.entity_closure_dofs(2, k) for k in range(FACES[cells.shape[1]])])
        self.nodes = cells[self.cells[:, None], closures[self._faces]]
        self.X = simulation.positions[self.nodes]
        self.weights, self.directed = _surface_integrals(self.X)
        inner = simulation.positions[cells[self.cells]].mean(axis=1)
        outwards = np.einsum("fi,fi->f", self.directed.sum(axis=1), self.X.mean(axis=1) - inner)
        self.directed *= np.where(outwards < 0.0, -1.0, 1.0)[:, None, None]
        self.areas = self.weights.sum(axis=1)
        vectors = self.directed.sum(axis=1)
        self.normals = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        self._original = simulation.mesh.topology.original_cell_index
        if free:
            along = np.abs(self.normals)[:, None, :] * ~simulation.held[self.nodes]
            self._keep(along.max(axis=(1, 2)) > FREE)

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        for name, array in list(vars(self).items()):
            if name != "_original":
                setattr(self, name, array[kept])

    def nearest(self, x: FloatArray) -> tuple[tuple[float, int, int], int, FloatArray]:
        """Return the facet nearest to x, shape (3,), mm: a key that sorts ranks, its number, the point on it.

        The key is the distance relative to the size of the facet, the original number of its cell, and which
        face of that it is; infinite where there is no facet.
        """
        best: tuple[tuple[float, int, int], int, FloatArray] = ((np.inf, -1, -1), -1, x)
        sizes = np.sqrt(self.areas)
        away = np.linalg.norm(self.X.mean(axis=1) - x, axis=1)
        for k in np.flatnonzero(away <= away.min(initial=np.inf) + 2.0 * sizes.max(initial=0.0)):
            vector = geometry.compute_distance_gjk(self.X[k], x[None])
            ratio = round(float(np.linalg.norm(vector) / sizes[k]) / ALIKE) * ALIKE
            key = (ratio, int(self._original[self.cells[k]]), int(self._faces[k]))
            if key < best[0]:
                on = x - vector if np.linalg.norm(self._off(int(k), x - vector)) < sizes[k] else x + vector
                best = (key, int(k), on)
        return best

    def _off(self, k: int, x: FloatArray) -> FloatArray:
        """Vector from a facet to x."""
        return np.asarray(geometry.compute_distance_gjk(self.X[k], x[None]))


def _surface_integrals(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Integrate the shape functions over facets with nodes X, shape (f, k, 3), and those times the normal."""
    straight = X.shape[1] == 4
    shape = basix.CellType.quadrilateral if straight else basix.CellType.triangle
    lagrange = basix.LagrangeVariant.gll_warped
    element = basix.create_element(basix.ElementFamily.P, shape, 1 if straight else 2, lagrange)
    points, weights = basix.make_quadrature(shape, 4)
    N, along, across = element.tabulate(1, points)[..., 0]
    vectors = np.cross(*(np.einsum("qk,fki->fqi", slope, X) for slope in (along, across)))
    areas = np.linalg.norm(vectors, axis=-1)
    return (
        np.einsum("q,qk,fq->fk", weights, N, areas),
        np.einsum("q,qk,fqi->fki", weights, N, vectors),
    )


def _at_point(
    simulation: Simulation, cell: IntArray, x: FloatArray, normals: FloatArray, told: dict[str, Any]
) -> Place:
    """Return a point in a cell of one rank; the others have no cell, and may own nodes of it. Collective."""
    mesh, space = simulation.mesh, simulation.u.function_space
    nodes, weights = np.zeros(0, dtype=np.int64), np.zeros((0, 4))
    if len(cell):
        corners = mesh.geometry.x[mesh.geometry.dofmaps[0][cell[0]]]
        local = mesh.geometry.cmaps[0].pull_back(x, corners)
        N = space.ufl_element().sub_elements[0].tabulate(0, local)[0].ravel()
        nodes, weights = space.dofmap.list[cell[0]], np.column_stack([N, np.outer(N, normals[0])])
    nodes, weights = _owned(simulation, nodes, weights)
    cells = np.asarray(cell, dtype=np.int64)
    return Place(nodes, weights[:, 0], weights[:, 1:], cells, np.ones(len(cells)), normals, told)


def _owned(simulation: Simulation, nodes: NDArray[Any], parts: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the owned ones of the nodes of all ranks, and the sums of their parts, (k, ...). Collective."""
    index_map = simulation.u.function_space.dofmap.index_map
    numbers = index_map.local_to_global(np.ascontiguousarray(nodes, dtype=np.int32))
    everywhere = simulation.mesh.comm.allgather((numbers, parts))
    numbers = np.concatenate([numbers for numbers, _ in everywhere])
    parts = np.concatenate([parts for _, parts in everywhere])
    first, last = index_map.local_range
    mine = (numbers >= first) & (numbers < last)
    unique, where = np.unique(numbers[mine], return_inverse=True)
    sums = np.zeros((len(unique), parts.shape[1]))
    np.add.at(sums, where, parts[mine])
    return unique - first, sums


def _exterior(mesh: dolfinx_mesh.Mesh) -> NDArray[np.int32]:
    mesh.topology.create_connectivity(2, 3)
    return np.asarray(dolfinx_mesh.exterior_facet_indices(mesh.topology))


def _told(point: Point) -> str:
    return "({:g}, {:g}, {:g}) mm".format(*point)


def _extent(simulation: Simulation) -> str:
    """Return where the reference body is. Collective."""
    X, comm = simulation.positions, simulation.mesh.comm
    low = np.min(comm.allgather(X.min(axis=0, initial=np.inf)), axis=0)
    high = np.max(comm.allgather(X.max(axis=0, initial=-np.inf)), axis=0)
    low, high = (np.round(end / simulation.size, 9) * simulation.size + 0.0 for end in (low, high))
    ranges = (f"{axis} = {a:.4g} to {b:.4g}" for axis, a, b in zip("xyz", low, high, strict=True))
    return f"which reaches over {', '.join(ranges)} mm: give a point of the body before the impact"
