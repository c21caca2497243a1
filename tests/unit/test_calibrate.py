"""Calibration finds the constants a law was made with, and says how far a law is from a polycrystal."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from microscale.errors import InputError
from multiscale.laws import make_law
from multiscale.laws.calibration import calibrate, strain_paths, write_calibration
from multiscale.laws.constants_file import read_constants

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
    with pytest.raises(InputError, match=r"law = .j2., expected .johnson-cook."):
        read_constants(tmp_path / "j2.json", "johnson-cook")


CONSTANTS = {
    "youngs_modulus": 200.0,
    "poissons_ratio": 0.3,
    "yield_stress": 0.4,
    "hardening_modulus": 0.1,
    "density": 7.85,
}


def file_of(tmp_path, constants, others=None):
    file = tmp_path / "constants.json"
    file.write_text(
        json.dumps({"law": "j2", "units": "mm, us, GPa, g/cm^3", "constants": constants} | (others or {}))
    )
    return file


def test_constants_may_name_their_units(tmp_path):
    steel = CONSTANTS | {
        "yield_stress": {"value": 400.0, "unit": "MPa", "source": "a handbook"},
        "density": {"value": 7850, "unit": "kg/m^3"},
    }
    assert read_constants(file_of(tmp_path, steel), "j2") == pytest.approx(CONSTANTS, rel=1e-14)
    for suffix in ("json", "yaml"):  # JSON is YAML too, and both are read the same way
        file = file_of(tmp_path, CONSTANTS).rename(tmp_path / f"steel.{suffix}")
        assert read_constants(file, "j2") == CONSTANTS


@pytest.mark.parametrize("law", ["j2", "johnson-cook"])
def test_shipped_constants_are_read_to_the_bit(law):
    file = Path("multiscale/laws/constants") / f"{law}.json"
    assert read_constants(file, law) == json.loads(file.read_text())["constants"]


@pytest.mark.parametrize(
    ("constants", "others", "message"),
    [
        ({"yield_stress": "0.4"}, {}, r"constants\.yield_stress = '0\.4', expected a number"),
        ({"yield_stress": -0.4}, {}, r"constants\.yield_stress = -0\.4 GPa, expected a positive number"),
        ({"yield_stress": {"value": 4, "unit": "K"}}, {}, r"yield_stress = 4\.0 K, expected a unit of GPa"),
        ({"yeild_stress": 0.4}, {}, r"yeild_stress is no known key, did you mean 'yield_stress'"),
        ({"density": None}, {}, r"constants\.density = None, expected a number"),
        ({"density": 10**400}, {}, r"constants\.density = 1000.*, expected a whole number of 64 bits"),
        ({"density": float("nan")}, {}, r"constants\.density = nan, expected a finite number"),
        ({"density": 8930}, {}, r"constants\.density = 8930\.0 g/cm\^3, expected 0\.01 to 50 g/cm\^3"),
        ({"yield_stress": 400}, {}, r"constants\.yield_stress = 400 GPa, expected at most .*perfect crystal"),
        ({"youngs_modulus": 117e3}, {}, r"youngs_modulus = 117000\.0 GPa, expected 1e-06 to 2000 GPa"),
        ({}, {"units": "SI"}, r"units = 'SI', expected 'mm, us, GPa, g/cm\^3'"),
        ({}, {"law": 5}, r"law = 5, expected text"),
        ({}, {"constants": []}, r"constants = \[\], expected keys with values"),
        ({}, {"constants": {"yield_stress": 0.4}}, r"constants\.youngs_modulus is missing"),
        ({}, {"constant": {}}, r"constant is no known key, did you mean 'constants'"),
    ],
)
def test_constants_without_meaning_are_refused(tmp_path, constants, others, message):
    with pytest.raises(InputError, match=message) as error:
        read_constants(file_of(tmp_path, CONSTANTS | constants, others), "j2")
    assert "\n" not in str(error.value)


def test_a_law_that_is_heated_needs_the_constants_of_heat(tmp_path):
    content = json.loads(Path("multiscale/laws/constants/johnson-cook.json").read_text())
    content["constants"]["heated_fraction"] = 0.9
    file = tmp_path / "heated.json"
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match="softening_exponent is missing, which a heated_fraction above zero"):
        read_constants(file, "johnson-cook")


@pytest.mark.parametrize("content", ["", "[1]", json.dumps({"law": "j2"}), '{"law": 1, "law": 2}'])
def test_a_file_that_is_no_calibration_is_refused(tmp_path, content):
    file = tmp_path / "constants.json"
    file.write_text(content)
    for path in (file, Path("nowhere.json"), tmp_path):
        with pytest.raises(InputError, match="make it with 'multiscale calibrate'"):
            read_constants(path, "j2")


def test_constants_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    found = calibrate(make_law("j2"), "j2", rates=(1.0,), samples=20)
    file = tmp_path / "j2.json"
    file.write_text("the one before")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        write_calibration(file, found, {})
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the one before"]


def test_bad_input_is_named(tmp_path):
    with pytest.raises(InputError, match="law 'neo-hooke' cannot be calibrated"):
        calibrate(make_law("j2"), "neo-hooke")
    with pytest.raises(InputError, match="expected a positive number"):
        calibrate(make_law("j2"), "j2", rates=(0.0, 1.0))
