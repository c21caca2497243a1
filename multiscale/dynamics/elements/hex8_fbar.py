"""The eight-point hexahedron with mean dilatation (:mod:`multiscale.dynamics.elements.mean_dilatation`)."""

from __future__ import annotations

from typing import final

import numpy as np
from numba import njit

from microscale.tensors import FloatArray
from multiscale.dynamics.elements import hexahedron, laplacian
from multiscale.dynamics.elements.corner_volumes import CornerVolumes
from multiscale.dynamics.elements.interface import Element, IntArray
from multiscale.dynamics.elements.mean_dilatation import adjoint_stress, scale_to_mean
from multiscale.dynamics.elements.natural_coordinates import (
    POINTS,
    REORDER,
    add_natural_force,
    natural_gradient,
)


@final
class Hex8FBar(Element):
    """Eight Gauss points, mean dilatation."""

    name = "hex8-fbar"

    def __init__(self, X: FloatArray, nodes: IntArray, shear_modulus: float) -> None:
        """Prepare the cells whose nodes are at ``X``.

        Args:
            X: Positions of the cells' nodes, shape (cells, 8, 3), mm.
            nodes: Local node numbers of each cell, shape (cells, 8).
            shear_modulus: Shear modulus at rest, GPa.
        """
        self.nodes = nodes
        self._inverse_jacobian, self.weights = hexahedron.gauss_points(X)
        gradients, lumped = hexahedron.gauss_gradients(X)[0], hexahedron.lumped_volumes(X)
        self.metric = laplacian.metric(gradients, self.weights, lumped)
        self.spread = laplacian.spread(gradients, self.weights, lumped)
        self.scale = np.ones(self.weights.shape)
        self.corners = CornerVolumes(X, nodes, hexahedron.CORNER_TETRAHEDRA, lumped, shear_modulus)

    def deformation(self, u: FloatArray, first: int, last: int, F: FloatArray) -> None:
        """See :meth:`Element.deformation`; this writes F-bar."""
        _deform(u, self.nodes, self._inverse_jacobian, self.weights, first, last, F, self.scale)

    def add_force(
        self, u: FloatArray, F: FloatArray, P: FloatArray, first: int, last: int, force: FloatArray
    ) -> float:
        """See :meth:`Element.add_force`."""
        energy = self.corners.add_force(u, first, last, force)
        _add_force(
            F, P, self.scale, self.nodes, self._inverse_jacobian, self.weights, first, last,
            force,
        )  # fmt: skip
        return energy


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _deform(
    u: FloatArray,
    nodes: IntArray,
    inverse_jacobian: FloatArray,
    weights: FloatArray,
    first: int,
    last: int,
    F: FloatArray,
    scale: FloatArray,
) -> None:
    """Write F-bar and s of the cells [first, last)."""
    natural, A = np.empty((3, 3, POINTS)), np.empty((3, 3, POINTS))
    J, s = np.empty(POINTS), np.empty(POINTS)
    for cell in range(first, last):
        natural_gradient(u, nodes[cell], natural)
        for i in range(3):
            for j in range(3):
                unit = 1.0 if i == j else 0.0
                for q in range(POINTS):
                    A[i, j, q] = (
                        unit
                        + natural[i, 0, q] * inverse_jacobian[cell, 0, j, q]
                        + natural[i, 1, q] * inverse_jacobian[cell, 1, j, q]
                        + natural[i, 2, q] * inverse_jacobian[cell, 2, j, q]
                    )
        scale_to_mean(A, weights[cell], 1.0, J, s, F[cell], scale[cell])


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _add_force(
    F: FloatArray,
    P: FloatArray,
    scale: FloatArray,
    nodes: IntArray,
    inverse_jacobian: FloatArray,
    weights: FloatArray,
    first: int,
    last: int,
    force: FloatArray,
) -> None:
    """Add the nodal force of the cells [first, last)."""
    A, stress, cof = np.empty((3, 3, POINTS)), np.empty((3, 3, POINTS)), np.empty((3, 3, POINTS))
    work = np.empty(POINTS)
    for cell in range(first, last):
        adjoint_stress(F[cell], P[cell], scale[cell], weights[cell], 1.0, A, cof, work, stress)
        for i in range(3):
            for a in range(3):
                for q in range(POINTS):
                    A[i, a, q] = (
                        stress[i, 0, q] * inverse_jacobian[cell, a, 0, q]
                        + stress[i, 1, q] * inverse_jacobian[cell, a, 1, q]
                        + stress[i, 2, q] * inverse_jacobian[cell, a, 2, q]
                    )
        add_natural_force(A, nodes[cell], force)
