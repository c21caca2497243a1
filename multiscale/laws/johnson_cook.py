"""Johnson-Cook viscoplasticity with adiabatic heating (Johnson & Cook 1983), as impact codes use it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from microscale.law import ConstitutiveLaw, FloatArray, State, StateVariable
from multiscale.laws.parameters import require, require_not_negative, require_positive
from multiscale.laws.radial_return import (
    PLASTIC_STATE,
    elastic_trial,
    flow_back,
    store_piola,
    trial_stress,
)

# Trial stress, 3 G, J, equivalent plastic strain, temperature, dt.
Local = tuple[float, float, float, float, float, float]
# A, B, n, C, reference rate, m, room and melting temperature, temperature rise by plastic work.
Constants = tuple[float, float, float, float, float, float, float, float, float]


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

    shear_modulus: float = 25.0
    bulk_modulus: float = 48.0
    initial_strength: float = 0.2
    hardening: float = 0.35
    hardening_exponent: float = 0.5
    rate_sensitivity: float = 0.015
    reference_rate: float = 1e-6
    softening_exponent: float = 1.5
    room_temperature: float = 293.0
    melting_temperature: float = 923.0
    heat_capacity: float = 1.77
    heated_fraction: float = 0.9
    density: float = 10.0
    name = "johnson-cook"

    def __post_init__(self) -> None:
        require_positive(
            self, "shear_modulus", "bulk_modulus", "initial_strength", "hardening_exponent", "reference_rate"
        )
        require_positive(self, "softening_exponent", "heat_capacity", "density")
        require_not_negative(self, "hardening", "rate_sensitivity", "heated_fraction", "room_temperature")
        solid = self.room_temperature < self.melting_temperature
        require(self, "melting_temperature", solid, f"more than room_temperature = {self.room_temperature}")
        self.state_spec = (
            *PLASTIC_STATE,
            StateVariable("temperature", (), "K", self.room_temperature),
            StateVariable("plastic_strain_rate", (), "1/us"),
        )

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        constants = (
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
        arrays = (state[variable.name] for variable in self.state_spec)
        _advance(F, np.atleast_1d(dt), self.shear_modulus, self.bulk_modulus, constants, *arrays, out)

    @property
    def kelvin_per_work(self) -> float:
        """Temperature rise by plastic work of one GPa (1 kJ/cm^3), K/GPa."""
        return self.heated_fraction * 1e3 / self.heat_capacity

    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us."""
        return float(np.sqrt((self.bulk_modulus + 4.0 / 3.0 * self.shear_modulus) / self.density))


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _advance(
    F: FloatArray,
    dt: FloatArray,
    G: float,
    K: float,
    constants: Constants,
    plastic: FloatArray,
    plastic_strain: FloatArray,
    dissipation: FloatArray,
    temperature: FloatArray,
    rate: FloatArray,
    out: FloatArray,
) -> None:
    kelvin_per_work = constants[-1]
    for point in range(F.shape[0]):
        trial = elastic_trial(F, plastic, point)
        J, stress = trial[0], trial_stress(trial, G)
        step = dt[point] if dt.size > 1 else dt[0]
        local = (stress, 3.0 * G, J, plastic_strain[point], temperature[point], step)
        flow = plastic_flow(local, rate[point] * step, constants)
        rate[point] = flow / step if step > 0.0 else rate[point]
        ratio = 1.0
        if flow > 0.0:
            ratio = 1.0 - 3.0 * G * flow / stress
            flow_back(trial, ratio, plastic, point)
            plastic_strain[point] += flow
            dissipation[point] += ratio * stress * flow
            temperature[point] += kelvin_per_work * ratio * stress * flow
        store_piola(trial, G * ratio, K * J * (J - 1.0), out, point)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def plastic_flow(local: Local, guess: float, constants: Constants) -> float:
    """Equivalent plastic strain of a step: the root of trial - stiffness flow = J flow_stress(flow), or zero.

    Newton's iteration, kept inside a bracket by bisection: the left side falls from the trial stress to zero
    on [0, trial / stiffness], where the flow stress is never negative. It starts from the flow at the rate of
    the last step, and ends where the next change would be of the order of 1e-12 (quadratic convergence).
    Whether there is a root, that is plastic flow, is asked only where the iteration leaves the bracket at
    zero: powers are most of the cost.
    """
    trial, stiffness, J, strain, temperature, dt = local
    if dt == 0.0 and constants[3] > 0.0:
        return 0.0
    low, high, flow = 0.0, trial / stiffness, guess
    if not 0.0 < guess < high:
        flow = high - J * static_strength(strain, temperature, constants) / stiffness
        if flow <= 0.0:
            return 0.0
    for _ in range(100):
        strength, slope = flow_stress(flow, local, constants)
        excess = trial - stiffness * flow - J * strength
        if excess > 0.0:
            low = flow
        else:
            high = flow
        change = excess / (stiffness + J * slope)
        if low < flow + change <= high:
            flow += change
            if abs(change) <= 1e-6 * min(flow, strength / stiffness):
                break
        elif low == 0.0 and trial <= J * static_strength(strain, temperature, constants):
            return 0.0
        else:
            flow = 0.5 * (low + high)
            if high - low <= 1e-15 * high:
                break
    return flow


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def static_strength(strain: float, temperature: float, constants: Constants) -> float:
    """Flow stress at and below the reference rate, GPa."""
    A, B, n, _, _, m, room, melt, _ = constants
    return (A + B * strain**n) * (1.0 - min(max((temperature - room) / (melt - room), 0.0), 1.0) ** m)


@njit(cache=True, error_model="numpy", fastmath={"contract"}, forceinline=True)
def flow_stress(flow: float, local: Local, constants: Constants) -> tuple[float, float]:
    """Flow stress after a plastic strain increment ``flow``, GPa, and its derivative by it."""
    trial, stiffness, _, strain, temperature, dt = local
    A, B, n, C, reference_rate, m, room, melt, kelvin_per_work = constants
    power = B * (strain + flow) ** n
    rate, rate_slope = 1.0, 0.0
    if flow > dt * reference_rate and C > 0.0:
        rate, rate_slope = 1.0 + C * np.log(flow / (dt * reference_rate)), C / flow
    heated = temperature + kelvin_per_work * (trial - stiffness * flow) * flow
    homologous = min(max((heated - room) / (melt - room), 0.0), 1.0)
    softening, softening_slope = 1.0, 0.0
    if homologous > 0.0:
        soft = homologous**m
        heating = kelvin_per_work * (trial - 2.0 * stiffness * flow)
        softening, softening_slope = 1.0 - soft, -m * soft / homologous * heating / (melt - room)
    hardening_slope = power * n / (strain + flow)
    slope = hardening_slope * rate * softening + (A + power) * (
        rate_slope * softening + rate * softening_slope
    )
    return (A + power) * rate * softening, slope
