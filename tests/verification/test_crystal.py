"""The crystal kernel against exact solutions, an independent integration and the invariances of the model."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_crystal import ReferenceCrystal
from scipy.integrate import solve_ivp
from scipy.spatial.transform import Rotation

from microscale import SingleCrystal, TaylorPolycrystal, drive, random_orientations
from microscale.crystals.crystal import Crystal, SlipFamily, Twinning, read_crystal
from microscale.crystals.kernel import STEP_TOLERANCE
from microscale.law import ConstitutiveLaw
from microscale.paths.protocols import StrainPaths
from microscale.tensors import cauchy_from_piola, deviator
from multiscale.laws.neo_hooke import NeoHooke

MAGNESIUM = read_crystal()
X, Y = np.eye(3)[:1], np.eye(3)[1:2]


def path(samples: int = 21, seed: int = 0, size: float = 0.15) -> np.ndarray:
    """A loading that turns half-way, rotation included; (samples, 3, 3)."""
    A, B = size * np.random.default_rng(seed).standard_normal((2, 3, 3))
    s = np.linspace(0.0, 1.0, samples)[:, None, None]
    return np.eye(3) + np.where(s < 0.5, s * A, (1.0 - s) * A + (s - 0.5) * B)


def refined(F: np.ndarray, times: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """The same piecewise linear paths (paths, samples, 3, 3) with `factor` times more samples."""
    x = np.linspace(0.0, F.shape[1] - 1.0, (F.shape[1] - 1) * factor + 1)
    left = np.minimum(x.astype(int), F.shape[1] - 2)
    part = (x - left)[None, :, None, None]
    return (1.0 - part) * F[:, left] + part * F[:, left + 1], np.interp(x, np.arange(F.shape[1]), times)


def relative_deviator(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Relative L2 error of the deviator over each path."""
    flat = [deviator(s).reshape(len(a), -1) for s in (a - b, b)]
    return np.linalg.norm(flat[0], axis=1) / np.linalg.norm(flat[1], axis=1)


@pytest.mark.parametrize("m", [0.5, 0.2])
@pytest.mark.parametrize("seed", [0, 1])
def test_agrees_with_an_independent_integration(seed, m):
    crystal, Q = MAGNESIUM.with_options(rate_sensitivity=m), random_orientations(1, seed)[0]
    F, times = path(11, seed, 0.08), np.linspace(0.0, 0.5, 11)
    reference = ReferenceCrystal(crystal, Q)
    history = reference.solve(F, times)
    exact = reference.cauchy(F, history)[None]
    fine, fine_times = refined(F[None], times, 200)
    law = SingleCrystal(Q, crystal, step_tolerance=np.inf)
    assert relative_deviator(drive(law, fine, fine_times)[:, ::200], exact) < 2e-5
    # with its own sub-steps, at strain increments of about one per cent
    assert relative_deviator(drive(SingleCrystal(Q, crystal), F[None], times), exact) < 2e-2


def test_second_order_in_time():
    times, F = StrainPaths("R", 0.5, steps=200, seed=7).batch(range(8))
    law = TaylorPolycrystal(random_orientations(8, 1), step_tolerance=np.inf)
    stress = {k: drive(law, *refined(F, times[0], k))[:, ::k] for k in (4, 8, 16, 64)}
    error = [relative_deviator(stress[k], stress[64]).mean() for k in (4, 8, 16)]
    slopes = np.diff(np.log(error)) / -np.log(2.0)
    assert np.all(slopes > 1.9), (error, slopes)


def test_state_agrees_with_the_independent_integration():
    """Slip, twin fraction, F_in and dissipation, not only the stress."""
    Q = random_orientations(1, 1)[0]
    F, times = path(seed=1), np.linspace(0.0, 1.0, 21)
    expected = ReferenceCrystal(MAGNESIUM, Q).solve(F, times)[-1]
    law = SingleCrystal(Q, step_tolerance=np.inf)
    fine, fine_times = refined(F[None], times, 200)
    state, P = law.init_state(1), np.empty((1, 3, 3))
    for k in range(1, len(fine_times)):
        law.update(np.ascontiguousarray(fine[:, k]), fine_times[1], state, P)
    np.testing.assert_allclose(np.linalg.inv(state["plastic_inverse"][0]).ravel(), expected[:9], atol=1e-5)
    np.testing.assert_allclose(state["slip"][0], expected[9:21], atol=1e-5)
    np.testing.assert_allclose(state["twin_fraction"][0], expected[21:27], atol=1e-5)
    np.testing.assert_allclose(state["dissipation"][0], expected[27], rtol=1e-4)
    assert expected[21:27].max() > 0.005  # the case does twin


