"""The command that fits laws to curves: what it leaves, and what it refuses."""

import json

import numpy as np
import pytest
from noisy_curves import a_curve

from multiscale.cli import app
from multiscale.laws import make_law
from multiscale.laws.constants_file import read_constants, shipped_constants
from multiscale.run.calibration import calibrate_to_curves
from multiscale.run.calibration_options import CalibrationOptions
from multiscale.run.command import application, outcome


@pytest.fixture(scope="module")
def curve_text():
    return a_curve()


def test_the_command_leaves_constants_a_report_and_a_picture(tmp_path, curve_text):
    curve, out = tmp_path / "curve.csv", tmp_path / "new" / "fitted.json"
    curve.write_text(curve_text)
    start = read_constants(shipped_constants("johnson-cook"), "johnson-cook")
    words = ["--law", "johnson-cook", "--fit", "initial_strength", "--bound", "initial_strength=50..300 MPa"]
    done = outcome(application(app), ["calibrate", "--curve", str(curve), *words, "--out", str(out)])
    assert done == (0, "")
    constants = read_constants(out, "johnson-cook")
    assert constants["reference_rate"] == 1e-3
    assert constants["shear_modulus"] == start["shear_modulus"]
    report = json.loads((tmp_path / "new" / "fitted_report.json").read_text())
    told = report["parameters"]["initial_strength"]
    assert told["value"] == constants["initial_strength"]
    assert told["bounds"] == [0.05, 0.3]
    assert report["curves"]["curve.csv"]["points"] == 20
    assert (tmp_path / "new" / "fitted.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--law", "taylor"], "law taylor is fitted to curves only: give --curve"),
        (["--bound", "hardening=1..2 GPa"], "does not take --bound"),
        (["--steps", "20"], "does not take --steps 20"),
        (["--curve", "c.csv", "--grains", "5"], "does not take --grains 5"),
        (["--curve", "c.csv", "--largest-strain", "0.2"], "does not take --largest-strain 0.2"),
        (["--curve", "c.csv", "--law", "taylor", "--constants", "x"], "does not take --constants x"),
        (["--curve", "c.csv", "--law", "taylor"], "expected a name that ends in .yaml or .yml or .json"),
        (["--curve", "none.csv"], "curve none.csv cannot be read"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(tmp_path, words, message):
    out = tmp_path / ("x.csv" if "taylor" in words else "x.json")
    code, said = outcome(application(app), ["calibrate", *words, "--out", str(out)])
    assert code == 1
    assert message in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words", ["hardening=0.1..0.2", "hardening=0.1 GPa", "0.1..0.2 GPa", "hardening=a..b GPa"]
)
def test_bounds_without_meaning_are_refused(tmp_path, curve_text, words):
    curve = tmp_path / "curve.csv"
    curve.write_text(curve_text)
    flags = ["--curve", str(curve), "--bound", words, "--out", str(tmp_path / "x.json")]
    code, said = outcome(application(app), ["calibrate", *flags])
    assert code == 1
    assert f"bound = '{words}', expected" in said or f"bound = '{words}' of no parameter" in said


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("hardening=0.3..0.4 GPa", "but hardening has one already: give it once"),
        ("hardning=0.3..0.4 GPa", "of no parameter, expected one of: shear_modulus"),
    ],
)
def test_a_bound_that_would_not_count_is_refused(tmp_path, curve_text, second, message):
    curve = tmp_path / "curve.csv"
    curve.write_text(curve_text)
    flags = ["--curve", str(curve), "--bound", "hardening=0.1..0.2 GPa", "--bound", second]
    code, said = outcome(application(app), ["calibrate", *flags, "--out", str(tmp_path / "x.json")])
    assert code == 1
    assert message in said


@pytest.mark.parametrize(
    ("out", "folder", "message"),
    [
        ("curve.csv/x.json", "other", "expected no file in the way"),
        ("x.json", "x_report.json", "is a folder"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_search(tmp_path, curve_text, out, folder, message):
    curve = tmp_path / "curve.csv"
    curve.write_text(curve_text)
    (tmp_path / folder).mkdir()
    before = sorted(tmp_path.iterdir())
    code, said = outcome(application(app), ["calibrate", "--curve", str(curve), "--out", str(tmp_path / out)])
    assert code == 1
    assert message in said
    assert sorted(tmp_path.iterdir()) == before


def test_axes_turn_the_texture_that_a_crystal_is_fitted_with(tmp_path, curve_text, monkeypatch):
    """They were left out once, and the fit was to a sheet that lay flat."""

    class Seen(Exception):
        pass

    def seen(experiments, material, *_):
        raise Seen(material.law({}, None), material.law({}, "rolled:10,20"), material.law({}, "uniform"))

    monkeypatch.setattr("multiscale.run.calibration.fit", seen)
    curve = tmp_path / "curve.csv"
    curve.write_text(curve_text)
    flags = {"texture": "rolled:15,25", "texture_axes": "z,x,y", "grains": 4}
    with pytest.raises(Seen) as end:
        calibrate_to_curves(
            CalibrationOptions(curve=(curve,), law="taylor", fit=("twinning.strength",), **flags),
            tmp_path / "x.yaml",
        )
    for law, texture in zip(end.value.args, ("rolled:15,25", "rolled:10,20", "uniform"), strict=True):
        axes = None if texture == "uniform" else "z,x,y"
        wanted_law = make_law("taylor", grains=4, texture=texture, texture_axes=axes)
        np.testing.assert_array_equal(law.orientations, wanted_law.orientations)


def test_axes_of_no_texture_are_refused(tmp_path, curve_text):
    curve = tmp_path / "curve.csv"
    curve.write_text(curve_text)
    words = ["--law", "taylor", "--grains", "2", "--fit", "twinning.strength", "--texture-axes", "z,x,y"]
    out = ["--out", str(tmp_path / "x.yaml")]
    code, said = outcome(application(app), ["calibrate", "--curve", str(curve), *words, *out])
    assert code == 1
    assert "texture-axes = 'z,x,y' has no use for texture = 'uniform'" in said
