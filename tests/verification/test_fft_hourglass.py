"""Resistance to hourglasses: elastic where the material is, a viscosity where it flows, blind to rotation."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from test_fft import SECOND, TWO_SLIP, Composite, amplitudes, plane_path

from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.grid import PeriodicGrid
from microscale.unit_cell.hourglass import HourglassResistance, stress_left
from microscale.unit_cell.microstructure import periodic_voronoi


@pytest.mark.parametrize("steps", [1, 10, 100])
def test_in_steady_flow_it_is_a_viscosity_whatever_the_step(steps):
    """Amplitudes that grow by 0.3 of the plastic shear: 0.3 times the stress, times the stiffness."""
    shear, s, grid = 19.0, 0.1, PeriodicGrid((4, 4), "stabilised")
    slip, n = 20.0 * s / shear / steps, grid.voxels
    F, P = np.tile(np.eye(3), (n, 1, 1)), np.zeros((n, 3, 3))
    P[:, 0, 1] = P[:, 1, 0] = s
    resistance = HourglassResistance(grid.hourglass_share, shear, stiffness=0.05)
    y, stress = np.zeros((2, *grid.amplitude_shape), dtype=complex)
    for _ in range(20 * steps):
        resistance.begin(y, stress)
        y = y + 0.3 * slip
        forces = resistance.forces(y, F, P, np.full(n, s * slip))
        stress = resistance.stress
    np.testing.assert_allclose(stress, 0.3 * 0.05 * s, rtol=1e-10)
    np.testing.assert_allclose(forces, grid.hourglass_share * stress)


def test_it_relaxes_where_the_flow_is():
    """Half of the voxels flow and keep a quarter of the stress of an elastic step; the others have no say."""
    F, P = np.tile(np.eye(3), (8, 1, 1)), np.zeros((8, 3, 3))
    P[:, 0, 1] = P[:, 1, 0] = 0.2
    P += 5.0 * np.eye(3)  # nor has the pressure
    flow = np.where(np.arange(8) < 4, 3.0 * 0.2**2, 0.0)
    assert stress_left(F, P, flow) == pytest.approx(0.25)
    assert stress_left(F, P, 0.0 * flow) == 1.0
    assert stress_left(F, 0.0 * P, 0.0 * flow) == 1.0


def test_its_rate_does_not_depend_on_the_step_however_unevenly_voxels_flow():
    rng = np.random.default_rng(0)
    F, P = np.tile(np.eye(3), (50, 1, 1)), rng.standard_normal((50, 3, 3))
    P += P.swapaxes(1, 2)
    flow = np.exp(4.0 * rng.standard_normal(50))
    relaxed = [1.0 / stress_left(F, P, flow / steps) - 1.0 for steps in (1, 2, 100)]
    np.testing.assert_allclose(relaxed, relaxed[0] / np.array([1.0, 2.0, 100.0]), rtol=1e-12)
    assert relaxed[0] > 1.0


def test_an_elastic_cell_forgets_a_closed_path():
    stiffness = np.where(np.arange(64).reshape(8, 8) % 8 < 4, 1.0, 10.0).T * np.linspace(1.0, 2.0, 8)
    cell = FullFieldCell(Composite(), (8, 8), {"stiffness": stiffness.ravel()}, tolerance=1e-8)
    state, P, largest = cell.init_state(1), np.empty((1, 3, 3)), 0.0
    for F in [*plane_path(), np.eye(3)]:
        cell.update(F[None].copy(), 1.0, state, P)
        stress = np.abs(amplitudes(state, "hourglass_stress")).max()
        largest = max(largest, stress)
    assert np.abs(P).max() < 1e-7
    assert stress < 1e-7 < 1e-4 < largest


def test_a_rigid_rotation_turns_it():
    """A flowing cell turned at once by a large angle: nothing is left to balance."""
    cell = FullFieldCell.polycrystal(periodic_voronoi(6, (8, 8), seed=1), TWO_SLIP, tolerance=1e-8)
    state, P, turned = cell.init_state(1), np.empty((1, 3, 3)), np.empty((1, 3, 3))
    for F in plane_path()[1:]:
        cell.update(F[None].copy(), SECOND / 20, state, P)
    Q, calls = Rotation.from_rotvec([0.3, -0.5, 2.0]).as_matrix(), cell.law_calls
    before = amplitudes(state, "hourglass_stress")
    # Else the crystals would see the chord from F to Q F, along which they are crushed.
    state["voxel_F"][0] = Q @ state["voxel_F"][0]
    cell.update(Q @ F[None], 0.0, state, turned)
    assert cell.law_calls == calls + 1
    np.testing.assert_allclose(turned[0], Q @ P[0], atol=1e-10)
    np.testing.assert_allclose(amplitudes(state, "hourglass_stress"), before @ Q.T, atol=1e-12)
    assert np.abs(before).max() > 1e-4
