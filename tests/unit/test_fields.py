"""Cell averages against the formulas of the paper, written with whole tensors."""

import numpy as np

from microscale.tensors import cauchy_from_piola, von_mises
from multiscale.dynamics.fields import cell_averages
from multiscale.laws.j2 import J2


def test_averages_are_the_papers_measures():
    rng = np.random.default_rng(0)
    F = np.eye(3) + 0.2 * rng.standard_normal((5, 8, 3, 3))
    law, weights = J2(), rng.uniform(0.5, 1.0, (5, 8))
    state, P = law.init_state(40), np.empty((40, 3, 3))
    law.update(F.reshape(-1, 3, 3), 0.01, state, P)
    found = cell_averages(F, P.reshape(F.shape), weights, law, state)

    sigma, J = cauchy_from_piola(P.reshape(F.shape), F), np.linalg.det(F)
    C = np.swapaxes(F, -1, -2) @ F / np.cbrt(J)[..., None, None] ** 2
    expected = {
        "von_mises_GPa": von_mises(sigma),
        "pressure_GPa": -np.trace(sigma, axis1=-2, axis2=-1) / 3.0,
        "e_d": 0.5 * np.linalg.norm(C - np.eye(3), axis=(-2, -1)),
        "e_v": J - 1.0,
        "equivalent_plastic_strain": state["equivalent_plastic_strain"].reshape(5, 8),
    }
    for name, values in expected.items():
        average = np.average(values, axis=1, weights=weights)
        np.testing.assert_allclose(found[name], average, rtol=1e-12, atol=1e-13)
