"""Isotropic finite-strain plasticity in the logarithmic strain: the mechanism J2 and Johnson-Cook share.

F = F_e F_p with the elastic left Cauchy-Green tensor b = F_e F_e^T = F Cp^-1 F^T and the Kirchhoff stress
dev tau = 2 G dev(ln b / 2). Plastic flow by the exponential map keeps the principal directions of the trial
b, so the return is radial in logarithmic strain, as at small strain (Weber & Anand 1990; Simo 1992). Only
the inverse plastic right Cauchy-Green tensor Cp^-1 is carried: a tensor of the reference configuration,
untouched by superposed rotations, which makes the law exactly frame indifferent, and with det Cp = 1.

With b = mean (I + X), X free of trace, an isotropic function of b is c0 I + c1 X + c2 X^2 with coefficients
that depend on X by j2 = tr(X^2) / 2 and j3 = det X only (Cayley-Hamilton): no eigenvectors, no trouble with
repeated principal values, and small strains keep their digits. See isotropic_functions.py.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from microscale.law import FloatArray, StateVariable
from microscale.point_tensors import (
    Tensor,
    cofactor,
    congruence,
    dot,
    load,
    store,
    times_transposed,
    transpose,
)
from multiscale.laws.isotropic_functions import Coefficients, log_coefficients, power_coefficients

Trial = tuple[float, Tensor, Tensor, Tensor, float, float, Coefficients]

PLASTIC_STATE = (
    StateVariable("inverse_plastic_metric", (3, 3), "-", np.eye(3)),
    StateVariable("equivalent_plastic_strain", (), "-"),
    StateVariable("dissipation", (), "GPa"),
)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def elastic_trial(F: FloatArray, plastic: FloatArray, point: int) -> Trial:
    """Freeze plastic flow at one point.

    Returns:
        J = det F; the cofactor matrix of F; X and X^2; j2 and j3 of X; coefficients of ln(I + X).
    """
    A = load(F, point)
    cof = cofactor(A)
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = congruence(A, load(plastic, point))
    mean = (xx + yy + zz) / 3.0
    inverse = 1.0 / mean
    xx, yy, xy, xz, yz = (
        inverse * (xx - mean),
        inverse * (yy - mean),
        inverse * xy,
        inverse * xz,
        inverse * yz,
    )
    X = (xx, xy, xz), (xy, yy, yz), (xz, yz, -xx - yy)  # free of trace to the last of its own digits
    square = times_transposed(X, X)
    j2 = 0.5 * (square[0][0] + square[1][1] + square[2][2])
    j3 = dot(X[0], cofactor(X)[0])
    return dot(A[0], cof[0]), cof, X, square, j2, j3, log_coefficients(j2, j3)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def trial_stress(trial: Trial, shear_modulus: float) -> float:
    """Kirchhoff von Mises stress of a trial, GPa: sqrt(6) G |dev ln(I + X) / 2|."""
    _, _, _, _, j2, j3, (_, c1, c2) = trial
    return shear_modulus * np.sqrt(1.5 * (2.0 * c1 * c1 * j2 + 6.0 * c1 * c2 * j3 + c2 * c2 * j2 * j2 / 1.5))


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def flow_back(trial: Trial, ratio: float, plastic: FloatArray, point: int) -> None:
    """Scale the deviatoric elastic strains of a trial by ``ratio`` < 1: write Cp^-1 = F^-1 b F^-T.

    b is proportional to (I + X)^ratio, and det b = J^2.
    """
    J, cof, X, square, j2, j3, (log0, _, log2) = trial
    elastic = combination(power_coefficients(j2, j3, ratio), X, square)
    log_det = 3.0 * log0 + 2.0 * log2 * j2
    scale = np.exp((2.0 * np.log(J) - ratio * log_det) / 3.0)
    store(congruence(transpose(cof), elastic), scale / (J * J), plastic, point)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def store_piola(trial: Trial, modulus: float, mean: float, out: FloatArray, point: int) -> None:
    """Write P = tau F^-T of the Kirchhoff stress tau = modulus dev ln(I + X) + mean I, GPa."""
    J, cof, X, square, j2, _, (_, c1, c2) = trial
    c0 = mean - modulus * c2 * j2 / 1.5
    tau = combination((c0, modulus * c1, modulus * c2), X, square)
    store(times_transposed(tau, transpose(cof)), 1.0 / J, out, point)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def combination(c: Coefficients, X: Tensor, square: Tensor) -> Tensor:
    """Return c0 I + c1 X + c2 X^2, symmetric to the last digit."""
    xy = c[1] * X[0][1] + c[2] * square[0][1]
    xz = c[1] * X[0][2] + c[2] * square[0][2]
    yz = c[1] * X[1][2] + c[2] * square[1][2]
    return (
        (c[0] + c[1] * X[0][0] + c[2] * square[0][0], xy, xz),
        (xy, c[0] + c[1] * X[1][1] + c[2] * square[1][1], yz),
        (xz, yz, c[0] + c[1] * X[2][2] + c[2] * square[2][2]),
    )
