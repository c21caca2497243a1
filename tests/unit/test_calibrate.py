"""Calibration finds the constants a law was made with, and says how far a law is from a polycrystal."""

import json
from pathlib import Path

import numpy as np
import pytest

from microscale.errors import InputError
from multiscale.calibrate import calibrate, read_constants, strain_paths, write_calibration
from multiscale.laws import make_law

KNOWN = {
    "j2": {"yield_stress": 0.25, "hardening_modulus": 0.6, "youngs_modulus": 70.0, "density": 2.7},
    "johnson-cook": {
        "initial_strength": 0.15,
        "hardening": 0.4,
        "hardening_exponent": 0.4,
        "rate_sensitivity": 0.05,
        "reference_rate": 0.05,
        "heated_fraction": 0.0,
        "shear_modulus": 30.0,
    },
}


@pytest.mark.parametrize("law", KNOWN)
def test_known_constants_are_found(law):
    found = calibrate(make_law(law, **KNOWN[law]), law, rates=(0.05, 2.0), samples=50)
    assert found.mean_error < 1e-5
    for name, value in KNOWN[law].items():
        assert found.constants[name] == pytest.approx(value, rel=1e-4)


def test_a_law_with_rates_is_nearer_to_the_polycrystal():
    polycrystal = make_law("taylor", grains=32)  # far fewer are far from isotropic
    errors = {law: calibrate(polycrystal, law, samples=50).mean_error for law in KNOWN}
    assert 0.1 < errors["johnson-cook"] < 0.8 * errors["j2"] < 0.3


def test_paths_keep_volume_and_rate():
    names, times, F = strain_paths((0.5, 4.0), 0.3, 30)
    assert len(set(names)) == len(F) == 6
    np.testing.assert_allclose(np.linalg.det(F), 1.0, rtol=1e-12)
    rate = np.diff(np.log(np.diagonal(F, axis1=2, axis2=3)), axis=1) / np.diff(times, axis=1)[..., None]
    expected = np.tile([0.5, 4.0], 3)[:, None] * np.ones(30)
    np.testing.assert_allclose(np.sqrt(2.0 / 3.0 * (rate**2).sum(axis=2)), expected, rtol=1e-9)


def test_constants_are_read_back_and_make_the_law(tmp_path):
    found = calibrate(make_law("j2"), "j2", rates=(1.0,), samples=20)
    write_calibration(tmp_path / "j2.json", found, {"reference": "j2"})
    constants = read_constants(tmp_path / "j2.json", "j2")
    assert constants == found.constants
    assert make_law("j2", **constants).yield_stress == found.constants["yield_stress"]
    with pytest.raises(InputError, match="holds constants of the law j2, expected johnson-cook"):
        read_constants(tmp_path / "j2.json", "johnson-cook")


@pytest.mark.parametrize("content", ["", "[1]", json.dumps({"law": "j2"})])
def test_a_file_that_is_no_calibration_is_refused(tmp_path, content):
    file = tmp_path / "constants.json"
    file.write_text(content)
    with pytest.raises(InputError, match="cannot be read as constants"):
        read_constants(file, "j2")
    with pytest.raises(InputError, match="cannot be read as constants"):
        read_constants(Path("nowhere.json"), "j2")


def test_bad_input_is_named(tmp_path):
    with pytest.raises(InputError, match="law 'neo-hooke' cannot be calibrated"):
        calibrate(make_law("j2"), "neo-hooke")
    with pytest.raises(InputError, match="expected positive numbers"):
        calibrate(make_law("j2"), "j2", rates=(0.0, 1.0))
