"""What the polycrystal costs: grain-steps a second on one core, beside the paper's 780 and a budget of 1e6.

OMP_NUM_THREADS=1 .venv/bin/pytest tests/benchmarks/test_crystal.py --benchmark-enable -s
"""

import numpy as np
import pytest

from microscale import TaylorPolycrystal, drive, random_orientations
from microscale.paths.protocols import StrainPaths

PAPER = 128 * 1000 / 164.0  # a path of 1000 steps and 128 grains in 164 s
BUDGET = 1e6
GRAINS, STEPS, PATHS = 128, 200, 8


@pytest.mark.parametrize(("protocol", "max_strain"), [("R", 0.5), ("R", 0.1), ("I", 1.0)])
def test_grain_steps_per_second(benchmark, protocol, max_strain):
    times, F = StrainPaths(protocol, max_strain, STEPS, seed=5).batch(range(PATHS))
    law = TaylorPolycrystal(random_orientations(GRAINS, 0), threads=1)
    drive(law, F[:1, :2], times[:1, :2])
    stress = benchmark.pedantic(drive, (law, F, times), rounds=3)
    assert np.isfinite(stress).all()
    if benchmark.stats:
        rate = PATHS * GRAINS * STEPS / benchmark.stats.stats.median
        benchmark.extra_info.update(grain_steps_per_second=rate, ratio_to_the_paper=rate / PAPER)
        print(
            f"\n{protocol} {max_strain:.0%}: {rate:.3g} grain-steps/s and core "
            f"(budget {BUDGET:.0e}, paper {PAPER:.0f}: {rate / PAPER:.0f} times)"
        )
