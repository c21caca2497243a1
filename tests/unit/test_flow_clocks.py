"""Clocks of strain paths: right values on paths whose answer is known, whatever the steps; none at rest."""

from itertools import pairwise

import numpy as np
import pytest

from microscale.paths.flow_clocks import CLOCKS, LONGEST, FlowClocks

LIMIT = 0.005
WINDOW = 2.0 * LIMIT
"""Elastic range: a point flows once its strain has this norm; clocks run over flow of twice that."""

A = np.diag([1.0, -0.5, -0.5]) / np.sqrt(1.5)
B = np.diag([0.0, 1.0, -1.0]) / np.sqrt(2.0)
"""Directions of strain, deviators of norm one."""


def packed(strain):
    """Stretches exp(strain) of diagonal logarithmic strains (n, 3, 3), as the clocks take them."""
    stretch = np.exp(np.diagonal(strain, axis1=1, axis2=2))
    return np.concatenate([stretch, np.zeros_like(stretch)], axis=1)


def followed(strains, times, parts=20, limit=LIMIT):
    """Follow a path, linear between its corners; return the longest of each clock, and all at the end."""
    fine = np.interp(np.arange(len(times) * parts - parts + 1) / parts, np.arange(len(times)), times)
    path = np.stack([np.interp(fine, times, np.asarray(strains)[:, i, i]) for i in range(3)], axis=1)
    stretch = packed(np.stack([np.diag(row) for row in path]))
    clocks, shown, most = np.zeros((1, CLOCKS)), np.zeros((1, LONGEST)), np.zeros(LONGEST)
    watch = FlowClocks(limit)
    for k in range(1, len(fine)):
        dt = np.array([fine[k] - fine[k - 1]])
        watch.advance(stretch[k - 1 : k], stretch[k : k + 1], dt, clocks, shown)
        most = np.maximum(most, shown[0])
    return most, clocks[0]


@pytest.mark.parametrize("parts", [20, 100, 1000])
def test_steady_flow_takes_the_window_over_its_rate(parts):
    (flowing, resting, path), _ = followed([0 * A, 0.1 * A], [0.0, 2.0], parts)
    assert flowing == pytest.approx(WINDOW / 0.05, rel=0.1 / parts)
    assert resting == pytest.approx(0.0, abs=1e-9)
    assert path == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("parts", [20, 100])
def test_a_hold_lasts_as_long_as_it_does(parts):
    strains = [0 * A, 0.05 * A, 0.05 * A, 0.08 * A]
    (flowing, resting, path), _ = followed(strains, [0.0, 1.0, 4.0, 5.0], parts)
    assert resting == pytest.approx(3.0, rel=1e-6)
    assert path == pytest.approx(0.0, abs=1e-9)
    assert flowing < 0.5


def test_time_under_unloading_counts_as_held():
    strains = [0 * A, 0.05 * A, 0.046 * A, 0.046 * A]
    (_, resting, path), _ = followed(strains, [0.0, 1.0, 1.5, 3.0])
    assert resting == pytest.approx(2.0, rel=1e-6)
    assert path == pytest.approx(0.004, rel=1e-3)


@pytest.mark.parametrize("parts", [20, 200])
def test_cycles_travel_more_elastically_the_less_they_flow(parts):
    """Half cycles of 2 limit + a flow by a: in a window they travel window^2 / a without flowing."""
    flow = WINDOW / 4.0
    strain = WINDOW + flow
    corners = [0.0, 0.05] + [0.05 - strain * (k % 2) for k in range(1, 21)]
    times = np.append(0.0, 1.0 + 0.1 * np.arange(21))
    (_, resting, path), _ = followed([c * A for c in corners], times, parts)
    # A window may end within an elastic stretch of the path or after it.
    assert path == pytest.approx(WINDOW**2 / flow, rel=0.26)
    assert resting == pytest.approx(path / strain * 0.1, rel=1e-3)


@pytest.mark.parametrize("size", [1e-4, 0.99 * LIMIT])
def test_rest_and_elastic_waves_before_the_first_flow_do_not_count(size):
    corners = [size * np.sin(k) * A + 0.1 * size * np.cos(k) * B for k in range(100)]
    most, clocks = followed([0 * A, *corners], np.arange(101.0))
    np.testing.assert_array_equal(most, 0.0)
    assert np.linalg.norm(clocks[:5]) <= 1.2 * size


def test_small_waves_after_flow_add_what_they_travel():
    corners = [0.05 - 1e-4 * (k % 2) for k in range(101)]
    (_, _, path), _ = followed([0 * A, *(c * A for c in corners)], np.arange(102.0))
    assert path == pytest.approx(100 * 1e-4, rel=0.03)


def test_a_turn_of_the_flow_is_flow():
    most, _ = followed([0 * A, 0.05 * A, 0.05 * A + 0.05 * B], [0.0, 1.0, 2.0], 500)
    assert most[1] < 0.1  # the corner of the path is cut within the elastic range
    assert most[2] < LIMIT


def test_a_step_of_nothing_changes_no_bit_and_points_do_not_mix():
    rng, watch = np.random.default_rng(0), FlowClocks(LIMIT)
    strains = 0.02 * rng.standard_normal((12, 37, 3))
    paths = [packed(np.stack([np.diag(row - row.mean()) for row in step])) for step in strains]
    dt = rng.random(37)
    clocks, shown = np.zeros((37, CLOCKS)), np.zeros((37, LONGEST))
    alone, shown_alone = clocks[5:6].copy(), shown[5:6].copy()
    for before, after in pairwise(paths):
        watch.advance(before, after, dt, clocks, shown)
        watch.advance(before[5:6].copy(), after[5:6].copy(), dt[5:6].copy(), alone, shown_alone)
    np.testing.assert_array_equal(clocks[5:6], alone)
    kept = clocks.copy()
    watch.advance(paths[-1], paths[-1], np.zeros(37), clocks, shown)
    np.testing.assert_array_equal(clocks, kept)


def test_without_an_elastic_limit_nothing_flows():
    most, _ = followed([0 * A, 0.5 * A, 0 * A], [0.0, 1.0, 9.0], limit=np.inf)
    np.testing.assert_array_equal(most, 0.0)
