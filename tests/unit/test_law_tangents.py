"""Tangents of the laws that have them in closed form, where these are delicate."""

import warnings

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from microscale.law import ConstitutiveLaw, State
from multiscale.laws import make_law
from multiscale.surrogate.store import SHIPPED

I = np.eye(3)
Q = Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
learned = pytest.mark.skipif(not SHIPPED.exists(), reason="no surrogate has been trained")
pytestmark = pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")


def tangent(law: ConstitutiveLaw, F: np.ndarray, dt: float, state: State) -> np.ndarray:
    A = np.empty((len(F), 3, 3, 3, 3))
    law.tangent(F, dt, state, A)
    return A


def slope(law: ConstitutiveLaw, F: np.ndarray, dt: float, state: State, h: float) -> np.ndarray:
    """Central differences of the fourth order."""
    A = np.empty((len(F), 3, 3, 3, 3))
    for k, l in np.ndindex(3, 3):
        P = {}
        for n in (-2, -1, 1, 2):
            moved, P[n] = F.copy(), np.empty_like(F)
            moved[:, k, l] += n * h
            law.update(moved, dt, state.copy(), P[n])
        A[..., k, l] = (8.0 * (P[1] - P[-1]) - (P[2] - P[-2])) / (12.0 * h)
    return A


def assert_is_slope(law: ConstitutiveLaw, F: np.ndarray, dt: float, state: State, h: float = 1e-4) -> None:
    A, expected = tangent(law, F, dt, state), slope(law, F, dt, state, h)
    scale = np.abs(expected).max(axis=(1, 2, 3, 4), keepdims=True)
    np.testing.assert_allclose(A / scale, expected / scale, rtol=0.0, atol=1e-6)


STRETCHES = {
    "uniaxial": np.diag([1.1, 0.95, 0.95]),
    "biaxial": np.diag([1.06, 1.06, 0.9]),
    "volume": 1.03 * I,
    "small": I + 1e-9 * np.diag([1.0, -0.5, -0.5]),
    "large": np.diag([2.5, 0.5, 0.7]),
}


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize(
    ("name", "constants"),
    [
        ("j2", {"yield_stress": 1e3}),
        ("j2", {}),
        ("johnson-cook", {}),
        ("johnson-cook", {"rate_sensitivity": 0.0, "hardening_exponent": 1.0}),
    ],
    ids=["elastic", "j2", "johnson-cook", "without rate"],
)
def test_equal_principal_stretches_and_any_size(name, constants, stretch):
    law, F = make_law(name, **constants), (Q @ STRETCHES[stretch] @ Q.T)[None]
    assert_is_slope(
        law, np.ascontiguousarray(F), 0.3, law.init_state(1), h=1e-5 if stretch == "small" else 1e-4
    )


def test_heat_that_softens_and_melts():
    law = make_law("johnson-cook")
    F = np.ascontiguousarray(np.tile(np.diag([1.3, 0.85, 0.9]), (4, 1, 1)))
    state, P = law.init_state(4), np.empty((4, 3, 3))
    law.update(F, 0.3, state, P)
    state["temperature"][:] = [300.0, 700.0, 915.0, 930.0]  # cold, hot, nearly and all molten at 923 K
    F_next = F @ np.diag([1.04, 0.97, 0.99])
    before = state.copy()
    law.update(F_next, 0.05, state, P)
    assert state["temperature"][2] < 923.0 < state["temperature"][3]
    assert_is_slope(law, F_next, 0.05, before, h=1e-5)


@learned
@pytest.mark.parametrize("precision", ["single", "double"])
def test_the_learned_tangent_of_a_step_in_parts(precision):
    """Strains from one part of a step to more than the most it is cut into, side by side."""
    law, size = make_law("learned", precision=precision), np.array([0.004, 0.03, 0.12, 0.75])
    F = I + size[:, None, None] * np.array([[0.8, 0.4, 0.1], [0.0, -0.5, 0.2], [0.3, 0.0, -0.2]])
    state = law.init_state(len(F))
    A, exact = tangent(law, F, 0.05, state), make_law("learned", precision="double")
    for point, F_point in enumerate(F):
        alone = tangent(law, F_point[None].copy(), 0.05, law.init_state(1))
        np.testing.assert_array_equal(alone[0], A[point])
    expected = slope(exact, F, 0.05, state, 1e-6)
    scale = np.abs(expected).max(axis=(1, 2, 3, 4), keepdims=True)
    np.testing.assert_allclose(A / scale, expected / scale, rtol=0.0, atol=1e-6)


@learned
def test_where_the_learned_law_has_a_kink_the_tangent_is_the_mean_of_both_sides():
    """A hold: the strain passed is a norm. What is left of a central difference falls with its size."""
    law, dt = make_law("learned", precision="double"), 5.0
    F, state, P = I[None] + 0.02 * np.diag([1.0, -0.5, -0.5]), law.init_state(1), np.empty((1, 3, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        law.update(F, 0.5, state, P)
    A = tangent(law, F, dt, state)
    errors = [np.abs(slope(law, F, dt, state, h) - A).max() / np.abs(A).max() for h in (1e-5, 1e-6, 1e-7)]
    assert errors[0] > 4.0 * errors[1] > 16.0 * errors[2], errors
    assert errors[2] < 1e-4, errors


@learned
def test_the_learned_law_is_elastic_in_an_instantaneous_step_of_nothing():
    """A stressed state, no strain and no time: the elastic strains are carried along, and nothing flows."""
    law, F, P = make_law("learned"), I[None] + 0.02 * np.diag([1.0, -0.5, -0.5]), np.empty((1, 3, 3))
    state = law.init_state(1)
    law.update(F, 0.5, state, P)
    A = tangent(law, F, 0.0, state)
    assert np.isfinite(A).all()
    shear = law.moduli().shear
    assert A[0, 0, 1, 0, 1] == pytest.approx(shear, rel=0.1)  # while it flows it is far softer
    assert (
        tangent(law, F + 1e-4 * np.diag([1.0, -0.5, -0.5]), 0.05, state)[0, 0, 0, 0, 0]
        < 0.9 * A[0, 0, 0, 0, 0]
    )