def single_slip(rate_sensitivity: float, **family: float) -> Crystal:
    values = {
        "hardening": 0.0,
        "saturation": 0.0,
        "latent": 0.0,
        "strength": 0.05,
        "reference_rate": 0.1,
    } | family
    return Crystal("single slip", 25.0, 24.0, 10.0, rate_sensitivity, (SlipFamily("a", X, Y, **values),))


@pytest.mark.parametrize("m", [0.5, 0.2])
def test_single_slip_in_shear_flows_at_the_exact_stress(m):
    """Steady simple shear along a slip system without hardening: tau = tau0 (rate / rate0)^m."""
    shear = np.linspace(0.0, 0.2, 101)
    F = np.eye(3) + shear[None, :, None, None] * (X.T @ Y)
    stress = drive(SingleCrystal(crystal=single_slip(m)), F, np.linspace(0.0, 0.4, 101))
    assert stress[0, -1, 0, 1] == pytest.approx(0.05 * (0.5 / 0.1) ** m, rel=1e-9)


def test_a_family_may_have_any_number_of_systems():
    """24 systems in one family with latent hardening: {110}<111> and {112}<111> of a cubic crystal."""
    grid = np.array(np.meshgrid([-1, 0, 1, 2], [-1, 0, 1, 2], [-1, 0, 1, 2])).reshape(3, -1).T
    normals = np.array([n for n in grid.tolist() if sorted(map(abs, n)) in ([0, 1, 1], [1, 1, 2])])
    directions = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]])
    pairs = [(d, n) for d in directions for n in normals if d @ n == 0]
    d, n = (
        np.array([p[k] for p in pairs]) / np.linalg.norm([p[k] for p in pairs], axis=1)[:, None]
        for k in (0, 1)
    )
    family = SlipFamily("bcc", d[:24], n[:24], 1.0, 0.1, 0.05, 0.05, 0.1)
    assert family.normals.shape == (24, 3)
    crystal = Crystal("cubic", 25.0, 24.0, 10.0, 0.5, (family,))
    F, times = path(11, 3, 0.08), np.linspace(0.0, 0.5, 11)
    reference = ReferenceCrystal(crystal)
    exact = reference.cauchy(F, reference.solve(F, times))[None]
    fine, fine_times = refined(F[None], times, 100)
    law = SingleCrystal(crystal=crystal, step_tolerance=np.inf)
    assert relative_deviator(drive(law, fine, fine_times)[:, ::100], exact) < 5e-5


def test_slow_flow_does_not_stand_still_in_short_steps():
    """Stress relaxation at constant strain: every increment is far below the tolerance of the iteration."""
    crystal = single_slip(0.5)
    F = np.eye(3) + np.minimum(np.linspace(0.0, 10.0, 5001), 1.0)[None, :, None, None] * 0.002 * (X.T @ Y)
    times = np.concatenate([np.linspace(0.0, 0.01, 501), np.linspace(0.01, 0.1, 4501)[1:]])
    slip = solve_ivp(
        lambda t, y: [0.1 * (25.0 * (0.002 * min(t / 0.01, 1.0) - y[0]) / 0.05) ** 2],
        (0.0, 0.1), [0.0], method="LSODA", rtol=1e-10, atol=1e-16, max_step=1e-4,
    ).y[0, -1]  # fmt: skip
    stress = drive(SingleCrystal(crystal=crystal), F, times)[0, -1, 0, 1]
    assert 0.05 - stress == pytest.approx(25.0 * slip, rel=1e-3)


@pytest.mark.parametrize("m", [0.5, 0.2])
def test_single_slip_with_hardening_follows_its_scalar_equation(m):
    crystal = single_slip(m, hardening=40.0, saturation=0.17)
    times = np.linspace(0.0, 1.0, 2001)
    shear = 0.05 * np.sin(2.0 * np.pi * times)

    def rate(t, y):
        tau = 25.0 * (0.05 * np.sin(2.0 * np.pi * t) - y[0])
        slip = 0.1 * (max(abs(tau) - 0.17 * (1.0 - np.exp(-40.0 * y[1] / 0.17)), 0.0) / 0.05) ** (1.0 / m)
        return [slip * np.sign(tau), slip]

    exact = solve_ivp(rate, (0.0, 1.0), [0.0, 0.0], method="LSODA", rtol=1e-9, atol=1e-12, t_eval=times).y
    law = SingleCrystal(crystal=crystal, step_tolerance=np.inf)
    stress = drive(law, np.eye(3) + shear[None, :, None, None] * (X.T @ Y), times)
    np.testing.assert_allclose(stress[0, :, 0, 1], 25.0 * (shear - exact[0]), atol=2e-4)


