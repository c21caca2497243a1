"""What the learnt law costs, beside its budget and the paper's cost; never pass or fail on time.

Run with `OMP_NUM_THREADS=1 .venv/bin/pytest tests/benchmarks/test_surrogate.py --benchmark-enable -s`.
"""

import numpy as np
import torch

from multiscale.surrogate.recurrent.architecture import Architecture
from multiscale.surrogate.recurrent.compiled import FusedRecurrent, pack
from multiscale.surrogate.recurrent.increments import increments
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.recurrent.network import RecurrentSurrogate

POINTS, BUDGET, PAPER = 3000, 0.6, 690.0  # us per point and step on one core, with AVX-512


def test_cost_per_point_and_step(benchmark):
    law = LearnedLaw.from_file()
    generator = np.random.default_rng(0)
    F = np.eye(3) + 0.01 * generator.standard_normal((POINTS, 3, 3))
    state, P = law.init_state(POINTS), np.empty_like(F)
    benchmark.pedantic(law.update, (F, 0.01, state, P), rounds=50, warmup_rounds=3)
    assert np.isfinite(P).all()
    if benchmark.stats:
        cost = 1e6 * benchmark.stats.stats.median / POINTS
        benchmark.extra_info["us_per_point_and_step"] = cost
        doubles = sum(int(np.prod(variable.shape)) for variable in law.state_spec)
        print(f"\nlearned: {cost:.2f} us per point and step (budget {BUDGET}, paper {PAPER})")
        print(f"state: {doubles} doubles a point")


def test_training_cost_per_path_and_step(benchmark):
    torch.manual_seed(0)
    follow = FusedRecurrent(RecurrentSurrogate(Architecture()), threads=1)
    U = np.eye(3) + 0.002 * np.cumsum(
        np.random.default_rng(0).standard_normal((51, 64, 1, 3)), axis=0
    ) * np.eye(3)
    packed = pack(increments(torch.from_numpy(U), torch.full((50, 64), 0.01, dtype=torch.float64)))

    def forward_and_backward() -> None:
        follow(packed)[0].square().sum().backward()

    benchmark.pedantic(forward_and_backward, rounds=20, warmup_rounds=2)
    if benchmark.stats:
        print(f"\ntraining: {1e6 * benchmark.stats.stats.median / (50 * 64):.2f} us per path and step")
