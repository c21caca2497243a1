"""Compressible neo-Hookean elasticity with the stored energy of the paper, eq. (29)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit

from microscale.law import ConstitutiveLaw, Moduli, State
from microscale.tensors import FloatArray, cofactor, determinant
from multiscale.laws.parameters import Density, Stress, require_numbers, require_positive


@dataclass
class NeoHooke(ConstitutiveLaw):
    """W = G/2 (tr(F^T F) / J^(2/3) - 3) + lambda_e (J - 1)^2.

    Attributes:
        shear_modulus: G, GPa.
        lambda_e: Volumetric modulus of eq. (29), GPa; the bulk modulus at rest is 2 lambda_e.
        density: Referential density, g/cm^3.
    """

    shear_modulus: Stress = 25.0
    lambda_e: Stress = 24.0
    density: Density = 10.0
    name = "neo-hooke"

    @property
    def material(self) -> str:
        """What was said of it, or magnesium where the constants are the defaults."""
        ours = replace(self, density=NeoHooke.density) == NeoHooke()
        return self._material or ("magnesium, elastic" if ours else "")

    def __post_init__(self) -> None:
        require_numbers(self)
        require_positive(self, "shear_modulus", "lambda_e", "density")

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        _piola(F, self.shear_modulus, self.lambda_e, out)

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        _elasticity(F, self.shear_modulus, self.lambda_e, out)

    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us."""
        return Moduli(self.shear_modulus, 2.0 * self.lambda_e).wave_speed(self.density)


@njit(cache=True)
def _piola(F: FloatArray, shear_modulus: float, lambda_e: float, out: FloatArray) -> None:
    cof = np.empty((3, 3))
    for point in range(F.shape[0]):
        A = F[point]
        J = determinant(A)
        cofactor(A, cof)
        isochoric = shear_modulus * J ** (-2.0 / 3.0)
        pressure_like = 2.0 * lambda_e * (J - 1.0) - isochoric * (A**2).sum() / (3.0 * J)
        for i in range(3):
            for j in range(3):
                out[point, i, j] = isochoric * A[i, j] + pressure_like * cof[i, j]


@njit(cache=True)
def _elasticity(F: FloatArray, shear_modulus: float, lambda_e: float, out: FloatArray) -> None:
    """Write the second derivative of W, with dJ = cof : dF and J dcof = cof (cof : dF) - cof dF^T cof."""
    cof = np.empty((3, 3))
    for point in range(F.shape[0]):
        A = F[point]
        J = determinant(A)
        cofactor(A, cof)
        isochoric, squares = shear_modulus * J ** (-2.0 / 3.0), (A**2).sum()
        pressure_like = 2.0 * lambda_e * (J - 1.0) - isochoric * squares / (3.0 * J)
        by_volume = 2.0 * lambda_e + isochoric * squares * 5.0 / (9.0 * J * J)
        by_shape = -2.0 / 3.0 * isochoric / J
        for i, j in np.ndindex(3, 3):
            for k, l in np.ndindex(3, 3):
                value = by_shape * (A[i, j] * cof[k, l] + cof[i, j] * A[k, l])
                value += by_volume * cof[i, j] * cof[k, l]
                value += pressure_like / J * (cof[i, j] * cof[k, l] - cof[i, l] * cof[k, j])
                out[point, i, j, k, l] = value + (isochoric if i == k and j == l else 0.0)
