"""Sweeps: one flag over several values, what is done is kept, and nothing runs where a value is bad."""

import csv
import re
import shutil

import pytest

from microscale.errors import DeformationError, InputError
from multiscale.cases import sweep as sweeps
from multiscale.cases.anvil import anvil, anvil_case
from multiscale.cases.plate import plate, plate_case
from multiscale.cases.sweep_plan import joined, label, swept
from multiscale.cases.sweep_table import Row, placed, shown_names

SMALL = ["--law", "neo-hooke", "--elements", "60", "--end-time", "0.1"]


def sweep(tokens, folder):
    return sweeps.sweep(anvil, anvil_case, tokens, folder)


def test_a_sweep_leaves_a_folder_for_each_value_a_table_and_a_picture(tmp_path, capsys):
    rows = sweep([*SMALL, "--velocity", "100,300.5"], tmp_path)
    assert [row.value for row in rows] == ["100", "300.5"]
    lengths = [row.numbers["final_length_mm"] for row in rows]
    assert lengths == pytest.approx([5.0 - 0.1 * v * 1e-3 for v in (100.0, 300.5)], rel=1e-6)
    with (tmp_path / "sweep.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["final_length_mm"]) for row in table] == lengths
    assert [row["velocity"] for row in table] == ["100", "300.5"]
    assert (tmp_path / "sweep.png").stat().st_size > 5_000
    assert (tmp_path / "velocity_300.5" / "report.html").exists()
    shown = capsys.readouterr().out
    assert "2 runs over --velocity" in shown
    heads = shown.partition("2 runs over --velocity")[2].partition("100")[0]
    assert {"final", "length", "radius", "energy", "percent", "steps"} <= set(re.findall(r"\w+", heads))


def test_what_is_done_is_kept_and_what_is_missing_is_run(tmp_path, capsys):
    tokens = [*SMALL, "--velocity=100,200"]
    first = sweep(tokens, tmp_path)
    kept = (tmp_path / "velocity_100" / "results.vtkhdf").stat().st_mtime_ns
    shutil.rmtree(tmp_path / "velocity_200")
    again = sweep(tokens, tmp_path)
    assert (tmp_path / "velocity_100" / "results.vtkhdf").stat().st_mtime_ns == kept
    assert "velocity_100: done before" in capsys.readouterr().out
    for row, other in zip(first, again, strict=True):
        assert row.numbers["foot_radius_mm"] == other.numbers["foot_radius_mm"]
    with pytest.raises(InputError, match=r"velocity_100.case.toml is of another run: body = .*full"):
        sweep([*tokens, "--model", "quarter"], tmp_path)


def test_an_unfinished_run_goes_on_from_its_checkpoint(tmp_path, capsys):
    tokens = [*SMALL, "--velocity", "100,200", "--checkpoint-every", "0.04"]
    first = sweep(tokens, tmp_path)
    (tmp_path / "velocity_200" / "summary.json").unlink()
    capsys.readouterr()
    again = sweep(tokens, tmp_path)
    assert "step      0" not in capsys.readouterr().out
    assert again[1].numbers["foot_radius_mm"] == first[1].numbers["foot_radius_mm"]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([], "none has several values, expected one flag that has"),
        (["--velocity", "100"], "none has several values"),
        (["--velocity", "1,2", "--law", "j2,taylor"], "--velocity and --law have several values"),
        (["--velocity", "100,-200"], "--velocity -200: velocity = -200.0 m/s, expected a positive number"),
        (["--velocity", "100,x"], '--velocity x: .*"x"'),
        (["--velocity", "100,,200"], "--velocity : "),
        (["--velocity", "100,100"], "two values are the same"),
        (["--law", "j2,learned", "--grains", "3"], "--law j2: law j2 does not take --grains 3"),
        (["--law", "j2,butter"], "--law butter: unknown law 'butter'"),
        (["--velocity", "1,2", "--restart", "x.h5"], "restarts what was not done by itself"),
        (["--velocity", "1,2", "--speed", "3"], "--velocity 1: .*--speed"),
        (["--law=j2", "--constants", "a.json,b.json"], "--constants a.json: a.json is no file that is there"),
        (["--elements", "60,2.5"], "--elements 2.5: .*expected a whole number"),
    ],
)
def test_a_bad_value_is_one_line_before_anything_runs(tokens, message, tmp_path):
    with pytest.raises(InputError, match=message) as refused:
        sweep([*tokens, "--end-time", "0.1"], tmp_path / "out")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_points_with_commas_are_not_several_values():
    flags = ["--probe", "0,0,1", "--gauge", "0,0,5", "--thickness=0.5,1"]
    assert swept(plate, flags) == ("thickness", ["0.5", "1"])
    textured = ["--texture", "rolled:15,25", "--texture-axes=z,x,y", "--velocity", "100,200"]
    assert swept(plate, textured) == ("velocity", ["100", "200"])
    assert plate_case(thickness=0.5).body.thickness == 0.5


def test_a_flag_and_its_value_are_one_word():
    tokens = ["--a", "1", "--place", "--b=2", "--c", "-3", "--d", "x=y"]
    assert joined(tokens) == ["--a=1", "--place", "--b=2", "--c=-3", "--d=x=y"]


def test_a_run_that_fails_stands_in_the_table_beside_the_others(tmp_path, monkeypatch):
    from multiscale.cases import run_case as runner

    run = runner.run_case

    def failing(case, *arguments):
        if case.initial_velocity[2] == -200.0:
            raise DeformationError("cell 3 is inside out")
        return run(case, *arguments)

    monkeypatch.setattr(runner, "run_case", failing)
    with pytest.raises(DeformationError, match=r"1 of 2 runs over --velocity .*200: cell 3 is inside out"):
        sweep([*SMALL, "--velocity", "100,200"], tmp_path)
    lines = (tmp_path / "sweep.csv").read_text().splitlines()
    assert lines[1].startswith("100,")
    assert lines[2].endswith("cell 3 is inside out")


def test_values_stand_along_an_axis_where_they_are_numbers():
    assert [place for place, _ in placed([Row("1e2", {}), Row("20", {})])] == [20.0, 100.0]
    assert [place for place, _ in placed([Row("a/b/j2.json", {}), Row("3", {})])] == ["j2.json", "3"]
    assert label(anvil, "velocity") == "velocity (m/s)"
    assert label(anvil, "end-time") == "end-time (us)"
    assert label(anvil, "law") == "law"
    assert shown_names([Row("1", {"steps": 3, "x": 1, "final_length_mm": 2.0, "touched": True})]) == [
        "final_length_mm",
        "steps",
    ]
