"""Measures of a surrogate find what is put into its stress."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from microscale.law import ConstitutiveLaw, StateVariable, drive
from multiscale.surrogate.evaluate import (
    STRAIN_EDGES,
    binned_errors,
    equivalent_log_strain,
    evaluate,
    step_independence,
    strain_rate,
)
from multiscale.surrogate.histories import Histories
from multiscale.surrogate.invariances import anisotropy, influence_of_the_future, stress_at_rest

TIMES = np.linspace(0.0, 2.0, 41)


def tension(paths: int = 30) -> Histories:
    """Isochoric stretch along x up to a logarithmic strain of 0.3, at a constant rate of 0.15 / us."""
    strain = 0.15 * TIMES
    U = np.zeros((paths, len(TIMES), 3, 3))
    for axis, share in enumerate((1.0, -0.5, -0.5)):
        U[..., axis, axis] = np.exp(share * strain)
    return Histories(np.broadcast_to(TIMES, (paths, len(TIMES))), U, exact(TIMES, U))


def exact(_, U: np.ndarray) -> np.ndarray:
    return 20.0 * (U - np.eye(3))


def test_strain_and_rate_are_the_equivalent_logarithmic_ones():
    data = tension()
    np.testing.assert_allclose(equivalent_log_strain(data.stretch)[0], 0.15 * TIMES, atol=1e-12)
    np.testing.assert_allclose(strain_rate(data.times, data.stretch), 0.15, rtol=5e-3)
    Q = Rotation.random(rng=np.random.default_rng(0)).as_matrix()
    np.testing.assert_allclose(strain_rate(data.times, Q @ data.stretch @ Q.T), 0.15, rtol=5e-3)


def test_turned_paths_have_the_stress_of_an_isotropic_material():
    turned = tension().turned(Rotation.from_euler("xyz", (0.3, -0.7, 1.1)).as_matrix())
    assert np.abs(turned.stretch[..., 0, 1]).max() > 0.01
    np.testing.assert_allclose(turned.stress, exact(TIMES, turned.stretch), atol=1e-12)


def test_an_error_beyond_a_strain_is_found_in_its_bins():
    data = tension()
    late = (equivalent_log_strain(data.stretch) > 0.2)[..., None, None]
    found = evaluate(lambda times, U: exact(times, U) * np.where(late, 1.1, 1.0), data, "tension")
    expected = np.where(STRAIN_EDGES[:-1] < 0.2, 0.0, 0.1)
    expected[STRAIN_EDGES[:-1] > 0.3] = np.nan
    for kind in (0, 1):
        np.testing.assert_allclose(found.by_strain[kind], expected, atol=1e-12)
    assert np.isnan(binned_errors(data.stress, data.stress, np.zeros((30, 41)), STRAIN_EDGES)[0, 1:]).all()


def test_a_stress_that_knows_the_future_is_not_causal():
    data = tension()
    assert influence_of_the_future(exact, data) == 0.0
    foresees = influence_of_the_future(lambda times, U: exact(times, U) + 0.1 * exact(times, U)[:, -1:], data)
    assert foresees > 0.05


def test_an_isotropic_stress_has_no_scatter_and_a_fibre_has_some():
    data = tension()
    fibre = np.diag([0.0, 0.0, 1.0])
    assert anisotropy(exact, data) < 1e-12
    with_fibre = anisotropy(lambda times, U: exact(times, U) + (U[..., 2:, 2:] - 1.0) * 20.0 * fibre, data)
    assert 0.1 < with_fibre < 1.0


def test_stress_at_rest_is_seen():
    data = tension()
    offset = 0.2 * np.sqrt(np.mean(data.stress**2))
    assert stress_at_rest(exact, data) == 0.0
    assert stress_at_rest(lambda times, U: exact(times, U) + offset, data) == pytest.approx(0.2)


class Hypoelastic(ConstitutiveLaw):
    """Adds up increments times a shear: its stress depends on the path, and not on the steps along it."""

    name, density = "hypoelastic", 1.0
    state_spec = (StateVariable("last", (3, 3), "1", np.eye(3)), StateVariable("stress", (3, 3), "GPa"))

    def _update(self, F, dt, state, out):
        middle, step = 0.5 * (F + state["last"]) - np.eye(3), F - state["last"]
        state["stress"] += 20.0 * middle[:, :1, 1:2] * step  # exact on straight pieces
        state["last"][:] = F
        out[:] = state["stress"] @ np.swapaxes(np.linalg.inv(F), 1, 2)

    def wave_speed(self):
        return 1.0


def test_coarse_samples_are_another_path_and_judged_as_such():
    law, data = Hypoelastic(), tension()
    data.stretch[..., 0, 1] = data.stretch[..., 1, 0] = 0.1 * np.sin(9.0 * TIMES)
    data = Histories(data.times, data.stretch, drive(law, data.stretch, data.times))

    def perfect(times, U):
        return drive(law, U, times)

    found = step_independence(perfect, data, law)
    for name in ("as trained", "4x finer", "4x coarser"):
        assert found[name] < 1e-12, name
    assert found["lost by the coarse samples"] > 0.05
    alone = step_independence(perfect, data)["4x coarser, against the data"]
    assert alone == pytest.approx(found["lost by the coarse samples"], rel=0.1)
