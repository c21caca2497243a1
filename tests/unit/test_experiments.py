"""Parameters are found again from noisy curves, and what data do not determine is told."""

import dataclasses

import numpy as np
import pytest
from noisy_curves import NOISE, RATES, TRUTH, cook, measured, wanted

from microscale.crystals.crystal import read_crystal
from microscale.errors import InputError
from microscale.material_test.run import run_tests
from multiscale.laws import make_law
from multiscale.laws.experiments.determined import determination, doubts
from multiscale.laws.experiments.fit import fit
from multiscale.laws.experiments.materials import Constants, CrystalFile, constants_of


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
