"""Parameters are found again from noisy curves, what data do not determine is told, bad data are refused."""

import dataclasses
import json

import numpy as np
import pytest

from microscale.crystals.crystal import read_crystal
from microscale.errors import InputError
from microscale.material_test.run import run_tests
from multiscale.cli import app
from multiscale.laws import make_law
from multiscale.laws.constants_file import read_constants, shipped_constants
from multiscale.laws.experiments.curve_file import Experiment, read_experiment
from multiscale.laws.experiments.determined import determination, doubts
from multiscale.laws.experiments.fit import fit
from multiscale.laws.experiments.materials import Constants, CrystalFile, constants_of
from multiscale.run.calibration import calibrate_to_curves
from multiscale.run.calibration_options import CalibrationOptions
from multiscale.run.command import application, outcome

NOISE = 0.01


def measured(material, experiments, seed=0, steps=160, noise=NOISE):
    """Return experiments with the stress of a material at their strains, and noise relative to its size."""
    rng, found = np.random.default_rng(seed), []
    for experiment in experiments:
        law = material.law({}, experiment.texture)
        curve = run_tests(law, [experiment.program(steps)])[0]
        strain, stress = curve.component(experiment.component, experiment.measure == "engineering")
        at = np.interp(np.abs(experiment.strain), np.abs(strain), stress)
        size = np.sqrt(np.mean(at**2))
        found.append(dataclasses.replace(experiment, stress=at + noise * size * rng.standard_normal(len(at))))
    return found


def wanted(name, end, points=60, **facts):
    strain = np.linspace(0.0, end, points + 1)[1:]
    return Experiment(name, strain, np.ones(points), **facts)


def text_of(experiment, header=""):
    """Return a curve as a file."""
    columns = f"{experiment.measure}_strain,{experiment.measure}_stress_MPa"
    rows = zip(experiment.strain.tolist(), (1e3 * experiment.stress).tolist(), strict=True)
    lines = [f"# test: {experiment.test}", f"# rate: {experiment.rate!r} 1/us", header, columns]
    return "\n".join([*filter(None, lines), *(f"{strain!r},{stress!r}" for strain, stress in rows)]) + "\n"


TRUTH = {
    "initial_strength": 0.09,
    "hardening": 0.31,
    "hardening_exponent": 0.42,
    "rate_sensitivity": 0.023,
    "reference_rate": 1e-6,
    "heated_fraction": 0.0,
    "shear_modulus": 17.0,
    "bulk_modulus": 35.0,
    "density": 1.74,
}
RATES = (1e-6, 1e-4, 1e-3, 1e-2)


def cook(**changed):
    return Constants("johnson-cook", constants_of(make_law("johnson-cook", **{**TRUTH, **changed})))


def test_johnson_cook_is_found_again_from_noisy_curves():
    names = ("initial_strength", "hardening", "hardening_exponent", "rate_sensitivity")
    tests = [wanted(f"{rate:g}", 0.2, rate=rate, measure="engineering") for rate in RATES]
    tests.append(wanted("compression", -0.3, rate=1e-3))
    data = measured(cook(), tests, steps=100)
    start = cook(initial_strength=0.2, hardening=0.6, hardening_exponent=0.8, rate_sensitivity=0.1)
    found = fit(data, start, names, steps=50)
    for name, value in found.found.items():
        assert value == pytest.approx(TRUTH[name], rel=0.02), name
    known = determination(found)
    errors = np.abs(found.values / [TRUTH[name] for name in names] - 1.0)
    assert (known.errors < 0.02).all()
    assert (errors < 4.0 * known.errors).all()
    assert doubts(found, known) == []
    assert all(0.8 * NOISE < error < 1.25 * NOISE for error in found.errors.values())


def test_standard_errors_are_those_of_repeated_experiments():
    truth = Constants("j2", constants_of(make_law("j2")))
    names, tests = ("yield_stress", "hardening_modulus"), [wanted("slow", 0.1, points=30)]
    fits = [fit(measured(truth, tests, seed, steps=16), truth, names, steps=16) for seed in range(12)]
    spread = np.std([np.log(found.values) for found in fits], axis=0)
    told = np.mean([determination(found).errors for found in fits], axis=0)
    assert (spread < 2.0 * told).all()
    assert (spread > 0.5 * told).all()


