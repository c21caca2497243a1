"""The one-point hexahedron: mean gradients and hourglass control (Flanagan and Belytschko 1981).

The mean gradient leaves four patterns of nodal displacement a direction without stress. Their amplitudes

    q_a = (1/8) sum over nodes of gamma_a u,   gamma_a = h_a - (h_a . X) B

vanish for every linear displacement field, hence for rigid motion and in patch tests, and |q_a| does not
change under rotation. A spring on each, of energy kappa |q|^2 / 2, therefore is frame indifferent and
conservative; its energy is booked apart from the material's.
"""

from __future__ import annotations

from typing import final

import numpy as np
from numba import njit

from multiscale.dynamics import hexahedron, laplacian
from multiscale.dynamics.element import Element, FloatArray, IntArray
from multiscale.dynamics.kernels import REORDER

# Stiffness of an hourglass mode over that of shear at the same nodal amplitude. A fully integrated elastic
# hexahedron has about 1.
HOURGLASS_STIFFNESS = 0.01


@final
class Hex8OnePoint(Element):
    """One point, elastic hourglass control."""

    name = "hex8-one-point"

    def __init__(self, X: FloatArray, nodes: IntArray, shear_modulus: float) -> None:
        """Prepare the cells whose nodes are at ``X``.

        Args:
            X: Positions of the cells' nodes, shape (cells, 8, 3), mm.
            nodes: Local node numbers of each cell, shape (cells, 8).
            shear_modulus: Shear modulus at rest, GPa.
        """
        self.nodes = nodes
        self._gradients, volume = hexahedron.mean_gradients(X)
        self.weights = volume[:, None]
        self.spread = np.ones(len(X))
        self.scale = np.ones(self.weights.shape)
        self.metric = laplacian.metric(self._gradients[..., None], self.weights, hexahedron.lumped_volumes(X))
        inverse_square = np.trace(self.metric, axis1=1, axis2=2) / 3.0
        self._stiffness = HOURGLASS_STIFFNESS * shear_modulus * volume * inverse_square
        self._moments = np.einsum("an,cnj->caj", hexahedron.HOURGLASS, X)

    def deformation(self, u: FloatArray, first: int, last: int, F: FloatArray) -> None:
        """See :meth:`Element.deformation`."""
        _deform(u, self.nodes, self._gradients, first, last, F)

    def add_force(
        self, u: FloatArray, F: FloatArray, P: FloatArray, first: int, last: int, force: FloatArray
    ) -> float:
        """See :meth:`Element.add_force`."""
        return _add_force(
            u, F, P, self.weights, self.nodes, self._gradients, self._moments, self._stiffness, first, last,
            force,
        )  # fmt: skip


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _deform(
    u: FloatArray, nodes: IntArray, gradients: FloatArray, first: int, last: int, F: FloatArray
) -> None:
    for cell in range(first, last):
        for i in range(3):
            x, y, z = 0.0, 0.0, 0.0
            for node in range(8):
                value = u[nodes[cell, node], i]
                x += value * gradients[cell, node, 0]
                y += value * gradients[cell, node, 1]
                z += value * gradients[cell, node, 2]
            F[cell, 0, i, 0], F[cell, 0, i, 1], F[cell, 0, i, 2] = x, y, z
            F[cell, 0, i, i] += 1.0


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _add_force(
    u: FloatArray,
    F: FloatArray,
    P: FloatArray,
    weights: FloatArray,
    nodes: IntArray,
    gradients: FloatArray,
    moments: FloatArray,
    stiffness: FloatArray,
    first: int,
    last: int,
    force: FloatArray,
) -> float:
    patterns = hexahedron.HOURGLASS
    amplitude = np.empty((4, 3))
    stress = np.empty((3, 3))
    energy = 0.0
    for cell in range(first, last):
        amplitude[:] = 0.0
        for node in range(8):
            for a in range(4):
                for i in range(3):
                    amplitude[a, i] += 0.125 * patterns[a, node] * u[nodes[cell, node], i]
        for i in range(3):
            for j in range(3):
                stress[i, j] = weights[cell, 0] * P[cell, 0, i, j]
        for a in range(4):
            for i in range(3):
                linear = -moments[cell, a, i]
                for j in range(3):
                    linear += F[cell, 0, i, j] * moments[cell, a, j]
                q = amplitude[a, i] - 0.125 * linear
                energy += 0.5 * stiffness[cell] * q * q
                amplitude[a, i] = 0.125 * stiffness[cell] * q
                for j in range(3):
                    stress[i, j] -= amplitude[a, i] * moments[cell, a, j]
        for node in range(8):
            dof = nodes[cell, node]
            for i in range(3):
                component = 0.0
                for j in range(3):
                    component += stress[i, j] * gradients[cell, node, j]
                for a in range(4):
                    component += patterns[a, node] * amplitude[a, i]
                force[dof, i] += component
    return energy
