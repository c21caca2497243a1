"""Histories recorded in a simulation, and what becomes of them."""

import numpy as np
import pytest
import torch

from microscale.errors import InputError
from microscale.law import drive
from microscale.paths.protocols import StrainPaths
from multiscale.laws.j2 import J2
from multiscale.surrogate.impact_histories import ImpactPaths, Recorder, isochoric_shape
from multiscale.surrogate.recurrent.increments import strain_features, unimodular


def run(points: int = 6, steps: int = 5):
    """Drive a recorded law along rotated stretches, and return both and the stress."""
    law = Recorder(J2(), every=2)
    angle = np.linspace(0.0, 1.0, steps + 1)
    R = np.zeros((steps + 1, 3, 3))
    R[:, 0, 0] = R[:, 1, 1] = np.cos(angle)
    R[:, 1, 0], R[:, 0, 1], R[:, 2, 2] = np.sin(angle), -np.sin(angle), 1.0
    stretch = 1.0 + 0.01 * np.arange(points)[:, None] * angle
    U = np.zeros((points, steps + 1, 3, 3))
    U[..., 0, 0], U[..., 1, 1], U[..., 2, 2] = stretch, 1.0 / stretch, 1.0
    times = np.linspace(0.0, 2.0, steps + 1)
    return law, U, R @ U, times


def test_a_recorder_changes_no_stress_and_keeps_every_other_point():
    law, _, F, times = run()
    np.testing.assert_array_equal(drive(law, F, times), drive(J2(), F, times))
    np.testing.assert_allclose(law.times, times)
    np.testing.assert_array_equal(np.stack(law.gradients, axis=1), F[::2, 1:])


def test_paths_are_the_stretches_of_the_points_that_moved_most():
    law, U, F, times = run()
    drive(law, F, times)
    paths = ImpactPaths(steps=5, origin=[{"impact": "none"}])
    paths.add(law, count=2)
    assert len(paths) == 2
    for found, point in zip(paths.histories, (4, 2), strict=True):
        np.testing.assert_allclose(found.times, times)
        np.testing.assert_allclose(found.stretch, U[point], atol=1e-12)


def test_between_recorded_times_the_gradient_is_linear():
    law, _, F, times = run()
    drive(law, F, times)
    paths = ImpactPaths(steps=10, origin=[])
    paths.add(law, count=1)
    halfway = 0.5 * (F[4, 2] + F[4, 3])
    U = paths.path(0).stretch[5]
    np.testing.assert_allclose(U @ U, halfway.T @ halfway, atol=1e-12)


def test_other_points_of_the_simulation_replace_a_history():
    law, U, F, times = run(points=9)  # 8, 6, 4, 2 and 0 are recorded
    drive(law, F, times)
    paths = ImpactPaths(steps=5, origin=[])
    for _ in range(2):  # two simulations
        paths.add(law, count=2)
    assert [len(others) for others in paths.replacements] == [2, 1, 2, 1]
    points = {(0, 0): 8, (1, 0): 6, (0, 1): 4, (1, 1): 2, (0, 2): 0, (2, 1): 4, (3, 1): 2}
    for (index, attempt), point in points.items():
        np.testing.assert_allclose(paths.path(index, attempt).stretch, U[point], atol=1e-12)
    with pytest.raises(InputError, match="history 1 and on 1 of other points: record fewer"):
        paths.path(1, attempt=2)


def test_fewer_points_than_asked_for_are_all_there_is():
    law, _, F, times = run()
    drive(law, F, times)
    paths = ImpactPaths(steps=5, origin=[])
    paths.add(law, count=5)
    assert len(paths) == len(paths.replacements) == 3
    with pytest.raises(InputError, match="history 0 and on 0 of other points"):
        paths.path(0, attempt=1)


def test_histories_that_were_given_have_no_replacements():
    law, _, F, times = run()
    drive(law, F, times)
    recorded = ImpactPaths(steps=5, origin=[])
    recorded.add(law, count=1)
    paths = ImpactPaths(5, [], recorded.histories)
    with pytest.raises(InputError, match="history 0 and on 0 of other points"):
        paths.path(0, attempt=1)


def test_the_isochoric_shape_is_that_of_the_training_range():
    F = np.diag([2.0, 0.5, 1.0])
    Q = np.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    exact = np.log((2.0 * 2.5 + 2.0) / 6.0)
    np.testing.assert_allclose(isochoric_shape(np.stack([Q @ F, 1.3 * F])), exact, rtol=1e-12)
    assert isochoric_shape(np.eye(3)) == 0.0
    U = torch.tensor(StrainPaths("R", 0.5, steps=20, seed=1).path(0).stretch)
    features = strain_features(unimodular(U), torch.linalg.inv(unimodular(U)))
    np.testing.assert_allclose(isochoric_shape(U.numpy()), features[:, 12], rtol=1e-12, atol=1e-12)


def test_a_history_ends_where_its_shape_is_too_large():
    law, _, F, times = run(points=20, steps=50)
    drive(law, F, times)
    whole, cut = (ImpactPaths(steps=100, origin=[]) for _ in range(2))
    whole.add(law, count=10)
    largest = 0.5 * isochoric_shape(whole.path(0).stretch[-1])
    cut.add(law, count=10, largest_shape=largest)
    reached = isochoric_shape(cut.path(0).stretch[-1])
    np.testing.assert_allclose(reached, largest, rtol=1e-3)  # linear between the recordings
    assert cut.path(0).times[-1] < whole.path(0).times[-1]
    for k in range(10):
        assert isochoric_shape(cut.path(k).stretch).max() <= 1.001 * largest
    np.testing.assert_array_equal(cut.path(9).stretch, whole.path(9).stretch)  # it stays below
