"""J2 plasticity against exact solutions, an independent integration and its energy balance."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from microscale import drive
from microscale.tensors import deviator, von_mises
from multiscale.laws.j2 import J2

LAW = J2()
G, K = LAW.shear_modulus, LAW.bulk_modulus
SIMPLE_SHEAR = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])


def run(F: np.ndarray):
    """Drive one path (samples, 3, 3); return its state and the history of P."""
    state, P = LAW.init_state(1), np.empty((len(F), 3, 3))
    for k, F_k in enumerate(F):
        LAW.update(F_k[None].copy(), 0.1, state, P[k : k + 1])
    return state, P


def flow_stress(plastic_strain):
    return LAW.yield_stress + LAW.hardening_modulus * plastic_strain


def logarithmic_strain(F: np.ndarray, plastic: np.ndarray) -> np.ndarray:
    values, Q = np.linalg.eigh(F @ plastic @ F.T)
    return (Q * (0.5 * np.log(values))) @ Q.T


def uniaxial_stress(plastic_strain: np.ndarray, sign: float = 1.0) -> np.ndarray:
    """F of uniaxial stress sign (sigma_y + H e) at given plastic strains e: exact, in logarithmic strains."""
    E, nu = LAW.youngs_modulus, LAW.poissons_ratio
    F = []
    for e in plastic_strain:
        elastic = brentq(
            lambda x, e=e: E * x - sign * np.exp((1.0 - 2.0 * nu) * x) * flow_stress(e), -1, 1, xtol=1e-16
        )
        axial, lateral = elastic + sign * e, -nu * elastic - 0.5 * sign * e
        F.append(np.diag(np.exp([axial, lateral, lateral])))
    return np.array(F)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("steps", [1, 9])
def test_uniaxial_stress_is_exact_in_any_number_of_steps(steps, sign):
    """The direction of flow is constant, so that the return has no error: a single step of 100 % will do."""
    e = np.linspace(0.0, 1.0, steps + 1)
    F = uniaxial_stress(e, sign)
    sigma = drive(LAW, F[None], np.arange(steps + 1.0))[0]
    expected = np.zeros_like(sigma)
    expected[:, 0, 0] = sign * flow_stress(e)
    np.testing.assert_allclose(sigma, expected, atol=1e-11)
    state, _ = run(F)
    assert state["equivalent_plastic_strain"][0] == pytest.approx(1.0, abs=1e-12)


def test_reversed_loading_yields_at_the_hardened_stress():
    e = np.array([0.3])
    F = np.concatenate([uniaxial_stress(e), uniaxial_stress(e + 1e-12, -1.0) * np.exp([0.6, -0.3, -0.3])])
    state, P = run(F)  # the second: compression to the yield stress, on top of the same plastic stretch
    assert state["equivalent_plastic_strain"][0] == pytest.approx(0.3, abs=1e-9)
    assert (P @ np.swapaxes(F, 1, 2))[1, 0, 0] / np.linalg.det(F[1]) == pytest.approx(-flow_stress(0.3))


def test_unloading_is_elastic():
    loading = np.eye(3) + np.linspace(0.0, 0.3, 31)[:, None, None] * SIMPLE_SHEAR
    state, P = run(loading)
    before = state.copy()
    unloaded, stress = loading[-1] - 2e-3 * SIMPLE_SHEAR, np.empty((1, 3, 3))
    LAW.update(unloaded[None], 0.1, state, stress)
    for name in state:
        np.testing.assert_array_equal(state[name], before[name])
    strain = logarithmic_strain(unloaded, state["inverse_plastic_metric"][0])
    tau = 2.0 * G * deviator(strain) + K * np.trace(strain) * np.eye(3)
    np.testing.assert_allclose(stress[0] @ unloaded.T, tau, atol=1e-11)
    LAW.update(loading[-1][None].copy(), 0.1, state, stress)
    np.testing.assert_allclose(stress[0], P[-1], atol=1e-12)


def shear_solution(rate_of_volume: float, end: float) -> tuple[float, np.ndarray]:
    """Integrate the flow rule itself for F = (1 + a t) (I + t SIMPLE_SHEAR), tight tolerance.

    d(Cp^-1)/dt = -2 F^-1 (rate n) b F^-T with n = (3/2) dev tau / q, and the rate from consistency,
    d/dt (q - J flow_stress) = 0, where flow lowers q by 3 G rate. Returns plastic strain and Cauchy stress.
    """

    def F_of(t: float) -> np.ndarray:
        return (1.0 + rate_of_volume * t) * (np.eye(3) + t * SIMPLE_SHEAR)

    def mises(t: float, plastic: np.ndarray) -> float:
        return 2.0 * G * np.sqrt(1.5) * np.linalg.norm(deviator(logarithmic_strain(F_of(t), plastic)))

    def excess(t: float, plastic: np.ndarray, e: float) -> float:
        return mises(t, plastic) - np.linalg.det(F_of(t)) * flow_stress(e)

    def derivative(t: float, y: np.ndarray) -> np.ndarray:
        plastic, e, h = y[:9].reshape(3, 3), y[9], 1e-5
        F = F_of(t)
        J, inverse = np.linalg.det(F), np.linalg.inv(F)
        points = np.array([excess(t + k * h, plastic, e) for k in (-2, -1, 1, 2)])
        growth = points @ [1.0, -8.0, 8.0, -1.0] / (12.0 * h)
        rate = growth / (3.0 * G + J * LAW.hardening_modulus)
        strain = deviator(logarithmic_strain(F, plastic))
        n = 1.5 * strain / (np.sqrt(1.5) * np.linalg.norm(strain))
        flow = -2.0 * rate * inverse @ n @ F @ plastic
        return np.append(flow.ravel(), rate)

    start = brentq(lambda t: excess(t, np.eye(3), 0.0), 1e-6, 0.1, xtol=1e-15)
    y = solve_ivp(
        derivative, (start, end), np.append(np.eye(3), 0.0), method="DOP853", rtol=1e-9, atol=1e-11
    ).y
    plastic, e, F = y[:9, -1].reshape(3, 3), y[9, -1], F_of(end)
    strain = logarithmic_strain(F, plastic)
    tau = 2.0 * G * deviator(strain) + K * np.log(np.linalg.det(F)) * np.eye(3)
    return e, tau / np.linalg.det(F)


@pytest.mark.parametrize("rate_of_volume", [0.0, -0.1])
def test_converges_to_the_flow_rule_with_the_step(rate_of_volume):
    """Shear turns the principal axes: the error of the return map is of first order."""
    e, sigma = shear_solution(rate_of_volume, 0.8)
    errors = []
    for steps in (100, 200, 400):
        t = np.linspace(0.0, 0.8, steps + 1)[:, None, None]
        F = (1.0 + rate_of_volume * t) * (np.eye(3) + t * SIMPLE_SHEAR)
        state, P = run(F)
        got = P[-1] @ F[-1].T / np.linalg.det(F[-1])
        errors.append([abs(state["equivalent_plastic_strain"][0] - e), np.abs(deviator(got - sigma)).max()])
    slopes = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(slopes > 0.9)
    assert np.all(np.array(errors[-1]) < 3e-4)


def test_plastic_flow_is_isochoric_and_on_the_yield_surface_past_strain_three():
    t = np.linspace(0.0, 1.0, 401)[:, None, None]
    A = np.random.default_rng(0).standard_normal((3, 3))
    A -= np.trace(A) / 3.0 * np.eye(3)
    F = np.eye(3) + 7.0 * t * SIMPLE_SHEAR + 0.2 * np.sin(5.0 * t) * A
    state, P = run(F)
    sigma = P[-1] @ F[-1].T / np.linalg.det(F[-1])
    e = state["equivalent_plastic_strain"][0]
    assert e > 3.0
    assert np.linalg.det(state["inverse_plastic_metric"][0]) == pytest.approx(1.0, abs=1e-12)
    assert von_mises(sigma) == pytest.approx(flow_stress(e), rel=1e-9)


def test_dissipation_is_stress_work_less_stored_energy():
    """The balance closes to second order in the step for the trapezoidal work, first order for the return."""
    errors = []
    for steps in (200, 400):
        t = np.linspace(0.0, 1.0, steps + 1)[:, None, None]
        F = np.eye(3) + 0.3 * np.sin(4.0 * t) * SIMPLE_SHEAR + 0.05 * t * np.diag([1.0, 1.0, -1.0])
        state, P = run(F)
        work = 0.5 * np.tensordot(P[1:] + P[:-1], np.diff(F, axis=0), 3)
        strain = logarithmic_strain(F[-1], state["inverse_plastic_metric"][0])
        stored = G * np.sum(deviator(strain) ** 2) + 0.5 * K * np.trace(strain) ** 2
        errors.append(abs(work - stored - state["dissipation"][0]) / work)
    assert errors[1] < 0.6 * errors[0]
    assert errors[1] < 2e-3
