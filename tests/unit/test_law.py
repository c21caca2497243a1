"""The interface of a law: what `drive` does with a path, and what it says to bad input."""

import warnings
from typing import get_args

import numpy as np
import pytest

from microscale import drive
from microscale.errors import DeformationError, InputError
from microscale.law import State, check_deformation
from microscale.tensors import cauchy_from_piola
from microscale.unit_cell.grid import DERIVATIVES
from multiscale.laws import Derivative, law_names, make_law, options_of

PATHS, SAMPLES = 3, 6
TIMES = np.linspace(0.0, 1.0, SAMPLES)


def some_paths(seed: int = 0) -> np.ndarray:
    A = 0.1 * np.random.default_rng(seed).standard_normal((PATHS, 1, 3, 3))
    return np.eye(3) + A * TIMES[:, None, None]


def test_drive_returns_the_cauchy_stress_of_each_sample():
    law, F = make_law("neo-hooke"), some_paths()
    state, P = law.init_state(1), np.empty((1, 3, 3))
    sigma = drive(law, F, TIMES)
    for path in range(PATHS):
        for sample in range(SAMPLES):
            law.update(F[path, sample][None].copy(), 0.0, state, P)
            expected = cauchy_from_piola(P[0], F[path, sample])
            np.testing.assert_allclose(sigma[path, sample], expected, rtol=1e-13, atol=1e-13)


def test_each_path_may_have_its_own_times():
    law, F = make_law("johnson-cook"), some_paths()
    times = TIMES * np.array([[1.0], [1e-3], [10.0]])
    together = drive(law, F, times)
    for path in range(PATHS):
        np.testing.assert_array_equal(together[path], drive(law, F[path : path + 1], times[path])[0])
    assert np.abs(together[0] - drive(law, F[:1], times[1])[0]).max() > 1e-3  # the rate matters


def test_the_first_sample_is_reached_at_once():
    F = some_paths()
    F[:, 0] = F[:, 3]
    law, P = make_law("j2"), np.empty((PATHS, 3, 3))
    law.update(np.ascontiguousarray(F[:, 0]), 0.0, law.init_state(PATHS), P)
    np.testing.assert_array_equal(drive(law, F, TIMES)[:, 0], cauchy_from_piola(P, F[:, 0]))


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (TIMES[::-1], "times must increase"),
        (np.zeros(SAMPLES), "times must increase"),
        (np.append(TIMES[:-1], np.nan), "times must increase"),
    ],
)
def test_drive_refuses_times_that_do_not_increase(times, message):
    with pytest.raises(ValueError, match=message):
        drive(make_law("neo-hooke"), some_paths(), times)


def test_drive_refuses_a_wrong_shape():
    with pytest.raises(ValueError, match=r"\(3, 6, 3\), expected \(paths, samples, 3, 3\)"):
        drive(make_law("neo-hooke"), some_paths()[..., 0], TIMES)


@pytest.mark.parametrize("value", [np.nan, np.inf, -5.0])
def test_a_bad_deformation_is_one_clear_line_and_no_warning(value):
    F = np.tile(np.eye(3), (4, 1, 1))
    F[2, 0, 0] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DeformationError) as raised:
            check_deformation(F)
    message = str(raised.value)
    assert "point 2" in message
    assert "reduce the time step" in message
    assert "\n" not in message


def test_update_refuses_arrays_that_do_not_fit():
    law = make_law("j2")
    F, state, out = np.tile(np.eye(3), (4, 1, 1)), law.init_state(4), np.empty((4, 3, 3))
    for arguments, message in [
        ((F[:3], 0.1, state, out), r"out .*\(4, 3, 3\), expected .*\(3, 3, 3\)"),
        ((F[:3], 0.1, state, out[:3]), "state 'inverse_plastic_metric' has 4 points, F has 3"),
        ((F.astype(np.float32), 0.1, state, out), "F is C-contiguous float32"),
        ((F.transpose(0, 2, 1), 0.1, state, out), "F is strided float64"),
        ((F, np.full(3, 0.1), state, out), r"dt has shape \(3,\), expected one value or \(4,\)"),
        ((F, -0.1, state, out), "time step of -0.1 us, expected zero or more"),
        ((F, np.array([0.1, 0.1, np.nan, 0.1]), state, out), "time step of nan us"),
    ]:
        with pytest.raises(InputError, match=message):
            law.update(*arguments)


def test_points_of_a_state_are_views_and_copies_are_not():
    state = State({"strain": np.zeros(5)})
    copy = state.copy()
    state.points(slice(1, 3))["strain"][:] = 7.0
    np.testing.assert_array_equal(state["strain"], [0.0, 7.0, 7.0, 0.0, 0.0])
    np.testing.assert_array_equal(copy["strain"], 0.0)


def test_make_law_knows_its_names():
    assert law_names() == ("neo-hooke", "j2", "johnson-cook", "taylor", "fft2d", "fft3d", "phases", "learned")
    for name in ("neo-hooke", "j2", "johnson-cook"):
        assert make_law(name, density=3.0).density == 3.0
    assert make_law("taylor", grains=3, seed=5).grains == 3


def test_unit_cells_say_which_derivative_they_take():
    assert get_args(Derivative) == DERIVATIVES
    assert {options_of("fft2d")["derivative"], options_of("fft3d")["derivative"]} <= set(DERIVATIVES)
    own, other = (
        make_law("fft2d", grains=2, resolution=4, **options) for options in ({}, {"derivative": "rotated"})
    )
    assert np.any(own.grid.hourglass_share > 0.0)
    assert not np.any(other.grid.hourglass_share)
    with pytest.raises(InputError, match="derivative = 'forward', expected one of: enriched, stabilised"):
        make_law("fft2d", derivative="forward")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("steel", {}, "unknown law 'steel', expected one of: neo-hooke, j2, johnson-cook, taylor, fft2d"),
        ("j2", {"yield": 1.0}, "unknown option 'yield' of law 'j2', expected one of: youngs_modulus"),
        ("taylor", {"grain": 5}, "unknown option 'grain' of law 'taylor', expected one of: grains, seed"),
        ("j2", {"poissons_ratio": 0.5}, "poissons_ratio = 0.5, expected a number between -1 and 0.5"),
        ("j2", {"yield_stress": -0.1}, "yield_stress = -0.1, expected a positive number"),
        ("j2", {"hardening_modulus": float("nan")}, "hardening_modulus = nan"),
        ("neo-hooke", {"density": 0.0}, "density = 0.0, expected a positive number"),
        ("learned", {"weights": "nowhere.safetensors"}, "nowhere.json cannot be read"),
        ("taylor", {"grains": float("nan")}, "grains = nan, expected a whole number"),
        ("taylor", {"seed": -1}, "seed = -1, expected at least 0"),
        (["j2"], {}, r"unknown law '\['j2'\]', expected one of"),
        ("johnson-cook", {"melting_temperature": 200.0}, "more than room_temperature = 293"),
    ],
)
def test_make_law_says_what_it_does_not_know(name, options, message):
    with pytest.raises(InputError, match=message):
        make_law(name, **options)
