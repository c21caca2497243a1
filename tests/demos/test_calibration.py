"""The study that finds parameters again, small: its experiments, its curves and its table."""

import pytest
from calibration import FAR, calibration

from multiscale.laws.constants_file import read_constants
from multiscale.laws.experiments.curve_file import read_experiment


def test_constants_of_steel_are_found_again(tmp_path):
    errors = calibration(material="steel", steps=40, output=tmp_path)
    assert errors.keys() == FAR.keys()
    assert max(map(abs, errors.values())) < 0.02
    found = read_constants(tmp_path / "steel" / "steel.json", "johnson-cook")
    assert found["hardening"] == pytest.approx(0.275, rel=0.02)
    warm = read_experiment(tmp_path / "steel" / "warm_compression.csv")
    assert (warm.temperature, warm.rate, warm.strain[-1]) == (573.0, 1e-3, -0.3)
