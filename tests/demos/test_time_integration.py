"""The demo of time integration measures what it says, on a small scale."""

import json

import numpy as np
import pytest
import time_integration as demo
from time_integration import time_integration

from microscale import drive
from microscale.errors import InputError
from microscale.paths.protocols import StrainPaths
from microscale.tensors import deviator


def test_errors_are_small_kept_and_not_measured_again(tmp_path, monkeypatch):
    asked = {"paths": 2, "protocols": ("R 10 %", "L-U"), "materials": ("even",), "frames": 2}
    found = time_integration(**asked, durations=(1.0, 5.0), output=tmp_path)
    assert sorted(found) == sorted(f"even, {p}, {T} us" for p in ("R 10 %", "L-U") for T in (1, 5))
    for case in found.values():
        assert 3.0 * case["reference"] < case["deviator"] < 0.01
        assert abs(case["twins"]) < 0.01
        assert abs(case["von_mises"]) < 0.01
        assert case["speed"] > 0.0
    assert found["even, R 10 %, 5 us"]["twinned"] > found["even, R 10 %, 1 us"]["twinned"] > 0.001
    assert 0.001 < found["even, R 10 %, 5 us"]["turning"] < 0.1
    assert "turning" not in found["even, R 10 %, 1 us"]
    assert 1000 < (tmp_path / "time_integration.png").stat().st_size < 300_000
    monkeypatch.setattr(demo, "measure", lambda *_: pytest.fail("a case that is there was measured again"))
    assert time_integration(**asked, durations=(1.0,), output=tmp_path) == found
    assert json.loads((tmp_path / "time_integration_2.json").read_text()) == found


def test_the_error_is_that_of_the_deviator_along_each_path(monkeypatch):
    """Computed here by hand, with tolerances that are far apart and cost little."""
    monkeypatch.setattr(demo, "REFERENCE", 0.02)
    monkeypatch.setattr(demo, "COARSER", 0.02)
    found = demo.measure("m = 0.2", "R 10 %", 1.0, paths=2, frames=1)
    times, F = StrainPaths("R", 0.1, 200, (1.0, 1.0), seed=777).batch(range(2))
    coarse, fine = (
        deviator(drive(demo.polycrystal("m = 0.2", **options), F, times))
        for options in ({}, {"step_tolerance": 0.02})
    )
    seconds = np.gradient(times, axis=1)[:, :, None, None]  # trapezoidal weights of equal samples
    seconds[:, [0, -1]] *= 0.5
    error, norm = (np.sqrt((seconds * a**2).sum((1, 2, 3))) for a in (coarse - fine, fine))
    assert found["deviator"] == pytest.approx((error / norm).mean(), rel=0.02)
    assert found["worst"] == pytest.approx((error / norm).max(), rel=0.02)
    assert found["reference"] == 0.0


def test_a_protocol_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"protocols = X, expected some of R 50 %"):
        time_integration(protocols=("X",), output=tmp_path)
