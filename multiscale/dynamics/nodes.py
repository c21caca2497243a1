"""The nodes of one rank: displacements, velocities, forces and lumped masses, and what ranks share of them.

A node on the border of ranks is owned by one and a ghost of others: forces of ghosts are added to their
owner, who alone moves the node, and displacements go back to the ghosts. That is all the communication of a
step but sums.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

import multiscale.parallel.fenics  # noqa: F401
from meshes.impact_mesh import ImpactMesh
from microscale.errors import InputError
from microscale.tensors import FloatArray
from multiscale.dynamics import central_difference
from multiscale.dynamics.contact import NodalMotion
from multiscale.dynamics.elements.registry import lumped_volumes

from dolfinx import fem, la
from dolfinx import mesh as dolfinx_mesh


class Nodes:
    """Nodal quantities of one rank, arrays of shape (nodes, 3), the ``owned`` nodes first, then the ghosts.

    Attributes:
        u: Displacement function, mm.
        v: Velocity function at the same time, mm/us.
        X: Reference positions, mm.
        degree: Distances between nodes along an edge of a cell.
        cells: Node numbers of each cell, shape (cells, nodes of a cell).
        owned: Number of nodes this rank owns.
        displacement: The values of ``u``.
        velocity: The values of ``v``.
        v_half: Velocity half a step ahead of ``v``.
        v_old: Velocity half a step behind ``v``.
        force: Internal force, GPa mm^2.
        mass: Lumped mass, mg; the same for each component.
        inverse_mass: Its inverse, 1/mg; zero for a component that is held.
        surface: Owned nodes on the surface of the body.
    """

    def __init__(self, mesh: dolfinx_mesh.Mesh, density: float) -> None:
        """Set the nodes of ``mesh`` at rest, with the masses of a body of that density, g/cm^3."""
        self._comm = mesh.comm
        self.degree = mesh.geometry.cmaps[0].degree
        self._space = fem.functionspace(mesh, ("Lagrange", self.degree, (3,)))
        self.u = fem.Function(self._space, name="displacement")
        self.v = fem.Function(self._space, name="velocity")
        index_map = self._space.dofmap.index_map
        self.owned = index_map.size_local
        self.X = np.ascontiguousarray(self._space.tabulate_dof_coordinates())
        self.cells = np.ascontiguousarray(self._space.dofmap.list)
        self.displacement = self.u.x.array.reshape(-1, 3)
        self.velocity = self.v.x.array.reshape(-1, 3)
        self.v_half, self.v_old = np.zeros_like(self.X), np.zeros_like(self.X)
        self._force = la.vector(index_map, 3)
        self.force = self._force.array.reshape(-1, 3)
        self._force_old = np.zeros_like(self.X)
        self.mass = self._lumped_mass(density)
        self.inverse_mass = 1.0 / self.mass
        self.surface = self._owned_surface()
        self.motion = NodalMotion(self.X, self.displacement, self.v_old, self.v_half, self.inverse_mass)

    def _lumped_mass(self, density: float) -> FloatArray:
        """Each node carries the mass its shape function weighs (row sum); positive on valid cells."""
        mass = la.vector(self._space.dofmap.index_map, 3)
        values: FloatArray = mass.array.reshape(-1, 3)
        shares = density * lumped_volumes(self.X[self.cells])
        np.add.at(values, self.cells, shares[:, :, None])
        mass.scatter_reverse(la.InsertMode.add)
        mass.scatter_forward()
        return values

    def _owned_surface(self) -> NDArray[np.int32]:
        topology = self._space.mesh.topology
        topology.create_connectivity(2, 3)
        facets = dolfinx_mesh.exterior_facet_indices(topology)
        nodes = fem.locate_dofs_topological(self._space, 2, facets, remote=True)
        return np.unique(nodes[nodes < self.owned]).astype(np.int32)

    def surface_faces(self) -> NDArray[np.int32]:
        """Local nodes of each face of the body's surface that is here, shape (faces, nodes of a face)."""
        topology, layout = self._space.mesh.topology, self._space.dofmap.dof_layout
        topology.create_connectivity(3, 2)
        of_cell = topology.connectivity(3, 2).array.reshape(len(self.cells), -1)
        closures = np.array([layout.entity_closure_dofs(2, face) for face in range(of_cell.shape[1])])
        cell, face = np.nonzero(np.isin(of_cell, dolfinx_mesh.exterior_facet_indices(topology)))
        return np.asarray(self.cells[cell[:, None], closures[face]])

    def global_numbers(self) -> NDArray[np.int64]:
        """Global number of each node, shape (nodes,)."""
        index_map = self._space.dofmap.index_map
        return np.asarray(index_map.local_to_global(np.arange(len(self.X), dtype=np.int32)))

    def border(self) -> NDArray[np.int64]:
        """Nodes other ranks have too: ghosts, and owned ones that are ghosts elsewhere. Collective."""
        copies = np.diff(self._space.dofmap.index_map.index_to_dest_ranks(0).offsets)
        return np.union1d(np.flatnonzero(copies), np.arange(self.owned, len(self.X)))

    def hold(self, impact_mesh: ImpactMesh, group: str, components: int | Sequence[int]) -> None:
        """Hold components of the displacement of a group of facets at zero. Collective.

        Raises:
            InputError: The mesh lacks the group, or a component is not 0, 1 or 2.
        """
        held = np.atleast_1d(components)
        if not held.size or not np.isin(held, (0, 1, 2)).all():
            raise InputError(f"support of {group!r} = {components}, expected components among 0, 1, 2")
        nodes = fem.locate_dofs_topological(self._space, 2, impact_mesh.facets(group), remote=True)
        for component in held:
            self.inverse_mass[nodes, component] = 0.0

    def start(self, velocity: FloatArray) -> float:
        """Give the nodes their velocity, mm/us, but where they are held; return the kinetic energy, J.

        Raises:
            InputError: The velocities are not of the shape (3,) or (nodes, 3), or one is not finite.
        """
        if velocity.shape not in ((3,), self.v_half.shape):
            raise InputError(
                f"initial velocity has shape {velocity.shape}, expected (3,): x, y and z in mm/us, or a "
                "function from positions, shape (3, n), to velocities, shape (3, n)"
            )
        if not np.all(np.isfinite(velocity)):
            first = velocity.reshape(-1, 3)[~np.isfinite(velocity.reshape(-1, 3)).all(axis=1)][0]
            raise InputError(f"initial velocity = {first} mm/us, expected finite numbers")
        self.v_half[:] = velocity
        self.v_half[self.inverse_mass == 0.0] = 0.0
        self.v_old[:] = self.v_half
        self.centre()
        return 0.5 * float(np.sum((self.mass * self.velocity**2)[: self.owned]))

    def shared(self) -> tuple[int, int, int]:
        """Numbers of ghosts here, of copies others have of nodes here, of ranks shared with. Collective."""
        index_map = self._space.dofmap.index_map
        ranks_of_node = index_map.index_to_dest_ranks(0)
        copies = ranks_of_node.array[: ranks_of_node.offsets[self.owned]]
        return index_map.num_ghosts, len(copies), len(np.union1d(index_map.owners, copies))

    def saved_arrays(self) -> dict[str, FloatArray]:
        """What the owned nodes need to go on, as views, shape (owned, 3); see :meth:`resume`."""
        arrays = {
            "displacement_mm": self.displacement,
            "velocity_ahead_mm_per_us": self.v_half,
            "velocity_behind_mm_per_us": self.v_old,
            "force_GPa_mm2": self._force_old,
        }
        return {name: array[: self.owned] for name, array in arrays.items()}

    def resume(self) -> None:
        """Take up the arrays of :meth:`saved_arrays` after they have been filled. Collective."""
        self.u.x.scatter_forward()
        self.centre()

    def drift(self, dt: float) -> None:
        """Advance the displacements by a step and send them to the ghosts. Collective."""
        central_difference.drift(self.displacement, self.v_half, dt, self.owned)
        self.u.x.scatter_forward()

    def sum_force(self) -> None:
        """Add the forces of ghosts to their owners'. Collective."""
        self._force.scatter_reverse(la.InsertMode.add)

    def kick(self, dt_old: float, dt_mean: float) -> float:
        """Advance the velocities by the force; see :func:`multiscale.dynamics.central_difference.kick`."""
        return central_difference.kick(
            self.v_half,
            self.v_old,
            self.force,
            self._force_old,
            self.inverse_mass,
            dt_old,
            dt_mean,
            self.owned,
        )

    def centre(self) -> None:
        """Set the velocity at the time of the displacement."""
        central_difference.centre(self.velocity, self.v_old, self.v_half, self.owned)

    def kinetic_energy(self, dt_old: float, dt: float) -> float:
        """This rank's kinetic energy between two steps, J; see the function of central_difference."""
        return central_difference.kinetic_energy(
            self.v_old,
            self.v_half,
            self.force,
            self._force_old,
            self.mass,
            self.inverse_mass,
            dt_old,
            dt,
            self.owned,
        )

    def keep_force(self) -> None:
        """Make the present force that of the step before."""
        self._force_old[: self.owned] = self.force[: self.owned]

    def total_mass(self) -> float:
        """Mass of the body, mg. Collective."""
        return float(self._sum(np.ones_like(self.mass))[0])

    def momentum(self) -> FloatArray:
        """Momentum of the body, shape (3,), mg mm/us. Collective."""
        return self._sum(self.velocity)

    def angular_momentum(self) -> FloatArray:
        """Moment of momentum about the origin, shape (3,), mg mm^2/us. Collective."""
        return self._sum(np.cross(self.X + self.displacement, self.velocity))

    def _sum(self, values: FloatArray) -> FloatArray:
        local = np.sum((self.mass * values)[: self.owned], axis=0)
        return np.asarray(self._comm.allreduce(local, op=MPI.SUM))
