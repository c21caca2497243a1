"""Material tests without a mesh against closed forms, and what they refuse."""

import re
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq

from microscale.errors import ConvergenceError, InputError
from microscale.law import drive
from microscale.material_test.equilibrium import Step, balance
from microscale.material_test.program import LOADINGS, MaterialTest, Segment, loading
from microscale.material_test.program_file import program_text, read_program
from microscale.material_test.run import run_tests
from multiscale.laws import make_law


def tension(strain, rate=1e-3, steps=50, **options):
    return MaterialTest((Segment(loading("uniaxial", strain), rate=rate, steps=steps),), **options)


SHARP = 1e-9
"""Tolerance for laws in closed form: what is compared with them is exact."""


def lateral(curve):
    """Largest stress that should be zero in a uniaxial test, over the axial one."""
    off = curve.stress.copy()
    off[:, 0, 0] = 0.0
    return np.abs(off).max() / np.abs(curve.stress).max()


@pytest.mark.parametrize("strain", [0.4, -0.4])
def test_neo_hookean_bar(strain):
    law = make_law("neo-hooke")
    curve = run_tests(law, [tension(strain, direction=(1.0, 2.0, -3.0))], SHARP)[0]
    G, modulus = law.shear_modulus, 2.0 * law.lambda_e

    def sideways(width, length):
        J = length * width**2
        return G * J ** (-5.0 / 3.0) * (width**2 - length**2) / 3.0 + modulus * (J - 1.0)

    for F, stress in zip(curve.F[1:], curve.stress[1:], strict=True):
        width = brentq(sideways, 0.3, 3.0, (F[0, 0],), xtol=1e-14)
        J = F[0, 0] * width**2
        exact = G * J ** (-5.0 / 3.0) * (F[0, 0] ** 2 - width**2)
        np.testing.assert_allclose(F[[1, 2], [1, 2]], width, rtol=1e-9)
        assert stress[0, 0] == pytest.approx(exact, rel=1e-9)
    assert lateral(curve) < SHARP
    assert curve.F[-1, 0, 0] == pytest.approx(np.exp(strain), rel=1e-12)
    assert curve.times[-1] == pytest.approx(abs(strain) / 1e-3)


def j2_strain(law, stress):
    """Logarithmic strain of a bar under a Cauchy stress: Hencky's elasticity is linear in J times it."""
    J = brentq(
        lambda J: np.log(J) - (1.0 - 2.0 * law.poissons_ratio) * stress * J / law.youngs_modulus, 0.5, 2.0
    )
    plastic = max(0.0, abs(stress) - law.yield_stress) / law.hardening_modulus
    return stress * J / law.youngs_modulus + np.sign(stress) * plastic


@pytest.mark.parametrize("strain", [0.1, -0.1])
def test_j2_bar_yields_and_hardens(strain):
    law = make_law("j2")
    curve = run_tests(law, [tension(strain, steps=100)], SHARP)[0]
    found, stress = curve.component("xx")
    exact = np.array([j2_strain(law, value) for value in stress])
    np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-12)
    assert lateral(curve) < SHARP
    assert curve.iterations.max() <= 6


def test_j2_bar_yields_again_where_it_is_pushed_back():
    """Isotropic hardening: it yields in compression at the stress that it had reached in tension."""
    law = make_law("j2")
    there_and_back = [Segment(loading("uniaxial", e), rate=1e-3, steps=100) for e in (0.02, -0.02)]
    curve = run_tests(law, [MaterialTest(tuple(there_and_back))], SHARP)[0]
    _, stress = curve.component("xx")
    plastic = curve.fields["equivalent_plastic_strain"]
    flows = np.diff(plastic) > 0.0
    np.testing.assert_allclose(
        np.abs(stress[1:])[flows], law.yield_stress + law.hardening_modulus * plastic[1:][flows], rtol=1e-9
    )
    assert stress[-1] < -stress[100] < 0.0


COOK = {"heated_fraction": 0.0, "reference_rate": 1e-6, "rate_sensitivity": 0.05}


