"""Cell averages of what a user wants to see, from the deformation gradient and stress at the points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microscale.law import ConstitutiveLaw, State
from microscale.tensors import cauchy_from_piola, von_mises

FloatArray = NDArray[np.float64]


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
    J = np.linalg.det(F)
    sigma = cauchy_from_piola(P, F)
    stretch = np.swapaxes(F, -1, -2) @ F / np.cbrt(J)[..., None, None] ** 2
    at_points = {
        "von_mises_GPa": von_mises(sigma),
        "pressure_GPa": -np.trace(sigma, axis1=-2, axis2=-1) / 3.0,
        "e_d": 0.5 * np.linalg.norm(stretch - np.eye(3), axis=(-2, -1)),
        "e_v": J - 1.0,
    }
    for name, values in law.fields(state).items():
        at_points[name] = values.reshape(weights.shape)
    share = weights / weights.sum(axis=1, keepdims=True)
    return {name: np.sum(values * share, axis=1) for name, values in at_points.items()}
