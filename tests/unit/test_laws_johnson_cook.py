"""Johnson-Cook against an independent stiff integration, its closed limits, and hostile local problems."""

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from microscale import drive
from microscale.tensors import deviator, von_mises
from multiscale.laws import make_law
from multiscale.laws.johnson_cook import JohnsonCook
from multiscale.laws.radial_return import c_doubles, kernels

LAW = JohnsonCook()
G, K = LAW.shear_modulus, LAW.bulk_modulus


def static_strength(law: JohnsonCook, e, temperature):
    homologous = (temperature - law.room_temperature) / (law.melting_temperature - law.room_temperature)
    hardening = law.initial_strength + law.hardening * e**law.hardening_exponent
    return hardening * (1.0 - np.clip(homologous, 0.0, 1.0) ** law.softening_exponent)


def stretches(stress, plastic_strain) -> np.ndarray:
    """F (samples, 3, 3) of uniaxial stress: sigma = 3 K (J - 1), J sigma = 3 G deviatoric elastic strain."""
    J = 1.0 + stress / (3.0 * K)
    deviatoric = stress * J / (3.0 * G) + plastic_strain
    axial, lateral = np.log(J) / 3.0 + deviatoric, np.log(J) / 3.0 - 0.5 * deviatoric
    F = np.zeros((len(stress), 3, 3))
    F[:, 0, 0], F[:, 1, 1], F[:, 2, 2] = np.exp(axial), np.exp(lateral), np.exp(lateral)
    return F


def uniaxial_test(law: JohnsonCook, strain_rate: float, times: np.ndarray) -> tuple[np.ndarray, ...]:
    """Integrate a test of constant deviatoric strain rate; return stress, plastic strain and temperature.

    The flow rule is solved for the rate, reference_rate exp((sigma / static strength - 1) / C), a stiff
    equation that shares nothing with the return map.
    """

    def stress(t: float, e: float) -> float:
        elastic = max(strain_rate * t - e, 0.0)  # and sigma (1 + sigma / (3 K)) = 3 G elastic
        return 1.5 * K * (np.sqrt(1.0 + 4.0 * G / K * elastic) - 1.0)

    def derivative(t: float, y: np.ndarray) -> list[float]:
        e, temperature = max(y[0], 0.0), y[1]
        sigma = stress(t, y[0])
        # Trials of the solver may be anywhere, beyond melting and at any rate.
        overstress = sigma / max(static_strength(law, e, temperature), 1e-3) - 1.0
        exponent = min(overstress / law.rate_sensitivity, 40.0)
        rate = law.reference_rate * np.exp(exponent) if overstress > 0.0 else 0.0
        # Work of the Kirchhoff stress: plastic strain is a strain of the reference volume here.
        heating = law.heated_fraction * 1e3 / law.heat_capacity * sigma * (1.0 + sigma / (3.0 * K)) * rate
        return [rate, heating]

    start = [0.0, law.room_temperature]
    solution = solve_ivp(derivative, (0.0, times[-1]), start, "LSODA", times, rtol=1e-9, atol=1e-12)
    e, temperature = solution.y
    return np.array([stress(t, p) for t, p in zip(times, e, strict=True)]), e, temperature


