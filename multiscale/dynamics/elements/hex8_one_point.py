"""The one-point hexahedron: mean gradients and hourglass control (Flanagan and Belytschko 1981).

The mean gradient leaves four patterns of nodal displacement a direction without stress. Their amplitudes

    q_a = (1/8) sum over nodes of gamma_a u,   gamma_a = h_a - (h_a . X) B

vanish for every linear displacement field, hence for rigid motion and in patch tests, and |q_a| does not
change under rotation. A spring on each, of energy kappa |q|^2 / 2, therefore is frame indifferent and
conservative; its energy is booked apart from the material's. It does not stiffen: what keeps cells from
folding is :mod:`multiscale.dynamics.elements.corner_volumes`.
"""

from __future__ import annotations

from typing import final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microscale.tensors import FloatArray
from multiscale.dynamics.elements import hexahedron, laplacian
from multiscale.dynamics.elements.corner_volumes import DISTORTION_LIMIT, CornerVolumes
from multiscale.dynamics.elements.interface import Element, IntArray
from multiscale.dynamics.elements.natural_coordinates import REORDER

# Stiffness of an hourglass mode over that of shear at the same nodal amplitude. A fully integrated elastic
# hexahedron has about 1.
HOURGLASS_STIFFNESS = 0.01

# With |F^-1 (F_c - F)| below this at all corners, J_c / J is between (1 - this)^3 and (1 + this)^3: no two
# corners differ by the factor that the spring on corner volumes leaves alone, and it need not look.
CALM = np.tanh(DISTORTION_LIMIT / 6.0)


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
        lumped = hexahedron.lumped_volumes(X)
        self.weights = volume[:, None]
        self.spread = np.ones(len(X))
        self.scale = np.ones(self.weights.shape)
        self.corners = CornerVolumes(X, nodes, hexahedron.CORNER_TETRAHEDRA, lumped, shear_modulus)
        self.metric = laplacian.metric(self._gradients[..., None], self.weights, lumped)
        inverse_square = np.trace(self.metric, axis1=1, axis2=2) / 3.0
        self._stiffness = HOURGLASS_STIFFNESS * shear_modulus * volume * inverse_square
        self._bend = hexahedron.corner_bend(X, self._gradients) ** 2
        self._moments = np.einsum("an,cnj->caj", hexahedron.HOURGLASS, X)

    def deformation(self, u: FloatArray, first: int, last: int, F: FloatArray) -> None:
        """See :meth:`Element.deformation`."""
        _deform(u, self.nodes, self._gradients, first, last, F)

    def add_force(
        self, u: FloatArray, F: FloatArray, P: FloatArray, first: int, last: int, force: FloatArray
    ) -> float:
        """See :meth:`Element.add_force`."""
        corners = self.corners
        energy = _add_force(
            u, F, P, self.weights, self.nodes, self._gradients, self._moments, self._stiffness, self._bend,
            first, last, force, corners.calm,
        )  # fmt: skip
        return float(energy) + corners.add_force(u, first, last, force)


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _inverse_square(F: FloatArray) -> float:
    """Squared Frobenius norm of the inverse of one tensor."""
    square, det = 0.0, 0.0
    for i in range(3):
        a, b = (i + 1) % 3, (i + 2) % 3
        for j in range(3):
            c, d = (j + 1) % 3, (j + 2) % 3
            cofactor = F[a, c] * F[b, d] - F[a, d] * F[b, c]
            square += cofactor * cofactor
            if i == 0:
                det += F[0, j] * cofactor
    return square / (det * det)


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
    bend: FloatArray,
    first: int,
    last: int,
    force: FloatArray,
    calm: NDArray[np.bool_],
) -> float:
    patterns = hexahedron.HOURGLASS
    amplitude = np.empty((4, 3))
    stress = np.empty((3, 3))
    energy = 0.0
    for cell in range(first, last):
        amplitude[:], square = 0.0, 0.0
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
                square += q * q
                amplitude[a, i] = 0.125 * stiffness[cell] * q
                for j in range(3):
                    stress[i, j] -= amplitude[a, i] * moments[cell, a, j]
        energy += 0.5 * stiffness[cell] * square
        calm[cell] = bend[cell] * square * _inverse_square(F[cell, 0]) < CALM**2
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