def test_johnson_cook_bar_at_a_jump_of_the_rate():
    law = make_law("johnson-cook", **COOK)
    parts = [(0.05, 1e-3), (0.1, 1e-1)]
    segments = tuple(Segment(loading("uniaxial", e), rate=r, steps=50) for e, r in parts)
    curve = run_tests(law, [MaterialTest(segments)], SHARP)[0]
    _, stress = curve.component("xx")
    plastic = curve.fields["equivalent_plastic_strain"]
    rate = np.diff(plastic) / np.diff(curve.times)
    flows = rate > law.reference_rate
    static = law.initial_strength + law.hardening * plastic[1:] ** law.hardening_exponent
    expected = static * (1.0 + law.rate_sensitivity * np.log(np.maximum(rate / law.reference_rate, 1.0)))
    np.testing.assert_allclose(stress[1:][flows], expected[flows], rtol=1e-8)
    viscous = stress[1:] / static
    assert viscous[60] / viscous[49] == pytest.approx(
        (1.0 + 0.05 * np.log(1e5)) / (1.0 + 0.05 * np.log(1e3)), rel=1e-3
    )


def soft():
    """A strong elasticity, so that strains stay small, and no hardening: creep and relaxation are exact."""
    law = make_law("johnson-cook", **COOK, initial_strength=0.01, hardening=0.0)
    shear, bulk = law.moduli()
    return law, 9.0 * bulk * shear / (3.0 * bulk + shear)


def relaxed(steps):
    """Return the error of the stress of a bar that is held, relative to what it loses."""
    law, youngs_modulus = soft()
    pull = Segment(loading("uniaxial", 1e-3), rate=1e-1, steps=50)
    holds = [Segment({"xx": None}, duration=1e-4 * 4.0**k, steps=steps) for k in range(6)]
    curve = run_tests(law, [MaterialTest((pull, *holds))], SHARP)[0]
    strength, C = law.initial_strength, law.rate_sensitivity
    _, stress = curve.component("xx")
    time = curve.times[50:] - curve.times[50]
    # A (1 + C ln(rate / reference)) = stress, and the stress falls by E times the rate of flow.
    start = np.exp(-(stress[50] / strength - 1.0) / C)
    exact = strength * (1.0 - C * np.log(start + youngs_modulus * law.reference_rate * time / (strength * C)))
    return np.abs(stress[50:] - exact).max() / (stress[50] - exact[-1])


def test_relaxation_is_logarithmic_in_time():
    """To first order in the steps, by the law's own integration."""
    coarse, fine = relaxed(10), relaxed(20)
    assert fine < 0.01
    assert coarse / fine > 1.8


def test_creep_goes_on_at_the_rate_of_its_stress():
    law, _ = soft()
    stress = 0.014
    load = Segment(stress={"xx": stress}, duration=1.0, steps=20)
    hold = Segment(stress={"xx": None}, duration=20.0, steps=10)
    curve = run_tests(law, [MaterialTest((load, hold))], SHARP)[0]
    strain, held = curve.component("xx")
    rate = law.reference_rate * np.exp((stress / law.initial_strength - 1.0) / law.rate_sensitivity)
    np.testing.assert_allclose(held[20:], stress, rtol=1e-8)
    np.testing.assert_allclose(np.diff(strain[20:]) / 2.0, rate, rtol=1e-4)


def test_taylor_polycrystal_has_no_stress_across():
    """Of a few grains, so not isotropic: it shears too. Along the same F the law gives the same stress."""
    law = make_law("taylor", grains=8)
    curve = run_tests(law, [tension(0.1, rate=1e-2, steps=20)])[0]
    assert lateral(curve) < 1e-5
    assert np.abs(curve.F[-1][np.triu_indices(3, 1)]).max() > 1e-4
    assert curve.iterations.max() <= 12  # no step was cut, within which F would not be linear
    again = drive(law, curve.F[None], curve.times)[0]
    np.testing.assert_allclose(again, curve.stress, rtol=1e-9, atol=1e-9)


