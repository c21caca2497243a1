"""What a path of the unit cell costs on one core, its iterations a step, and where the time goes.

OMP_NUM_THREADS=1 .venv/bin/pytest tests/benchmarks/test_fft.py --benchmark-enable -s
"""

import time

import numpy as np
import pytest

from microscale import SingleCrystal, drive
from microscale.crystals.crystal import read_crystal
from microscale.paths.protocols import StrainPaths
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.grid import PeriodicGrid
from microscale.unit_cell.microstructure import periodic_voronoi

CASES = {
    "2D 64, R 10 %": ("two_slip.yaml", (64, 64), 200, 1e6, 0.1),
    "2D 64, R 10 %, 1000 steps": ("two_slip.yaml", (64, 64), 1000, 1e6, 0.1),
    "3D 16, R 5 %": ("magnesium.yaml", (16, 16, 16), 200, 1.0, 0.05),
    "3D 16, R 10 %": ("magnesium.yaml", (16, 16, 16), 200, 1.0, 0.1),
    "3D 32, R 5 %": ("magnesium.yaml", (32, 32, 32), 200, 1.0, 0.05),
    "3D 32, R 10 %": ("magnesium.yaml", (32, 32, 32), 200, 1.0, 0.1),
}


class Clock:
    """Processor time spent in some methods."""

    def __init__(self, patch: pytest.MonkeyPatch, *methods: tuple[type, str]) -> None:
        self.seconds = 0.0
        for owner, name in methods:
            patch.setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method):
        def timed(*args):
            start = time.process_time()
            method(*args)
            self.seconds += time.process_time() - start

        return timed


@pytest.mark.parametrize("case", CASES)
def test_path(case, benchmark, monkeypatch):
    if not benchmark.enabled:
        pytest.skip("minutes; only where benchmarks are asked for")
    file, shape, steps, duration, strain = CASES[case]
    path = StrainPaths("R", strain, steps, (duration, duration), seed=0, dimension=len(shape)).path(3)
    orientation = periodic_voronoi(16, shape).voxel_orientations()
    law = SingleCrystal(crystal=read_crystal(file), threads=1)
    cell = FullFieldCell(law, shape, {"orientation": orientation}, threads=1)
    drive(cell, path.stretch[None, :3], path.times[:3])
    before = cell.law_calls
    local = Clock(monkeypatch, (SingleCrystal, "_update"))
    transforms = Clock(monkeypatch, (PeriodicGrid, "deformation"), (PeriodicGrid, "forces"))
    start = time.process_time()
    stress = benchmark.pedantic(drive, (cell, path.stretch[None], path.times), rounds=1)
    seconds = time.process_time() - start
    assert np.isfinite(stress).all()
    calls = (cell.law_calls - before) / steps
    shares = local.seconds / seconds, transforms.seconds / seconds
    benchmark.extra_info.update(processor_seconds=seconds, calls_per_step=calls, law=shares[0], fft=shares[1])
    print(
        f"\n{case}: {seconds:.2f} s of one core, {calls:.1f} calls of the law a step; "
        f"law {shares[0]:.0%}, gradients and forces {shares[1]:.0%}, the rest {1 - sum(shares):.0%}"
    )
