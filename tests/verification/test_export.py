"""Exported laws are those of Python: in C, as a VUMAT, and along the paths of their drivers."""

import ctypes
import json
import warnings

import numpy as np
import pytest
from exported_hosts import NUMBERS, VOIGT, Vumat
from exported_law import DT, driven, driver, flat, loaded, paths, pointer, turned

from microscale.tensors import FloatArray, polar_decomposition
from multiscale.export.export import export_law
from multiscale.surrogate.extrapolation import ExtrapolationWarning
from multiscale.surrogate.recurrent.law import LearnedLaw

F = paths()
POINTS, SAMPLES = F.shape[:2]
ROUNDING = {"double": 1e-12, "single": 1e-6}
"""Of stress, relative to its largest, and of the state."""


@pytest.fixture(scope="module")
def expected():
    """What the law in Python makes of the paths: stress P and state after each step, by precision."""

    def follow(precision: str) -> tuple[FloatArray, FloatArray]:
        law = LearnedLaw.from_file(precision=precision)
        state, P, states = law.init_state(POINTS), np.empty_like(F), np.empty((SAMPLES, POINTS, NUMBERS))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExtrapolationWarning)
            for k in range(1, SAMPLES):
                stress = np.empty((POINTS, 3, 3))
                law.update(np.ascontiguousarray(F[:, k]), DT, state, stress)
                P[:, k], states[k] = stress, flat(state)
        return P, states

    return {precision: follow(precision) for precision in ROUNDING}


def assert_same(P: FloatArray, states: FloatArray, expected, precision: str) -> None:
    stress, state = expected[precision]
    atol = ROUNDING[precision] * np.abs(stress[:, 1:]).max()
    np.testing.assert_allclose(P[:, 1:], stress[:, 1:], rtol=0.0, atol=atol)
    # strains over their scale, 1/64, as stress: relative to the largest
    atol = ROUNDING[precision] * np.abs(state[1:]).max()
    np.testing.assert_allclose(states[1:], state[1:], rtol=0.0, atol=atol)


def test_paths_reach_what_counts(expected):
    """They are long enough to be cut, leave the training range, flow and turn."""
    P, states = expected["double"]
    assert np.abs(P[:, 1:]).max() > 0.5
    assert 0 < (states[-1, :, -1] > 0.0).sum() < POINTS
    increments = np.linalg.norm(np.diff(polar_decomposition(F)[1], axis=1), axis=(2, 3))
    assert (increments > 0.01).any()
    assert (increments < 0.01).any()


@pytest.mark.parametrize(
    ("flags", "precision", "unit"),
    [
        ((), "double", "mm-us-GPa"),
        (("-DONE_LANE",), "double", "SI"),
        ((), "single", "mm-s-MPa"),
        (("-DONE_LANE", "-DPOINTS=1"), "single", "mm-us-GPa"),
    ],
    ids=["vectors", "plain C99", "single", "plain C99 single"],
)
def test_c_is_the_law(tmp_path, expected, flags, precision, unit):
    library = loaded(tmp_path, "c", *flags, precision=precision, units=unit)
    library.magnesium_update.restype = ctypes.c_long
    time, stress = {"mm-us-GPa": (1.0, 1.0), "SI": (1e6, 1e9), "mm-s-MPa": (1e6, 1e3)}[unit]
    state, P, states = np.zeros((POINTS, NUMBERS)), np.empty_like(F), np.empty((SAMPLES, POINTS, NUMBERS))
    for k in range(1, SAMPLES):
        here, out = np.ascontiguousarray(F[:, k]), np.empty((POINTS, 3, 3))
        arrays = map(pointer, (here, state, out))
        done = library.magnesium_update(ctypes.c_long(POINTS), ctypes.c_double(DT / time), *arrays)
        assert done == 0
        P[:, k], states[k] = out / stress, state
    assert_same(P, states, expected, precision)


def test_c_refuses_what_cannot_be_and_changes_nothing(tmp_path):
    library = loaded(tmp_path, "c")
    library.magnesium_update.restype = ctypes.c_long
    state, P = np.zeros((3, NUMBERS)), np.zeros((3, 3, 3))
    library.magnesium_rest(ctypes.c_long(3), pointer(state))
    assert state.sum() == 9.0
    before = state.copy()
    for dt, bad, answer in [
        (1.0, -1.0, 2),
        (1.0, np.nan, 2),
        (1.0, np.inf, 2),
        (-1.0, 1.0, -1),
        (np.inf, 1.0, -1),
    ]:
        here = np.tile(np.eye(3), (3, 1, 1))
        here[1, 0, 0] = bad
        done = library.magnesium_update(
            ctypes.c_long(3), ctypes.c_double(dt), *map(pointer, (here, state, P))
        )
        assert done == answer
        np.testing.assert_array_equal(state, before)