def test_what_no_curve_feels_is_told():
    """All rates are below the reference rate: the sensitivity has no effect, and the search leaves it."""
    truth = cook(reference_rate=1.0)
    data = measured(truth, [wanted("slow", 0.2)])
    found = fit(data, truth, ("initial_strength", "rate_sensitivity"))
    known = determination(found)
    assert found.found["rate_sensitivity"] == pytest.approx(TRUTH["rate_sensitivity"])
    assert np.isinf(known.errors[1])
    assert known.errors[0] < 0.02
    assert any(
        "rate_sensitivity is not determined: no curve feels it" in line for line in doubts(found, known)
    )


def test_one_curve_of_one_rate_says_little_of_the_sensitivity():
    truth = cook()
    data = measured(truth, [wanted("one rate", 0.2, rate=1e-3)], steps=60)
    found = fit(data, truth, ("initial_strength", "hardening", "rate_sensitivity"), steps=40)
    told = " ".join(doubts(found, determination(found)))
    assert "rate_sensitivity is not determined: standard error" in told


def test_a_combination_that_is_not_determined_is_told():
    """Heat comes in as the heated fraction over the heat capacity only."""
    truth = cook(heated_fraction=0.9)
    data = measured(truth, [wanted("hot", 0.3, points=20)], steps=30)
    found = fit(data, truth, ("initial_strength", "heated_fraction", "heat_capacity"), steps=20)
    told = doubts(found, determination(found))
    assert "heated_fraction is not determined: no curve feels it" in told
    assert any("together not determined: " in line and "^+0.71" in line for line in told)


def test_bounds_hold_and_are_told():
    truth = cook()
    data = measured(truth, [wanted("one", 0.2, rate=1e-3)])
    found = fit(data, truth, ("initial_strength",), {"initial_strength": (0.095, 0.2)})
    assert found.values[0] == pytest.approx(0.095, rel=1e-3)
    known = determination(found)
    assert doubts(found, known) == ["initial_strength is at its lower bound: the data would have it go on"]


def test_parameters_of_a_crystal_are_found_again(tmp_path):
    """A saturation of slip and the strength of twins of six grains, from three noisy curves."""
    options = {"grains": 6, "texture": "random", "seed": 2}
    truth = CrystalFile(None, options)
    changed = {"slip_families.prismatic.saturation": 0.25, "twinning.strength": 0.06}
    tests = [
        wanted("tension", 0.06, points=400, rate=1e-2),
        wanted("slow", -0.06, points=400, rate=1e-3, direction=(0.0, 0.0, 1.0)),
        wanted("channel", -0.06, points=400, rate=1e-3, test="plane-strain", direction=(0.0, 1.0, 0.0)),
    ]
    data = measured(truth, tests, steps=24)
    truth.write(tmp_path / "start.yaml", changed, {"curves": ["none"], "sentence": "A start."})
    start = CrystalFile(tmp_path / "start.yaml", options)
    assert {name: start.parameters[name] for name in changed} == pytest.approx(changed)
    found = fit(data, start, tuple(changed), steps=16)
    assert found.found == pytest.approx({name: truth.parameters[name] for name in changed}, rel=0.02)
    start.write(tmp_path / "found.yaml", found.found, {"curves": ["x", "z"], "sentence": "Fitted."})
    again = read_crystal(tmp_path / "found.yaml")
    assert again.twinning.strength == pytest.approx(found.found["twinning.strength"], rel=1e-14)
    assert again.families[0].strength == truth.parameters["slip_families.basal.strength"]


def test_of_several_searches_the_best_counts():
    truth = Constants("j2", constants_of(make_law("j2")))
    data = measured(truth, [wanted("slow", 0.1)], steps=20)
    found = fit(data, truth, ("yield_stress", "hardening_modulus"), steps=16, searches=3)
    assert len(found.searches) == 3
    assert found.errors["slow"] == pytest.approx(min(found.searches), rel=1e-2)
    assert found.found["yield_stress"] == pytest.approx(0.4, rel=0.02)


@pytest.fixture(scope="module")
def curve_text():
    truth = cook()
    return text_of(measured(truth, [wanted("one", 0.1, points=20, rate=1e-3)])[0], "# direction: x")


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


