"""The full-field unit cell against exact solutions, identities and invariances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import root

from microscale import SingleCrystal, TaylorPolycrystal, drive
from microscale.crystals.crystal import read_crystal
from microscale.crystals.orientations import planar_orientations
from microscale.errors import ConvergenceError, InputError
from microscale.law import ConstitutiveLaw, State, StateVariable
from microscale.paths.protocols import StrainPaths
from microscale.tensors import deviator, von_mises
from microscale.unit_cell.alternation import checkerboard_windows, nyquist_variation
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.grid import DERIVATIVES, HOURGLASSES
from microscale.unit_cell.microstructure import Microstructure, periodic_voronoi
from multiscale.laws.neo_hooke import NeoHooke

TWO_SLIP = read_crystal("two_slip.yaml")
SECOND = 1e6  # us: the two-dimensional crystal flows at rates of one per second


def plane_path(samples: int = 21, size: float = 0.05) -> np.ndarray:
    """Plane strain that turns half-way, (samples, 3, 3)."""
    t = np.linspace(0.0, 1.0, samples)[:, None, None]
    A = np.array([[1.0, 0.3, 0.0], [0.5, -0.8, 0.0], [0.0, 0.0, 0.0]])
    B = np.array([[-0.2, 1.0, 0.0], [0.0, 0.2, 0.0], [0.0, 0.0, 0.0]])
    return np.eye(3) + size * (A * t + B * np.sin(np.pi * t))


def smooth_crystal(crystal=TWO_SLIP) -> SingleCrystal:
    """A crystal without sub-steps: its stress is a smooth function of F, for tight tolerances."""
    return SingleCrystal(crystal=crystal, step_tolerance=np.inf)


def polycrystal(n: int = 16, **options) -> FullFieldCell:
    m = periodic_voronoi(6, (n, n), seed=1)
    return FullFieldCell(smooth_crystal(), m.shape, {"orientation": m.voxel_orientations()}, **options)


class Composite(ConstitutiveLaw):
    """Neo-Hooke whose stiffness differs from point to point."""

    name = "composite"
    state_spec = (StateVariable("stiffness", (), "-", 1.0),)

    def __init__(self) -> None:
        self.elastic = NeoHooke()
        self.density = self.elastic.density

    def _update(self, F, dt, state: State, out) -> None:
        self.elastic.update(F, dt, State(), out)
        out *= state["stiffness"][:, None, None]

    def wave_speed(self) -> float:
        return self.elastic.wave_speed()


@pytest.mark.parametrize("shape", [(6, 4), (4, 3, 5)])
def test_a_homogeneous_cell_is_its_law(shape):
    law = SingleCrystal(planar_orientations(1, 2)[0], TWO_SLIP)
    F = np.stack([plane_path(), plane_path(size=0.02)])
    times = np.linspace(0.0, SECOND, 21)
    cell = FullFieldCell(law, shape)
    np.testing.assert_allclose(drive(cell, F, times), drive(law, F, times), atol=1e-10)


def laminate_stress(law: ConstitutiveLaw, state: State, F: np.ndarray, dt: float) -> np.ndarray:
    """Mean P of two layers of equal thickness, normal to axis 1: uniform in each, the traction continuous."""

    def layers(jump, F_k):
        advanced, P = state.copy(), np.empty((2, 3, 3))
        dyad = 0.5 * np.outer(jump, [1.0, 0.0, 0.0])
        law.update(F_k + np.stack([dyad, -dyad]), dt, advanced, P)
        return P, advanced

    def traction_jump(jump, F_k):
        P, _ = layers(jump, F_k)
        return (P[0] - P[1])[:, 0]

    jump, history = np.zeros(3), []
    for F_k in F[1:]:
        jump = root(traction_jump, jump, args=(F_k,), tol=1e-13).x
        P, advanced = layers(jump, F_k)
        for name in state:
            state[name][:] = advanced[name]
        history.append(P.mean(axis=0))
    return np.array(history)


@pytest.mark.parametrize("kind", ["elastic", "plastic"])
@pytest.mark.parametrize("shape", [(8, 3), (6, 2, 3)])
def test_a_laminate_matches_its_exact_solution(kind, shape):
    F = plane_path(11, 0.1)
    law: ConstitutiveLaw
    if kind == "elastic":
        law, name, layers = Composite(), "stiffness", np.array([1.0, 10.0])
    else:
        law, name, layers = smooth_crystal(), "orientation", planar_orientations(2, 4)
    two = law.init_state(2)
    two[name][:] = layers
    exact = laminate_stress(law, two, F, SECOND / 10.0)
    voxels = np.repeat(layers, np.prod(shape) // 2, axis=0)
    cell = FullFieldCell(law, shape, {name: voxels}, tolerance=1e-9)
    state, P = cell.init_state(1), np.empty((10, 1, 3, 3))
    for k in range(10):
        cell.update(F[k + 1][None].copy(), SECOND / 10.0, state, P[k])
    np.testing.assert_allclose(P[:, 0], exact, atol=1e-8 * np.abs(exact).max())


def amplitudes(state: State, name: str) -> np.ndarray:
    return state[name][0].view(complex)[..., 0].copy()


def cofactor(F: np.ndarray) -> np.ndarray:
    return np.linalg.det(F)[..., None, None] * np.linalg.inv(F).swapaxes(-1, -2)


@pytest.mark.parametrize("derivative", ["enriched", "stabilised", "rotated"])
def test_hill_mandel_and_the_mean_deformation(derivative):
    """The mean stress does the work of the local one, of the resistance to hourglasses, and of a pressure
    that presses on the cell and not on the volume its voxels lose (none, but for ``enriched``)."""
    cell = polycrystal(tolerance=1e-9, derivative=derivative)
    state, P, last = cell.init_state(1), np.empty((1, 3, 3)), np.eye(3)
    for F_k in plane_path()[1:]:
        before, y = state["voxel_F"][0].copy(), amplitudes(state, "displacement")
        cell.update(F_k[None].copy(), SECOND / 20, state, P)
        increments, change = state["voxel_F"][0] - before, amplitudes(state, "displacement") - y
        np.testing.assert_allclose(state["voxel_F"][0].mean(axis=0), F_k, atol=1e-13)
        _, local_P = cell.voxel_fields(state)
        local = (local_P * increments).sum() / cell.grid.voxels
        resisted = cell.grid.hourglass_share * amplitudes(state, "hourglass_stress")
        hourglass = np.vdot(resisted, change).real
        assert np.linalg.norm(local_P - P[0]) > 1e-3  # the field is not uniform
        assert (hourglass != 0.0) == (derivative in HOURGLASSES)
        F = state["voxel_F"][0]
        cof, work = cofactor(F), (local_P * F).sum(axis=(1, 2))
        pressure = np.mean(work / np.linalg.det(F)) / 3.0
        lost = (cofactor(F_k) * (F_k - last)).sum() - (cof * increments).sum() / cell.grid.voxels
        assert (abs(lost) > 1e-9) == (derivative == "enriched")
        assert local + hourglass + pressure * lost == pytest.approx((P[0] * (F_k - last)).sum(), rel=1e-8)
        last = F_k


@pytest.mark.parametrize("derivative", DERIVATIVES)
def test_a_periodic_shift_of_the_cell_changes_nothing(derivative):
    m = periodic_voronoi(6, (16, 12), seed=1)
    F, times = plane_path()[None], np.linspace(0.0, SECOND, 21)
    stress = [
        drive(FullFieldCell.polycrystal(cell, TWO_SLIP, derivative=derivative), F, times)
        for cell in (m, m.shifted(5, 0), m.shifted(-3, 7))
    ]
    np.testing.assert_allclose(stress[1], stress[0], atol=1e-10)
    np.testing.assert_allclose(stress[2], stress[0], atol=1e-10)


@pytest.mark.parametrize("derivative", ["enriched", "stabilised", "rotated"])
def test_the_answer_does_not_depend_on_the_tolerance_within_it(derivative):
    F, times = plane_path()[None], np.linspace(0.0, SECOND, 21)
    exact = drive(polycrystal(tolerance=1e-9, derivative=derivative), F, times)
    for tolerance in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7):
        found = drive(polycrystal(tolerance=tolerance, derivative=derivative), F, times)
        error = np.linalg.norm(deviator(found - exact))
        assert error < 5.0 * tolerance * np.linalg.norm(deviator(exact))


@pytest.mark.parametrize("derivative", ["enriched", "stabilised", "rotated"])
def test_the_memory_only_saves_iterations(derivative):
    F, times = plane_path(size=0.02)[None], np.linspace(0.0, SECOND, 21)
    cells = [polycrystal(tolerance=1e-6, memory=m, derivative=derivative) for m in (20, 5, 0)]
    stress = [drive(cell, F, times) for cell in cells]
    for other in stress[1:]:
        np.testing.assert_allclose(other, stress[0], atol=1e-5 * np.abs(stress[0]).max())
    assert cells[0].law_calls < cells[1].law_calls < cells[2].law_calls


def test_refinement_converges():
    """Each voxel cut into 2 x 2: the same geometry, a finer field; at least first order."""
    m = periodic_voronoi(6, (8, 8), seed=1)
    F, times = plane_path(9, 0.02)[None], np.linspace(0.0, SECOND, 9)
    stress = {}
    for factor in (1, 2, 4, 16):
        fine = Microstructure(np.kron(m.grain, np.ones((factor, factor), dtype=int)), m.orientations)
        stress[factor] = deviator(drive(FullFieldCell.polycrystal(fine, TWO_SLIP, tolerance=1e-5), F, times))
    error = [np.linalg.norm(stress[f] - stress[16]) / np.linalg.norm(stress[16]) for f in (1, 2, 4)]
    assert np.all(np.diff(np.log2(error)) < -0.9), error


def test_taylor_is_an_upper_bound():
    m = periodic_voronoi(6, (16, 16), seed=1)
    F = np.eye(3) + np.linspace(0.0, 0.05, 21)[:, None, None] * np.diag([1.0, -1.0, 0.0])
    times = np.linspace(0.0, SECOND, 21)
    taylor = TaylorPolycrystal(m.orientations, m.weights, TWO_SLIP)
    upper = von_mises(drive(taylor, F[None], times)[0])
    full = von_mises(drive(FullFieldCell.polycrystal(m, TWO_SLIP), F[None], times)[0])
    assert np.all(full[1:] < upper[1:])
    assert full[-1] > 0.05 * upper[-1]


def test_corrected_derivatives_do_not_ring():
    """A stiff square in a soft matrix: the spectral derivative oscillates from voxel to voxel around it."""
    stiffness = np.ones((32, 32))
    stiffness[8:23, 8:23] = 20.0
    smooth = np.ones((32, 32), dtype=bool)
    for axis in (0, 1):
        for voxels in (-2, -1, 1, 2):
            smooth &= np.roll(stiffness, voxels, axis) == stiffness
    F = np.eye(3)[None] + 0.01 * np.diag([1.0, -1.0, 0.0])
    ringing = {}
    for derivative in DERIVATIVES:
        cell = FullFieldCell(Composite(), (32, 32), {"stiffness": stiffness.ravel()}, derivative)
        state = cell.init_state(1)
        cell.update(F, 1.0, state, np.empty((1, 3, 3)))
        stress = cell.voxel_fields(state)[1][:, 0, 0].reshape(32, 32)
        ringing[derivative] = nyquist_variation(stress, smooth)
    assert ringing["rotated"] < 0.5 * ringing["spectral"], ringing
    assert ringing["stabilised"] < 1.02 * ringing["rotated"], ringing
    assert ringing["enriched"] < 1.02 * ringing["rotated"], ringing


def slip_at_three_per_cent(m: Microstructure, derivative: str) -> np.ndarray:
    """Slip accumulated in an isochoric stretch, shape of the cell."""
    cell = FullFieldCell.polycrystal(m, TWO_SLIP, derivative=derivative)
    F = np.exp(np.linspace(0.0, 0.03, 26)[:, None] * [1.0, -1.0, 0.0])[:, :, None] * np.eye(3)
    state = cell.init_state(1)
    for F_k in F[1:]:
        cell.update(F_k[None].copy(), 0.3 * SECOND / 25, state, np.empty((1, 3, 3)))
    return state["voxel_slip"][0].sum(axis=-1).reshape(m.shape)


@pytest.mark.parametrize("seed", [0, 1])
def test_resisting_hourglasses_brings_fields_closer_to_refined_ones(seed):
    """Each voxel cut into 8 x 8 and solved without resistance, then averaged back: nearest the truth."""
    m, cut = periodic_voronoi(16, (16, 16), seed), np.ones((8, 8), dtype=int)
    fine = slip_at_three_per_cent(Microstructure(np.kron(m.grain, cut), m.orientations), "rotated")
    true = fine.reshape(16, 8, 16, 8).mean(axis=(1, 3))
    slip = {name: slip_at_three_per_cent(m, name) for name in ("stabilised", "rotated")}
    error = {name: np.linalg.norm(field - true) for name, field in slip.items()}
    assert error["stabilised"] < 0.92 * error["rotated"]
    assert nyquist_variation(slip["stabilised"]) < 0.92 * nyquist_variation(slip["rotated"])


def alternation_after_kinking(derivative: str) -> np.ndarray:
    """Power of the shortest wavelengths of the stress of voxels, in windows, at 10 % of strain."""
    cell = FullFieldCell.polycrystal(periodic_voronoi(16, (32, 32), 0), TWO_SLIP, derivative=derivative)
    state = cell.init_state(1)
    for strain in np.linspace(0.002, 0.1, 50):
        F = np.diag(np.exp([strain, -strain, 0.0]))
        cell.update(F[None], SECOND / 50, state, np.empty((1, 3, 3)))
    stress = deviator(cell.voxel_fields(state)[1])
    return np.array([checkerboard_windows(stress[:, 0, j].reshape(32, 32)) for j in (0, 1)])


def test_the_stress_of_a_kinked_cell_has_no_checkerboard():
    """Grains that lock kink; where equilibrium does not see it, stress then alternates between voxels."""
    powers = {name: alternation_after_kinking(name) for name in ("enriched", "stabilised", "spectral")}
    assert np.all(powers["enriched"].max(axis=1) < 1.0), powers["enriched"].max(axis=1)
    for blind in ("stabilised", "spectral"):
        assert np.all(np.median(powers[blind], axis=1) > 3.0 * np.median(powers["enriched"], axis=1))
        assert powers[blind].max() > 1.5


@pytest.mark.parametrize("m", [0.5, 0.2])
@pytest.mark.parametrize("dimension", [2, 3])
def test_random_paths_of_ten_per_cent_are_followed(dimension, m):
    crystal = read_crystal("two_slip.yaml" if dimension == 2 else "magnesium.yaml").with_options(m)
    cell = FullFieldCell.polycrystal(periodic_voronoi(8, (8,) * dimension), crystal)
    T = SECOND if dimension == 2 else 1.0
    path = StrainPaths("R", 0.1, 100, (T, T), dimension=dimension).path(0)
    assert np.isfinite(drive(cell, path.stretch[None], path.times)).all()
    assert cell.law_calls < 10 * 100


def test_magnesium_in_three_dimensions_is_softer_than_taylor():
    m = periodic_voronoi(8, (8, 8, 8))
    F = np.eye(3) + np.linspace(0.0, 0.03, 11)[:, None, None] * np.diag([1.0, -0.5, -0.5])
    times = np.linspace(0.0, 1.0, 11)
    full = von_mises(drive(FullFieldCell.polycrystal(m), F[None], times)[0, -1])
    taylor = von_mises(drive(TaylorPolycrystal(m.orientations, m.weights), F[None], times)[0, -1])
    assert 0.5 * taylor < full < taylor


class Short(SingleCrystal):
    """A crystal that follows only short steps."""

    def _update(self, F, dt, state, out) -> None:
        if dt > 0.3 * SECOND / 20:
            raise ConvergenceError("this step is too long")
        super()._update(F, dt, state, out)


def test_a_step_that_fails_is_cut():
    m = periodic_voronoi(4, (8, 8))
    orientation = {"orientation": m.voxel_orientations()}
    F, options = plane_path(), {"tolerance": 1e-7}
    cell = FullFieldCell(Short(crystal=TWO_SLIP), m.shape, orientation, **options)
    cut = drive(cell, F[None], np.linspace(0.0, SECOND, 21))
    left = np.minimum(np.arange(81) // 4, 19)
    part = (np.arange(81) / 4 - left)[:, None, None]
    fine = (1.0 - part) * F[left] + part * F[left + 1]  # the quarters that the cuts make
    whole = FullFieldCell(SingleCrystal(crystal=TWO_SLIP), m.shape, orientation, **options)
    quarters = drive(whole, fine[None], np.linspace(0.0, SECOND, 81))[:, ::4]
    np.testing.assert_allclose(cut, quarters, atol=1e-5 * np.abs(quarters).max())


def test_no_equilibrium_is_an_error_with_its_history():
    cell = polycrystal(max_iterations=1, tolerance=1e-9)
    F, state = np.stack([np.eye(3), plane_path()[-1]]), cell.init_state(2)
    with pytest.raises(
        ConvergenceError, match=r"unit cell at point 1: .*1 iterations; imbalance .* \d\.\de-"
    ):
        cell.update(F, SECOND, state, np.empty((2, 3, 3)))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_dissipation_never_falls(seed):
    m = periodic_voronoi(4, (6, 6), seed)
    cell = FullFieldCell.polycrystal(m, TWO_SLIP)
    state, P, last = cell.init_state(1), np.empty((1, 3, 3)), 0.0
    for F_k in plane_path()[1:]:
        cell.update(F_k[None].copy(), SECOND / 20, state, P)
        now = cell.fields(state)["dissipation"][0]
        assert now >= last
        last = now
    assert last > 0.0


@pytest.mark.parametrize(
    "options", [{"tolerance": 0.0}, {"derivative": "exact"}, {"at_rest": {"orientation": np.eye(3)}}]
)
def test_options_without_meaning_are_refused(options):
    with pytest.raises(InputError, match="expected"):
        FullFieldCell(smooth_crystal(), (4, 4), **options)


def test_the_paper_prints_a_slip_direction_out_of_its_plane(tmp_path):
    from importlib.resources import files

    text = files("microscale").joinpath("two_slip.yaml").read_text()
    printed = tmp_path / "printed.yaml"
    printed.write_text(text.replace("[[-1, 0, 0], [0, 1, 0]]]", "[[0, -1, 0], [0, 1, 0]]]"))
    with pytest.raises(InputError, match=r"expected 0"):
        read_crystal(printed)
