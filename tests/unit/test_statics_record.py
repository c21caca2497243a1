"""What statics leaves in a folder, and going on from a checkpoint."""

import json
from inspect import signature

import numpy as np
import pytest

import multiscale as ms
from microscale.errors import ConvergenceError, InputError
from multiscale.cases.upsetting import upsetting
from multiscale.dynamics.contact import RigidPlane
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.run.statics_record import StaticsOptions, run_and_record_statics
from multiscale.statics.statics import Statics

SMALL = {"law": "j2", "elements": 12, "height": 1.0, "compression": 0.1, "rate": 1e3}


def test_a_run_leaves_fields_loads_pictures_summary_and_report(tmp_path, capsys):
    summary = upsetting(**SMALL, output=tmp_path / "run", fields=("stress",), steps_between_outputs=3)
    said = capsys.readouterr().out
    run = ms.read_results(tmp_path / "run")
    steps = summary["steps"]
    assert len(run) == 1 + -(-steps // 3)
    assert run.times[-1] == summary["final_time_us"] == pytest.approx(100.0)
    assert summary == {**run.summary, "versions": summary["versions"], "inputs": summary["inputs"]}
    assert summary["most_iterations_a_step"] <= 6
    assert f"{steps} load steps, 0 cut" in said
    last = run[-1]
    assert last.points[:, 2].max() + last["displacement_mm"][:, 2].min() == pytest.approx(0.9)
    assert last["stress_GPa"].shape == (summary["elements"], 6)
    loads = run.loads
    assert list(loads["step"]) == list(range(steps + 1))
    assert loads["residual_last"][1:].max() < 1e-7
    np.testing.assert_allclose(loads["reaction_z_top_kN"], -loads["reaction_z_foot_kN"], atol=1e-10)
    # The work of the plate, by trapezoids, is that of the stress.
    force, way = loads["reaction_z_top_kN"], loads["u_z_top_mm"]
    assert np.trapezoid(force, way) == pytest.approx(loads["work_J"][-1], rel=1e-9)
    for name in ("report.html", "section.png", "loads.png", "summary.json"):
        assert (tmp_path / "run" / name).stat().st_size > 1000
    assert "<h2>Loads</h2>" in (tmp_path / "run" / "report.html").read_text()


def test_a_restart_leaves_the_record_of_a_run_that_was_never_ended(tmp_path):
    whole = upsetting(**SMALL, output=tmp_path / "whole")
    upsetting(**SMALL | {"compression": 0.05}, output=tmp_path / "half", checkpoint_every=20.0)
    with pytest.raises(InputError, match=r"compression = 0\.05, this run has 0\.1"):
        upsetting(**SMALL, output=tmp_path / "half", restart=tmp_path / "half" / "checkpoint.h5")
    upsetting(**SMALL, output=tmp_path / "ended", checkpoint_every=20.0)
    checkpoint = tmp_path / "ended" / "checkpoint.h5"
    again = upsetting(**SMALL, output=tmp_path / "ended", restart=checkpoint)
    for name in ("loads.csv",):
        assert (tmp_path / "ended" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    runs = ms.read_results(tmp_path / "ended"), ms.read_results(tmp_path / "whole")
    assert list(runs[0].times) == list(runs[1].times)
    np.testing.assert_array_equal(runs[0][-1]["displacement_mm"], runs[1][-1]["displacement_mm"])
    assert again["iterations"] == whole["iterations"]
    assert again["work_J"] == whole["work_J"]


def test_a_run_that_fails_says_so_and_keeps_its_outputs(tmp_path):
    body = ms.box((1.0, 1.0, 1.0), (2, 2, 2))
    # Twice what the block can bear: a dead load past the greatest one has no equilibrium.
    pulled = Statics(
        body,
        ms.make_law("j2"),
        supports={"bottom": (0, 1, 2)},
        forces={"top": [[0, 0, 0, 0], [1, 0, 0, 1.5]]},
    )
    with pytest.raises(ConvergenceError, match="the body may have reached its greatest load") as failed:
        run_and_record_statics(pulled, 1.0, tmp_path, {}, StaticsOptions(first_step=0.1))
    assert "last output at t = " in failed.value.__notes__[0]
    assert pulled.cuts > 3
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["final_time_us"] == pulled.time
    assert 0.2 < pulled.time < 0.8
    assert len(ms.read_results(tmp_path)) == pulled.step_count + 1


def test_records_of_statics_and_of_dynamics_take_each_others_place(tmp_path):
    slow = Statics(ms.box((1.0, 1.0, 1.0), (1, 1, 1)), NeoHooke(), supports={"bottom": (0, 1, 2)})
    run_and_record_statics(slow, 1.0, tmp_path, {})
    fast = ms.Simulation(
        ms.box((1.0, 1.0, 1.0), (1, 1, 1)),
        NeoHooke(),
        obstacles=[RigidPlane()],
        initial_velocity=(0, 0, -0.1),
    )
    ms.run_and_record(fast, 0.2, tmp_path, {})
    assert not (tmp_path / "loads.csv").exists()
    assert "<h2>Energies</h2>" in (tmp_path / "report.html").read_text()
    run_and_record_statics(
        Statics(ms.box((1.0, 1.0, 1.0), (1, 1, 1)), NeoHooke(), supports={"bottom": (0, 1, 2)}),
        1.0,
        tmp_path,
        {},
    )
    assert not (tmp_path / "energy.csv").exists()


def test_options_that_equilibrium_has_no_use_for_are_refused(tmp_path):
    for given, message in (
        ({"law": "learned", "precision": "single"}, "precision = 'single', expected double"),
        ({"density": "1740 kg/m^3"}, "density = 1740 kg/m.3 has no use in equilibrium"),
        ({"petsc": ("ksp_type=",)}, "petsc = 'ksp_type=', expected NAME=VALUE"),
    ):
        with pytest.raises(InputError, match=message):
            upsetting(**SMALL | given, output=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_every_flag_of_the_command_has_its_text_of_help():
    """The law's options are those of impacts, with other defaults: their texts stand apart."""
    text = str(upsetting.__doc__)
    for name in signature(upsetting).parameters:
        assert f"    {name}: " in text, name
