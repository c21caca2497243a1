"""Series and interpolation of isotropic tensor functions, against eigen-decompositions."""

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from multiscale.laws.radial_return import kernels

SMALL = 1e-3  # largest j2 of the series, as in radial_return.h


@st.composite
def deviators(draw) -> np.ndarray:
    """X free of trace with I + X positive definite, of any size from 1e-12, repeated values included."""
    largest = draw(st.sampled_from([1e-12, 1e-6, 1e-3, 0.03, 0.04, 0.9]))
    shape = draw(st.one_of(st.just(0.5), st.just(0.0), st.floats(0.0, 0.5)))  # share of the second value
    values = largest * np.array([shape - 1.0, 1.0 - 2.0 * shape, shape]) * draw(st.sampled_from([1.0, -0.99]))
    Q = Rotation.random(rng=np.random.default_rng(draw(st.integers(0, 1000)))).as_matrix()
    X = Q @ np.diag(values) @ Q.T
    X = 0.5 * (X + X.T)
    return X - np.trace(X) / 3.0 * np.eye(3)


def coefficients(j2, j3, exponent):
    found = (ctypes.c_double * 3)()
    kernels("j2").coefficients(*(ctypes.c_double(value) for value in (j2, j3, exponent)), found)
    return found


def log_coefficients(j2, j3):
    return coefficients(j2, j3, -1.0)


power_coefficients = coefficients


def combine(coefficients, X: np.ndarray) -> np.ndarray:
    return coefficients[0] * np.eye(3) + coefficients[1] * X + coefficients[2] * X @ X


def invariants(X: np.ndarray) -> tuple[float, float]:
    return 0.5 * np.tensordot(X, X), np.linalg.det(X)


def exact(f, X: np.ndarray) -> np.ndarray:
    values, Q = np.linalg.eigh(X)
    return (Q * f(values)) @ Q.T


@given(deviators())
def test_logarithm(X):
    expected = exact(np.log1p, X)
    error = np.abs(combine(log_coefficients(*invariants(X)), X) - expected).max()
    assert error < 2e-14 * np.abs(expected).max()


@given(deviators(), st.floats(0.0, 1.0))
def test_power(X, exponent):
    expected = exact(lambda x: (1.0 + x) ** exponent, X)
    np.testing.assert_allclose(combine(power_coefficients(*invariants(X), exponent), X), expected, atol=2e-14)


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.0])
def test_series_and_interpolation_meet(angle):
    """Both sides of the limit of the series give the same function, in all shapes of the deviator."""
    values = np.cos(np.array([0.0, 2.0, 4.0]) * np.pi / 3.0 + angle)
    X = np.diag(values - values.mean())
    X *= np.sqrt(SMALL / invariants(X)[0])
    for size in (1.0 - 1e-9, 1.0 + 1e-9):
        got = combine(log_coefficients(*invariants(size * X)), size * X)
        np.testing.assert_allclose(np.diag(got), np.log1p(size * np.diag(X)), rtol=1e-13)
