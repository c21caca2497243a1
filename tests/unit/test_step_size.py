"""The step of a run: a fraction of the stable one, held, lowered at once, raised late, saved and restored."""

import numpy as np
import pytest

from microscale.errors import DeformationError, InputError
from multiscale.dynamics.step_size import GROWTH, StepSize


def steps_of(stable, courant=0.5):
    """The steps chosen as the stable step goes through ``stable``."""
    size = StepSize(courant)
    return np.array([size.next(value, 0.0, count, 0) for count, value in enumerate(stable)])


def test_the_step_falls_at_once_and_is_held_through_a_wave():
    wave = 1.0 - 0.02 * np.abs(np.sin(0.3 * np.arange(5000)))
    steps = steps_of(wave)
    assert np.all(steps <= 0.5 * wave)
    assert np.all(np.diff(steps) <= 0.0)
    assert np.count_nonzero(np.diff(steps)) < 30
    assert steps[-1] == pytest.approx(0.5 * 0.98, rel=1e-3)


def test_the_step_grows_after_an_eighth_of_the_steps_so_far_and_then_all_the_way():
    stable = np.r_[np.full(800, 1.0), np.full(400, 3.0)]
    steps = steps_of(stable)
    grown = np.flatnonzero(np.diff(steps))
    assert len(grown) == 1
    assert 100 <= grown[0] - 799 <= 250  # what is left of one stretch, and a whole one
    assert steps[-1] == 1.5
    little = steps_of(np.r_[np.full(800, 1.0), np.full(4000, 0.999 * GROWTH)])
    assert set(little) == {0.5}


def test_the_last_two_steps_are_equal_and_do_not_change_the_one_held():
    size = StepSize(1.0)
    size.next(1.0, 0.0, 0, 0)
    size.end_time = 2.5
    assert size.next(1.0, 1.0, 1, 0) == 0.75
    assert size.next(1.0, 1.75, 2, 0) == 0.75
    size.end_time = np.inf
    assert size.next(1.0, 2.5, 3, 0) == 1.0


def test_a_saved_step_size_goes_on_with_the_same_bits():
    stable = 1.0 + np.random.default_rng(1).uniform(0.0, 0.5, 400) + np.linspace(0.0, 1.0, 400)
    size, steps = StepSize(0.9), []
    for count, value in enumerate(stable):
        if count == 200:
            clock, size = size.clock(), StepSize(0.9)
            size.resume(clock)
        steps.append(size.next(value, 0.0, count, 0))
    np.testing.assert_array_equal(steps, steps_of(stable, 0.9))
    assert steps[-1] > 1.1 * steps[0]


def test_a_crushed_cell_and_an_impossible_factor_are_refused():
    size = StepSize(0.9)
    size.next(1.0, 0.0, 0, 7)
    with pytest.raises(DeformationError, match=r"from 0\.9 to 9e-06 us at 2 us: cell 7 is crushed"):
        size.next(1e-5, 2.0, 1, 7)
    with pytest.raises(InputError, match="courant = 0"):
        StepSize(0.0)
