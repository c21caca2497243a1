"""Measured curves are read with their units, or refused in one line."""

import numpy as np
import pytest
from noisy_curves import a_curve, cook

from microscale.errors import InputError
from multiscale.laws.experiments.curve_file import read_experiment
from multiscale.laws.experiments.fit import fit


@pytest.fixture(scope="module")
def curve_text():
    return a_curve()


def test_a_curve_is_read_with_its_units(tmp_path, curve_text):
    file = tmp_path / "curve.csv"
    file.write_text(curve_text)
    one = read_experiment(file)
    assert (one.test, one.rate, one.measure, one.direction) == ("uniaxial", 1e-3, "true", (1.0, 0.0, 0.0))
    header, columns, *rows = (
        curve_text.partition("true_strain")[0],
        "engineering_strain_percent,engineering_stress_ksi",
    )
    pairs = (1e2 * one.strain, one.stress / 6.894757293168361e-3)
    rows = [f"{strain!r},{stress!r}" for strain, stress in zip(*(p.tolist() for p in pairs), strict=True)]
    file.write_text(header.replace("0.001 1/us", "1000/s") + "\n".join([columns, *rows]))
    other = read_experiment(file)
    assert other.measure == "engineering"
    assert other.rate == pytest.approx(1e-3)
    np.testing.assert_allclose(other.strain, one.strain, rtol=1e-12)
    np.testing.assert_allclose(other.stress, one.stress, rtol=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# rate: 0.001 1/us\n", "", "'# rate: ...' is missing in the header"),
        ("0.001 1/us", "1000", "rate = '1000', expected a number with its unit"),
        ("0.001 1/us", "5 MPa", "rate = '5 MPa', expected a unit of 1/us"),
        ("# test: uniaxial", "# test: bending", "test = 'bending', expected one of: uniaxial"),
        ("# test: uniaxial", "# tset: uniaxial", "line 1: tset is no known key, did you mean 'test'"),
        ("# test: uniaxial", "# a note", "line 1: '# a note', expected '# key: value'"),
        ("# direction: x", "# direction: up", "direction = 'up', expected x, y, z or three numbers"),
        ("# direction: x", "# test: uniaxial", "line 3: test, expected each key once"),
        ("true_stress_MPa", "true_stress", "column 'true_stress', expected true_stress_ and its unit"),
        ("true_stress_MPa", "true_stress_mm", "column 'true_stress_mm', expected true_stress_ and its unit"),
        ("true_stress_MPa", "engineering_stress_MPa", "both with the same"),
        (
            "true_strain,true_stress_MPa",
            "strain,stress",
            "expected names that begin with true_ or engineering_",
        ),
        ("true_stress_MPa", "true_stress_MPa,force_N", "expected two, such as"),
        ("0.01,", "nan,", r"line 6: 'nan,.*', expected two finite numbers"),
        ("0.01,", "1;", "expected two finite numbers"),
        ("0.01,", "0.005,", r"line 6: strain 0.005 after 0.005, expected strains that grow"),
        ("0.005,", "-0.005,", "line 5: strain -0.005, expected strains of one sign"),
        ("0.001 1/us", "1e30/s", r"rate = 1e\+24 1/us, expected at most"),
        (
            "\n0.05,",
            "\n0.05,-",
            r"line 14: stress -0\..* at strain 0\.05: strain and stress have opposite signs",
        ),
        ("0.1,", "10.0,", "line 24: strain 10, expected at most 2: per cent for a fraction?"),
    ],
)
def test_data_that_are_no_curve_are_refused(tmp_path, curve_text, old, new, message):
    assert old in curve_text
    file = tmp_path / "curve.csv"
    file.write_text(curve_text.replace(old, new, 1))
    with pytest.raises(InputError, match=message) as error:
        read_experiment(file)
    assert "\n" not in str(error.value)
    assert "curve.csv" in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stress_MPa", "stress_GPa", r"expected at most .* GPa, as an elastic solid .*check the units"),
        ("strain,", "strain_percent,", r"expected at most .* GPa, as an elastic solid .*check the units"),
        ("stress_MPa", "stress_kPa", r"stresses up to .* GPa, expected more than .*check the unit"),
    ],
)
def test_units_that_no_solid_has_are_refused(tmp_path, curve_text, old, new, message):
    file = tmp_path / "curve.csv"
    file.write_text(curve_text.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        fit([read_experiment(file)], cook(), ("initial_strength",))


def test_compression_has_two_minus_signs(tmp_path, curve_text):
    file = tmp_path / "curve.csv"
    head, rows = curve_text.split("MPa\n")
    file.write_text(head + "MPa\n" + "\n".join(f"-{row}" for row in rows.split()))
    with pytest.raises(InputError, match="strain and stress have opposite signs"):
        read_experiment(file)


def test_stresses_of_zero_are_told_as_such(tmp_path, curve_text):
    file = tmp_path / "curve.csv"
    head, rows = curve_text.split("MPa\n")
    file.write_text(head + "MPa\n" + "\n".join(row.split(",")[0] + ",0" for row in rows.split()))
    with pytest.raises(InputError, match="all stresses are zero"):
        read_experiment(file)