def single_twin(rate: float = 0.1) -> Crystal:
    """One twin system; the slip system that a crystal must have stays unloaded."""
    idle = SlipFamily("idle", Y, np.eye(3)[2:], 0.0, 0.0, 0.0, 1.0, 0.0)
    twinning = Twinning(
        X, Y, hardening=0.5, interaction=40.0, strength=0.04, reference_rate=rate, shear=0.129
    )
    return Crystal("single twin", 25.0, 24.0, 10.0, 0.5, (idle,), twinning)


def test_single_twin_follows_its_scalar_equation_and_fills_the_crystal_exactly():
    times, shear = np.linspace(0.0, 40.0, 4001), np.linspace(0.0, 0.4, 4001)

    def rate(t, y):
        driving = 0.129 * 25.0 * (0.4 * t / 40.0 - 0.129 * y[0]) - 0.5 * y[0]
        return [0.1 * (max(driving, 0.0) / 0.04) ** 2 * (y[0] < 1.0)]

    exact = solve_ivp(
        rate, (0.0, 40.0), [0.0], method="LSODA", rtol=1e-10, atol=1e-13, t_eval=times, max_step=0.01
    )
    fraction = np.minimum(exact.y[0], 1.0)
    assert fraction[-1] == 1.0  # the twin does fill the crystal on this path
    law = SingleCrystal(crystal=single_twin(), step_tolerance=np.inf)
    stress = drive(law, np.eye(3) + shear[None, :, None, None] * (X.T @ Y), times)
    np.testing.assert_allclose(stress[0, :, 0, 1], 25.0 * (shear - 0.129 * fraction), atol=2e-4)


def test_a_twin_does_not_grow_against_its_shear():
    law = SingleCrystal(crystal=single_twin())
    state, P = law.init_state(1), np.empty((1, 3, 3))
    law.update(np.eye(3)[None] - 0.1 * (X.T @ Y), 1.0, state, P)
    assert state["twin_fraction"][0, 0] == 0.0


def test_a_crystal_that_is_all_twin_slips_like_its_mirror_image():
    """P(lambda) of eq. (36): with one twin at fraction one, slip systems are reflected about its plane."""
    Q, F = random_orientations(1, 5)[0], path(seed=5)[None]
    times = np.linspace(0.0, 1.0, 21)
    off = replace(MAGNESIUM.twinning, reference_rate=0.0)
    law = SingleCrystal(Q, replace(MAGNESIUM, twinning=off))
    n = off.normals[2]
    mirror = np.eye(3) - 2.0 * np.outer(n, n)
    families = tuple(
        replace(f, normals=f.normals @ mirror, directions=f.directions @ mirror) for f in MAGNESIUM.families
    )
    mirrored = SingleCrystal(Q, replace(MAGNESIUM, families=families, twinning=off))
    state, P = law.init_state(1), np.empty((1, 3, 3))
    state["twin_fraction"][0, 2] = 1.0
    stress = []
    for k in range(1, 21):
        law.update(np.ascontiguousarray(F[:, k]), times[1], state, P)
        stress.append(cauchy_from_piola(P, F[:, k])[0])
    np.testing.assert_allclose(stress, drive(mirrored, F, times)[0, 1:], atol=1e-6)


def test_instantaneous_and_volumetric_loading_are_elastic_and_dissipate_nothing():
    law, elastic = TaylorPolycrystal(random_orientations(9, 0)), NeoHooke()
    F = path(seed=2)[-1:].copy()
    for deformation, dt in ((F, 0.0), (0.9 * np.eye(3)[None], 1.0), (1.2 * np.eye(3)[None], 100.0)):
        state, P, expected = law.init_state(1), np.empty((1, 3, 3)), np.empty((1, 3, 3))
        law.update(deformation, dt, state, P)
        elastic.update(deformation, dt, elastic.init_state(1), expected)
        np.testing.assert_allclose(P, expected, atol=1e-12)
        assert state["dissipation"][0] <= 1e-20
        assert not state["slip"].max() > 1e-12


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), log_time=st.floats(-2.0, 4.0))
def test_dissipation_grows_twins_fit_and_inelastic_volume_stays(seed, log_time):
    law = TaylorPolycrystal(random_orientations(10, seed))
    F = path(samples=31, seed=seed, size=0.3)
    state, P, before = law.init_state(1), np.empty((1, 3, 3)), 0.0
    for k in range(1, len(F)):
        law.update(F[k : k + 1], 10.0**log_time / 30.0, state, P)
        assert state["dissipation"][0] >= before
        before = state["dissipation"][0]
    assert np.all(state["twin_fraction"] >= 0.0)
    assert np.all(state["twin_fraction"].sum(axis=1) <= 1.0)
    inelastic = np.moveaxis(state["plastic_inverse"][0], -1, 0).reshape(-1, 3, 3)
    np.testing.assert_allclose(np.linalg.det(inelastic), 1.0, atol=1e-10)


