"""Mean dilatation, F-bar = (J-bar / J)^(a/3) F: what the elements that have it share.

The share a is 1, or a little less where a dilatation of mean zero must not go unresisted. J-bar is the
deformed over the reference volume of the element, so isochoric flow constrains an element once and not at
every point: no volumetric locking. The nodal force is the exact adjoint of the variation of F-bar,

    P : dF-bar = s P : dF + a (P : F-bar) (dJ-bar / J-bar - F^-T : dF) / 3,   s = (J-bar / J)^(a/3),

so its work is that of the stress, and energy and momentum balance exactly (de Souza Neto et al. 1996 scale
with the centroid's J; with the mean J as here the method is the mean-dilatation one of Nagtegaal et al.
1974).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from microscale.tensors import FloatArray
from multiscale.dynamics.elements.natural_coordinates import REORDER


@njit(cache=True, fastmath=REORDER, error_model="numpy", forceinline=True)
def _cube_roots(mean: float, J: FloatArray, s: FloatArray) -> None:
    """Write (mean / J)^(1/3) by Halley's iteration, in vector lanes; exact to round-off from 1/20 to 20.

    Beyond that range, and for an inverted point, which is left to the law to report, each root is taken
    alone.
    """
    smallest, largest = np.inf, -np.inf
    for q in range(J.size):
        smallest, largest = min(smallest, J[q]), max(largest, J[q])
    if not (0.05 * mean < smallest and largest < 20.0 * mean):
        for q in range(J.size):
            s[q] = (mean / J[q]) ** (1.0 / 3.0) if J[q] > 0.0 and mean > 0.0 else 1.0
        return
    for q in range(J.size):
        s[q] = 1.0 + (mean / J[q] - 1.0) / 3.0
    for _ in range(5):
        for q in range(J.size):
            cube = s[q] * s[q] * s[q]
            s[q] *= (cube + 2.0 * mean / J[q]) / (2.0 * cube + mean / J[q])


@njit(cache=True, fastmath=REORDER, error_model="numpy", forceinline=True)
def scale_to_mean(
    A: FloatArray,
    weights: FloatArray,
    share: float,
    J: FloatArray,
    s: FloatArray,
    F: FloatArray,
    scale: FloatArray,
) -> None:
    """Write F-bar and s of one cell.

    Args:
        A: Its deformation gradients, shape (3, 3, points).
        weights: Reference volumes of its points.
        share: See this module's head.
        J: Work space, shape (points,).
        s: Work space, shape (points,).
        F: F-bar, shape (points, 3, 3), written.
        scale: s, shape (points,), written.
    """
    points = J.size
    volume, deformed = 0.0, 0.0
    for q in range(points):
        J[q] = (
            A[0, 0, q] * (A[1, 1, q] * A[2, 2, q] - A[1, 2, q] * A[2, 1, q])
            - A[0, 1, q] * (A[1, 0, q] * A[2, 2, q] - A[1, 2, q] * A[2, 0, q])
            + A[0, 2, q] * (A[1, 0, q] * A[2, 1, q] - A[1, 1, q] * A[2, 0, q])
        )
        volume += weights[q]
        deformed += weights[q] * J[q]
    _cube_roots(deformed / volume, J, s)
    if share != 1.0:
        for q in range(points):
            s[q] = s[q] ** share
    for q in range(points):
        scale[q] = s[q]
        for i in range(3):
            for j in range(3):
                F[q, i, j] = s[q] * A[i, j, q]


@njit(cache=True, fastmath=REORDER, error_model="numpy", forceinline=True)
def adjoint_stress(
    F: FloatArray,
    P: FloatArray,
    scale: FloatArray,
    weights: FloatArray,
    share: float,
    A: FloatArray,
    cof: FloatArray,
    work: FloatArray,
    stress: FloatArray,
) -> None:
    """Write the stress whose work on dF is that of ``P`` on dF-bar, times the volume of its point.

    F^-T = s cof(F-bar) / det F-bar and J = s^-3 det F-bar.

    Args:
        F: F-bar of one cell, shape (points, 3, 3).
        P: First Piola-Kirchhoff stress, same shape, GPa.
        scale: s, shape (points,).
        weights: Reference volumes of the points, mm^3.
        share: See this module's head.
        A: Work space, shape (3, 3, points), left holding F-bar.
        cof: Work space, shape (3, 3, points).
        work: Work space, shape (points,).
        stress: Result, shape (3, 3, points), GPa mm^3.
    """
    points = work.size
    for q in range(points):
        for i in range(3):
            for j in range(3):
                A[i, j, q] = F[q, i, j]
                stress[i, j, q] = P[q, i, j]
    for i in range(3):
        a, b = (i + 1) % 3, (i + 2) % 3
        for j in range(3):
            c, d = (j + 1) % 3, (j + 2) % 3
            for q in range(points):
                cof[i, j, q] = A[a, c, q] * A[b, d, q] - A[a, d, q] * A[b, c, q]
    work[:] = 0.0
    for i in range(3):
        for j in range(3):
            for q in range(points):
                work[q] += stress[i, j, q] * A[i, j, q]
    total_work, deformed = 0.0, 0.0
    for q in range(points):
        det = A[0, 0, q] * cof[0, 0, q] + A[0, 1, q] * cof[0, 1, q] + A[0, 2, q] * cof[0, 2, q]
        deformed += weights[q] * det / (scale[q] * scale[q] * scale[q])
        total_work += weights[q] * work[q]
    ratio = total_work / deformed
    for q in range(points):
        s = scale[q]
        det = A[0, 0, q] * cof[0, 0, q] + A[0, 1, q] * cof[0, 1, q] + A[0, 2, q] * cof[0, 2, q]
        work[q] = share * (ratio / (s * s * s) - work[q] / det) / 3.0
    for i in range(3):
        for j in range(3):
            for q in range(points):
                stress[i, j, q] = scale[q] * weights[q] * (stress[i, j, q] + work[q] * cof[i, j, q])
