"""The eight-point hexahedron with mean dilatation: F-bar = (J-bar / J)^(1/3) F.

J-bar is the deformed over the reference volume of the element, so isochoric flow constrains an element once
and not eight times: no volumetric locking. The nodal force is the exact adjoint of the variation of F-bar,

    P : dF-bar = s P : dF + (P : F-bar) (dJ-bar / J-bar - F^-T : dF) / 3,   s = (J-bar / J)^(1/3),

so its work is that of the stress, and energy and momentum balance exactly (de Souza Neto et al. 1996 scale
with the centroid's J; with the mean J as here the method is the mean-dilatation one of Nagtegaal et al.
1974).
"""

from __future__ import annotations

from typing import final

import numpy as np
from numba import njit

from multiscale.dynamics import hexahedron
from multiscale.dynamics.element import Element, FloatArray, IntArray
from multiscale.dynamics.kernels import POINTS, REORDER, add_natural_force, natural_gradient

# The mean dilatation leaves one point free to collapse while the element keeps its volume. Where a point's
# J is beyond a factor of two from the mean, a spring on the excess of ln(J / J-bar) resists, with this part
# of the shear modulus; below that nothing is added. Its energy is booked as hourglass energy.
DISTORTION_LIMIT = np.log(2.0)
DISTORTION_STIFFNESS = 0.1
SMALLEST_SCALE = np.exp(-DISTORTION_LIMIT / 3.0)


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
        self._stiffness = DISTORTION_STIFFNESS * shear_modulus
        self.nodes = nodes
        self._inverse_jacobian, self.weights = hexahedron.gauss_points(X)
        self.spread = hexahedron.laplacian_spread(X)
        self.scale = np.ones(self.weights.shape)

    def deformation(self, u: FloatArray, first: int, last: int, F: FloatArray) -> None:
        """See :meth:`Element.deformation`; this writes F-bar."""
        _deform(u, self.nodes, self._inverse_jacobian, self.weights, first, last, F, self.scale)

    def add_force(
        self, u: FloatArray, F: FloatArray, P: FloatArray, first: int, last: int, force: FloatArray
    ) -> float:
        """See :meth:`Element.add_force`."""
        return _add_force(
            F, P, self.scale, self._stiffness, self.nodes, self._inverse_jacobian, self.weights, first, last,
            force,
        )  # fmt: skip


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
        volume, deformed = 0.0, 0.0
        for q in range(POINTS):
            J[q] = (
                A[0, 0, q] * (A[1, 1, q] * A[2, 2, q] - A[1, 2, q] * A[2, 1, q])
                - A[0, 1, q] * (A[1, 0, q] * A[2, 2, q] - A[1, 2, q] * A[2, 0, q])
                + A[0, 2, q] * (A[1, 0, q] * A[2, 1, q] - A[1, 1, q] * A[2, 0, q])
            )
            volume += weights[cell, q]
            deformed += weights[cell, q] * J[q]
        _cube_roots(deformed / volume, J, s)
        for q in range(POINTS):
            scale[cell, q] = s[q]
            for i in range(3):
                for j in range(3):
                    F[cell, q, i, j] = s[q] * A[i, j, q]


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _cube_roots(mean: float, J: FloatArray, s: FloatArray) -> None:
    """Write (mean / J)^(1/3) by Halley's iteration, in vector lanes; exact to round-off from 1/20 to 20.

    Beyond that range, and for an inverted point, which is left to the law to report, each root is taken
    alone.
    """
    smallest, largest = np.inf, -np.inf
    for q in range(POINTS):
        smallest, largest = min(smallest, J[q]), max(largest, J[q])
    if not (0.05 * mean < smallest and largest < 20.0 * mean):
        for q in range(POINTS):
            s[q] = (mean / J[q]) ** (1.0 / 3.0) if J[q] > 0.0 and mean > 0.0 else 1.0
        return
    for q in range(POINTS):
        s[q] = 1.0 + (mean / J[q] - 1.0) / 3.0
    for _ in range(5):
        for q in range(POINTS):
            cube = s[q] * s[q] * s[q]
            s[q] *= (cube + 2.0 * mean / J[q]) / (2.0 * cube + mean / J[q])


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _add_force(
    F: FloatArray,
    P: FloatArray,
    scale: FloatArray,
    stiffness: float,
    nodes: IntArray,
    inverse_jacobian: FloatArray,
    weights: FloatArray,
    first: int,
    last: int,
    force: FloatArray,
) -> float:
    """Add the adjoint of this module's head.

    With det F-bar = J-bar at every point, F^-T = s cof(F-bar) / J-bar and J / J-bar = s^-3.
    """
    energy = 0.0
    A, stress, cof = np.empty((3, 3, POINTS)), np.empty((3, 3, POINTS)), np.empty((3, 3, POINTS))
    work, pressure, weight = np.empty(POINTS), np.empty(POINTS), np.empty(POINTS)
    for cell in range(first, last):
        for q in range(POINTS):
            for i in range(3):
                for j in range(3):
                    A[i, j, q] = F[cell, q, i, j]
                    stress[i, j, q] = P[cell, q, i, j]
        for i in range(3):
            a, b = (i + 1) % 3, (i + 2) % 3
            for j in range(3):
                c, d = (j + 1) % 3, (j + 2) % 3
                for q in range(POINTS):
                    cof[i, j, q] = A[a, c, q] * A[b, d, q] - A[a, d, q] * A[b, c, q]
        work[:] = 0.0
        for i in range(3):
            for j in range(3):
                for q in range(POINTS):
                    work[q] += stress[i, j, q] * A[i, j, q]
        energy += _resist_distortion(scale[cell], weights[cell], stiffness, work)
        volume, mean_work = 0.0, 0.0
        for q in range(POINTS):
            volume += weights[cell, q]
            mean_work += weights[cell, q] * work[q]
        mean_work /= volume
        mean_J = A[0, 0, 0] * cof[0, 0, 0] + A[0, 1, 0] * cof[0, 1, 0] + A[0, 2, 0] * cof[0, 2, 0]
        for q in range(POINTS):
            s = scale[cell, q]
            pressure[q] = (mean_work / (s * s * s) - work[q]) / (3.0 * mean_J)
            weight[q] = s * weights[cell, q]
        for i in range(3):
            for j in range(3):
                for q in range(POINTS):
                    stress[i, j, q] = weight[q] * (stress[i, j, q] + pressure[q] * cof[i, j, q])
        for i in range(3):
            for a in range(3):
                for q in range(POINTS):
                    A[i, a, q] = (
                        stress[i, 0, q] * inverse_jacobian[cell, a, 0, q]
                        + stress[i, 1, q] * inverse_jacobian[cell, a, 1, q]
                        + stress[i, 2, q] * inverse_jacobian[cell, a, 2, q]
                    )
        add_natural_force(A, nodes[cell], force)
    return energy


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _resist_distortion(scale: FloatArray, weights: FloatArray, stiffness: float, work: FloatArray) -> float:
    """Add the spring against the collapse of a point, as a pressure, to ``work``; return its energy."""
    energy = 0.0
    for q in range(POINTS):
        if SMALLEST_SCALE < scale[q] < 1.0 / SMALLEST_SCALE:
            continue
        strain = -3.0 * np.log(scale[q])
        excess = abs(strain) - DISTORTION_LIMIT
        energy += 0.5 * stiffness * excess**2 * weights[q]
        work[q] -= 3.0 * stiffness * (excess if strain > 0.0 else -excess)
    return energy
