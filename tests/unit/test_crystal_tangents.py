"""Tangents of crystals where flow is hard to follow: steep viscous laws, grains that are about to go off."""

from pathlib import Path

import numpy as np

from microscale import TaylorPolycrystal
from microscale.crystals.crystal import read_crystal
from microscale.crystals.uniform_texture import uniform_orientations
from multiscale.laws import make_law

COPPER = Path(__file__).parents[2] / "demos" / "copper.yaml"


def directions(points: int) -> np.ndarray:
    """Isochoric directions of strain and rotation, norm one, (points, 3, 3)."""
    A = np.random.default_rng(1).standard_normal((points, 3, 3))
    A -= np.trace(A, axis1=1, axis2=2)[:, None, None] / 3.0 * np.eye(3)
    return A / np.linalg.norm(A, axis=(1, 2), keepdims=True)


def test_a_rate_sensitivity_of_a_hundredth():
    """Copper, m = 0.012: beside differences of steps that all take one sub-step."""
    crystal = read_crystal(COPPER)
    orientations = uniform_orientations(4, crystal=crystal)
    law = TaylorPolycrystal(orientations, crystal=crystal, step_tolerance=np.inf)
    n = 3
    state, A, P = law.init_state(n), directions(n), np.empty((n, 3, 3))
    for k in range(1, 9):
        F = np.eye(3) + 0.001 * k * A
        if k < 8:
            law.update(F, 1.0, state, P)
    tangent, expected = np.empty((2, n, 3, 3, 3, 3))
    law.tangent(F, 1.0, state, tangent)
    h, exact, sides = 2e-7, law.smooth, np.empty((2, n, 3, 3))
    for k, l in np.ndindex(3, 3):
        for side, size in enumerate((-h, h)):
            moved = F.copy()
            moved[:, k, l] += size
            exact.update(moved, 1.0, state.copy(), sides[side])
        expected[..., k, l] = (sides[1] - sides[0]) / (2.0 * h)
    np.testing.assert_allclose(tangent, expected, rtol=0.0, atol=1e-5 * np.abs(expected).max())
    assert np.abs(tangent[:, 0, 1, 0, 1]).max() < 0.5 * crystal.shear_modulus  # it flows


def test_a_grain_that_goes_off_is_differenced_as_it_is():
    """2 % in 100 us: one of 32 grains does not come through the sub-steps that are given to it."""
    law, A = make_law("taylor", grains=32), directions(6)[3:4]
    state, P, tangent = law.init_state(1), np.empty((1, 3, 3)), np.empty((1, 3, 3, 3, 3))
    for k in range(1, 9):
        F = np.eye(3) + 0.02 * k * A
        law.tangent(F, 100.0, state, tangent)
        assert np.isfinite(tangent).all()
        law.update(F, 100.0, state, P)
    assert np.einsum("ij,ijkl,kl->", A[0], tangent[0], A[0]) > 0.0  # it still resists
