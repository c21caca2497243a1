"""The command ``multiscale test``: what it leaves, and flags that it refuses."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from microscale.errors import InputError
from microscale.files.one_writer import one_writer
from microscale.material_test.program_file import read_program
from multiscale.cli import app
from multiscale.run.command import application, outcome
from multiscale.run.compared_laws import ComparedLaws
from multiscale.run.loading import LoadingOptions


def run(*words):
    return outcome(application(app), ["test", *words])


def table(file):
    with file.open() as lines:
        header, *rows = csv.reader(lines)
    return dict(zip(header, np.array(rows, dtype=float).T, strict=True))


def test_laws_side_by_side_leave_tables_a_picture_and_their_program(tmp_path):
    words = [
        "--law",
        "johnson-cook",
        "--law",
        "j2",
        "--law",
        "taylor",
        "--grains",
        "3",
        "--uniaxial",
        "-0.02",
    ]
    words += ["--rate", "1e4/s", "--steps", "10", "--direction", "0,1,1", "--field", "twin_volume"]
    assert run(*words, "--output", str(tmp_path)) == (0, "")
    names = {"johnson-cook.csv", "j2.csv", "taylor.csv", "curves.png", "program.toml", "test.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    found = table(tmp_path / "taylor.csv")
    assert found["time_us"][-1] == pytest.approx(2.0)
    assert found["true_strain"][-1] == pytest.approx(-0.02)
    assert found["engineering_strain"][-1] == pytest.approx(np.exp(-0.02) - 1.0)
    np.testing.assert_allclose(found["true_stress_GPa"], found["stress_xx_GPa"], rtol=1e-12)
    np.testing.assert_allclose(found["stress_yy_GPa"], 0.0, atol=1e-5)
    np.testing.assert_allclose(np.exp(found["true_strain"]), found["F_xx"])
    assert found["twin_volume"][-1] > 0.0
    assert "twin_volume" not in table(tmp_path / "j2.csv")
    assert read_program(tmp_path / "program.toml").direction == (0.0, 1.0, 1.0)
    record = json.loads((tmp_path / "test.json").read_text())
    assert record["laws"]["taylor"]["options"]["grains"] == 3
    again = tmp_path / "again"
    repeated = ["--law", "johnson-cook", "--program", str(tmp_path / "program.toml"), "--output", str(again)]
    assert run(*repeated) == (0, "")
    one, other = table(again / "johnson-cook.csv"), table(tmp_path / "johnson-cook.csv")
    for name, column in other.items():
        np.testing.assert_array_equal(one[name], column)


def test_flags_become_segments():
    program, component = LoadingOptions(uniaxial=0.1, rate=("1e3/s", "1e5/s"), relax="20 us").whole()
    ends = [segment.strain["xx"] for segment in program.segments]
    assert ends[:2] == [0.05, 0.1]
    assert [segment.rate for segment in program.segments[:2]] == pytest.approx([1e-3, 0.1])
    assert ends[2:] == [None] * 4
    assert sum(segment.duration for segment in program.segments[2:]) == pytest.approx(20.0)
    assert component == "xx"
    program, component = LoadingOptions(shear=0.1, cycles=2, creep="1 ms").whole()
    assert [segment.strain.get("xy") for segment in program.segments[:5]] == [0.1, -0.1, 0.1, -0.1, 0.1]
    assert program.segments[5].stress == {"xy": None}
    assert component == "xy"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no loading, expected one of: --uniaxial"),
        ({"uniaxial": 0.1, "shear": 0.1}, "--uniaxial and --shear, expected one of"),
        ({"uniaxial": 0.0}, "--uniaxial 0.0, expected a strain that is not zero"),
        ({"uniaxial": 0.1, "rate": ("1e3",)}, "rate = '1e3', expected a number with its unit"),
        ({"uniaxial": 0.1, "rate": ("-1/s",)}, "rate = '-1/s', expected a positive number"),
        ({"uniaxial": 0.1, "relax": "5 mm"}, "relax = '5 mm', expected a unit of us"),
        ({"uniaxial": 0.1, "relax": "1 us", "creep": "1 us"}, "expected one of them"),
        ({"uniaxial": 0.1, "cycles": 2, "rate": ("1/s", "2/s")}, "cycles = 2 with 2 rates"),
        ({"uniaxial": 0.1, "direction": "up"}, "direction = 'up', expected x, y, z or three numbers"),
        ({"uniaxial": 0.1, "direction": "x", "across": "x"}, "across = .* lies along direction"),
        ({"program": Path("p.toml"), "rate": ("1/s",)}, "--rate beside --program p.toml"),
        ({"program": Path("p.toml")}, "p.toml cannot be read"),
    ],
)
def test_loadings_without_meaning_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        LoadingOptions(**options).whole()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"law": ("butter",)}, "unknown law 'butter' for a test"),
        ({"law": ("j2", "j2")}, "law j2 is named 2 times"),
        ({"law": ("j2", "johnson-cook"), "grains": 3}, "does not take --grains 3"),
        ({"law": ("j2",), "texture_seed": 1}, "does not take --texture-seed 1"),
        ({"law": ("taylor",), "precision": "double"}, "does not take --precision double"),
        (
            {"law": ("j2",), "constants": (Path("multiscale/laws/constants/johnson-cook.json"),)},
            "are of the law johnson-cook, which is not tested: add --law johnson-cook",
        ),
    ],
)
def test_options_that_no_law_takes_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        ComparedLaws(**options).resolved()


@pytest.mark.parametrize(("flag", "unit"), [("--rate", "1/s"), ("--relax", "us"), ("--creep", "us")])
def test_a_negative_quantity_is_named_as_such(tmp_path, flag, unit):
    words = ["--law", "j2", "--uniaxial", "0.01", flag, f"-5 {unit}", "--output", str(tmp_path / "none")]
    assert run(*words)[1].strip().endswith(f"{flag[2:]} = '-5 {unit}', expected a positive number")


def test_tables_of_another_loading_do_not_stay_beside_a_new_one(tmp_path):
    out = ["--steps", "2", "--output", str(tmp_path / "o")]
    assert run("--law", "j2", "--law", "neo-hooke", "--uniaxial", "0.01", *out)[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "o").iterdir()}
    code, message = run("--law", "j2", "--shear", "0.01", *out)
    assert code == 1
    assert "neo-hooke.csv is of another loading" in message
    assert {path.name: path.read_bytes() for path in (tmp_path / "o").iterdir()} == before
    assert run("--law", "j2", "--uniaxial", "0.01", *out)[0] == 0  # the same test
    assert run("--law", "j2", "--law", "neo-hooke", "--shear", "0.01", *out)[0] == 0


def test_two_tests_do_not_write_one_folder_at_a_time(tmp_path):
    with one_writer(tmp_path, tmp_path / ".test.lock"):
        code, message = run("--law", "j2", "--uniaxial", "0.01", "--steps", "2", "--output", str(tmp_path))
    assert code == 1
    assert "is being written by process" in message
    assert not list(tmp_path.iterdir())


def test_a_tolerance_that_would_leave_stress_on_free_sides_is_refused(tmp_path):
    """Of 10, sides held by 2.1 GPa passed as free."""
    words = ["--law", "j2", "--uniaxial", "0.05", "--tolerance", "10", "--output", str(tmp_path / "none")]
    code, message = run(*words)
    assert code == 1
    assert "tolerance = 10.0, expected at most 0.01" in message


def test_a_field_that_no_law_has_is_refused_before_the_test(tmp_path, monkeypatch):
    monkeypatch.setattr("multiscale.run.material_test.run_tests", lambda *_: pytest.fail("was tested"))
    words = ["--law", "j2", "--uniaxial", "0.01", "--steps", "2", "--field", "twin_volume"]
    code, message = run(*words, "--output", str(tmp_path / "none"))
    assert code == 1
    assert "field = 'twin_volume', expected one of: equivalent_plastic_strain" in message
    assert not (tmp_path / "none").exists()
