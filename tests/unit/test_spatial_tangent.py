"""What implicit codes ask of a tangent: checked against closed forms that are written down without dP/dF."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from microscale.law import ConstitutiveLaw
from microscale.spatial_tangent import VOIGT, jaumann_moduli, voigt_matrix
from multiscale.laws import make_law

G, LAMBDA = 25.0, 24.0
I = np.eye(3)


def deformations(points: int = 5, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    Q = Rotation.random(points, rng=rng).as_matrix()
    return Q @ (I + 0.2 * rng.standard_normal((points, 3, 3)) * [1.0, 0.5, 0.1])


def moduli(law: ConstitutiveLaw, F: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return moduli of the Jaumann rate and the Cauchy stress of a step from rest."""
    P, A = np.empty_like(F), np.empty((len(F), 3, 3, 3, 3))
    law.tangent(F, 0.0, law.init_state(len(F)), A)
    law.update(F, 0.0, law.init_state(len(F)), P)
    J = np.linalg.det(F)[:, None, None]
    return jaumann_moduli(A, P, F), P @ np.swapaxes(F, 1, 2) / J


def test_neo_hookean_moduli_are_those_of_the_textbook():
    """J C of tau = G dev b / J^(2/3) + 2 lambda (J - 1) J I: of the Lie derivative, and tau D + D tau."""
    F = deformations()
    C, sigma = moduli(make_law("neo-hooke", shear_modulus=G, lambda_e=LAMBDA), F)
    for point, A in enumerate(F):
        J, b = np.linalg.det(A), A @ A.T
        dev = G * J ** (-2 / 3) * (b - np.trace(b) / 3.0 * I)
        mean = 2.0 * LAMBDA * (J - 1.0) * J
        np.testing.assert_allclose(J * sigma[point], dev + mean * I, atol=1e-12 * G)
        unit = 0.5 * (np.einsum("ik,jl->ijkl", I, I) + np.einsum("il,jk->ijkl", I, I))
        II = np.einsum("ij,kl->ijkl", I, I)
        # Simo and Hughes 1998, eq. (7.1.86) and the pressure of 2 lambda (J - 1), by the Truesdell rate.
        isochoric = 2.0 / 3.0 * G * J ** (-2 / 3) * np.trace(b) * (unit - II / 3.0)
        isochoric -= 2.0 / 3.0 * (np.einsum("ij,kl->ijkl", dev, I) + np.einsum("ij,kl->ijkl", I, dev))
        volumetric = 2.0 * LAMBDA * J * (2.0 * J - 1.0) * II - 2.0 * mean * unit
        tau = dev + mean * I
        carried = np.einsum("ik,jl->ijkl", tau, I) + np.einsum("jk,il->ijkl", tau, I)
        carried = 0.5 * (carried + np.swapaxes(carried, 2, 3))
        expected = (isochoric + volumetric + carried) / J
        np.testing.assert_allclose(C[point], expected, atol=1e-12 * np.abs(expected).max())


def test_logarithmic_elasticity_is_hypoelastic_where_axes_do_not_turn():
    """tau = K ln J + 2 G dev ln V: rates along the axes of V have Hooke's moduli at any stretch (Hencky)."""
    law = make_law("j2", youngs_modulus=200.0, poissons_ratio=0.3, yield_stress=1e3)
    shear, bulk = law.shear_modulus, law.bulk_modulus
    C, _ = moduli(law, np.array([np.diag([1.2, 0.9, 1.05]), np.diag([0.7, 1.1, 1.1]), I]))
    for C_point, J in zip(C, (1.2 * 0.9 * 1.05, 0.7 * 1.21, 1.0), strict=True):
        normal = voigt_matrix(C_point)[:3, :3]
        hooke = (bulk - 2.0 / 3.0 * shear) + 2.0 * shear * I
        np.testing.assert_allclose(J * normal, hooke, rtol=1e-12)
    np.testing.assert_allclose(voigt_matrix(C[2])[3:, 3:], shear * I, atol=1e-12 * shear)


def test_moduli_give_the_stress_of_a_further_stretch_with_a_rotation():
    """The next Kirchhoff stress of a hypoelastic code, turned by dW and changed by C : dD, to first order."""
    law, F = make_law("neo-hooke"), deformations()
    C, sigma = moduli(law, F)
    L = np.random.default_rng(3).standard_normal((len(F), 3, 3))
    D, W = 0.5 * (L + np.swapaxes(L, 1, 2)), 0.5 * (L - np.swapaxes(L, 1, 2))
    J = np.linalg.det(F)[:, None, None]
    engineering = np.stack([D[:, i, j] * (1.0 if i == j else 2.0) for i, j in VOIGT], -1)
    six = np.einsum("nab,nb->na", voigt_matrix(C), engineering)
    change = np.empty_like(D)
    for component, (i, j) in enumerate(VOIGT):
        change[:, i, j] = change[:, j, i] = six[:, component]
    expected = J * (change + W @ sigma - sigma @ W)

    def tau(h: float) -> np.ndarray:
        F_moved, P = F + h * L @ F, np.empty_like(F)
        law.update(F_moved, 0.0, law.init_state(len(F)), P)
        return P @ np.swapaxes(F_moved, 1, 2)

    h = 1e-3
    slope = (8.0 * (tau(h) - tau(-h)) - (tau(2 * h) - tau(-2 * h))) / (12.0 * h)
    np.testing.assert_allclose(expected, slope, atol=1e-9 * np.abs(slope).max())


@pytest.mark.parametrize("law", ["neo-hooke", "j2", "johnson-cook"])
def test_moduli_are_symmetric_in_their_pairs(law):
    C, _ = moduli(make_law(law), deformations())
    scale = 1e-12 * np.abs(C).max()
    np.testing.assert_allclose(C, np.swapaxes(C, 1, 2), atol=scale)
    np.testing.assert_array_equal(C, np.swapaxes(C, 3, 4))