@pytest.mark.parametrize("strain_rate", [1e-3, 1.0])
def test_converges_to_an_independent_integration_with_heating_and_rate(strain_rate):
    errors = []
    for samples in (61, 121, 241):
        flowing = slice(samples // 6, None)
        times = np.linspace(0.0, 0.4 / strain_rate, samples)
        stress, e, temperature = uniaxial_test(LAW, strain_rate, times)
        F = stretches(stress, e)
        sigma = drive(LAW, F[None], times)[0]
        state, P = LAW.init_state(1), np.empty((1, 3, 3))
        for k, F_k in enumerate(F):
            LAW.update(F_k[None].copy(), times[1] if k else 0.0, state, P)
        errors.append(
            [
                np.abs(sigma[flowing, 0, 0] - stress[flowing]).max() / stress.max(),
                np.abs(sigma[flowing, 1:, 1:]).max() / stress.max(),
                abs(state["equivalent_plastic_strain"][0] - e[-1]),
                abs(state["temperature"][0] - temperature[-1]) / (temperature[-1] - LAW.room_temperature),
            ]
        )
    assert temperature[-1] > LAW.room_temperature + 40.0
    assert np.all(np.array(errors[-1]) < 2e-3)
    assert np.all(np.array(errors[-1]) < 0.6 * np.array(errors[-2]))


def test_without_rate_and_heat_hardening_is_exact_in_any_number_of_steps():
    law = JohnsonCook(rate_sensitivity=0.0, heated_fraction=0.0)
    e = np.array([0.0, 0.5, 0.9])
    stress = static_strength(law, e, law.room_temperature)
    sigma = drive(law, stretches(stress, e)[None], np.arange(3.0))[0]
    expected = np.zeros_like(sigma)
    expected[:, 0, 0] = stress
    np.testing.assert_allclose(sigma, expected, atol=1e-11)


def test_agrees_with_j2_where_they_are_the_same_law():
    options = {"initial_strength": 0.3, "hardening": 0.2, "hardening_exponent": 1.0, "rate_sensitivity": 0.0}
    cook = make_law("johnson-cook", heated_fraction=0.0, **options)
    E, nu = 9.0 * K * G / (3.0 * K + G), (3.0 * K - 2.0 * G) / (6.0 * K + 2.0 * G)
    j2 = make_law("j2", youngs_modulus=E, poissons_ratio=nu, yield_stress=0.3, hardening_modulus=0.2)
    A = 0.2 * np.random.default_rng(0).standard_normal((5, 1, 3, 3))
    t = np.linspace(0.0, 1.0, 30)
    F = np.eye(3) + A * np.sin(4.0 * t)[:, None, None]
    np.testing.assert_allclose(deviator(drive(cook, F, t)), deviator(drive(j2, F, t)), atol=1e-11)


def test_stress_grows_with_the_logarithm_of_the_rate():
    """Without heating the flow stress at a steady rate is (A + B e^n) (1 + C ln(rate / reference_rate))."""
    law = JohnsonCook(heated_fraction=0.0, rate_sensitivity=0.02)
    shear = np.zeros((3, 3))
    shear[0, 1] = 1.0
    F = np.eye(3) + np.linspace(0.0, 0.5, 2001)[:, None, None] * shear
    for duration in (0.5, 5.0, 5e7):
        state, P = law.init_state(1), np.empty((1, 3, 3))
        for k, F_k in enumerate(F):
            law.update(F_k[None].copy(), duration / 2000 if k else 0.0, state, P)
        e, rate = state["equivalent_plastic_strain"][0], state["plastic_strain_rate"][0]
        assert rate == pytest.approx(0.5 / np.sqrt(3.0) / duration, rel=0.06)
        factor = 1.0 + law.rate_sensitivity * np.log(max(rate / law.reference_rate, 1.0))
        expected = static_strength(law, e, law.room_temperature) * factor
        assert von_mises(P[0] @ F[-1].T) == pytest.approx(expected, rel=1e-9)


def test_heat_is_the_stated_fraction_of_the_work():
    F = np.eye(3) + 0.2 * np.random.default_rng(0).standard_normal((4, 3, 3))
    state, P = LAW.init_state(4), np.empty((4, 3, 3))
    for s in np.linspace(0.0, 1.0, 50):
        LAW.update(np.eye(3) + s * (F - np.eye(3)), 0.01, state, P)
    joule = state["dissipation"] * 1e3 * LAW.heated_fraction  # J/cm^3 from kJ/cm^3 = GPa
    np.testing.assert_allclose(LAW.heat_capacity * (state["temperature"] - 293.0), joule, rtol=1e-10)


def test_melting_takes_all_strength_and_no_digits():
    law = JohnsonCook(heat_capacity=0.02)
    shear = np.zeros((3, 3))
    shear[0, 1] = 1.0
    F = np.eye(3) + np.linspace(0.0, 2.0, 101)[:, None, None] * shear
    sigma = drive(law, F[None], np.linspace(0.0, 1.0, 101))[0]
    assert np.all(np.isfinite(sigma))
    assert von_mises(sigma).max() > 0.2
    assert von_mises(sigma)[-1] < 0.01


def test_an_instantaneous_step_is_elastic_where_the_rate_counts():
    F = np.diag([1.02, 0.99, 0.99])
    for C, overstress in ((0.015, True), (0.0, False)):
        law = JohnsonCook(rate_sensitivity=C)
        sigma = drive(law, F[None, None], np.zeros(1))[0, 0]
        assert (von_mises(sigma) > 1.0) == overstress


@given(
    trial=st.floats(1e-6, 10.0),
    strain=st.one_of(st.just(0.0), st.floats(0.0, 10.0)),
    temperature=st.floats(293.0, 2000.0),
    dt=st.one_of(st.just(0.0), st.floats(1e-12, 1e12)),
    guess=st.one_of(st.just(0.0), st.floats(0.0, 10.0)),
    A=st.sampled_from([0.2, 1e-7]),  # fits to a polycrystal that slips at any stress have next to none
    n=st.floats(0.05, 1.0),
    C=st.one_of(st.just(0.0), st.floats(1e-4, 0.5)),
    m=st.floats(0.3, 4.0),
    kelvin_per_work=st.one_of(st.just(0.0), st.floats(1.0, 1e3)),
)
def test_local_problem_is_solved_whatever_it_is(
    trial, strain, temperature, dt, guess, A, n, C, m, kelvin_per_work
):
    """The return lands on the flow stress, from any trial up to 10 GPa, guess and time step."""
    heat_capacity = 900.0 / kelvin_per_work if kelvin_per_work else 1.0
    law = JohnsonCook(
        initial_strength=A,
        hardening_exponent=n,
        rate_sensitivity=C,
        softening_exponent=m,
        heat_capacity=heat_capacity,
        heated_fraction=0.9 if kelvin_per_work else 0.0,
    )
    flow = plastic_flow(law, (trial, 75.0, 1.0, strain, temperature, dt), guess)
    assert 0.0 <= flow <= trial / 75.0

    def stress(flow):
        rate = np.log(max(flow / (dt * law.reference_rate), 1.0)) if C > 0.0 else 0.0
        heated = temperature + kelvin_per_work * (trial - 75.0 * flow) * flow
        return static_strength(law, strain + flow, heated) * (1.0 + C * rate)

    if flow > 0.0:
        assert trial - 75.0 * flow == pytest.approx(stress(flow), rel=1e-9, abs=1e-9 * trial)
    elif dt > 0.0 or C == 0.0:
        assert trial <= stress(1e-300)


def plastic_flow(law, local, guess):
    kernel = kernels("johnson_cook").johnson_cook_flow
    kernel.restype = ctypes.c_double
    return kernel(law.constants, c_doubles(local), ctypes.c_double(guess))
