"""The paper's model reduction and network: exact reconstruction, independence of the sampling, learning."""

import numpy as np
import pytest

from multiscale.surrogate.histories import Histories, joined, refined, relative_errors
from multiscale.surrogate.pca.components import PrincipalComponents
from multiscale.surrogate.pca.learner import PcaLearner
from multiscale.surrogate.pca.network import PcaArchitecture, fractions_of
from multiscale.surrogate.training.train import Schedule

T = np.linspace(0.0, 1.0, 41)


def functions(paths: int = 200, components: int = 2, seed: int = 0, fractions: np.ndarray = T) -> np.ndarray:
    """Histories spanned by five smooth functions of time, (paths, samples, components)."""
    coefficients = np.random.default_rng(seed).standard_normal((paths, components, 5))
    basis = np.stack([np.ones_like(fractions), *(np.sin(k * fractions) for k in (1, 2, 3, 4))])
    return np.einsum("pck,ks->psc", coefficients, basis)


def test_as_many_modes_as_dimensions_lose_nothing():
    components = PrincipalComponents.of(functions(), T, 5)
    assert components.error(functions(seed=1), T).max() < 1e-6


def test_modes_are_orthonormal_functions_of_time():
    components = PrincipalComponents.of(functions(), T, 5)
    gram = np.trapezoid(components.modes[:, :, None] * components.modes[:, None], T, axis=-1)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(5), gram.shape), atol=1e-6)


def test_fewer_modes_lose_what_the_singular_values_say():
    data = functions(components=1)
    errors = [np.sqrt(np.mean(PrincipalComponents.of(data, T, k).error(data, T) ** 2)) for k in (1, 2, 3, 4)]
    assert errors == sorted(errors, reverse=True)
    root = np.sqrt(np.gradient(T))  # weights of the trapezoidal rule on equal steps
    root[[0, -1]] = np.sqrt(0.5 * (T[1] - T[0]))
    singular = np.linalg.svd(data[..., 0] * root, compute_uv=False)
    rest = data[..., 0] * root
    kept = PrincipalComponents.of(data, T, 2)
    lost = rest - kept.lift(kept.project(data, T), T)[..., 0] * root
    assert np.linalg.norm(lost) == pytest.approx(np.sqrt((singular[2:] ** 2).sum()), rel=1e-6)


def test_fewer_samples_than_modes_do_not_alias():
    components = PrincipalComponents.of(np.random.default_rng(3).standard_normal((300, 41, 1)), T, 30)
    coarse = T[::4]
    line = 2.0 + 3.0 * T[None, :, None]
    here, there = components.project(line, T), components.project(line[:, ::4], coarse)
    np.testing.assert_allclose(there, here, atol=1e-12)


def test_few_paths_take_the_other_decomposition():
    few = functions(paths=20)
    assert PrincipalComponents.of(few, T, 5).error(few, T).max() < 1e-6


@pytest.mark.parametrize("samples", [21, 81, 161, 401])
def test_coefficients_do_not_depend_on_the_sampling(samples):
    components = PrincipalComponents.of(functions(), T, 5)
    other = np.linspace(0.0, 1.0, samples)
    here = components.project(functions(seed=2), T)
    there = components.project(functions(seed=2, fractions=other), other)
    np.testing.assert_allclose(there, here, atol=5e-3 * np.abs(here).max())


def histories(paths: int, seed: int, samples: int = 41) -> Histories:
    """Stress that is linear in the history of the stretch, hence within reach of a small network."""
    fractions = np.linspace(0.0, 1.0, samples)
    generator = np.random.default_rng(seed)
    H = generator.uniform(-0.1, 0.1, (paths, 2, 3, 3))
    H = H + np.swapaxes(H, 2, 3)
    stretch = np.eye(3) + np.einsum("pkij,ks->psij", H, np.stack([fractions, np.sin(3 * fractions)]))
    times = np.broadcast_to(fractions, (paths, samples)) * 2.0
    return Histories(times, stretch, 50.0 * (stretch - np.eye(3)))


def test_the_network_learns_a_linear_law():
    learner = PcaLearner(histories(400, 0), histories(50, 1), PcaArchitecture(modes=3, hidden=40), batch=20)
    epochs = 120
    schedule = Schedule(learner.optimiser, 3e-3, epochs * learner.updates_per_epoch)
    losses = [learner.epoch(np.random.default_rng(epoch), schedule) for epoch in range(epochs)]
    errors = learner.validate()
    assert losses[-1] < 0.1 * losses[0]
    assert errors.total.mean() < 0.1
    fine = histories(50, 1, samples=121)
    at_fine = relative_errors(learner.surrogate.predict(fine.times, fine.stretch), fine.stress, fine.times)
    assert at_fine.total.mean() == pytest.approx(errors.total.mean(), rel=0.1)


def test_paths_must_be_sampled_alike():
    times = np.array([[0.0, 1.0, 2.0], [0.0, 0.5, 2.0]])
    with pytest.raises(ValueError, match="different fractions"):
        fractions_of(times)
    np.testing.assert_allclose(fractions_of(times[:1]), [0.0, 0.5, 1.0])


def test_relative_errors_tell_pressure_from_strength():
    times = np.linspace(0.0, 1.0, 5)[None]
    pressure = np.broadcast_to(10.0 * np.eye(3), (1, 5, 3, 3))
    strength = np.broadcast_to(np.diag([1.0, -1.0, 0.0]), (1, 5, 3, 3))
    errors = relative_errors(pressure + 1.1 * strength, pressure + strength, times)
    np.testing.assert_allclose(errors.deviatoric, 0.1)
    np.testing.assert_allclose(errors.total, 0.1 * np.sqrt(2.0 / 302.0))


def test_refining_keeps_the_samples_and_the_lines_between():
    array = np.random.default_rng(0).standard_normal((2, 4, 3, 3))
    fine = refined(array, 4)
    assert fine.shape == (2, 13, 3, 3)
    np.testing.assert_array_equal(fine[:, ::4], array)
    np.testing.assert_allclose(fine[:, 1], 0.75 * array[:, 0] + 0.25 * array[:, 1])


def test_histories_are_cut_thinned_and_joined():
    data = histories(6, 0)
    assert len(joined([data[:2], data[2:]])) == 6
    np.testing.assert_array_equal(joined([data[:2], data[2:]]).stress, data.stress)
    assert data.thinned(4).times.shape == (6, 11)
