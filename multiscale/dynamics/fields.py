"""Cell averages of what a user wants to see, from the deformation gradient and stress at the points."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microscale.law import ConstitutiveLaw, State
from microscale.point_tensors import cofactor, combine, dot, load, squared_norm, times_transposed, transpose

FloatArray = NDArray[np.float64]

MEASURES = ("von_mises_GPa", "pressure_GPa", "e_d", "e_v")
IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def cell_averages(
    F: FloatArray, P: FloatArray, weights: FloatArray, law: ConstitutiveLaw, state: State
) -> dict[str, FloatArray]:
    """Average over each cell's reference volume the paper's stress and strain measures (section 3.1).

    Args:
        F: Deformation gradient, shape (cells, points, 3, 3).
        P: First Piola-Kirchhoff stress, GPa, same shape.
        weights: Reference volume of the points, shape (cells, points), mm^3.
        law: Its fields are averaged too, under their names.
        state: Its state at the points.

    Returns:
        von_mises_GPa = sqrt(3/2) |dev sigma|, pressure_GPa = -tr(sigma)/3, e_d = |F^T F / J^(2/3) - I| / 2
        and e_v = J - 1, each of shape (cells,). The paper prints J^2 in e_d, which is isochoric in two
        dimensions.
    """
    measured = np.empty((len(MEASURES), weights.size))
    _measure(F.reshape(-1, 3, 3), P.reshape(-1, 3, 3), measured)
    at_points = {**dict(zip(MEASURES, measured, strict=True)), **law.fields(state)}
    share = weights / weights.sum(axis=1, keepdims=True)
    return {
        name: np.einsum("cp,cp->c", values.reshape(weights.shape), share)
        for name, values in at_points.items()
    }


@njit(cache=True)
def _measure(F: FloatArray, P: FloatArray, out: FloatArray) -> None:
    """Write the measures of every point into ``out``, shape (measures, n)."""
    for point in range(F.shape[0]):
        A = load(F, point)
        J = dot(A[0], cofactor(A)[0])
        sigma = times_transposed(load(P, point), A)  # times J
        mean = (sigma[0][0] + sigma[1][1] + sigma[2][2]) / 3.0
        out[0, point] = np.sqrt(1.5 * squared_norm(combine(1.0, sigma, -mean, IDENTITY))) / J
        out[1, point] = -mean / J
        At = transpose(A)
        stretch = combine(np.cbrt(J) ** -2, times_transposed(At, At), -1.0, IDENTITY)
        out[2, point] = 0.5 * np.sqrt(squared_norm(stretch))
        out[3, point] = J - 1.0
