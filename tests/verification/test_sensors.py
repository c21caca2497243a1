"""Probes and gauges against exact waves, against the force of contact, and against themselves restarted."""

import shutil

import numpy as np
import pytest

from meshes.box import box
from microscale.errors import InputError
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.elements.registry import cell_shape
from multiscale.dynamics.simulation import Simulation
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.results.histories import Histories
from multiscale.results.run_folder import columns_of, read_results
from multiscale.run.control import RunControl
from multiscale.run.record_options import RecordOptions
from multiscale.run.recording import CHECKPOINT, run_and_record

LENGTH, SPEED = 10.0, 1e-3
LATERAL = {"left": 0, "right": 0, "front": 1, "back": 1}


def bar(element, cells=80):
    """A bar in uniaxial strain that hits a wall, slowly enough to be linear."""
    side = 4.0 * LENGTH / cells
    mesh = box((side, side, LENGTH), (1, 1, cells), cell_shape(element))
    return Simulation(mesh, NeoHooke(), element, [RigidPlane()], LATERAL, initial_velocity=(0.0, 0.0, -SPEED))


def looked_at(simulation, folder, end_time, **places):
    histories = Histories(simulation, folder, **places)
    histories.begin(simulation, {}, {})
    simulation.run(end_time, [histories], every=1)
    histories.flush()
    return {name: columns_of(file) for name, file in histories.files.items()}, histories.told


@pytest.mark.parametrize("element", ["hex8-fbar", "hex8-one-point", "tet10"])
def test_a_probe_sees_the_front_of_dalembert(element, tmp_path):
    simulation = bar(element)
    law, height = simulation.law, 0.3 * LENGTH
    arrival = height / law.wave_speed()
    side = simulation.positions[:, 0].max()
    places = {
        "probes": [(0.5 * side, 0.4 * side, height)],
        "gauges": ["bottom", (0.5 * side, 0.5 * side, 0.0)],
    }
    seen, told = looked_at(simulation, tmp_path, 2.4 * arrival, **places)
    probe, time = seen["probe_1"], seen["probe_1"]["time_us"]
    pressure = law.density * law.wave_speed() * SPEED
    before, after = time < 0.7 * arrival, time > 1.7 * arrival
    assert before.sum() > 5
    assert after.sum() > 5
    assert probe["velocity_z_mm_per_us"][before] == pytest.approx(-SPEED, rel=0.02)
    assert np.mean(probe["velocity_z_mm_per_us"][after]) == pytest.approx(0.0, abs=0.03 * SPEED)
    assert np.mean(probe["stress_zz_GPa"][after]) == pytest.approx(-pressure, rel=0.03)
    assert np.mean(probe["elongation_z"][after]) == pytest.approx(-SPEED / law.wave_speed(), rel=0.03)
    passed = np.interp(
        0.5 * SPEED, SPEED + probe["velocity_z_mm_per_us"][time < 1.3 * arrival], time[time < 1.3 * arrival]
    )
    assert passed == pytest.approx(arrival, abs=LENGTH / 80 / law.wave_speed())
    for name in ("gauge_1_bottom", "gauge_2"):
        steady = seen[name]["time_us"] > 0.7 * arrival
        assert np.mean(seen[name]["normal_stress_GPa"][steady]) == pytest.approx(-pressure, rel=0.03)
        assert np.mean(seen[name]["normal_velocity_mm_per_us"][steady]) == pytest.approx(
            0.0, abs=0.03 * SPEED
        )
    assert told["gauge_1_bottom"]["area_mm2"] == pytest.approx(side**2)
    assert told["gauge_2"]["normal"] == pytest.approx([0.0, 0.0, -1.0], abs=1e-12)


@pytest.mark.parametrize("element", ["hex8-one-point", "tet10"])
def test_the_mean_pressure_of_a_gauge_is_the_force_of_contact(element, tmp_path):
    """Their impulses differ by the momentum of the layer of nodes between the wall and the cells' middle."""
    lost = []
    for cells in (20, 40):
        simulation = bar(element, cells)
        end = 0.8 * LENGTH / simulation.law.wave_speed()
        seen, told = looked_at(simulation, tmp_path, end, gauges=["bottom"])
        gauge, area = seen["gauge_1_bottom"], told["gauge_1_bottom"]["area_mm2"]
        impulse = area * np.trapezoid(-gauge["normal_stress_GPa"], gauge["time_us"])
        lost.append(impulse / simulation.contact_impulse[2] - 1.0)
    assert abs(lost[0]) < 0.06
    assert abs(lost[1]) < 0.65 * abs(lost[0])


