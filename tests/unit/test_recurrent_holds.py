"""Steps of the recurrent surrogate that are cut by the time under stress: a hold is the same in any steps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from multiscale.surrogate.recurrent.architecture import (
    LARGEST_STEP,
    LONGEST_UNDER_STRESS,
    MOST_PARTS,
    STRAIN_AS_TIME,
    STRAIN_SCALE,
    Architecture,
)
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.recurrent.substeps import cut
from multiscale.surrogate.store import FULL_FIELD, SHIPPED, read_surrogate, weights_file

E = np.diag([1.0, -0.5, -0.5])

pytestmark = pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")


def law_of(holds: int, precision: str = "single", file: Path = SHIPPED) -> LearnedLaw:
    """Weights, as if their card said that they know holds, or do not."""
    weights, card = read_surrogate(file)
    told = replace(Architecture(**card.architecture), holds=holds).told
    return LearnedLaw(weights, replace(card, architecture=told), precision=precision)


def loaded(law: LearnedLaw, duration: float):
    """The state after 10 % of strain, and where it ends."""
    state, P = law.init_state(1), np.empty((1, 3, 3))
    for k in range(1, 51):
        law.update((np.eye(3) + 0.1 * E * k / 50)[None].copy(), duration / 50, state, P)
    return state, (np.eye(3) + 0.1 * E)[None].copy()


def held(law: LearnedLaw, duration: float, step: float) -> np.ndarray:
    """Stress difference after each 0.1 us of a hold, asked in steps, us."""
    (state, F), P, found = loaded(law, duration), np.empty((1, 3, 3)), []
    each = round(0.1 / step)
    for k in range(5 * each):
        law.update(F, step, state, P)
        if (k + 1) % each == 0:
            found.append(P[0, 0, 0] - P[0, 1, 1])
    return np.array(found)


@pytest.mark.parametrize("duration", [0.1, 1.0])
def test_a_hold_is_the_same_in_any_steps(duration):
    law = law_of(holds=1)
    fine = held(law, duration, 1e-4)
    for step in (1e-3, 1e-2, 1e-1):
        np.testing.assert_allclose(held(law, duration, step), fine, rtol=0.02)
    without = held(law_of(holds=0), duration, 1e-1)
    assert np.abs(without / fine - 1.0).max() > 0.05  # what this is for


def test_cards_of_before_and_short_steps_are_as_they_were():
    weights, card = read_surrogate(FULL_FIELD)
    before = replace(card, architecture={k: n for k, n in card.architecture.items() if k != "holds"})
    assert Architecture(**before.architecture).holds == 0
    for step in (1e-4, 1e-3):  # one part
        cut_by_time, as_before = law_of(1, file=FULL_FIELD), LearnedLaw(weights, before)
        np.testing.assert_array_equal(held(cut_by_time, 0.1, step), held(as_before, 0.1, step))


def test_a_hold_after_a_fast_load_is_the_same_in_any_steps():
    """Elastic strain is three scales there, and relaxes within nanoseconds."""
    law = LearnedLaw.from_file(weights_file("any-texture"))
    fine = held(law, 0.02, 1e-3)
    for step in (1e-2, 1e-1):
        np.testing.assert_allclose(held(law, 0.02, step), fine, rtol=0.02)


def test_the_tangent_follows_the_parts():
    law = law_of(holds=1, precision="double")
    state, F = loaded(law, 1.0)
    end = F + 0.003 * np.diag([0.3, -1.0, 0.5]) + 0.001
    A, h, sides = np.empty((1, 3, 3, 3, 3)), 1e-6, []
    law.tangent(end, 0.1, state, A)
    for size in (h, -h):
        moved, P = end.copy(), np.empty((1, 3, 3))
        moved[:, 0, 1] += size
        law.update(moved, 0.1, state.copy(), P)
        sides.append(P)
    slope = (sides[0] - sides[1]) / (2.0 * h)
    np.testing.assert_allclose(A[..., 0, 1], slope, rtol=0.0, atol=1e-6 * np.abs(A).max())


def test_paths_are_cut_for_training_as_the_law_cuts_them():
    times = np.array([[0.0, 0.001, 0.1, 1.0, 1.001, 1.003]])
    U = np.tile(np.eye(3), (1, 6, 1, 1))
    strain = np.array([[0.0, 0.7, 1.2, 0.8, 3.0, 3.0]])
    parts = np.diff(cut(times, U, LARGEST_STEP, strain).ends, prepend=-1)
    expected = [1, int(np.ceil(0.099 * 0.7**3 / LONGEST_UNDER_STRESS)), MOST_PARTS, 1]
    expected.append(int(np.ceil(0.002 * 3.0**3 / LONGEST_UNDER_STRESS)))  # by the cube
    np.testing.assert_array_equal(parts[0], expected)
    pulled = np.stack([np.eye(3), np.diag([1.004, 0.998, 0.998])])[None]
    parts = cut(np.array([[0.0, 0.02]]), pulled, LARGEST_STEP, np.full((1, 2), 1.5)).ends[0] + 1
    count = 0.02 * 1.5**3 / LONGEST_UNDER_STRESS  # if no strain passed
    passed = STRAIN_AS_TIME * 0.004 * np.sqrt(1.5) / STRAIN_SCALE
    assert count > 6.0 > parts[0]  # less where strain passes
    np.testing.assert_array_equal(parts, np.ceil(count * 0.03 / (0.03 + passed)))
    np.testing.assert_array_equal(cut(times, U).ends[0], np.arange(5))


@pytest.mark.parametrize("duration", [0.02, 0.1, 1.0])
def test_the_law_takes_the_parts_that_paths_are_cut_into(duration):
    """One step of a hold is as many short ones, to rounding, and not one more or less."""
    law, dt = law_of(holds=1, precision="double"), min(0.2 * duration, 0.02)
    state, F = loaded(law, duration)
    strain = np.linalg.norm(state["elastic_strain"].reshape(-1, 5), axis=1).mean()
    times, still = np.array([[0.0, dt]]), np.tile(F, (1, 2, 1, 1))
    parts = int(cut(times, still, LARGEST_STEP, np.full((1, 2), strain)).ends[0, 0]) + 1
    assert parts > 1
    found = []
    for count in (parts - 1, parts, parts + 1):
        other, P = state.copy(), np.empty((1, 3, 3))
        for _ in range(count):
            law_of(holds=0, precision="double").update(F, dt / count, other, P)
        found.append(P.copy())
    law.update(F, dt, state, P)
    off = [np.abs(one - P).max() / np.abs(P).max() for one in found]
    assert off[1] < 1e-12 < 1e-6 < min(off[0], off[2])


@pytest.mark.xfail(strict=True, reason="met by the weights of before, 0.73 and 1.13 by those of today")
def test_elastic_strain_of_the_law_cuts_as_the_label_does():
    """Labels give the norm of the mean deviator, the law has the mean norm of the groups."""
    groups = loaded(law_of(holds=1), 1.0)[0]["elastic_strain"].reshape(-1, 5)
    assert np.linalg.norm(groups.mean(0)) == pytest.approx(np.linalg.norm(groups, axis=1).mean(), rel=0.2)


@pytest.mark.parametrize("duration", [0.02, 0.1, 1.0])
def test_the_law_cuts_a_hold_finer_than_training_does(duration):
    """Labels give the norm of the mean elastic strain, the law has the mean norm of the groups."""
    law = law_of(holds=1)
    groups = loaded(law, duration)[0]["elastic_strain"].reshape(-1, 5)
    shares = np.exp(read_surrogate(SHIPPED)[0]["shares"])
    label = np.linalg.norm(shares @ groups) / shares.sum()
    assert label < np.linalg.norm(groups, axis=1).mean() < 2.0 * label
