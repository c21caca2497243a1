"""Gradients on the voxels of a periodic grid: adjoint, order, and what they do not see."""

import numpy as np
import pytest

from microscale.unit_cell.alternation import at_corners, checkerboard_power, checkerboard_windows
from microscale.unit_cell.grid import DERIVATIVES, PeriodicGrid


@pytest.mark.parametrize("derivative", DERIVATIVES)
@pytest.mark.parametrize("shape", [(8, 6), (5, 7), (4, 6, 5)])
def test_forces_are_the_adjoint_of_the_gradient(shape, derivative):
    grid, rng = PeriodicGrid(shape, derivative), np.random.default_rng(0)
    P, F = rng.standard_normal((2, grid.voxels, 3, 3))
    r, y = np.empty((2, *grid.amplitude_shape), dtype=complex)
    grid.forces(rng.standard_normal(P.shape), y)  # amplitudes of a real field
    grid.deformation(y, np.zeros((3, 3)), F)
    grid.forces(P, r)
    assert np.vdot(y, r).real == pytest.approx((P * F).sum() / grid.voxels, rel=1e-12)
    seen = 1.0 - grid.hourglass_share
    assert (seen * np.abs(y) ** 2).sum() == pytest.approx((F**2).sum() / grid.voxels, rel=1e-12)
    # The middle of a voxel sees nothing of a wave that alternates along two axes.
    alternating = sum(n % 2 == 0 for n in shape) > 1
    assert (abs(seen.min()) < 1e-12) == (derivative == "stabilised" and alternating)
    np.testing.assert_allclose(F.mean(axis=0), 0.0, atol=1e-14)


@pytest.mark.parametrize("derivative", ["enriched", "stabilised"])
@pytest.mark.parametrize("shape", [(8, 6), (5, 7), (4, 6, 5), (4, 3, 6)])
def test_amplitudes_lose_only_what_gradients_do_not_see(shape, derivative):
    grid, rng = PeriodicGrid(shape, derivative), np.random.default_rng(0)
    any_y = rng.standard_normal((*grid.amplitude_shape, 2)).view(complex)[..., 0]
    y, r, F = any_y.copy(), np.empty_like(any_y), np.empty((2, grid.voxels, 3, 3))
    grid.make_real(y)
    assert np.abs(y - any_y).max() > 0.1
    for amplitude, field in zip((any_y, y), F, strict=True):
        grid.deformation(amplitude, np.zeros((3, 3)), field)
    np.testing.assert_allclose(F[1], F[0], atol=1e-12 * np.abs(F).max())
    grid.forces(F[0], r)
    seen = r.copy()
    grid.make_real(r)
    np.testing.assert_allclose(r, seen, atol=1e-12 * np.abs(r).max())


