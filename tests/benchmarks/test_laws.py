"""Cost of the laws: one update of 3,000 points, flowing plastically, on one core."""

import numpy as np
import pytest

from microscale.tensors import polar_rotation
from multiscale.laws import make_law
from multiscale.surrogate.store import SHIPPED

POINTS, WARM = 3000, 5
# us, from what is asked of whole runs: 0.4 us for a finite-element step with Johnson-Cook on one-point
# elements, 0.6 us for a surrogate with AVX-512 (1.4 with AVX2), 2.0 us for one that is told a texture, 1e6
# grain-steps a second for polycrystals, of 128 grains or of a few that stand for the texture.
BUDGET = {"neo-hooke": 0.2, "j2": 0.2, "johnson-cook": 0.2, "learned": 0.6, "taylor": 128.0}
BUDGET |= {"learned, told a texture": 2.0, "taylor, 16 grains": 16.0, "taylor, 32 grains": 32.0}
PLATE = {"texture": "rolled:15,25"}
OPTIONS = {
    "learned, told a texture": PLATE,
    "taylor, 16 grains": PLATE | {"grains": 16},
    "taylor, 32 grains": PLATE | {"grains": 32},
}
STEPS = {"taylor": 2, "taylor, 16 grains": 5, "taylor, 32 grains": 5}  # others take 35


def impact_paths(steps: int) -> np.ndarray:
    """Compression and shear in strain steps of 1e-3, different at each point, (steps, points, 3, 3)."""
    rate = np.array([[0.5, 0.3, 0.0], [0.0, 0.5, 0.1], [0.0, 0.2, -1.0]])
    rate = rate + 0.3 * np.random.default_rng(0).standard_normal((POINTS, 3, 3))
    return np.eye(3) + 1e-3 * np.arange(20, 20 + steps)[:, None, None, None] * rate


def report(benchmark, capsys, what: str, calls: int, budget: float) -> None:
    """Print the least cost beside its budget; nothing where benchmarks are switched off."""
    if benchmark.stats is not None:
        cost = benchmark.stats.stats.min / calls * 1e6
        benchmark.extra_info.update(us=cost, budget_us=budget)
        with capsys.disabled():
            print(f"\n{what}: {cost:.3f} us, budget {budget:.1f} us")


@pytest.mark.parametrize("name", BUDGET)
def test_cost_per_point_and_step(benchmark, capsys, name):
    if name == "learned" and not SHIPPED.exists():
        pytest.skip("no surrogate has been trained")
    law = make_law(name.split(",")[0], **OPTIONS.get(name, {}))
    F, P = impact_paths(WARM + STEPS.get(name, 35)), np.empty((POINTS, 3, 3))

    def start() -> tuple[tuple, dict]:
        state = law.init_state(POINTS)
        for F_k in F[:WARM]:
            law.update(F_k, 0.005, state, P)
        return (state,), {}

    def steps(state) -> None:
        for F_k in F[WARM:]:
            law.update(F_k, 0.005, state, P)

    benchmark.pedantic(steps, setup=start, rounds=2 if name in STEPS else 10)
    report(benchmark, capsys, f"{name} per point and step", POINTS * (len(F) - WARM), budget=BUDGET[name])


def test_cost_of_the_polar_rotation(benchmark, capsys):
    F = np.ascontiguousarray(impact_paths(30)[-1])
    R = np.empty_like(F)
    benchmark(polar_rotation, F, R)
    report(benchmark, capsys, "polar rotation per point", POINTS, budget=0.2)
