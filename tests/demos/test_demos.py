"""The demos run as functions with small sizes, and their physics is right."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from copper_bar import copper_bar
from first_impact import first_impact
from plate_impact import plate_impact
from taylor_anvil import taylor_anvil

from microscale.errors import InputError
from multiscale.results.vtkhdf import Results

SMALL = {"elements": 200, "end_time": 0.5, "model": "quarter"}
WAVE_SPEED = np.sqrt((24.0 * 2.0 + 25.0 * 4.0 / 3.0) / 10.0)


@pytest.mark.parametrize("law", ["neo-hooke", "j2", "johnson-cook", "learned"])
@pytest.mark.parametrize("element", ["hex8-one-point", "hex8-fbar"])
def test_anvil_balances_its_energy_and_leaves_its_record(tmp_path, law, element, capsys):
    summary = taylor_anvil(law=law, element=element, output=tmp_path, **SMALL)
    assert abs(summary["energy_error_percent"]) < 1.0
    assert summary["final_time_us"] == pytest.approx(0.5, rel=1e-12)
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert (tmp_path / "section.png").stat().st_size < 300_000
    with (tmp_path / "energy.csv").open() as file:
        assert len(list(csv.DictReader(file))) == summary["steps"] + 1
    out = capsys.readouterr().out
    assert f"step {summary['steps']:6d}" in out
    assert str(tmp_path / "results.vtkhdf") in out


def test_anvil_carries_an_elastic_wave_at_the_speed_of_its_law(tmp_path):
    summary = taylor_anvil(law="neo-hooke", output=tmp_path, **SMALL)
    results = Results(tmp_path / "results.vtkhdf")
    change = results.field("velocity_mm_per_us", -1) - (0.0, 0.0, -0.2)
    front, size = WAVE_SPEED * 0.5, 5.0 / 17.0
    on_axis = np.hypot(results.points[:, 0], results.points[:, 1]) < 1e-6
    order = np.argsort(results.points[on_axis, 2])
    z, rise = results.points[on_axis, 2][order], change[on_axis, 2][order]
    assert z[np.argmax(rise < 0.1)] == pytest.approx(front, abs=size)
    # The mesh spreads the front over some elements; what runs ahead of it dies out.
    ahead = results.points[:, 2] > front + 4.0 * size
    assert ahead.sum() > 100
    assert np.abs(change[ahead]).max() < 0.02 * 0.2
    assert summary["final_length_mm"] == pytest.approx(5.0 - 0.2 * 0.5, rel=1e-4)


def test_anvil_foot_stays_on_the_wall_and_spreads_with_velocity(tmp_path):
    slow = taylor_anvil(law="j2", velocity=100.0, output=tmp_path / "slow", **SMALL)
    fast = taylor_anvil(law="j2", velocity=300.0, output=tmp_path / "fast", **SMALL)
    assert 0.5 < slow["foot_radius_mm"] < fast["foot_radius_mm"]
    assert slow["max_e_d"] < fast["max_e_d"]
    results = Results(tmp_path / "fast" / "results.vtkhdf")
    height = (results.points + results.field("displacement_mm", -1))[:, 2]
    assert height.min() == pytest.approx(0.0, abs=1e-12)


def test_anvil_runs_the_polycrystal_at_every_point(tmp_path):
    summary = taylor_anvil(law="taylor", grains=8, output=tmp_path, **SMALL)
    # The record holds the values that were used; what the law does not take stays empty.
    used = {
        "grains": 8,
        "seed": 0,
        "height": 5.0,
        "diameter": 1.0,
        "constants": None,
        "on_extrapolation": None,
    }
    assert summary["inputs"].items() >= used.items()
    assert abs(summary["energy_error_percent"]) < 1.0
    assert summary["law"]["name"] == "taylor"
    # Slip dissipates: the stress stays below the elastic one, by an order of magnitude.
    elastic = taylor_anvil(law="neo-hooke", output=tmp_path, **SMALL)
    assert 0.1 < summary["max_von_mises_GPa"] < 0.2 * elastic["max_von_mises_GPa"]


def test_anvil_runs_the_unit_cell_at_every_point(tmp_path):
    size = {"height": 1.0, "elements": 8, "model": "quarter", "end_time": 0.1}
    flags = {"grains": 4, "seed": 3, "output": tmp_path}
    cell, taylor = (taylor_anvil(law=law, **size, **flags) for law in ("fft3d", "taylor"))
    assert cell["law"]["name"] == "fft3d"
    assert abs(cell["energy_error_percent"]) < 1.0
    # Free to deform unevenly, grains resist less than under Taylor's assumption, but not by much.
    assert 0.5 < cell["max_von_mises_GPa"] / taylor["max_von_mises_GPa"] < 1.05


def test_outputs_are_even_in_time_or_in_steps(tmp_path):
    flags = {"law": "neo-hooke", "output": tmp_path, **SMALL}
    for end_time, outputs in ((0.5, 8), (5.0, 20)):
        summary = taylor_anvil(**flags | {"end_time": end_time})
        times = Results(tmp_path / "results.vtkhdf").times
        assert len(times) == outputs + 1
        assert np.ptp(np.diff(times)) < 2.0 * end_time / summary["steps"]
    summary = taylor_anvil(**flags, steps_between_outputs=7)
    assert len(Results(tmp_path / "results.vtkhdf").times) == 1 + int(np.ceil(summary["steps"] / 7))


def test_plate_sinks_with_the_projectile(tmp_path):
    summary = plate_impact(
        law="j2", layers=4, width=8.0, radius=1.0, end_time=0.4, output=tmp_path, steps_between_outputs=10
    )
    assert abs(summary["energy_error_percent"]) < 1.0
    # The struck face follows the projectile, 200 m/s for 0.4 us, or runs ahead of it; the rear face lags.
    assert summary["struck_face_depth_mm"] >= 0.08 - 1e-12
    assert 0.0 < summary["rear_face_bulge_mm"] < summary["struck_face_depth_mm"]
    assert (tmp_path / "section.png").stat().st_size < 300_000


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"velocity": -200.0}, "velocity = -200.0 m/s"),
        ({"velocity": float("nan")}, "velocity = nan m/s"),
        ({"height": -5.0}, "height = -5.0 mm"),
        ({"diameter": 0.0}, "diameter = 0.0 mm"),
        ({"elements": -3}, "elements = -3"),
        ({"end_time": -1.0}, "end-time = -1.0 us"),
        ({"steps_between_outputs": 0}, "steps-between-outputs = 0, expected at least 1"),
        ({"law": "steel"}, "unknown law 'steel'"),
        ({"element": "hex20"}, "element = 'hex20'"),
        ({"model": "half"}, "model = 'half'"),
        ({"mesh": Path("nowhere.msh"), "elements": None}, "mesh file nowhere.msh: it does not exist"),
        ({"mesh": Path("nowhere.msh")}, "mesh of a file does not take --elements"),
        ({"grains": 7}, "law neo-hooke does not take --grains 7 (taken by taylor, fft3d)"),
        ({"end_time": 1e9}, "a run takes at most 10_000_000 of them"),
        ({"elements": 10**9}, "elements = 1000000000: need some 1 TB of memory"),
        ({"output": Path("/proc/nowhere")}, "/proc/nowhere"),
    ],
)
def test_bad_input_of_the_anvil_is_named(tmp_path, flags, message):
    with pytest.raises((InputError, OSError)) as caught:
        taylor_anvil(**{"law": "neo-hooke", "output": tmp_path, **SMALL, **flags})
    assert message in str(caught.value)


def test_the_script_to_copy_runs_and_looks_at_its_results(tmp_path):
    length = first_impact(elements=60, end_time=0.2, folder=tmp_path)
    assert length == pytest.approx(5.0 - 0.2 * 0.2, rel=1e-4)
    assert (tmp_path / "report.html").exists()


def test_copper_bar_leaves_its_table_and_picture(tmp_path):
    rows = copper_bar(cells=(30, 100), end_time=14.0, output=tmp_path)
    assert json.loads((tmp_path / "hex8-fbar.json").read_text()) == rows
    assert rows[0]["early_radius_mm"] < rows[1]["early_radius_mm"] < 5.56  # the limit of fine meshes
    assert abs(rows[1]["energy_error_percent"]) < 0.2
    assert (tmp_path / "copper_bar.png").stat().st_size < 300_000
