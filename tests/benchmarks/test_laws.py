"""Cost of the laws: one update of 3,000 points, flowing plastically, on one core."""

import numpy as np
import pytest

from microscale.tensors import polar_rotation
from multiscale.laws import make_law

POINTS, STEPS = 3000, 40


def impact_paths() -> np.ndarray:
    """Compression and shear in strain steps of 1e-3, different at each point, (steps, points, 3, 3)."""
    rng = np.random.default_rng(0)
    rate = np.array([[0.5, 0.3, 0.0], [0.0, 0.5, 0.1], [0.0, 0.2, -1.0]]) + 0.3 * rng.standard_normal(
        (POINTS, 3, 3)
    )
    return np.eye(3) + 1e-3 * np.arange(20, 20 + STEPS)[:, None, None, None] * rate


@pytest.mark.parametrize("name", ["neo-hooke", "j2", "johnson-cook"])
def test_cost_per_point_and_step(benchmark, name):
    """Budget: 0.2 us per point and step (the whole finite-element step has 0.4 us)."""
    law, F, P = make_law(name), impact_paths(), np.empty((POINTS, 3, 3))

    def start() -> tuple[tuple, dict]:
        state = law.init_state(POINTS)
        for F_k in F[:5]:
            law.update(F_k, 0.005, state, P)
        return (state,), {}

    def steps(state) -> None:
        for F_k in F[5:]:
            law.update(F_k, 0.005, state, P)

    benchmark.pedantic(steps, setup=start, rounds=10)
    if benchmark.stats is not None:
        cost = benchmark.stats.stats.min / (POINTS * (STEPS - 5)) * 1e6
        benchmark.extra_info.update(us_per_point_and_step=round(cost, 4), budget_us=0.2)


def test_cost_of_the_polar_rotation(benchmark):
    F = np.ascontiguousarray(impact_paths()[-1])
    R = np.empty_like(F)
    benchmark(polar_rotation, F, R)
    if benchmark.stats is not None:
        benchmark.extra_info["us_per_point"] = round(benchmark.stats.stats.min / POINTS * 1e6, 4)
