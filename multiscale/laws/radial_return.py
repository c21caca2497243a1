"""Isotropic finite-strain plasticity in the logarithmic strain: the mechanism J2 and Johnson-Cook share.

F = F_e F_p with the elastic left Cauchy-Green tensor b = F_e F_e^T = F Cp^-1 F^T and the Kirchhoff stress
dev tau = 2 G dev(ln b / 2). Plastic flow by the exponential map keeps the principal directions of the trial
b, so the return is radial in logarithmic strain, as at small strain (Weber & Anand 1990; Simo 1992). Only
the inverse plastic right Cauchy-Green tensor Cp^-1 is carried: a tensor of the reference configuration,
untouched by superposed rotations, which makes the law exactly frame indifferent, and with det Cp = 1.

Isotropic functions of b are its interpolation polynomials at the principal values, in Newton form: no
eigenvectors, and no special case for repeated values. They are written in the deviator of b, whose size is
that of the elastic strain, so that small strains keep their digits. All functions here are compiled for one
point, to be called from the loops of the laws; the caller brings the work space.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from microscale.law import FloatArray, StateVariable
from microscale.tensors import cofactor, determinant

Triple = tuple[float, float, float]

PLASTIC_STATE = (
    StateVariable("inverse_plastic_metric", (3, 3), "1", np.eye(3)),
    StateVariable("equivalent_plastic_strain", (), "1"),
    StateVariable("dissipation", (), "GPa"),
)


@njit(cache=True, error_model="numpy")
def elastic_trial(F: FloatArray, plastic: FloatArray, deviator: FloatArray) -> tuple[float, Triple, Triple]:
    """Freeze plastic flow: write the deviator of b = J^(-2/3) F Cp^-1 F^T, shape (3, 3).

    Returns:
        det F; the principal values of the deviator; the principal deviatoric logarithmic strains.
    """
    J = determinant(F)
    isochoric = J ** (-2.0 / 3.0)
    for i in range(3):
        row = (
            isochoric * (F[i, 0] * plastic[0, 0] + F[i, 1] * plastic[1, 0] + F[i, 2] * plastic[2, 0]),
            isochoric * (F[i, 0] * plastic[0, 1] + F[i, 1] * plastic[1, 1] + F[i, 2] * plastic[2, 1]),
            isochoric * (F[i, 0] * plastic[0, 2] + F[i, 1] * plastic[1, 2] + F[i, 2] * plastic[2, 2]),
        )
        for j in range(i + 1):
            deviator[i, j] = deviator[j, i] = row[0] * F[j, 0] + row[1] * F[j, 1] + row[2] * F[j, 2]
    mean = (deviator[0, 0] + deviator[1, 1] + deviator[2, 2]) / 3.0
    for i in range(3):
        deviator[i, i] -= mean
    values = principal_values(deviator)
    e1, e2, e3 = (
        0.5 * np.log(mean + values[0]),
        0.5 * np.log(mean + values[1]),
        0.5 * np.log(mean + values[2]),
    )
    rounding = (e1 + e2 + e3) / 3.0  # ln(det b) / 6, zero in exact arithmetic
    return J, values, (e1 - rounding, e2 - rounding, e3 - rounding)


@njit(cache=True, error_model="numpy")
def principal_values(deviator: FloatArray) -> Triple:
    """Principal values of a deviator (3, 3), descending, by the trigonometric formula.

    Meant as interpolation nodes, whose error is a product of three distances to the true values: so a
    repeated pair, which the cubic gives to half of the digits only, is kept 1e-7 of the radius apart to
    divide safely.
    """
    x, y, z = deviator[0, 0], deviator[1, 1], deviator[2, 2]
    r, s, t = deviator[1, 2], deviator[0, 2], deviator[0, 1]
    radius = np.sqrt((x * x + y * y + z * z + 2.0 * (r * r + s * s + t * t)) / 6.0)
    if radius < 1e-20:  # the cube below would underflow
        return 0.0, 0.0, 0.0
    third_invariant = x * (y * z - r * r) - t * (t * z - r * s) + s * (t * r - y * s)
    cosine = min(max(0.5 * third_invariant / radius**3, -1.0), 1.0)
    angle = min(max(np.arccos(cosine) / 3.0, 1e-7), np.pi / 3.0 - 1e-7)
    along, across = radius * np.cos(angle), np.sqrt(3.0) * radius * np.sin(angle)
    return 2.0 * along, across - along, -along - across


@njit(cache=True, error_model="numpy")
def isotropic_function(A: FloatArray, x: Triple, f: Triple, out: FloatArray) -> None:
    """Write the tensor that has the principal directions of ``A`` and f where A has the principal value x."""
    slope = divided_difference(x[0], x[1], f[0], f[1])
    curvature = divided_difference(x[0], x[2], slope, divided_difference(x[1], x[2], f[1], f[2]))
    for i in range(3):
        for j in range(i + 1):
            square = A[i, 0] * A[0, j] + A[i, 1] * A[1, j] + A[i, 2] * A[2, j]
            out[i, j] = (slope - curvature * (x[0] + x[1])) * A[i, j] + curvature * square
        out[i, i] += f[0] - slope * x[0] + curvature * x[0] * x[1]
    out[0, 1], out[0, 2], out[1, 2] = out[1, 0], out[2, 0], out[2, 1]


@njit(cache=True, error_model="numpy")
def divided_difference(x: float, y: float, f: float, g: float) -> float:
    """(f - g) / (x - y); zero where x = y, which happens only where A vanishes."""
    return (f - g) / (x - y) if x != y else 0.0


@njit(cache=True, error_model="numpy")
def store_plastic(F: FloatArray, J: float, b: FloatArray, work: FloatArray, plastic: FloatArray) -> None:
    """Write Cp^-1 = J^(2/3) F^-1 b F^-T of the isochoric elastic tensor ``b`` into ``plastic``."""
    cofactor(F, work)
    factor = J ** (-4.0 / 3.0)
    for i in range(3):
        row = (
            factor * (work[0, i] * b[0, 0] + work[1, i] * b[1, 0] + work[2, i] * b[2, 0]),
            factor * (work[0, i] * b[0, 1] + work[1, i] * b[1, 1] + work[2, i] * b[2, 1]),
            factor * (work[0, i] * b[0, 2] + work[1, i] * b[1, 2] + work[2, i] * b[2, 2]),
        )
        for j in range(i + 1):
            plastic[i, j] = plastic[j, i] = row[0] * work[0, j] + row[1] * work[1, j] + row[2] * work[2, j]


@njit(cache=True, error_model="numpy")
def store_piola(F: FloatArray, J: float, kirchhoff: FloatArray, work: FloatArray, piola: FloatArray) -> None:
    """Write P = tau F^-T of a symmetric Kirchhoff stress, all (3, 3), GPa."""
    cofactor(F, work)
    for i in range(3):
        for j in range(3):
            dot = kirchhoff[i, 0] * work[0, j] + kirchhoff[i, 1] * work[1, j] + kirchhoff[i, 2] * work[2, j]
            piola[i, j] = dot / J
