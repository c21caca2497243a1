"""The paper's network as a law: the same stress as its definition, history by history, and clear limits."""

import warnings
from dataclasses import replace

import numpy as np
import pytest
from untrained_pca import DURATIONS, untrained_pca

from microscale.errors import InputError
from microscale.law import drive
from multiscale.laws import make_law
from multiscale.surrogate.extrapolation import ExtrapolationWarning
from multiscale.surrogate.pca.law import PcaLaw
from multiscale.surrogate.pca.network import mean_stress
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.store import SHIPPED, TrainingRange, read_surrogate, write_surrogate

NARROW = TrainingRange(shape=0.005, strain_rate=0.8, smallest_volume=0.98, largest_volume=1.05)


@pytest.fixture(scope="module")
def law() -> PcaLaw:
    return PcaLaw(*untrained_pca()[1:])


def stretches(fractions: np.ndarray, points: int = 5) -> np.ndarray:
    """Smooth stretches from rest, shape (points, samples, 3, 3)."""
    A, B = np.random.default_rng(7).standard_normal((2, points, 1, 3, 3))
    H = fractions[:, None, None] * A + np.sin(np.pi * fractions)[:, None, None] * B
    return np.eye(3) + 0.05 * (H + np.swapaxes(H, 2, 3))


@pytest.mark.parametrize("exact_pressure", [False, True])
@pytest.mark.parametrize("duration", DURATIONS)
def test_the_stress_is_that_of_the_history_and_its_linear_continuation(duration, exact_pressure):
    """Updates between and beyond the instants of the training samples, several or none of them a step."""
    surrogate, weights, card = untrained_pca(exact_pressure=exact_pressure)
    law = PcaLaw(weights, card, duration)
    reached = duration * np.array([0.0, 0.003, 0.01, 0.1, 0.11, 0.13, 0.625, 0.8, 1.0])
    U = stretches(reached / duration)
    found = drive(law, U, reached)
    instants = duration * surrogate.stretch.fractions
    times = np.broadcast_to(instants, (1, len(instants)))
    at_rest = surrogate.predict(times, np.broadcast_to(np.eye(3), (1, len(instants), 3, 3)))[0]
    for k in range(1, len(reached)):
        known, rate = U[:, : k + 1], (U[:, k] - U[:, k - 1]) / (reached[k] - reached[k - 1])
        history = _linear(reached[: k + 1], known, instants)
        later = instants > reached[k]
        history[:, later] = U[:, k, None] + (instants[later] - reached[k])[:, None, None] * rate[:, None]
        change = surrogate.predict(np.broadcast_to(times, (len(U), len(instants))), history) - at_rest
        expected = _linear(instants, change, reached[k : k + 1])[:, 0]
        if exact_pressure:  # of the present, not linear between instants
            between = _linear(instants, mean_stress(history, 48.0), reached[k : k + 1])[:, 0]
            expected += mean_stress(U[:, k], 48.0) - between
        np.testing.assert_allclose(found[:, k], expected, atol=2e-6 * np.abs(change).max())