@pytest.mark.parametrize(("derivative", "order"), [("rotated", 2), ("central", 4)])
def test_the_gradient_of_a_wave_converges_at_its_order(derivative, order):
    """From the smooth wave v = sin(k x) e3: the measured gradient against k cos(k x)."""
    error = []
    for n in (16, 32):
        grid = PeriodicGrid((n, n), derivative)
        x = np.stack(np.meshgrid(*[np.arange(n) / n] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
        k = 2.0 * np.pi * np.array([2.0, 1.0])
        shift = 0.5 / n if derivative == "rotated" else 0.0  # gradients in the middles of voxels
        exact = np.zeros((grid.voxels, 3, 3))
        exact[:, 2, :2] = np.cos((x + shift) @ k)[:, None] * k
        y, measured = np.empty(grid.amplitude_shape, dtype=complex), np.empty_like(exact)
        grid.forces(exact, y)  # the projection on gradients: of a true gradient it is the amplitude itself
        grid.deformation(y, np.zeros((3, 3)), measured)
        error.append(np.abs(measured - exact).max())
    assert np.log2(error[0] / error[1]) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize("shape", [(16, 16), (8, 12, 10)])
def test_checkerboard_power_tells_noise_checkerboard_and_smooth_field_apart(shape):
    places, rng = np.indices(shape), np.random.default_rng(0)
    checkerboard = (-1.0) ** places.sum(axis=0)
    smooth = np.cos(2.0 * np.pi * places[0] / shape[0])
    noise = np.mean([checkerboard_power(rng.standard_normal(shape)) for _ in range(200)])
    corner = np.prod([(np.abs(np.fft.fftfreq(n)) >= 0.375).sum() for n in shape])
    assert checkerboard_power(checkerboard) == pytest.approx(np.prod(shape) / corner)
    assert checkerboard_power(smooth) < 1e-12
    assert noise == pytest.approx(1.0, abs=0.05)


def mean_over_subcells(field: np.ndarray, axis: int, axes: range) -> np.ndarray:
    """Derivative along an axis of a field on nodes at half a voxel: mean over the subcells around each."""
    for other in axes:
        behind, ahead = (np.roll(field, shift, other) for shift in (1, -1))
        along = 0.5 * field.shape[axis] * (ahead - behind)
        field = along if other == axis else 0.25 * behind + 0.5 * field + 0.25 * ahead
    return field


@pytest.mark.parametrize("shape", [(6, 8), (5, 4), (4, 6, 5)])
def test_enriched_gradients_are_means_over_subcells(shape):
    """Against real space: the displacement with the least squared differences under the forces of P."""
    grid, axes, fine = PeriodicGrid(shape, "enriched"), range(len(shape)), tuple(2 * n for n in shape)
    voxels = (slice(None, None, 2),) * len(shape)
    P = np.zeros((*fine, 3, len(shape)))
    P[voxels] = np.random.default_rng(0).standard_normal((*shape, 3, len(shape)))
    forces = -sum(mean_over_subcells(P[..., axis], axis, axes) for axis in axes) * 2 ** len(shape)
    angles = np.meshgrid(*[2.0 * np.pi * np.fft.fftfreq(n) for n in fine], indexing="ij")
    squares = sum((2.0 * n * np.sin(0.5 * angle)) ** 2 for n, angle in zip(fine, angles, strict=True))
    squares.flat[0] = np.inf
    u = np.fft.ifftn(np.fft.fftn(forces, axes=axes) / squares[..., None], axes=axes).real
    exact, found = np.zeros((2, grid.voxels, 3, 3))
    for axis in axes:
        exact[:, :, axis] = mean_over_subcells(u, axis, axes)[voxels].reshape(-1, 3)
    y, stress = np.empty(grid.amplitude_shape, dtype=complex), np.zeros((*shape, 3, 3))
    stress[..., : len(shape)] = P[voxels]
    grid.forces(stress.reshape(-1, 3, 3), y)
    grid.deformation(y, np.zeros((3, 3)), found)
    np.testing.assert_allclose(found, exact, atol=1e-12)
    assert np.abs(exact).max() > 0.1


@pytest.mark.parametrize(("shape", "share"), [((8, 8), 1 / 4), ((6, 6, 6), 1 / 12)])
def test_with_nodes_at_half_a_voxel_a_checkerboard_of_stress_makes_forces(shape, share):
    grid, sign = PeriodicGrid(shape, "enriched"), (-1.0) ** np.indices(shape).sum(axis=0)
    P = np.zeros((*shape, 3, 3))
    P[..., : len(shape)] = sign[..., None, None] * np.random.default_rng(0).standard_normal((3, len(shape)))
    forces = np.empty(grid.amplitude_shape, dtype=complex)
    grid.forces(P.reshape(-1, 3, 3), forces)
    assert (np.abs(forces) ** 2).sum() == pytest.approx(share * (P**2).sum() / grid.voxels)


@pytest.mark.parametrize("shape", [(8, 6), (4, 6, 8)])
@pytest.mark.parametrize("derivative", ["rotated", "stabilised"])
def test_a_checkerboard_of_stress_makes_no_force_and_is_not_at_the_corners(shape, derivative):
    grid, axes = PeriodicGrid(shape, derivative), range(len(shape))
    sign = (-1.0) ** np.indices(shape)[:2].sum(axis=0)  # along two axes is enough
    P = sign[..., None, None] * np.random.default_rng(0).standard_normal((3, 3))
    forces = np.empty(grid.amplitude_shape, dtype=complex)
    grid.forces(P.reshape(-1, 3, 3), forces)
    assert np.abs(forces).max() < 1e-14
    assert np.abs(at_corners(P, axes)).max() < 1e-15


def test_windows_find_a_patch_that_the_whole_field_hides():
    field = np.random.default_rng(0).standard_normal((64, 64))
    places = np.indices((16, 16))
    field[16:32, 32:48] += 10.0 * (-1.0) ** places.sum(axis=0)
    powers = checkerboard_windows(field)
    assert powers.shape == (64,)
    assert powers.max() > 8.0
    assert np.median(powers) == pytest.approx(1.0, abs=0.15)
