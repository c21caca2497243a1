"""Shock viscosity: a pressure against fast compression that spreads shocks over a few elements.

    q = rho_0 / J  l |tr D| (linear c + quadratic^2 l |tr D|)   where tr D < 0, else 0

(von Neumann and Richtmyer 1950; the linear term after Landshoff 1955), with the element's smallest
thickness l. It adds -q J F^-T to the first Piola-Kirchhoff stress, hence appears in the reported pressure.
Its work is dissipation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from microscale.errors import InputError
from microscale.inputs.numbers import check_fields
from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray, cofactor, determinant
from multiscale.dynamics.elements.interface import Element
from multiscale.dynamics.elements.natural_coordinates import REORDER


@dataclass(frozen=True)
class BulkViscosity:
    """Coefficients of the shock viscosity; the defaults are those common in impact codes.

    Attributes:
        linear: Coefficient of the linear term, which also is the damping ratio of the stiffest mode.
        quadratic: Coefficient of the quadratic term.
    """

    linear: float = 0.06
    quadratic: float = 1.2

    def __post_init__(self) -> None:
        check_fields(self)
        for name, value in (("linear", self.linear), ("quadratic", self.quadratic)):
            if not (np.isfinite(value) and value >= 0.0):
                raise InputError(f"{name} bulk viscosity = {value}, expected a number not below 0")


class ViscousPressure:
    """The shock viscosity of one rank's points.

    Attributes:
        damping: Present damping ratio of each cell's stiffest mode, shape (cells,).
        dissipated: Energy dissipated so far, J.
    """

    def __init__(self, coefficients: BulkViscosity, law: ConstitutiveLaw, element: Element) -> None:
        """Start at rest."""
        thickness = 2.0 / np.sqrt(np.linalg.eigvalsh(element.metric)[:, -1])
        self._linear = coefficients.linear
        self._quadratic = coefficients.quadratic**2 * thickness / law.wave_speed()
        self._impedance = law.density * law.wave_speed() * thickness
        self._weights = element.weights
        self.J = np.ones_like(element.weights)
        self.damping = np.full(len(thickness), coefficients.linear)
        self.dissipated = 0.0

    def add(self, F: FloatArray, P: FloatArray, dt: float, first: int, last: int) -> None:
        """Add the viscous stress of the cells [first, last) to ``P``, shape (cells, points, 3, 3)."""
        if dt > 0.0:
            self.dissipated += _add(
                F, P, self.J, self._weights, self.damping, self._linear, self._quadratic, self._impedance, dt,
                first, last,
            )  # fmt: skip


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _add(
    F: FloatArray,
    P: FloatArray,
    J_old: FloatArray,
    weights: FloatArray,
    damping: FloatArray,
    linear: float,
    quadratic: FloatArray,
    impedance: FloatArray,
    dt: float,
    first: int,
    last: int,
) -> float:
    cof = np.empty((3, 3))
    dissipated = 0.0
    for cell in range(first, last):
        damping[cell] = linear
        for q in range(F.shape[1]):
            J = determinant(F[cell, q])
            drop = J_old[cell, q] - J
            J_old[cell, q] = J
            if drop <= 0.0:
                continue
            rate = drop / (J * dt)
            ratio = linear + quadratic[cell] * rate
            pressure = impedance[cell] / J * rate * ratio
            damping[cell] = max(damping[cell], ratio)
            dissipated += pressure * drop * weights[cell, q]
            cofactor(F[cell, q], cof)
            for i in range(3):
                for j in range(3):
                    P[cell, q, i, j] -= pressure * cof[i, j]
    return dissipated
