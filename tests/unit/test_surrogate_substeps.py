"""Steps cut into short ones."""

import numpy as np
import pytest
import torch

from multiscale.surrogate.histories import Histories, joined, relative_errors
from multiscale.surrogate.recurrent.architecture import LARGEST_STEP, MOST_PARTS, STRAIN_SCALE
from multiscale.surrogate.recurrent.increments import increments, unimodular
from multiscale.surrogate.recurrent.learner import prepare
from multiscale.surrogate.recurrent.substeps import cut
from multiscale.surrogate.store import Material


def paths(count: int = 7, samples: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Stretch histories with small and large steps, and their times."""
    generator = np.random.default_rng(2)
    A = generator.standard_normal((count, samples, 3, 3)) * generator.choice(
        [1e-3, 0.05], (count, samples, 1, 1)
    )
    A[:, 0] = 0.0
    H = np.cumsum(A + np.swapaxes(A, 2, 3), axis=1)
    return np.cumsum(generator.uniform(0.1, 1.0, (count, samples)), axis=1), np.eye(3) + 0.5 * H


def test_no_part_is_too_long_and_samples_are_met():
    times, U = paths()
    found = cut(times, U)
    steps = increments(torch.from_numpy(found.stretch).transpose(0, 1), torch.from_numpy(found.dt).mT)
    assert STRAIN_SCALE * float(steps.size.max()) < 1.1 * LARGEST_STEP
    path = np.arange(len(U))[:, None]
    isochoric = unimodular(torch.from_numpy(U)).numpy()
    np.testing.assert_allclose(found.stretch[path, found.ends + 1], isochoric[:, 1:], rtol=1e-14)
    elapsed = np.cumsum(found.dt, axis=1)[path, found.ends]
    np.testing.assert_allclose(elapsed, times[:, 1:] - times[:, :1], rtol=1e-12)


def test_shorter_paths_stand_still_at_their_end():
    found = cut(*paths())
    assert len(set(found.ends[:, -1])) > 1
    for path, last in enumerate(found.ends[:, -1]):
        assert not found.dt[path, last + 1 :].any()
        assert not np.diff(found.stretch[path, last + 1 :], axis=0).any()


def test_short_steps_are_left_whole_and_jumps_are_cut_to_a_bound():
    U = np.stack([np.eye(3), np.diag([1.001, 1.0, 1.0]), np.diag([8.0, 0.2, 0.7])])[None]
    ends = cut(np.array([[0.0, 1.0, 2.0]]), U).ends
    np.testing.assert_array_equal(ends, [[0, MOST_PARTS]])


def test_training_data_hold_every_sample_once_and_batches_are_filled_with_stillness():
    times, U = paths()
    stress = np.random.default_rng(0).standard_normal(U.shape)
    data = prepare(Histories(times, U, stress), Material("test", 25.0, 24.0, 10.0), fine_every=2)
    assert int((data.weight > 0.0).sum()) == data.ends.numel()
    assert len(data.steps) == data.start[-1] + 1
    everything = torch.arange(len(U))
    steps, target, weight = data.batch(everything, data.longest(everything))
    for path, length in enumerate(data.length):
        assert not steps[length:, :, path].any()
        assert not weight[length:, :, path].any()
    J = np.linalg.det(U[:, 1:])
    np.testing.assert_allclose(
        weight[data.ends, 0, torch.arange(len(U))[:, None]].numpy(), 1.0 / J, rtol=1e-6
    )
    assert target.shape[1] == 5


def test_training_may_be_in_the_steps_of_the_law():
    """But for every so-and-so-many-th path, which is followed in finer ones whatever the others have."""
    times, U = paths()
    histories, material = Histories(times, U, np.zeros_like(U)), Material("test", 25.0, 24.0, 10.0)
    law, longer = (prepare(histories, material, every, 0.01).length for every in (None, 10**6))
    coarse = prepare(histories, material, 10**6, 0.02).length
    torch.testing.assert_close(longer[1:], law[1:])
    assert (coarse[1:] < longer[1:]).all()
    assert coarse[0] == longer[0] > law[0]


@pytest.mark.parametrize("largest", [0.005, 0.02])
def test_the_limit_may_differ_from_path_to_path(largest):
    times, U = paths()
    whole, single = cut(times, U, np.full(len(U), largest)), cut(times[2:3], U[2:3], largest)
    np.testing.assert_array_equal(whole.ends[2], single.ends[0])


def test_paths_of_fewer_samples_stand_still_at_their_end():
    times, U = paths()
    stress = np.random.default_rng(0).standard_normal(U.shape)
    material, whole = Material("test", 25.0, 24.0, 10.0), Histories(times, U, stress)
    short = whole.thinned(3)
    both = joined([whole, short])
    assert both.times.shape == (2 * len(U), times.shape[1])
    errors = relative_errors(both.stress + 0.1, both.stress, both.times).total
    alone = relative_errors(short.stress + 0.1, short.stress, short.times).total
    np.testing.assert_allclose(errors[len(U) :], alone, rtol=1e-12)
    data, expected = prepare(both, material), prepare(short, material)
    assert torch.equal(data.length[len(U) :], expected.length)
    for field in ("steps", "target", "weight"):
        last = getattr(data, field)[data.start[len(U)] :]
        torch.testing.assert_close(last, getattr(expected, field), rtol=0.0, atol=0.0)
