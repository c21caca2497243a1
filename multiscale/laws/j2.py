"""J2 plasticity with linear isotropic hardening at finite strain: the law of the copper-bar tests."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace

from microscale.law import ConstitutiveLaw, Moduli, State
from microscale.tensors import FloatArray
from multiscale.laws.parameters import (
    Density,
    Modulus,
    Ratio,
    Stress,
    StressOrZero,
    require,
    require_not_negative,
    require_numbers,
    require_positive,
)
from multiscale.laws.radial_return import PLASTIC_STATE, c_doubles, c_pointers, kernels


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

    youngs_modulus: Modulus = 117.0
    poissons_ratio: Ratio = 0.35
    yield_stress: Stress = 0.4
    hardening_modulus: StressOrZero = 0.1
    density: Density = 8.93
    name = "j2"
    state_spec = PLASTIC_STATE

    @property
    def material(self) -> str:
        """What was said of it, or copper where the constants are the defaults."""
        ours = replace(self, density=J2.density) == J2()
        return self._material or ("copper of the standard Taylor bar" if ours else "")

    def __post_init__(self) -> None:
        require_numbers(self)
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
        arrays = (F, *(state[variable.name] for variable in PLASTIC_STATE), out)
        kernels("j2").j2_update(c_doubles(moduli), ctypes.c_long(len(F)), *c_pointers(arrays))

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        moduli = (self.shear_modulus, self.bulk_modulus, self.yield_stress, self.hardening_modulus)
        arrays = (F, state["inverse_plastic_metric"], state["equivalent_plastic_strain"], out)
        kernels("j2").j2_tangent(c_doubles(moduli), ctypes.c_long(len(F)), *c_pointers(arrays))

    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us."""
        return Moduli(self.shear_modulus, self.bulk_modulus).wave_speed(self.density)
