"""A distorted box of a few cells of any element type, its nodal force as a function of the displacements."""

import numpy as np
from mpi4py import MPI

import multiscale.parallel.fenics  # noqa: F401
from meshes.box import box
from multiscale.dynamics.elements import tetrahedron
from multiscale.dynamics.elements.registry import cell_shape, lumped_volumes, make_element
from multiscale.laws.neo_hooke import NeoHooke

from dolfinx import fem

LAW = NeoHooke()


class DistortedBody:
    """One rank's cells; inner nodes are moved at random by up to ``distortion`` of a cell, others by less.

    Mid-edge nodes of tetrahedra are moved off their edges by up to ``curvature`` of a cell.
    """

    def __init__(
        self, name, cells=(3, 2, 2), size=(1.5, 1.0, 0.8), distortion=0.25, law=LAW, seed=3, curvature=0.05
    ):
        impact = box(size, cells, cell_shape(name), MPI.COMM_SELF)
        space = fem.functionspace(impact.mesh, ("Lagrange", impact.mesh.geometry.cmaps[0].degree, (3,)))
        self.X = space.tabulate_dof_coordinates().copy()
        self.nodes = space.dofmap.list.copy()
        spacing = np.array(size) / cells
        self.inside = np.all((self.X > 1e-9) & (np.array(size) - 1e-9 > self.X), axis=1)
        rng = np.random.default_rng(seed)
        moves = rng.uniform(-1.0, 1.0, self.X.shape) * spacing * np.where(self.inside, 1.0, 0.3)[:, None]
        if self.nodes.shape[1] == 10:
            # The tetrahedra of a box are as thin as a third of it.
            bends = curvature * moves if distortion > 0.0 else 0.0 * moves
            moves *= 0.5
            for node, (a, b) in zip(tetrahedron.MIDDLES, tetrahedron.EDGES, strict=True):
                middle = self.nodes[:, node]
                ends = moves[self.nodes[:, a]] + moves[self.nodes[:, b]]
                bends[middle] += 0.5 * distortion * ends
            corners = np.unique(self.nodes[:, :4])
            bends[corners] = distortion * moves[corners]
            self.X += bends
        else:
            self.X += distortion * moves
        self.law = law
        self.element = make_element(name, self.X[self.nodes], self.nodes, law)
        self.F = np.empty((*self.element.weights.shape, 3, 3))
        self.P = np.empty_like(self.F)

    def keep_first_cell(self):
        """Drop all cells but one, and the nodes of the others."""
        nodes = self.nodes[0]
        self.X, self.inside, self.nodes = self.X[nodes], self.inside[nodes], np.arange(nodes.size)[None]
        self.nodes = self.nodes.astype(np.int32)
        self.element = make_element(self.element.name, self.X[self.nodes], self.nodes, self.law)
        self.F, self.P = self.F[:1].copy(), self.P[:1].copy()

    def force(self, u):
        """Nodal forces and hourglass energy at displacements u."""
        force = np.zeros_like(u)
        self.element.deformation(u, 0, len(self.nodes), self.F)
        flat = self.F.reshape(-1, 3, 3)
        self.law.update(flat, 0.0, self.law.init_state(len(flat)), self.P.reshape(-1, 3, 3))
        hourglass = self.element.add_force(u, self.F, self.P, 0, len(self.nodes), force)
        return force, hourglass

    def stored_energy(self, u):
        """Energy of the neo-Hookean law at the points plus that of hourglass control."""
        _, hourglass = self.force(u)
        J = np.linalg.det(self.F)
        first = np.sum(self.F**2, axis=(2, 3)) / np.cbrt(J) ** 2
        density = 0.5 * self.law.shear_modulus * (first - 3.0) + self.law.lambda_e * (J - 1.0) ** 2
        return np.sum(density * self.element.weights) + hourglass

    def mass(self):
        """Lumped mass of the nodes."""
        mass = np.zeros(len(self.X))
        np.add.at(mass, self.nodes, self.law.density * lumped_volumes(self.X[self.nodes]))
        return mass

    def stiffness(self, u):
        """Stiffness matrix at u by central differences of the force, shape (3 nodes, 3 nodes)."""
        size, h = u.size, 1e-6
        K = np.empty((size, size))
        for column in range(size):
            step = np.zeros(size)
            step[column] = h
            ahead, _ = self.force(u + step.reshape(-1, 3))
            behind, _ = self.force(u - step.reshape(-1, 3))
            K[:, column] = (ahead - behind).ravel() / (2.0 * h)
        self.force(u)
        return 0.5 * (K + K.T)
