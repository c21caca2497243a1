"""The composite ten-node tetrahedron with mean dilatation, for bodies that hexahedra cannot fill.

Its gradients, see :mod:`multiscale.dynamics.elements.tetrahedron`, are linear in the nodal displacements, so
but for them it is the mean-dilatation element of :mod:`multiscale.dynamics.elements.mean_dilatation`.
"""

from __future__ import annotations

from typing import final

import numpy as np
from numba import njit

from microscale.tensors import FloatArray
from multiscale.dynamics.elements import laplacian, tetrahedron
from multiscale.dynamics.elements.corner_volumes import CornerVolumes
from multiscale.dynamics.elements.interface import Element, IntArray
from multiscale.dynamics.elements.mean_dilatation import adjoint_stress, scale_to_mean
from multiscale.dynamics.elements.natural_coordinates import REORDER

NODES, POINTS = 10, 4

# With the whole dilatation averaged a tetrahedron has three motions without force beside the rigid ones:
# u = 2 (a . x) x - |x|^2 a about its centre dilates it, by zero on average, and does not change its shape. A
# face shared with another cell resists them, but at a free edge they make nodes stand out. A twentieth of the
# bulk stiffness does away with them and is too little to lock (tests/verification/test_elements.py).
SHARE = 0.95

# The spread of a straight-sided tetrahedron depends on its shape alone: 35/34 for the regular one, less for
# others, at least 1 (tests/verification/test_stable_step.py). So flattening a cell never exceeds this.
STRAIGHT_SPREAD = 35.0 / 34.0


@final
class Tet10(Element):
    """Four points, mean dilatation."""

    name = "tet10"

    def __init__(self, X: FloatArray, nodes: IntArray, shear_modulus: float) -> None:
        """Prepare the cells whose nodes are at ``X``.

        Args:
            X: Positions of the cells' nodes, shape (cells, 10, 3), mm.
            nodes: Local node numbers of each cell, shape (cells, 10).
            shear_modulus: Shear modulus at rest, GPa.

        Raises:
            InputError: A cell is inverted, or its edges are curved too much.
        """
        self.nodes = nodes
        self._gradients, self.weights = tetrahedron.gradients(X)
        lumped = tetrahedron.lumped_volumes(X)
        self.metric = laplacian.metric(self._gradients, self.weights, lumped)
        self.spread = np.maximum(laplacian.spread(self._gradients, self.weights, lumped), STRAIGHT_SPREAD)
        self.scale = np.ones(self.weights.shape)
        self.corners = CornerVolumes(X, nodes, tetrahedron.PARTS, lumped, shear_modulus)

    def deformation(self, u: FloatArray, first: int, last: int, F: FloatArray) -> None:
        """See :meth:`Element.deformation`; this writes F-bar."""
        _deform(u, self.nodes, self._gradients, self.weights, first, last, F, self.scale)

    def add_force(
        self, u: FloatArray, F: FloatArray, P: FloatArray, first: int, last: int, force: FloatArray
    ) -> float:
        """See :meth:`Element.add_force`."""
        energy = self.corners.add_force(u, first, last, force)
        _add_force(F, P, self.scale, self.nodes, self._gradients, self.weights, first, last, force)
        return energy


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _deform(
    u: FloatArray,
    nodes: IntArray,
    gradients: FloatArray,
    weights: FloatArray,
    first: int,
    last: int,
    F: FloatArray,
    scale: FloatArray,
) -> None:
    """Write F-bar and s of the cells [first, last)."""
    A, J, s = np.empty((3, 3, POINTS)), np.empty(POINTS), np.empty(POINTS)
    for cell in range(first, last):
        for i in range(3):
            for j in range(3):
                for q in range(POINTS):
                    A[i, j, q] = 1.0 if i == j else 0.0
        for node in range(NODES):
            for i in range(3):
                value = u[nodes[cell, node], i]
                for j in range(3):
                    for q in range(POINTS):
                        A[i, j, q] += value * gradients[cell, node, j, q]
        scale_to_mean(A, weights[cell], SHARE, J, s, F[cell], scale[cell])


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _add_force(
    F: FloatArray,
    P: FloatArray,
    scale: FloatArray,
    nodes: IntArray,
    gradients: FloatArray,
    weights: FloatArray,
    first: int,
    last: int,
    force: FloatArray,
) -> None:
    """Add the nodal force of the cells [first, last)."""
    A, stress, cof = np.empty((3, 3, POINTS)), np.empty((3, 3, POINTS)), np.empty((3, 3, POINTS))
    work = np.empty(POINTS)
    for cell in range(first, last):
        adjoint_stress(F[cell], P[cell], scale[cell], weights[cell], SHARE, A, cof, work, stress)
        for node in range(NODES):
            for i in range(3):
                component = 0.0
                for j in range(3):
                    for q in range(POINTS):
                        component += stress[i, j, q] * gradients[cell, node, j, q]
                force[nodes[cell, node], i] += component