def test_a_test_turned_with_the_sample_is_the_same():
    """Along z of a polycrystal as along x of the turned one."""
    law = make_law("taylor", grains=4, texture="random", seed=1)
    program = tension(-0.05, steps=10, direction=(0.0, 0.0, 1.0), across=(0.0, 1.0, 0.0))
    axes = program.axes
    turned = type(law)(axes.T @ law.orientations)
    curves = [run_tests(law, [program])[0], run_tests(turned, [tension(-0.05, steps=10)])[0]]
    np.testing.assert_allclose(curves[0].stress, curves[1].stress, atol=1e-7)


@pytest.mark.parametrize("kind", LOADINGS)
def test_usual_tests_prescribe_what_their_names_say(kind):
    curve = run_tests(make_law("j2"), [MaterialTest((Segment(loading(kind, 0.03), rate=1.0, steps=5),))])[0]
    largest = np.abs(curve.stress[-1]).max()
    for component, (i, j) in {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "xy": (0, 1), "yz": (1, 2)}.items():
        if component in LOADINGS[kind]:
            strain = curve.component(component)[0][-1]
            assert strain == pytest.approx(0.03 * LOADINGS[kind][component], abs=1e-12)
        else:
            assert abs(curve.stress[-1, i, j]) < 1e-6 * largest


def test_engineering_measures_are_those_of_the_sample_at_rest():
    law = make_law("neo-hooke")
    force = Segment(stress={"xx": 2.0}, duration=1.0, steps=4)
    stretch = Segment({"xx": 0.1}, rate=0.1, steps=4)
    curve = run_tests(
        law, [MaterialTest((force,), measure="engineering"), MaterialTest((stretch,), measure="engineering")]
    )
    piola = np.linalg.det(curve[0].F[-1]) * curve[0].stress[-1] @ np.linalg.inv(curve[0].F[-1]).T
    assert piola[0, 0] == pytest.approx(2.0, rel=1e-6)
    assert curve[1].F[-1, 0, 0] == pytest.approx(1.1, rel=1e-12)
    assert curve[1].times[-1] == pytest.approx(1.0)