@pytest.fixture(scope="module")
def vumat(tmp_path_factory):
    return loaded(tmp_path_factory.mktemp("vumat"), "vumat", precision="double")


def test_vumat_is_the_law_in_the_frame_that_turns(vumat, expected):
    R, U = polar_decomposition(F)
    P, states = np.empty_like(F), np.empty((SAMPLES, POINTS, NUMBERS))
    call, none = Vumat(vumat, POINTS), np.zeros((6, POINTS))
    for k in range(1, SAMPLES):
        call(np.ascontiguousarray(U[:, k][:, *VOIGT].T), none, DT, np.ones(POINTS))
        turned_stress = np.empty((POINTS, 3, 3))
        for m, (i, j) in enumerate(zip(*VOIGT, strict=True)):
            turned_stress[:, i, j] = turned_stress[:, j, i] = call.stress[m]
        cauchy = R[:, k] @ turned_stress @ np.swapaxes(R[:, k], 1, 2)
        P[:, k] = np.linalg.det(F[:, k])[:, None, None] * cauchy @ np.linalg.inv(np.swapaxes(F[:, k], 1, 2))
        states[k] = call.state.T
    assert_same(P, states, expected, "double")


def test_vumat_is_elastic_at_time_zero_and_keeps_its_state(vumat):
    card = LearnedLaw.from_file().card.material
    call, strain = Vumat(vumat, 5), np.random.default_rng(0).standard_normal((6, 5)) * 1e-3
    call(np.zeros((6, 5)), strain, 1.0, np.ones(5), zero=True)
    lame = 2.0 * card.lambda_e - 2.0 / 3.0 * card.shear_modulus
    elastic = 2.0 * card.shear_modulus * strain
    elastic[:3] += lame * strain[:3].sum(axis=0)
    np.testing.assert_allclose(call.stress, elastic, rtol=1e-13)
    assert not call.state.any()
    work = np.array([0.5, 0.5, 0.5, 1.0, 1.0, 1.0]) @ (elastic * strain)
    np.testing.assert_allclose(call.energy, [work, np.zeros(5)], rtol=1e-12, atol=1e-12 * work.max())


def test_energies_of_a_vumat_are_the_work_and_what_is_not_stored_of_it(vumat):
    """A fast stretch within the elastic range stores all of it; flow dissipates most."""
    call, density = Vumat(vumat, 1), np.array([10.0])
    direction = np.array([1.0, -0.5, -0.5, 0.2, 0.0, 0.0])[:, None]

    def pull(strain: float, steps: int, dt: float) -> None:
        for _ in range(steps):
            call(call.U + strain / steps * direction, strain / steps * direction, dt, density)

    pull(2e-5, 20, 1e-9)
    assert call.energy[0] == pytest.approx(
        0.5 * (call.stress * direction * 2e-5)[[0, 1, 2, 3, 3]].sum() / 10.0, rel=1e-4
    )
    assert abs(call.energy[1, 0]) < 1e-2 * call.energy[0, 0]
    pull(0.03, 300, 0.01)
    assert 0.5 < call.energy[1, 0] / call.energy[0, 0] < 1.0


@pytest.mark.parametrize("to", ["c", "vumat", "umat"])
def test_drivers_follow_paths(tmp_path, expected, to):
    point = 17
    printed = driven(driver(tmp_path, to, precision="double"), F[point])
    P, states = expected["double"]
    sigma = P[point] @ np.swapaxes(F[point], 1, 2) / np.linalg.det(F[point])[:, None, None]
    atol = 1e-12 * np.abs(sigma[1:]).max()
    np.testing.assert_allclose(
        printed[:, :6], sigma[1:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]], rtol=0.0, atol=atol
    )
    np.testing.assert_allclose(
        printed[:, 6:], states[1:, point], rtol=0.0, atol=1e-12 * np.abs(states[1:]).max()
    )


def test_a_record_says_which_weights_and_which_files(tmp_path):
    export_law("magnesium", "c", tmp_path)
    record = json.loads((tmp_path / "magnesium_record.json").read_text())
    card = LearnedLaw.from_file().card
    assert record["weights_sha256"] == card.weights_sha256
    assert record["state"][-1] == record["state"][-1] | {
        "name": "extrapolation",
        "from": NUMBERS,
        "to": NUMBERS,
    }
    assert set(record["files_sha256"]) == {
        f"magnesium{end}" for end in (".c", ".h", "_driver.c", "_README.md")
    }


def test_turned_paths_turn():
    R = turned(np.tile(np.eye(3), (2, 5, 1, 1)))
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-14)
