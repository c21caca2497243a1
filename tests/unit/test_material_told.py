"""Material, density and constants of an impact: what is taken, what is said, what is refused."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from meshes.cylinder import cylinder
from microscale.errors import InputError
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.energy import Energy
from multiscale.dynamics.simulation import Simulation
from multiscale.laws import make_law
from multiscale.laws.constants_file import read_constants, shipped_constants
from multiscale.results.run_folder import read_results
from multiscale.run.material import LawOptions, impact_law
from multiscale.run.notices import notes_at_end, warnings_at_end
from multiscale.run.record_options import RecordOptions
from multiscale.run.recording import run_and_record
from multiscale.run.told_material import material_line, material_of, material_text

LAWS = ("learned", "taylor", "j2", "johnson-cook", "neo-hooke")


@pytest.mark.parametrize("law", ["j2", "johnson-cook"])
def test_without_constants_a_law_of_constants_is_the_magnesium_fitted(law):
    found, fitted = impact_law(law, duration=1.0), read_constants(shipped_constants(law), law)
    assert {name: getattr(found, name) for name in fitted} == fitted
    assert found.density == 10.0
    assert material_line(found) == f"{law}: magnesium, fitted to 128 grains, density 10 g/cm^3"
    strength = "yield_stress" if law == "j2" else "initial_strength"
    assert f"{strength} {fitted[strength]:.5g}" in material_text(found)
    assert material_of(found)["constants"][strength] == fitted[strength]


def test_the_class_of_j2_stays_copper_and_says_so():
    assert material_line(make_law("j2")) == "j2: copper of the standard Taylor bar, density 8.93 g/cm^3"
    assert material_line(make_law("j2", yield_stress=0.3)) == "j2: density 8.93 g/cm^3"


def test_a_learned_law_says_what_it_learned_and_its_weights():
    law = impact_law("learned", duration=1.0)
    line = material_line(law)
    assert line.startswith("learned: magnesium, taylor, 128 grains of uniform texture, seed 0, density 10")
    assert line.endswith(f"weights {law.card.weights_sha256[:12]}")
    assert max(map(len, material_text(law).splitlines())) < 80


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize(("given", "density"), [("measured", 1.738), ("1740 kg/m^3", 1.74), (2.5, 2.5)])
def test_density_of_any_law_and_its_waves(law, given, density):
    small = {"grains": 4} if law == "taylor" else {}
    usual, light = (impact_law(law, duration=1.0, **small, density=asked) for asked in (None, given))
    assert light.density == pytest.approx(density, rel=1e-12)
    assert usual.density == 10.0
    assert light.wave_speed() == pytest.approx(usual.wave_speed() * np.sqrt(10.0 / density), rel=1e-12)
    assert light.moduli() == pytest.approx(usual.moduli(), rel=1e-9)


def test_step_and_energy_follow_the_density():
    def anvil(density):
        body = cylinder(2.0, 1.0, 100, "quarter")
        return Simulation(body, impact_law("j2", duration=1.0, density=density), obstacles=[RigidPlane()],
                          initial_velocity=(0.0, 0.0, -0.2))  # fmt: skip

    usual, light = anvil(None), anvil("measured")
    assert light.first_dt / usual.first_dt == pytest.approx(np.sqrt(0.1738), rel=1e-9)
    assert light.initial_energy / usual.initial_energy == pytest.approx(0.1738, rel=1e-12)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("1.74 GPa", "density = '1.74 GPa', expected a density, such as 1.74"),
        ("heavy", "expected 'measured' or a number"),
        (1740.0, "density = 1740 g/cm.3, expected 0.01 to 50, as solids have: check the unit"),
        ("-1", "expected 0.01 to 50"),
    ],
)
def test_what_is_no_density_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        impact_law("j2", duration=1.0, density=given)


def test_the_measured_density_of_another_material_is_refused(tmp_path):
    text = shipped_constants("j2").read_text().replace('"name": "magnesium"', '"name": "zinc"')
    file = Path(tmp_path / "zinc.json")
    file.write_text(text)
    with pytest.raises(
        InputError, match="density = measured is that of magnesium, but the law j2 stands for 'zinc"
    ):
        impact_law("j2", duration=1.0, constants=file, density="measured")
    with pytest.raises(InputError, match="law neo-hooke does not take --constants"):
        LawOptions(law="neo-hooke", constants=file).resolved()


def at_the_end(kinetic, errors=None):
    law = SimpleNamespace(card=SimpleNamespace(errors=errors)) if errors is not None else SimpleNamespace()
    energy = Energy(kinetic, 1.0 - kinetic, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
    return SimpleNamespace(energy=energy, law=law, initial_energy=1.0, time=1.0)


def test_what_should_not_be_missed_is_said():
    assert notes_at_end(at_the_end(0.05), None) == warnings_at_end(at_the_end(0.05), None) == []
    still = "at 1 us 87 % of the energy is still kinetic"
    told = [f"{still}; --until-rest goes on until the body has stopped"]
    assert notes_at_end(at_the_end(0.87), None) == told
    waited = SimpleNamespace(at=None)
    assert notes_at_end(at_the_end(0.87), waited) == []
    assert warnings_at_end(at_the_end(0.87), waited) == [
        f"not at rest: {still}; give a longer --longest-time"
    ]
    assert warnings_at_end(at_the_end(0.3), SimpleNamespace(at=0.9)) == []
    assert "never measured" in warnings_at_end(at_the_end(0.0, {}), None)[0]
    watched = {"validation": {"deviatoric_mean": 0.56}}
    assert warnings_at_end(at_the_end(0.0, watched), None)[1] == (
        "these weights are 56 % off in the deviator on the paths that watched the training"
    )
    assert len(warnings_at_end(at_the_end(0.0, {"validation": {"deviatoric_mean": 0.03}}), None)) == 1
    sets = {"sets": {"good": {"deviatoric_mean": 0.03}, "bad": {"deviatoric_mean": 0.31}}}
    assert warnings_at_end(at_the_end(0.0, sets), None) == [
        "these weights are 31 % off in the deviator on test set bad"
    ]


def flying(height=2.0):
    body = cylinder(height, 1.0, 60, "quarter")
    law = make_law("j2", yield_stress=0.1, hardening_modulus=0.01)
    supports = {"symmetry_x": 0, "symmetry_y": 1}
    return Simulation(body, law, "hex8-one-point", [RigidPlane()], supports, (0.0, 0.0, -0.2))


def test_a_run_until_rest_ends_when_the_body_has_stopped(tmp_path, capsys):
    summary = run_and_record(
        flying(), 0.5, tmp_path, {}, RecordOptions(until_rest=True), measure=lambda results: {}
    )
    rest, run = summary["at_rest_at_us"], read_results(tmp_path)
    assert 2.0 < rest < 20.0
    assert summary["final_time_us"] == rest == run.times[-1]
    assert run.energy["kinetic_J"][-1] < 0.02 * run.energy["kinetic_J"][0]
    assert abs(run[-1]["velocity_mm_per_us"][:, 2].mean()) < 0.02
    assert np.diff(run.times)[:-1] == pytest.approx(np.diff(run.times)[0])
    assert summary["warnings"] == []
    assert "still kinetic" not in capsys.readouterr().out


def test_a_run_until_rest_has_a_longest_time_and_is_of_a_body_that_moves(tmp_path):
    asked = RecordOptions(until_rest=True, longest_time=1.0)
    summary = run_and_record(flying(), 0.5, tmp_path, {}, asked, measure=lambda results: {})
    assert summary["at_rest_at_us"] is None
    assert summary["final_time_us"] == pytest.approx(1.0)
    assert "not at rest" in summary["warnings"][0]
    with pytest.raises(InputError, match=r"longest-time = 1.0 us, expected at least end-time = 2.0 us"):
        run_and_record(flying(), 2.0, tmp_path, {}, asked, measure=lambda results: {})
    still = Simulation(cylinder(2.0, 1.0, 60), make_law("j2"), "hex8-one-point")
    with pytest.raises(InputError, match="this one is at rest at the start"):
        run_and_record(still, 2.0, tmp_path, {}, RecordOptions(until_rest=True), measure=lambda results: {})
