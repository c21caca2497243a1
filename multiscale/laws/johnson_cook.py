"""Johnson-Cook viscoplasticity with adiabatic heating (Johnson & Cook 1983), as impact codes use it."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, replace

import numpy as np

from microscale.law import ConstitutiveLaw, Moduli, State, StateVariable
from microscale.tensors import FloatArray
from multiscale.laws.parameters import (
    Density,
    HeatCapacity,
    Modulus,
    PositiveRatio,
    Rate,
    RatioOrZero,
    Stress,
    StressOrZero,
    Temperature,
    require,
    require_not_negative,
    require_numbers,
    require_positive,
)
from multiscale.laws.radial_return import PLASTIC_STATE, c_doubles, c_pointers, kernels

THERMAL = ("softening_exponent", "room_temperature", "melting_temperature", "heat_capacity")
"""Constants without effect where no plastic work becomes heat."""


@dataclass
class JohnsonCook(ConstitutiveLaw):
    """Flow stress (A + B e^n) (1 + C ln(rate / reference_rate)) (1 - T*^m) on the Cauchy von Mises stress.

    T* = (T - T_room) / (T_melt - T_room), kept within 0 and 1; the rate factor is one below the reference
    rate. The deviatoric stress is that of J2 (logarithmic elasticity, radial return), with the local equation
    solved implicitly for flow, rate and temperature together; the pressure is the paper's, p = -K (J - 1), so
    that it agrees with the magnesium polycrystal's (K = 2 lambda_e, eq. 29). With C > 0 an instantaneous step
    is elastic: the flow stress grows without bound with the rate.

    Attributes:
        shear_modulus: G, GPa.
        bulk_modulus: K, GPa.
        initial_strength: A, GPa.
        hardening: B, GPa.
        hardening_exponent: n.
        rate_sensitivity: C.
        reference_rate: 1/us.
        softening_exponent: m.
        room_temperature: T_room, also the initial temperature, K.
        melting_temperature: T_melt, K.
        heat_capacity: Density times specific heat, J/(cm^3 K).
        heated_fraction: Taylor-Quinney factor, the part of the plastic work that becomes heat.
        density: Referential density, g/cm^3.

    Defaults: elasticity and density of the paper's magnesium; melting temperature and heat capacity of
    magnesium (923 K; 1.738 g/cm^3 x 1.02 J/(g K)). The strength constants are an assumption of the order of
    published fits to AZ31 sheet, to be replaced by a fit to the polycrystal or to tests.
    """

    shear_modulus: Modulus = 25.0
    bulk_modulus: Modulus = 48.0
    initial_strength: Stress = 0.2
    hardening: StressOrZero = 0.35
    hardening_exponent: PositiveRatio = 0.5
    rate_sensitivity: RatioOrZero = 0.015
    reference_rate: Rate = 1e-6
    softening_exponent: PositiveRatio = 1.5
    room_temperature: Temperature = 293.0
    melting_temperature: Temperature = 923.0
    heat_capacity: HeatCapacity = 1.77
    heated_fraction: RatioOrZero = 0.9
    density: Density = 10.0
    name = "johnson-cook"

    @property
    def material(self) -> str:
        """What was said of it, or magnesium where the constants are the defaults."""
        ours = replace(self, density=JohnsonCook.density) == JohnsonCook()
        return self._material or ("magnesium, assumed constants" if ours else "")

    def __post_init__(self) -> None:
        require_numbers(self)
        require_positive(
            self, "shear_modulus", "bulk_modulus", "initial_strength", "hardening_exponent", "reference_rate"
        )
        require_positive(self, "softening_exponent", "heat_capacity", "density")
        require_not_negative(self, "hardening", "rate_sensitivity", "heated_fraction", "room_temperature")
        require_not_negative(self, "melting_temperature")
        solid = self.room_temperature < self.melting_temperature
        require(self, "melting_temperature", solid, f"more than room_temperature = {self.room_temperature}")
        self.state_spec = (
            *PLASTIC_STATE,
            StateVariable("temperature", (), "K", self.room_temperature),
            StateVariable("plastic_strain_rate", (), "1/us"),
        )

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.ascontiguousarray(dt, dtype=float)
        before, after = c_pointers((F, steps)), (*(state[variable.name] for variable in self.state_spec), out)
        kernels("johnson_cook").johnson_cook_update(
            self.constants, ctypes.c_long(len(F)), *before, ctypes.c_long(steps.size > 1), *c_pointers(after)
        )

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.ascontiguousarray(dt, dtype=float)
        read = (state[variable.name] for variable in self.state_spec if variable.name != "dissipation")
        before, after = c_pointers((F, steps)), (*read, out)
        kernels("johnson_cook").johnson_cook_tangent(
            self.constants, ctypes.c_long(len(F)), *before, ctypes.c_long(steps.size > 1), *c_pointers(after)
        )

    @property
    def constants(self) -> ctypes.Array[ctypes.c_double]:
        """The struct ``JohnsonCook`` of johnson_cook.c."""
        return c_doubles(
            (
                self.shear_modulus,
                self.bulk_modulus,
                self.initial_strength,
                self.hardening,
                self.hardening_exponent,
                self.rate_sensitivity,
                self.reference_rate,
                self.softening_exponent,
                self.room_temperature,
                self.melting_temperature,
                self.kelvin_per_work,
            )
        )

    @property
    def kelvin_per_work(self) -> float:
        """Temperature rise by plastic work of one GPa (1 kJ/cm^3), K/GPa."""
        return self.heated_fraction * 1e3 / self.heat_capacity

    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us."""
        return Moduli(self.shear_modulus, self.bulk_modulus).wave_speed(self.density)
