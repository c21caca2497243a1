"""The one factor on the deviator by which a model is judged beside a better one."""

import numpy as np
import pytest

from microscale.tensors import deviator
from multiscale.surrogate.histories import best_factor, relative_errors


def histories(seed, paths=3, samples=20):
    generator = np.random.default_rng(seed)
    stress = generator.normal(size=(paths, samples, 3, 3))
    times = np.cumsum(generator.uniform(0.1, 1.0, (paths, samples)), axis=1)
    return stress + np.swapaxes(stress, 2, 3), times


def test_it_finds_a_factor_whatever_the_pressure():
    exact, times = histories(1)
    predicted = exact / 0.79 + 5.0 * np.eye(3)
    assert best_factor(predicted, exact, times) == pytest.approx(0.79, rel=1e-12)


def test_no_other_factor_leaves_less():
    exact, times = histories(2)
    exact *= np.array([1.0, 10.0, 0.1])[:, None, None, None]  # every path counts alike
    predicted = 1.3 * exact + 0.2 * np.abs(exact).mean(axis=(1, 2, 3), keepdims=True) * histories(3)[0]

    def left(factor):
        return (relative_errors(factor * deviator(predicted), exact, times).deviatoric ** 2).sum()

    best = best_factor(predicted, exact, times)
    assert all(left(best) < left(best + off) for off in (-0.01, 0.01, -1e-4, 1e-4))
