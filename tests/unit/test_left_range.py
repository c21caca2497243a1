"""At the end of a run the worst that left the training range is said again: by kind, with place and time."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from meshes.box import box
from meshes.cylinder import cylinder
from microscale.errors import ConvergenceError, InputError
from multiscale.dynamics.contact import RigidCylinder, RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.laws.j2 import J2
from multiscale.results.dimensions import bar_shape, plate_shape
from multiscale.results.html_report import write_report
from multiscale.results.provenance import identity
from multiscale.results.run_folder import read_results
from multiscale.run.checkpoint import read_checkpoint, write_checkpoint
from multiscale.run.record_options import RecordOptions
from multiscale.run.recording import run_and_record
from multiscale.run.same_run import Origin
from multiscale.run.training_range import left_range, told
from multiscale.surrogate.extrapolation import KINDS, ExtrapolationWarning
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.store import SHIPPED, read_surrogate

pytestmark = pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")
NARROW = {"strain_rate": 0.2, "longest_hold": 0.1}


def anvil(law=None, **options):
    if law is None:
        weights, card = read_surrogate(SHIPPED)
        law = LearnedLaw(weights, replace(card, range=replace(card.range, **NARROW)))
    wall = RigidPlane()
    return Simulation(cylinder(2.0, 1.0, 60), law, obstacles=[wall], initial_velocity=(0, 0, -0.2), **options)


@pytest.mark.parametrize("element", ["hex8-fbar", "hex8-one-point"])
def test_the_worst_has_its_cell_place_and_time(element):
    body, seen = anvil(element=element), {}
    points = body.element.weights.shape[1]

    def watch(simulation):
        now = simulation.points.state["beyond"].reshape(-1, points, len(KINDS))
        for k, kind in enumerate(KINDS):
            for cell in np.flatnonzero((now[..., k] > 0.0).any(axis=1)):
                seen.setdefault((kind.name, int(cell)), simulation.time)

    body.run(1.5, [watch], every=1)
    found = {entry["kind"]: entry for entry in left_range(body)}
    assert {"fast", "hold"} <= set(found)
    X = body.positions[body._nodes.cells].mean(axis=1)
    for kind, entry in found.items():
        k = [one.name for one in KINDS].index(kind)
        beyond = body.points.state["beyond"][:, k]
        assert entry["points"] == np.count_nonzero(beyond)
        assert entry["excess"] == beyond.max()
        cell = int(beyond.argmax()) // points
        assert entry["cell"] == body.mesh.topology.original_cell_index[cell]
        np.testing.assert_allclose(entry["position_mm"], X[cell])
        first = min(time for (_, other), time in seen.items() if other == cell)
        assert entry["left_at_us"] >= first - 1e-9
        assert entry["left_at_us"] <= seen[kind, cell] + 1e-9


def test_other_laws_have_nothing_to_say():
    body = anvil(J2())
    body.run(0.1)
    assert left_range(body) == []
    assert told([], 60) == []


def test_terminal_and_summary_say_it_and_a_restart_keeps_it(tmp_path, capsys):
    summary = run_and_record(
        anvil(),
        1.0,
        tmp_path / "run",
        {"velocity": 200.0},
        RecordOptions(steps_between_outputs=50),
        measure=bar_shape,
    )
    kinds = {entry["kind"]: entry for entry in summary["left_training_range"]}
    said = capsys.readouterr().out
    for kind, entry in kinds.items():
        lines = [line for line in said.splitlines() if line.startswith("warning") and f"({kind}: " in line]
        assert len(lines) == 1
        assert f"cell {entry['cell']} at (" in lines[0]
    begun, origin = anvil(), lambda body: Origin(body, identity(body.law), {})
    begun.run(0.5)
    write_checkpoint(tmp_path / "c.h5", begun, origin(begun), {})
    resumed = anvil()
    read_checkpoint(tmp_path / "c.h5", resumed, origin(resumed))
    assert left_range(resumed) == left_range(begun)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ExtrapolationWarning)  # what was told is not told again
        for body in (begun, resumed):
            body.step()
    for name, array in begun.points.state.items():
        np.testing.assert_array_equal(resumed.points.state[name], array)


def test_a_run_that_fails_says_it_too_in_terminal_and_summary(tmp_path, capsys):
    body = anvil(max_energy_error=1e-4)  # less than any explicit run has
    (tmp_path / "summary.json").write_text('{"of": "an earlier run"}')
    with pytest.raises(ConvergenceError) as failed:
        run_and_record(body, 1.0, tmp_path, {"velocity": 200.0}, measure=bar_shape)
    summary = read_results(tmp_path).summary
    assert summary["error"] == str(failed.value)
    assert summary["inputs"] == {"velocity": 200.0}
    assert summary["final_time_us"] == body.time < 1.0
    assert summary["left_training_range"][0]["kind"] == "fast"
    assert summary["left_training_range"] == left_range(body)
    said = capsys.readouterr().out.splitlines()
    for line in told(summary["left_training_range"], summary["points"]):
        assert line in summary["warnings"]
        assert f"warning: {line}" in said
    with pytest.raises(InputError, match="ended with an error, expected success: energy error of"):
        write_report(tmp_path)


@pytest.mark.filterwarnings("ignore::multiscale.dynamics.start.units.StartWarning")
def test_doubts_about_the_start_are_said_at_the_end_again(tmp_path, capsys):
    """A punch of 0.4 mm on faces 0.71 mm across."""
    punch = RigidCylinder((2.0, 2.0, 1.0), (0.0, 0.0, -1.0), 0.2, 0.2)
    body = Simulation(box((4, 4, 1), (8, 8, 2)), J2(), "hex8-one-point", [punch])
    summary = run_and_record(body, 0.2, tmp_path, {}, measure=plate_shape)
    (doubt,) = summary["warnings"]
    assert "the cylinder is 0.4 mm across and meets faces" in doubt
    assert f"warning: {doubt}" in capsys.readouterr().out.splitlines()
    assert doubt.split(":")[0] in (tmp_path / "report.html").read_text()
