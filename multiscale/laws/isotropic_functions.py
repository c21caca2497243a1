"""Functions of I + X for a symmetric X free of trace, as the coefficients of c0 I + c1 X + c2 X^2.

The coefficients depend on j2 = tr(X^2) / 2 and j3 = det X. Small X, the elastic strains of a time step:
power series reduced by Cayley-Hamilton, X^3 = j2 X + j3 I; a few multiplications, accurate to rounding.
Large X, as in a single large step: interpolation at the principal values.
"""

from __future__ import annotations

import numpy as np
from numba import njit

Coefficients = tuple[float, float, float]

SMALL = 1e-3  # largest j2 of the series: principal values of X within 0.037
TERMS = 12  # 0.037^12 / 12 is below rounding


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def log_coefficients(j2: float, j3: float) -> Coefficients:
    """Coefficients of ln(I + X)."""
    if j2 > SMALL:
        x = principal_values(j2, j3)
        return interpolate(x, (np.log1p(x[0]), np.log1p(x[1]), np.log1p(x[2])))
    c0, c1, c2 = 0.0, 0.0, 0.0
    for k in range(TERMS, 0, -1):  # Horner: c <- c X + weight; the constant term of the logarithm is zero
        weight = 1.0 / k if k % 2 == 1 else -1.0 / k
        c0, c1, c2 = j3 * c2 + weight, j2 * c2 + c0, c1
    return j3 * c2, j2 * c2 + c0, c1


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def power_coefficients(j2: float, j3: float, exponent: float) -> Coefficients:
    """Coefficients of (I + X)^exponent."""
    if j2 > SMALL:
        x = principal_values(j2, j3)
        return interpolate(x, ((1.0 + x[0]) ** exponent, (1.0 + x[1]) ** exponent, (1.0 + x[2]) ** exponent))
    c0, c1, c2 = 1.0, 0.0, 0.0
    for k in range(TERMS, 0, -1):  # 1 + (r X / 1) (1 + ((r - 1) X / 2) (1 + ...))
        weight = (exponent - k + 1.0) / k
        c0, c1, c2 = weight * j3 * c2 + 1.0, weight * (j2 * c2 + c0), weight * c1
    return c0, c1, c2


@njit(cache=True, error_model="numpy", forceinline=True)
def principal_values(j2: float, j3: float) -> Coefficients:
    """Principal values of X, descending, by the trigonometric formula.

    Meant as interpolation nodes, whose error is a product of three distances to the true values: so a
    repeated pair, which the cubic gives to half of the digits only, is kept 1e-7 of the radius apart to
    divide safely.
    """
    radius = np.sqrt(j2 / 3.0)
    cosine = min(max(0.5 * j3 / radius**3, -1.0), 1.0)
    angle = min(max(np.arccos(cosine) / 3.0, 1e-7), np.pi / 3.0 - 1e-7)
    along, across = radius * np.cos(angle), np.sqrt(3.0) * radius * np.sin(angle)
    return 2.0 * along, across - along, -along - across


@njit(cache=True, error_model="numpy", forceinline=True)
def interpolate(x: Coefficients, f: Coefficients) -> Coefficients:
    """Coefficients of the parabola through three points, from Newton's divided differences."""
    first = (f[0] - f[1]) / (x[0] - x[1])
    second = ((f[1] - f[2]) / (x[1] - x[2]) - first) / (x[2] - x[0])
    return f[0] - first * x[0] + second * x[0] * x[1], first - second * (x[0] + x[1]), second