def _linear(times: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Interpolate (points, times, 3, 3) linearly."""
    k = np.clip(np.searchsorted(times, at), 1, len(times) - 1)
    part = ((at - times[k - 1]) / (times[k] - times[k - 1]))[:, None, None]
    return values[:, k - 1] + part * (values[:, k] - values[:, k - 1])


def test_how_the_way_is_cut_into_steps_does_not_matter(law):
    """On a path that is linear in time, the history and its continuation are the same however it is cut."""
    end = stretches(np.array([0.7]))[:, 0]
    stresses = []
    for steps in (1, 7, 100):
        part = np.linspace(0.0, 1.0, steps + 1)[None, :, None, None]
        stresses.append(
            drive(law, np.eye(3) + part * (end[:, None] - np.eye(3)), 0.6 * part[0, :, 0, 0])[:, -1]
        )
    for stress in stresses[1:]:
        np.testing.assert_allclose(stress, stresses[0], atol=1e-5 * np.abs(stresses[0]).max())


def test_marks_of_extrapolation_are_those_of_the_recurrent_law():
    sizes = np.geomspace(1e-4, 0.1, 40)[:, None, None]
    paths = sizes * np.random.default_rng(0).standard_normal((40, 3, 3))
    shipped, described = read_surrogate(SHIPPED)
    marks = []
    for law in (
        PcaLaw(*untrained_pca(NARROW)[1:]),
        LearnedLaw(shipped, replace(described, range=NARROW)),
    ):
        state, P = law.init_state(40), np.empty((40, 3, 3))
        law.update(np.eye(3) + 0.01 * paths, 0.05, state, P)
        with pytest.warns(ExtrapolationWarning, match="training range"):
            law.update(np.eye(3) + paths, 0.05, state, P)
        marks.append(state["extrapolation"])
        assert law.extrapolating_points == np.count_nonzero(marks[-1])
    assert 0 < np.count_nonzero(marks[0] == 0.0) < 40
    np.testing.assert_allclose(marks[0], marks[1], rtol=1e-9, atol=1e-12)


def test_a_run_can_be_stopped_where_the_training_range_ends():
    weights, card = untrained_pca(NARROW)[1:]
    law = PcaLaw(weights, card, on_extrapolation="stop")
    F, state, P = np.diag([1.001, 1.0, 1.0])[None].repeat(2, axis=0), law.init_state(2), np.empty((2, 3, 3))
    law.update(F, 0.1, state, P)
    F[1] *= 1.1
    with pytest.raises(InputError, match=r"1 point\(s\) left the training range.*stop"):
        law.update(F, 0.1, state, P)
    with pytest.raises(InputError, match="on_extrapolation = 'ignore', expected 'warn' or 'stop'"):
        PcaLaw(weights, card, on_extrapolation="ignore")


def test_it_knows_how_long_it_may_run(law):
    weights, card = untrained_pca()[1:]
    assert law.duration == 2.0
    assert PcaLaw(weights, card, duration=0.3).duration == 1.0
    with pytest.raises(InputError, match="lasts 3 us, expected at most 2 us"):
        PcaLaw(weights, card, duration=3.0)
    F, state, P = np.eye(3)[None].copy(), law.init_state(1), np.empty((1, 3, 3))
    law.update(F, 2.0, state, P)
    before = state.copy()
    with pytest.raises(InputError, match=r"time is 2\.1 us, expected at most T = 2 us"):
        law.update(F, 0.1, state, P)
    np.testing.assert_array_equal(state["time"], before["time"])


def test_the_weights_tell_which_network_they_are_of_and_of_what(tmp_path):
    path = tmp_path / "paper.safetensors"
    write_surrogate(path, *untrained_pca()[1:])
    law = make_law("learned", weights=path, material="magnesium", duration=0.5, on_extrapolation="stop")
    assert isinstance(law, PcaLaw)
    assert isinstance(make_law("learned", material="magnesium"), LearnedLaw)
    with pytest.raises(InputError, match="stands for magnesium, test, expected copper"):
        make_law("learned", weights=path, material="copper")
    with pytest.raises(InputError, match="precision = 'double' of a surrogate of kind 'pca'"):
        make_law("learned", weights=path, precision="double")


def test_arrays_of_other_shapes_are_refused():
    weights, card = untrained_pca()[1:]
    plane = weights | {"stretch_modes": weights["stretch_modes"][:3]}
    with pytest.raises(InputError, match=r"'stretch_modes' .* shape \(3, 5, 41\), expected .* \(6, 5, 41\)"):
        PcaLaw(plane, card)
    with pytest.raises(InputError, match=r"array '2.weight' .*missing"):
        PcaLaw({name: array for name, array in weights.items() if name != "2.weight"}, card)


def test_cauchy_stress_is_objective_and_symmetric(law):
    F, state, P = np.eye(3) + 0.1 * np.random.default_rng(3).standard_normal((9, 3, 3)), law.init_state(9), []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        P = np.empty_like(F)
        law.update(F, 0.1, state, P)
    np.testing.assert_allclose(
        P @ np.swapaxes(F, 1, 2), F @ np.swapaxes(P, 1, 2), atol=1e-14 * np.abs(P).max()
    )
