"""The stable time step: a bound on each element's highest frequency in its current geometry.

With lumped mass the highest frequency of the mesh is at most that of its worst element. For an isotropic
material with moduli lambda and mu, an element's squared frequency is at most

    omega^2 <= (max(lambda, 0) tr G + 2 mu kappa max eig G) / rho,   G = F^-T G_0 F^-1,

G_0 = sum over nodes of (V / V_node) B B^T with the mean gradients B: the dilatation is that of the mean
gradient in all element types (Cauchy-Schwarz gives tr G), and the rest is bounded by the scalar Laplacian,
kappa its eigenvalue over that of the mean gradient, computed once. It is exact for cubes and thin plates.
The largest over the element's points and over the reference geometry is taken: the former follows crushing,
the latter keeps an element that is stretched elastically, and so keeps its Lagrangian wave speed, from
overrating its step. The spring on corner volumes adds its own bound. Moduli are those at rest; a law that
stiffens under pressure has the margin of the Courant factor.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray, cofactor, determinant
from multiscale.dynamics.elements.interface import Element
from multiscale.dynamics.elements.natural_coordinates import REORDER


class StableStep:
    """Largest stable step of one rank's cells."""

    def __init__(self, element: Element, law: ConstitutiveLaw, damping: FloatArray | None = None) -> None:
        """Prepare for the cells of ``element``.

        Args:
            element: The cells.
            law: Gives density and moduli.
            damping: Damping ratio xi of each cell, shape (cells,), read at every estimate: the lag of viscous
                forces by half a step reduces the stable step by sqrt(1 + xi^2) - xi. None is no damping.
        """
        self._damping = np.zeros(len(element.nodes)) if damping is None else damping
        moduli = law.moduli()
        self._shear, self._lame = moduli.shear, max(moduli.lame, 0.0)
        self._density = law.density
        self._element = element
        metric = element.metric
        self._root = np.ascontiguousarray(np.linalg.cholesky(metric).transpose(0, 2, 1))
        at_rest = np.trace(metric, axis1=1, axis2=2) * self._lame
        at_rest += 2.0 * self._shear * element.spread * np.linalg.eigvalsh(metric)[:, -1]
        self._at_rest = at_rest / self._density

    def bound(self, F: FloatArray) -> tuple[float, int]:
        """Return 2 / omega of the worst cell, us, and that cell's local number (-1 without cells).

        Args:
            F: Deformation gradients as the law sees them, shape (cells, points, 3, 3).
        """
        if not len(F):
            return np.inf, -1
        element = self._element
        largest, cell = _largest_square(
            F, element.scale, self._root, element.spread, self._at_rest, self._damping,
            element.corners.stiffening / self._density, self._lame / self._density,
            2.0 * self._shear / self._density,
        )  # fmt: skip
        return 2.0 / float(np.sqrt(largest)), cell


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _largest_square(
    F: FloatArray,
    scale: FloatArray,
    root: FloatArray,
    spread: FloatArray,
    at_rest: FloatArray,
    damping: FloatArray,
    stiffening: FloatArray,
    lame: float,
    twice_shear: float,
) -> tuple[float, int]:
    """Largest bound of omega^2 and its cell; max eig G is bounded by its largest absolute row sum."""
    cof, M, G = np.empty((3, 3)), np.empty((3, 3)), np.empty((3, 3))
    largest, worst = -1.0, -1
    for cell in range(F.shape[0]):
        square = at_rest[cell]
        for q in range(F.shape[1]):
            cofactor(F[cell, q], cof)
            inverse = scale[cell, q] / determinant(F[cell, q])
            for i in range(3):
                for j in range(3):
                    M[i, j] = 0.0
                    for k in range(3):
                        M[i, j] += root[cell, i, k] * cof[j, k] * inverse
            for i in range(3):
                for j in range(3):
                    G[i, j] = M[0, i] * M[0, j] + M[1, i] * M[1, j] + M[2, i] * M[2, j]
            trace = G[0, 0] + G[1, 1] + G[2, 2]
            row = max(
                abs(G[0, 0]) + abs(G[0, 1]) + abs(G[0, 2]),
                abs(G[1, 0]) + abs(G[1, 1]) + abs(G[1, 2]),
                abs(G[2, 0]) + abs(G[2, 1]) + abs(G[2, 2]),
            )
            square = max(square, lame * trace + twice_shear * spread[cell] * min(row, trace))
        square += stiffening[cell]
        square *= (np.sqrt(1.0 + damping[cell] ** 2) + damping[cell]) ** 2
        if square > largest:
            largest, worst = square, cell
    return largest, worst
