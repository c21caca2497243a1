"""Cell averages of what a user wants to see, from the deformation gradient and stress at the points.

Names say the unit, after the last underscores: ``von_mises_GPa``, ``velocity_mm_per_us``, ``temperature_K``.
What has no unit has no dimension: ``e_d``, ``equivalent_plastic_strain``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numba import njit

from microscale.law import ConstitutiveLaw, State
from microscale.point_tensors import cofactor, combine, dot, load, squared_norm, times_transposed, transpose
from microscale.tensors import FloatArray

MEASURES = ("von_mises_GPa", "pressure_GPa", "e_d", "e_v")
IDENTITY = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


#: Symmetric tensors have six components, in the order of VTK: xx, yy, zz, xy, yz, xz.
SIX = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))
COMPONENTS = tuple("xyz"[i] + "xyz"[j] for i, j in SIX)


def with_unit(name: str, unit: str) -> str:
    """Return the name of a field: a quantity and its unit, such as "1/us"."""
    return name if unit == "-" else f"{name}_{unit.replace('1/', 'per_').replace('/', '_per_')}"


def cell_averages(
    F: FloatArray,
    P: FloatArray,
    weights: FloatArray,
    law: ConstitutiveLaw,
    state: State,
    extra: Sequence[str] = (),
) -> dict[str, FloatArray]:
    """Average over each cell's reference volume the paper's stress and strain measures (section 3.1).

    Args:
        F: Deformation gradient, shape (cells, points, 3, 3).
        P: First Piola-Kirchhoff stress, GPa, same shape.
        weights: Reference volume of the points, shape (cells, points), mm^3.
        law: Its fields are averaged too, under their names with units.
        state: Its state at the points.
        extra: Further fields: "stress" and "deformation-gradient".

    Returns:
        von_mises_GPa = sqrt(3/2) |dev sigma|, pressure_GPa = -tr(sigma)/3, e_d = |F^T F / J^(2/3) - I| / 2
        and e_v = J - 1, each of shape (cells,). The paper prints J^2 in e_d, which is isochoric in two
        dimensions. Of the further ones stress_GPa, the Cauchy stress, shape (cells, 6) in the order of
        :data:`SIX`, and deformation_gradient, shape (cells, 9), row by row.
    """
    measured = np.empty((len(MEASURES), weights.size))
    _measure(F.reshape(-1, 3, 3), P.reshape(-1, 3, 3), measured)
    units = law.field_units
    of_law = {with_unit(name, units.get(name, "-")): values for name, values in law.fields(state).items()}
    at_points = {**dict(zip(MEASURES, measured, strict=True)), **of_law}
    at_points |= {name: values for name, values in _further(F, P, extra)}
    share = weights / weights.sum(axis=1, keepdims=True)
    return {
        name: np.einsum("cp...,cp->c...", values.reshape(*weights.shape, *values.shape[1:]), share)
        for name, values in at_points.items()
    }


def _further(F: FloatArray, P: FloatArray, extra: Sequence[str]) -> Iterator[tuple[str, FloatArray]]:
    """Yield the further fields by name, at the points, shape (n, components)."""
    if "stress" in extra:
        yield "stress_GPa", cauchy_components(F, P).reshape(-1, len(SIX))
    if "deformation-gradient" in extra:
        yield "deformation_gradient", F.reshape(-1, 9)


def cauchy_components(F: FloatArray, P: FloatArray) -> FloatArray:
    """Return sigma = P F^T / det F, shape (..., 6) in the order of :data:`SIX`, from tensors (..., 3, 3)."""
    J = np.linalg.det(F)
    return np.stack([np.einsum("...k,...k->...", P[..., i, :], F[..., j, :]) / J for i, j in SIX], axis=-1)


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