def test_a_gauge_on_a_round_side_sees_it_widen(tmp_path):
    from meshes.cylinder import cylinder

    quarter = Simulation(
        cylinder(2.0, 1.0, 200, "quarter"),
        NeoHooke(),
        "hex8-fbar",
        supports={"symmetry_x": 0, "symmetry_y": 1},
        initial_velocity=lambda X: np.stack([0.01 * X[0], 0.01 * X[1], 0.0 * X[2]]),
    )
    histories = Histories(quarter, tmp_path, gauges=["side", (0.5, 0.0, 1.0)])
    rows = histories._sensors.look(quarter)
    radial = rows[:, histories._sensors.columns.index("normal_velocity_mm_per_us")]
    assert radial == pytest.approx(0.005, rel=0.02)
    assert histories.told["gauge_2"]["normal"][0] > 0.98  # not that of the plane of symmetry


def test_rows_at_intervals_are_those_of_the_first_steps_past_them(tmp_path):
    seen, _ = looked_at(bar("hex8-fbar", 20), tmp_path, 2.0, probes=[(0.1, 0.1, 3.0)], every=0.3)
    every, _ = looked_at(bar("hex8-fbar", 20), tmp_path, 2.0, probes=[(0.1, 0.1, 3.0)])
    times = every["probe_1"]["time_us"]
    first = [int(np.searchsorted(times, 0.3 * k - 1e-9)) for k in range(7)]
    for name, values in seen["probe_1"].items():
        np.testing.assert_array_equal(values, every["probe_1"][name][first])


def test_places_that_are_not_in_the_body_are_refused(tmp_path):
    body = bar("hex8-fbar", 20)
    with pytest.raises(
        InputError, match=r"probe \(9, 0, 0\) mm is in no cell .* x = 0 to 2, .*: give a point"
    ):
        Histories(body, tmp_path, probes=[(9.0, 0.0, 0.0)])
    with pytest.raises(InputError, match=r"gauge \(1, 1, 5\) mm is not on the surface"):
        Histories(body, tmp_path, gauges=[(1.0, 1.0, 5.0)])
    with pytest.raises(InputError, match=r"no facet group named .*nose"):
        Histories(body, tmp_path, gauges=["nose"])


def record(folder, **control):
    asked = RecordOptions(probes=[(0.1, 0.1, 3.0)], gauges=["bottom"], outputs=7)
    return run_and_record(
        bar("hex8-fbar", 20),
        2.0,
        folder,
        {},
        asked,
        measure=lambda results: {},
        control=RunControl(**control),
    )


def test_a_restarted_run_has_the_histories_and_outputs_of_an_undisturbed_one(tmp_path):
    record(tmp_path / "whole", checkpoint_every=0.9)
    broken = tmp_path / "broken"
    shutil.copytree(tmp_path / "whole", broken)
    with (broken / "probe_1.csv").open("a") as file:
        file.write("99,1.9,0.")  # killed while it wrote a row
    record(broken, restart=broken / CHECKPOINT)
    for name in ("probe_1.csv", "gauge_1_bottom.csv", "energy.csv"):
        assert (broken / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    whole, again = read_results(tmp_path / "whole"), read_results(broken)
    assert again.times.tolist() == whole.times.tolist()
    assert whole.times == pytest.approx(np.arange(8) * 2.0 / 7.0, rel=1e-12)
    for name in ("displacement_mm", "von_mises_GPa"):
        for k in range(8):
            np.testing.assert_array_equal(again.results.field(name, k), whole.results.field(name, k))
    (broken / "probe_1.csv").write_text("".join((broken / "probe_1.csv").read_text().splitlines(True)[:4]))
    with pytest.raises(InputError, match=r"probe_1.csv ends with the row of step 2 up to the checkpoint"):
        record(broken, restart=broken / CHECKPOINT)


def test_outputs_are_at_even_times_and_show_the_body_where_it_is_then(tmp_path):
    """A body that flies: at each output it has moved by velocity times time, between steps too."""
    body = Simulation(box((1.0, 1.0, 1.0), (2, 2, 2)), NeoHooke(), initial_velocity=(0.0, 0.0, -0.2))
    run_and_record(body, 1.0, tmp_path, {}, RecordOptions(outputs=9), measure=lambda results: {})
    run = read_results(tmp_path)
    assert run.times == pytest.approx(np.arange(10) / 9.0, rel=1e-12)
    steps = run.energy["time_us"]
    assert sum(np.abs(steps - time).min() > 1e-3 for time in run.times) > 4  # most lie between steps
    for k, time in enumerate(run.times):
        np.testing.assert_allclose(run[k]["displacement_mm"][:, 2], -0.2 * time, atol=1e-12)
