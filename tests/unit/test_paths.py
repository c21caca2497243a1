"""Strain-path protocols: what each promises, and that a path depends on its index and seed alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from microscale.errors import InputError
from microscale.paths.any_load import any_load
from microscale.paths.impact import MAX_RATE, MAX_VOLUME_STRAIN
from microscale.paths.pictures import draw_paths
from microscale.paths.protocols import PROTOCOLS, StrainPaths
from microscale.tensors import deviator

SYMMETRIC = {
    "protocol": st.sampled_from(PROTOCOLS),
    "dimension": st.sampled_from([2, 3]),
    "index": st.integers(0, 10**6),
}


def logarithm(U: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(U)
    return np.einsum("...ik,...k,...jk->...ij", vectors, np.log(values), vectors)


@settings(max_examples=60)
@given(**SYMMETRIC, log_strain=st.floats(-2.0, 0.0), seed=st.integers(0, 100))
def test_every_path_starts_at_rest_and_stays_a_stretch(protocol, dimension, index, log_strain, seed):
    paths = StrainPaths(protocol, 10.0**log_strain * 0.5, steps=50, seed=seed, dimension=dimension)
    path = paths.path(index)
    np.testing.assert_allclose(path.stretch[0], np.eye(3), atol=1e-12)
    np.testing.assert_array_equal(path.stretch, np.swapaxes(path.stretch, 1, 2))
    assert np.linalg.eigvalsh(path.stretch).min() > 0.0
    if dimension == 2:
        np.testing.assert_array_equal(path.stretch[:, 2], np.broadcast_to([0.0, 0.0, 1.0], (51, 3)))
    again = paths.path(index)
    np.testing.assert_array_equal(again.stretch, path.stretch)
    np.testing.assert_array_equal(paths.batch([3, index])[1][1], path.stretch)


@pytest.mark.parametrize("protocol", ["R", "F"])
def test_random_walk_has_the_variance_of_the_paper(protocol):
    """Each component moves by +-U_max sqrt(dt_n), so that its variance at T is U_max^2."""
    end = StrainPaths(protocol, 0.05, steps=10, seed=1).batch(range(600))[1][:, -1] - np.eye(3)
    components = end[:, [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    np.testing.assert_allclose(components.mean(axis=0), 0.0, atol=0.05 * 4.0 / np.sqrt(600))
    np.testing.assert_allclose(components.var(axis=0), 0.05**2, rtol=4.0 * np.sqrt(2.0 / 600))
    correlation = np.corrcoef(components.T) - np.eye(6)
    assert np.abs(correlation).max() < 0.2


def test_fixed_steps_pass_through_their_nodes():
    U = StrainPaths("F", 0.1, steps=100, intervals=10, seed=2).path(0).stretch[::10]
    steps = np.abs(np.diff(U[:, [0, 0, 1], [0, 1, 2]], axis=0))
    np.testing.assert_allclose(steps, 0.1 * np.sqrt(0.1), atol=1e-12)


@pytest.mark.parametrize("protocol", ["R", "A"])
def test_finer_sampling_is_the_same_path(protocol):
    coarse, fine = (StrainPaths(protocol, 0.3, steps=n, seed=4).path(7) for n in (50, 200))
    np.testing.assert_allclose(fine.stretch[::4], coarse.stretch, atol=1e-14)
    np.testing.assert_allclose(fine.times[::4], coarse.times, atol=1e-14)


@pytest.mark.parametrize("protocol", ["U", "L-U", "C"])
def test_sheared_paths_are_isochoric_with_one_fixed_frame(protocol):
    U = StrainPaths(protocol, 0.5, steps=80, seed=3).batch(range(20))[1]
    np.testing.assert_allclose(np.linalg.det(U), 1.0, atol=1e-12)
    np.testing.assert_allclose(U[:, :40] @ U[:, 40:80], U[:, 40:80] @ U[:, :40], atol=1e-12)
    largest = np.linalg.eigvalsh(U)[..., -1] - 1.0
    assert largest.max() <= 0.5 + 1e-12
    peak = 40 if protocol == "L-U" else 80
    assert np.all(largest.argmax(axis=1) == peak)
    if protocol == "L-U":
        np.testing.assert_allclose(U[:, 80], np.broadcast_to(np.eye(3), (20, 3, 3)), atol=1e-12)


@pytest.mark.parametrize("protocol", ["U", "L-U", "C"])
def test_sides_that_are_held_leave_one_stretch(protocol):
    told = {"max_strain": 0.5, "steps": 80, "seed": 3}
    free, held = (StrainPaths(protocol, **told, isochoric=value) for value in (True, False))
    largest = np.linalg.eigvalsh(free.batch(range(20))[1])[..., -1]
    principal = np.linalg.eigvalsh(held.batch(range(20))[1])
    np.testing.assert_allclose(principal[..., -1], largest, atol=1e-12)
    np.testing.assert_allclose(principal[..., :2], 1.0, atol=1e-12)
    assert held.provenance() == free.provenance() | {"isochoric": False}


def test_impact_paths_keep_their_bounds_and_use_them():
    paths = StrainPaths("I", 1.0, steps=400, duration=(0.5, 10.0), seed=5)
    times, U = paths.batch(range(200))
    volume = np.linalg.det(U) - 1.0
    H = deviator(logarithm(U))
    strain = np.sqrt(2.0 / 3.0) * np.linalg.norm(H, axis=(2, 3))
    rate = np.sqrt(2.0 / 3.0) * np.linalg.norm(np.diff(H, axis=1), axis=(2, 3)) / np.diff(times, axis=1)
    assert np.abs(volume).max() <= MAX_VOLUME_STRAIN * 1.001
    assert strain.max() <= 1.001
    assert rate.max() <= MAX_RATE * 1.1  # measured by differences, on other samples
    assert np.abs(volume).max() > 0.1
    assert strain.max() > 0.7
    assert volume.min() < 0.0 < volume.max()
    assert times[:, -1].min() < 1.0
    assert times[:, -1].max() > 5.0


def rates(times, U):
    """Equivalent strain rates of the steps of paths, 1/us."""
    L = np.diff(U, axis=1) @ np.linalg.inv(0.5 * (U[:, 1:] + U[:, :-1]))
    D = deviator(0.5 * (L + np.swapaxes(L, 2, 3)))
    return np.sqrt(2.0 / 3.0) * np.linalg.norm(D, axis=(2, 3)) / np.diff(times, axis=1)


def test_any_load_holds_turns_back_and_jumps():
    paths = StrainPaths("A", 0.4, steps=200, duration=(0.1, 50.0), seed=5)
    times, U = paths.batch(range(120))
    H = deviator(logarithm(U))
    strain = np.sqrt(2.0 / 3.0) * np.linalg.norm(H, axis=(2, 3))
    steps = np.diff(times, axis=1)
    still = (np.diff(U, axis=1) == 0.0).all(axis=(2, 3))  # to the bit
    rate = rates(times, U)
    np.testing.assert_allclose(times[:, -1], [paths.path(k).times[-1] for k in range(120)])
    assert times[:, -1].min() < 0.3
    assert times[:, -1].max() > 20.0
    assert strain.max() <= 0.42  # cycles and spins may pass the bound between the ends of intervals
    assert strain.max() > 0.3
    assert 0.1 < still.mean() < 0.5
    assert steps[still].min() < 2e-4
    assert steps[still].max() > 0.3
    assert rate.max() <= 30.0 * 1.1
    jumps = [rate[k][~still[k]].max() / rate[k][~still[k]].min() for k in range(120)]
    assert np.median(jumps) > 100.0
    assert max(jumps) > 1e4


def test_any_load_is_as_fast_as_it_is_told():
    """Up to the rate that is told and not far below; by default up to 30 per us, in numbers of before."""
    told = {"steps": 200, "duration": (0.02, 10.0), "seed": 5}
    fast, usual = (StrainPaths("A", 0.2, fastest_rate=most, **told) for most in (1000.0, 30.0))
    assert 500.0 < rates(*fast.batch(range(60))).max() <= 1000.0 * 1.1
    default = StrainPaths("A", 0.2, **told).path(3)
    np.testing.assert_array_equal(usual.path(3).stretch, default.stretch)
    np.testing.assert_allclose(default.times[[50, -1]], [0.07980712, 1.75718123], rtol=1e-7)
    np.testing.assert_allclose(default.stretch[-1, 0], [1.10120544, 0.04809595, 0.0961532], rtol=1e-7)
    assert fast.provenance()["fastest_rate_per_us"] == 1000.0
    assert "fastest_rate_per_us" not in usual.provenance()


def test_any_load_comes_back_after_cycles():
    path = StrainPaths("A", 0.4, steps=200, duration=(1.0, 1.0), seed=5)._draw(np.random.default_rng(3), 1.0)
    assert any(interval.cycles for interval in path.intervals)
    ends = np.cumsum([interval.units for interval in path.intervals]) / 50
    U = path(np.concatenate([[0.0], ends]))
    for k, interval in enumerate(path.intervals):
        if interval.cycles:
            np.testing.assert_array_equal(U[k + 1], U[k])
            middle = ends[k] - (interval.units - 0.5) / 50  # a quarter of the first cycle, or half of half
            assert np.abs(path(np.array([middle]))[0] - U[k]).max() > 1e-5


def test_any_load_has_simple_shear_among_its_intervals():
    """U of simple shear by gamma has det 1 and principal stretches whose sum of squares is 3 + gamma^2."""
    found = 0
    for k in range(30):
        path = any_load(np.random.default_rng(k), 1.0, 1.0, 3)
        L = path.intervals[0].gradient
        if np.abs(L @ L).max() < 1e-12 and not path.intervals[0].cycles:
            found += 1
            U = path(np.array([path.intervals[0].units / 50]))[0]
            assert np.trace(U @ U) == pytest.approx(3.0 + (L**2).sum(), rel=1e-12)
            assert np.linalg.det(U) == pytest.approx(1.0, abs=1e-12)
    assert found


def test_rejections_are_counted_and_paths_that_cannot_be_are_refused():
    paths = StrainPaths("R", 0.5, steps=20, seed=6)
    assert sum(paths.path(index).rejected for index in range(40)) > 10
    with pytest.raises(InputError, match="max_strain is 50"):
        StrainPaths("R", 50.0, steps=10).path(0)


def test_another_attempt_is_another_path():
    paths = StrainPaths("R", 0.3, steps=20)
    assert np.abs(paths.path(3).stretch - paths.path(3, attempt=1).stretch).max() > 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"protocol": "Q"}, "protocol is 'Q'"),
        ({"max_strain": 0.0}, "max-strain = 0"),
        ({"max_strain": float("nan")}, "max-strain = nan, expected a positive number"),
        ({"duration": (2.0, 1.0)}, "duration is"),
        ({"dimension": 4}, "dimension is 4"),
        ({"steps": 0}, "steps = 0, expected at least 1"),
        ({"seed": -1}, "seed = -1, expected at least 0"),
        ({"steps": 2.5}, "steps = 2.5, expected a whole number"),
        ({"seed": 2**63}, "seed = 9223372036854775808, expected at most"),
        ({"isochoric": False}, r"protocol R does not take --no-isochoric \(taken by U, L-U, C\)"),
        ({"protocol": "R", "fastest_rate": 99.0}, r"protocol R does not take --fastest-rate 99"),
        ({"protocol": "U", "intervals": 11}, r"protocol U does not take --intervals 11 \(taken by F, R\)"),
    ],
)
def test_attributes_without_meaning_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        StrainPaths(**{"protocol": "R", "max_strain": 0.5, **changes})


def test_more_paths_than_fit_into_memory_are_refused():
    with pytest.raises(InputError, match=r"paths = 1000000000, steps = 200: need some 32\.2 TB of memory"):
        StrainPaths("R", 0.5).batch(range(10**9))


def test_paths_can_be_drawn(tmp_path):
    times, U = StrainPaths("I", 1.0, steps=50).batch(range(2))
    draw_paths(tmp_path / "paths.png", "impact", times, U, U - np.eye(3))
    assert (tmp_path / "paths.png").stat().st_size > 10_000


def test_the_pressure_of_isochoric_paths_is_not_drawn_as_noise(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: figures.append(self))
    times, U = StrainPaths("U", 0.1, steps=50).batch(range(1))
    stress = deviator(U) + 1e-15 * np.sin(np.arange(51.0))[:, None, None] * np.eye(3)
    draw_paths(tmp_path / "paths.png", "uniaxial", times, U, stress)
    _, pressure, deviatoric = (np.ptp(axes.get_ylim()) for axes in figures[0].axes)
    assert pressure == pytest.approx(1e-6 * np.abs(stress).max())
    assert deviatoric > 1e5 * pressure


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_defaults_written_out_ask_for_nothing(protocol):
    written, short = (
        StrainPaths(protocol, 0.1, 5, (1.0, 1.0), 7, 10, 3, True),
        StrainPaths(protocol, 0.1, 5, seed=7),
    )
    assert written == short
    assert np.array_equal(written.path(0).stretch, short.path(0).stretch)