def test_a_search_for_poissons_ratio_stays_below_a_half():
    """Its bounds would reach to 40 else, and no law can be made of that."""
    truth = Constants("j2", {**constants_of(make_law("j2")), "poissons_ratio": 0.2, "yield_stress": 1.0})
    (data,) = measured(truth, [wanted("one", 0.004, test="confined")], steps=20, noise=0.0)
    start = Constants("j2", {**truth.constants, "poissons_ratio": 0.4})
    found = fit([data], start, ("poissons_ratio",), steps=20)
    assert found.values[0] == pytest.approx(0.2, rel=1e-2)
    assert found.upper[0] < 0.5


def test_a_search_turns_back_from_a_material_that_cannot_be(monkeypatch):
    """Some strengths that the search tries are refused by the material."""
    tried, makes = [], Constants.law

    def refusing(self, values, texture):
        tried.append(values["initial_strength"])
        if values["initial_strength"] > 0.15:
            raise InputError("no such material")
        return makes(self, values, texture)

    (data,) = measured(cook(), [wanted("one", 0.1)], steps=20, noise=0.0)
    monkeypatch.setattr(Constants, "law", refusing)
    found = fit([data], cook(initial_strength=0.01), ("initial_strength",), steps=20)
    assert found.values[0] == pytest.approx(TRUTH["initial_strength"], rel=1e-2)
    assert len(tried) > 3


def test_a_curve_that_is_not_met_is_told():
    """The law hardens, the data soften to nothing."""
    data = dataclasses.replace(wanted("one", 0.1), stress=np.linspace(0.12, 0.004, 60))
    found = fit([data], cook(), ("initial_strength",), steps=20)
    assert found.errors["one"] > 0.2
    assert any(line.startswith("one is not met, error ") for line in doubts(found, determination(found)))


@pytest.mark.parametrize(
    ("names", "bounds", "message"),
    [
        (("hardness",), {}, "parameter 'hardness', expected one of: shear_modulus"),
        (("density",), {}, "parameter 'density', expected one of"),
        (("hardening", "hardening"), {}, "expected each once"),
        ((), {}, "parameters = none, expected each once and at least one"),
        (("hardening",), {"initial_strength": (0.1, 0.2)}, "bounds of initial_strength, which is not fitted"),
        (
            ("hardening",),
            {"hardening": (0.2, 0.1)},
            "bounds of hardening = 0.2 to 0.1 GPa, expected positive",
        ),
        (
            ("initial_strength",),
            {"initial_strength": (0.1, 9.0)},
            "expected positive ones that grow, up to 2.7",
        ),
    ],
)
def test_parameters_without_meaning_are_refused(names, bounds, message):
    with pytest.raises(InputError, match=message):
        fit([wanted("one", 0.1)], cook(), names, bounds)


def test_what_a_law_does_not_have_is_refused():
    hot = wanted("hot", 0.1, temperature=400.0)
    hot = dataclasses.replace(hot, stress=0.1 * hot.stress)
    with pytest.raises(InputError, match="texture = rolled of a curve, but the law j2 has none"):
        Constants("j2", constants_of(make_law("j2"))).law({}, "rolled")
    with pytest.raises(InputError, match=r"temperature = 400\.0 K, but the law has none"):
        fit([hot], CrystalFile(None, {"grains": 2}), ("slip_families.basal.strength",))


def test_temperatures_of_experiments_soften():
    """Johnson-Cook's m from tests at two temperatures."""
    truth = cook(softening_exponent=1.2, room_temperature=293.0, melting_temperature=900.0)
    warm = [wanted(f"{T:g}", 0.1, points=20, temperature=T) for T in (293.0, 500.0, 700.0)]
    data = []
    for experiment in warm:
        law = truth.law({}, None)
        curve = run_tests(law, [experiment.program(40)], initial={"temperature": [experiment.temperature]})[0]
        strain, stress = curve.component("xx")
        data.append(dataclasses.replace(experiment, stress=np.interp(experiment.strain, strain, stress)))
    start = cook(softening_exponent=2.0, room_temperature=293.0, melting_temperature=900.0)
    found = fit(data, start, ("softening_exponent",), steps=40)
    assert found.values[0] == pytest.approx(1.2, rel=1e-3)


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