@pytest.mark.parametrize(
    "law", [SingleCrystal(random_orientations(1, 3)[0]), TaylorPolycrystal(random_orientations(12, 3))]
)
def test_frame_indifference(law: ConstitutiveLaw):
    F, times = path(seed=4)[None], np.linspace(0.0, 1.0, 21)
    Q = Rotation.random(rng=np.random.default_rng(0)).as_matrix()
    turned = F.copy()
    turned[:, 1:] = Q @ F[:, 1:]
    # the first step is instantaneous so that both start from the same, elastic, state
    plain, rotated = drive(law, F[:, 1:], times[1:]), drive(law, turned[:, 1:], times[1:])
    np.testing.assert_allclose(rotated, Q @ plain @ Q.T, atol=1e-10)


@pytest.mark.parametrize("rate", [1e-8, 1e-4, 1.0, 10.0])
def test_survives_full_strain_at_every_rate(rate):
    """Up to 100 % strain in steps of half a per cent, 1e-2 to 1e7 per second."""
    F = np.eye(3) + np.linspace(0.0, 1.0, 201)[None, :, None, None] * np.array(
        [
            np.diag([1.0, -0.3, -0.3]),
            [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]],
            np.diag([-0.6, 0.6, 0.5]),
        ]
    ).reshape(3, 1, 3, 3)
    stress = drive(TaylorPolycrystal(random_orientations(24, 0)), F, np.linspace(0.0, 1.0 / rate, 201))
    assert np.all(np.isfinite(stress))
    strength = np.linalg.norm(deviator(stress), axis=(-2, -1))
    assert 0.05 < strength[:, -1].min() < strength.max() < 10.0


def test_follows_the_sudden_release_at_a_twin_fraction_of_one_half(monkeypatch):
    """At 1e-2 per second a grain holds 5 GPa that slip cannot see, and lets it go within a step."""
    monkeypatch.setattr(
        "microscale.paths.protocols.SMALLEST_STRETCH", 0.01
    )  # it took a path that is no longer drawn
    path = StrainPaths("R", 0.5, 200, (1e8, 1e8), seed=77).path(5)
    crystal, Q = MAGNESIUM.with_options(rate_sensitivity=0.2), random_orientations(16, 3)[11]
    peak = {}
    for tolerance in (1e-3, STEP_TOLERANCE):
        stress = drive(SingleCrystal(Q, crystal, tolerance), path.stretch[None], path.times)
        strength = np.linalg.norm(deviator(stress[0]), axis=(-2, -1))
        peak[tolerance] = strength.max()
        assert strength.max() > 10.0 * strength[-1]
    assert peak[1e-3] == pytest.approx(5.07, rel=0.01)
    assert peak[STEP_TOLERANCE] == pytest.approx(peak[1e-3], rel=0.05)


def test_texture_is_as_isotropic_as_its_draws():
    """Figure SI-1: tension along directions in a plane scatters like tension of other draws of 128 grains."""
    times = np.linspace(0.0, 1.0, 41)
    along = np.linspace(0.0, 0.1, 41)[:, None, None] * np.diag([1.0, -0.5, -0.5]) + np.eye(3)
    turn = Rotation.from_rotvec(np.radians(np.arange(0, 180, 30))[:, None] * [0, 1, 0]).as_matrix()
    F = np.einsum("aij,tjk,alk->atil", turn, along, turn)
    stress = drive(TaylorPolycrystal(random_orientations(128, 0)), F, times)[:, -1]
    tension = np.einsum("aji,ajk,akl->ail", turn, deviator(stress), turn)[:, 0, 0]
    draws = [
        deviator(drive(TaylorPolycrystal(random_orientations(128, s)), along[None], times)[0, -1])[0, 0]
        for s in range(8)
    ]
    assert tension.std() / tension.mean() < 2.0 * np.std(draws) / np.mean(draws)
    assert tension.std() / tension.mean() < 0.03
