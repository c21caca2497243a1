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

from microscale.tensors import cofactor, determinant
from multiscale.dynamics import hexahedron
from multiscale.dynamics.element import Element, FloatArray, IntArray
from multiscale.dynamics.kernels import REORDER, add_internal_force, deformation_gradient


@final
class Hex8FBar(Element):
    """Eight Gauss points, mean dilatation."""

    name = "hex8-fbar"

    def __init__(self, X: FloatArray, nodes: IntArray) -> None:
        """Prepare the cells whose nodes are at ``X``, shape (cells, 8, 3), mm."""
        self.nodes = nodes
        self.gradients, self.weights = hexahedron.gauss_gradients(X)
        self.spread = hexahedron.laplacian_spread(X)
        self.scale = np.ones(self.weights.shape)
        self._work_conjugate = np.empty((0, 8, 3, 3))

    def deformation(self, u: FloatArray, first: int, last: int, F: FloatArray) -> None:
        """See :meth:`Element.deformation`; this writes F-bar."""
        deformation_gradient(u, self.nodes, self.gradients, first, last, F)
        _scale_to_mean_dilatation(F, self.weights, first, last, self.scale)

    def add_force(
        self, u: FloatArray, F: FloatArray, P: FloatArray, first: int, last: int, force: FloatArray
    ) -> float:
        """See :meth:`Element.add_force`."""
        if len(self._work_conjugate) < last - first:
            self._work_conjugate = np.empty((last - first, 8, 3, 3))
        _conjugate(F, P, self.weights, self.scale, first, last, self._work_conjugate)
        add_internal_force(self._work_conjugate, self.weights, self.nodes, self.gradients, first, last, force)
        return 0.0


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _scale_to_mean_dilatation(
    F: FloatArray, weights: FloatArray, first: int, last: int, scale: FloatArray
) -> None:
    """Turn F into F-bar in place; keep the factors s in ``scale``."""
    J = np.empty(weights.shape[1])
    for cell in range(first, last):
        volume, deformed = 0.0, 0.0
        for q in range(weights.shape[1]):
            J[q] = determinant(F[cell, q])
            volume += weights[cell, q]
            deformed += weights[cell, q] * J[q]
        for q in range(weights.shape[1]):
            ratio = deformed / (volume * J[q])
            # An inverted point is left for the law to report, with its own det F <= 0.
            s = ratio ** (1.0 / 3.0) if J[q] > 0.0 else 1.0
            scale[cell, q] = s
            for i in range(3):
                for j in range(3):
                    F[cell, q, i, j] *= s


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _conjugate(
    F: FloatArray,
    P: FloatArray,
    weights: FloatArray,
    scale: FloatArray,
    first: int,
    last: int,
    out: FloatArray,
) -> None:
    """Write the stress whose work on dF is that of P on dF-bar, the formula of this module's head.

    With det F-bar = J-bar at every point, F^-T = s cof(F-bar) / J-bar and J / J-bar = s^-3.
    """
    points = weights.shape[1]
    cof = np.empty((3, 3))
    work = np.empty(points)
    for cell in range(first, last):
        volume, mean_work = 0.0, 0.0
        for q in range(points):
            work[q] = (P[cell, q] * F[cell, q]).sum()
            volume += weights[cell, q]
            mean_work += weights[cell, q] * work[q]
        mean_work /= volume
        mean_J = determinant(F[cell, 0])
        for q in range(points):
            s = scale[cell, q]
            cofactor(F[cell, q], cof)
            pressure = (mean_work / s**3 - work[q]) / (3.0 * mean_J)
            for i in range(3):
                for j in range(3):
                    out[cell - first, q, i, j] = s * (P[cell, q, i, j] + pressure * cof[i, j])
