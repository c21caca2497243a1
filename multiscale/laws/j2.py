"""J2 plasticity with linear isotropic hardening at finite strain: the law of the copper-bar tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from microscale.law import ConstitutiveLaw, FloatArray, State
from multiscale.laws.parameters import require, require_not_negative, require_positive
from multiscale.laws.radial_return import (
    PLASTIC_STATE,
    elastic_trial,
    flow_back,
    store_piola,
    trial_stress,
)


@dataclass
class J2(ConstitutiveLaw):
    """Logarithmic elasticity tau = K ln J I + 2 G dev(ln b / 2) with the von Mises yield condition.

    The *Cauchy* von Mises stress obeys sigma_M <= yield_stress + hardening_modulus * equivalent plastic
    strain, as in impact codes. The return is closed form and unconditionally stable.

    Attributes:
        youngs_modulus: E, GPa.
        poissons_ratio: nu.
        yield_stress: Initial yield stress, GPa.
        hardening_modulus: H, GPa.
        density: Referential density, g/cm^3.

    The defaults are the copper of the standard Taylor-bar test (Zhu & Cescotto 1995; Camacho & Ortiz 1997).
    """

    youngs_modulus: float = 117.0
    poissons_ratio: float = 0.35
    yield_stress: float = 0.4
    hardening_modulus: float = 0.1
    density: float = 8.93
    name = "j2"
    state_spec = PLASTIC_STATE

    def __post_init__(self) -> None:
        require_positive(self, "youngs_modulus", "yield_stress", "density")
        require_not_negative(self, "hardening_modulus")
        require(self, "poissons_ratio", -1.0 < self.poissons_ratio < 0.5, "a number between -1 and 0.5")

    @property
    def shear_modulus(self) -> float:
        """G = E / (2 (1 + nu)), GPa."""
        return self.youngs_modulus / (2.0 * (1.0 + self.poissons_ratio))

    @property
    def bulk_modulus(self) -> float:
        """K = E / (3 (1 - 2 nu)), GPa."""
        return self.youngs_modulus / (3.0 * (1.0 - 2.0 * self.poissons_ratio))

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        moduli = (self.shear_modulus, self.bulk_modulus, self.yield_stress, self.hardening_modulus)
        _advance(F, moduli, *(state[variable.name] for variable in PLASTIC_STATE), out)

    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us."""
        return float(np.sqrt((self.bulk_modulus + 4.0 / 3.0 * self.shear_modulus) / self.density))


@njit(cache=True, error_model="numpy")
def _advance(
    F: FloatArray,
    moduli: tuple[float, float, float, float],
    plastic: FloatArray,
    plastic_strain: FloatArray,
    dissipation: FloatArray,
    out: FloatArray,
) -> None:
    G, K, yield_stress, hardening = moduli
    for point in range(F.shape[0]):
        trial = elastic_trial(F, plastic, point)
        J, stress = trial[0], trial_stress(trial, G)
        excess = stress - J * (yield_stress + hardening * plastic_strain[point])
        ratio = 1.0
        if excess > 0.0:
            flow = excess / (3.0 * G + J * hardening)
            ratio = 1.0 - 3.0 * G * flow / stress
            flow_back(trial, ratio, plastic, point)
            plastic_strain[point] += flow
            dissipation[point] += ratio * stress * flow
        store_piola(trial, G * ratio, K * np.log(J), out, point)