def test_tests_side_by_side_are_those_one_by_one():
    law = make_law("johnson-cook")
    programs = [
        tension(0.1),
        tension(-0.05, rate=1.0, steps=20),
        tension(0.1, steps=30, direction=(1.0, 1.0, 0.0)),
    ]
    together = run_tests(law, programs)
    for program, curve in zip(programs, together, strict=True):
        alone = run_tests(law, [program])[0]
        np.testing.assert_allclose(curve.stress, alone.stress, rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(curve.times, alone.times)


@pytest.mark.parametrize("name", ["neo-hooke", "j2", "johnson-cook", "learned"])
def test_residuals_fall_quadratically(name):
    law = make_law(name, **({"precision": "double"} if name == "learned" else {}))
    state, rest = law.init_state(1), np.array([[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]])
    end = np.array([[0.02, 0.0, 0.0, 0.0, 0.0, 0.0]])
    is_stress = np.array([[False, True, True, True, True, True]])
    flat, axes = np.array([False]), np.eye(3)[None]
    step = Step(np.array([1.0]), is_stress, 0.0 * end, end, flat, axes, np.array([1e-12]))
    residuals = balance(law, step, state, rest, 1e-9).residuals
    assert residuals[-1] < 1e-8
    # The last before rounding: an error of e becomes one of the order of e^2.
    falls = [(a, b) for a, b in pairwise(residuals) if 1e-3 > a > 1e-6]
    for before, after in falls:
        assert after < max(1e2 * before**2, 1e-9)


def test_a_step_that_is_too_long_is_cut():
    law = make_law("j2")
    whole = Segment(stress={"xx": 0.55}, duration=1.0, steps=1)
    curve = run_tests(law, [MaterialTest((whole,))])[0]
    strain, stress = curve.component("xx")
    assert stress[-1] == pytest.approx(0.55, rel=1e-6)
    assert strain[-1] == pytest.approx(j2_strain(law, 0.55), rel=1e-5)
    assert curve.iterations[-1] > 12


def test_a_stress_that_a_law_cannot_carry_ends_in_one_line_and_at_its_strength():
    law = make_law("j2", hardening_modulus=0.0)
    with pytest.raises(
        ConvergenceError, match=r"no balance of the law j2 at stress\.xx = .* GPa off"
    ) as error:
        run_tests(law, [MaterialTest((Segment(stress={"xx": 0.6}, duration=1.0, steps=3),))])
    assert "\n" not in str(error.value)
    last = re.search(r"stress\.xx = ([\d.]+)", str(error.value))
    assert float(last[1]) == pytest.approx(law.yield_stress, rel=1e-3)


MIXTURE = """
measure = "true"
direction = [0, 0, 1]

[[segment]]
rate = "1e3/s"
steps = 4
strain = {xx = 0.02, yy = 0.0}

[[segment]]
duration = "50 us"
steps = 2
strain = {yy = "hold"}
stress = {xx = "hold", xy = "-5 MPa"}

[[segment]]
duration = "1e-5 s"
steps = 3
"""


def test_a_program_is_read_run_and_written(tmp_path):
    file = tmp_path / "mixture.toml"
    file.write_text(MIXTURE)
    program = read_program(file)
    assert program.segments[0].rate == pytest.approx(1e-3)
    assert program.segments[1].stress == {"xx": None, "xy": pytest.approx(-0.005)}
    again = tmp_path / "again.toml"
    again.write_text(program_text(program))
    assert read_program(again) == program
    curve = run_tests(make_law("j2"), [program], SHARP)[0]
    assert curve.times[-1] == pytest.approx(20.0 + 50.0 + 10.0)
    assert curve.component("yy")[0][6] == 0.0
    assert curve.component("xx")[1][6] == pytest.approx(curve.component("xx")[1][4], rel=1e-6)
    assert curve.component("xy")[1][6] == pytest.approx(-0.005, rel=1e-6)
    np.testing.assert_allclose(curve.stress[-1], 0.0, atol=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps = 4", "stpes = 4", r"segment\[0\]\.stpes is no known key, did you mean 'steps'"),
        ('"1e3/s"', "1e3", r"segment\[0\]\.rate = 1000\.0, expected a number with its unit, as '5 1/us'"),
        ('"1e3/s"', '"1e3 MPa"', r"rate = 1e3 MPa, expected a unit of 1/us"),
        ("xx = 0.02", "xx = 2.0e1", "strain.xx = 20, expected at most 3: a fraction, not per cent"),
        ("xx = 0.02", 'xx = "2 %"', r"strain\.xx = '2 %', expected a number without unit, or 'hold'"),
        ("xx = 0.02", "zx = 0.02", r"expected 'xx', 'yy', 'zz', 'yz', 'xz' or 'xy'"),
        ('"-5 MPa"', "-5", r"stress\.xy = -5, expected a number with its unit"),
        ("yy = 0.0}", "yy = 0.0}\nstress = {yy = '0 GPa'}", r"strain\.yy and stress\.yy are both given"),
        ('duration = "50 us"', "", "segment 2: a segment needs a duration or a rate"),
        ('duration = "50 us"', 'rate = "1/s"', "segment 2: rate = 1e-06 1/us, but no strain changes"),
        (
            "direction = [0, 0, 1]",
            "direction = [0, 0, 0]",
            r"mixture\.toml: direction = .* not all zero",
        ),
        ('measure = "true"', 'measure = "log"', "measure = 'log', expected 'true' or 'engineering'"),
    ],
)
def test_a_program_without_meaning_is_refused(tmp_path, old, new, message):
    assert old in MIXTURE
    file = tmp_path / "mixture.toml"
    file.write_text(MIXTURE.replace(old, new))
    with pytest.raises(InputError, match=message) as error:
        run_tests(make_law("j2"), [read_program(file)])
    assert "\n" not in str(error.value)
