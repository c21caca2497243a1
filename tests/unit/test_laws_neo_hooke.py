"""The paper's elastic energy: stress as its derivative, and a pressure that is known exactly."""

import numpy as np
import pytest

from microscale import drive
from multiscale.laws import make_law


def energy(F: np.ndarray, shear_modulus: float, lambda_e: float) -> float:
    J = np.linalg.det(F)
    return 0.5 * shear_modulus * (np.trace(F.T @ F) / J ** (2.0 / 3.0) - 3.0) + lambda_e * (J - 1.0) ** 2


def test_stress_is_the_derivative_of_the_energy():
    law, h = make_law("neo-hooke", shear_modulus=3.0, lambda_e=7.0), 1e-6
    F = np.eye(3) + 0.3 * np.random.default_rng(0).standard_normal((3, 3))
    P = np.empty((1, 3, 3))
    law.update(F[None], 0.0, law.init_state(1), P)
    numeric = np.empty((3, 3))
    for i, j in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[i, j] = h
        numeric[i, j] = (energy(F + step, 3.0, 7.0) - energy(F - step, 3.0, 7.0)) / (2.0 * h)
    np.testing.assert_allclose(P[0], numeric, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("law", ["neo-hooke", "johnson-cook"])
def test_pressure_is_that_of_the_paper(law):
    """-p = 2 lambda_e (J - 1) whatever the shape change: a surrogate and Johnson-Cook rely on it."""
    F = np.eye(3) + 0.2 * np.random.default_rng(1).standard_normal((5, 4, 3, 3))
    sigma = drive(make_law(law), F, np.linspace(0.0, 1.0, 4))
    mean = np.trace(sigma, axis1=-2, axis2=-1) / 3.0
    np.testing.assert_allclose(mean, 48.0 * (np.linalg.det(F) - 1.0), rtol=1e-12, atol=1e-12)
