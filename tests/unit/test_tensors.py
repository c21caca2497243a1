"""Tensor algebra: identities on arbitrary tensors, and agreement with numpy and scipy."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from microscale.tensors import (
    cauchy_from_piola,
    cofactor,
    determinant,
    deviator,
    first_inadmissible,
    from_mandel,
    polar_decomposition,
    to_mandel,
    von_mises,
)

entries = st.floats(-10.0, 10.0).map(lambda x: x if abs(x) > 1e-100 else 0.0)
tensors = arrays(float, (3, 3), elements=entries)
rotations = st.integers(0, 10**6).map(
    lambda seed: Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
)


@st.composite
def deformations(draw) -> np.ndarray:
    """F = Q diag(stretches) R with stretches from 1e-4 to 1e4, repeated ones included."""
    exponents = st.one_of(st.sampled_from([-4.0, 0.0, 4.0]), st.floats(-4.0, 4.0))
    stretches = 10.0 ** np.array([draw(exponents) for _ in range(3)])
    return draw(rotations) @ np.diag(stretches) @ draw(rotations)


@given(tensors, tensors)
def test_mandel_packing_is_an_isometry(A, B):
    A, B = A + A.T, B + B.T
    a, b = to_mandel(A), to_mandel(B)
    assert a @ b == pytest.approx(np.tensordot(A, B), rel=1e-12, abs=1e-11)
    np.testing.assert_allclose(from_mandel(a), A, rtol=1e-15)


def test_mandel_order_is_11_22_33_23_13_12():
    A = np.array([[1.0, 6.0, 5.0], [6.0, 2.0, 4.0], [5.0, 4.0, 3.0]])
    np.testing.assert_allclose(to_mandel(A) / [1, 1, 1, *[np.sqrt(2.0)] * 3], [1, 2, 3, 4, 5, 6], rtol=1e-15)


def test_packing_keeps_leading_axes():
    A = np.random.default_rng(0).standard_normal((2, 5, 3, 3))
    A = A + np.swapaxes(A, -1, -2)
    assert to_mandel(A).shape == (2, 5, 6)
    np.testing.assert_allclose(from_mandel(to_mandel(A)), A, rtol=1e-15)


@given(tensors)
def test_deviator_is_the_projection_off_the_trace(A):
    D = deviator(A)
    assert abs(np.trace(D)) < 1e-13
    np.testing.assert_allclose(deviator(D), D, atol=1e-13)
    np.testing.assert_allclose(A - D, np.trace(A) / 3.0 * np.eye(3), atol=1e-13)


@given(tensors, rotations, st.floats(-100.0, 100.0))
def test_von_mises_ignores_pressure_and_rotation(A, Q, p):
    sigma = A + A.T
    expected = von_mises(sigma)
    assert von_mises(Q @ sigma @ Q.T + p * np.eye(3)) == pytest.approx(expected, rel=1e-10, abs=1e-11)


def test_von_mises_of_uniaxial_tension_and_shear():
    shear = np.zeros((3, 3))
    shear[0, 1] = shear[1, 0] = 2.0
    np.testing.assert_allclose(
        von_mises(np.stack([np.diag([-3.0, 0.0, 0.0]), shear])), [3.0, 2.0 * np.sqrt(3.0)]
    )


@given(tensors)
def test_determinant_and_cofactor(A):
    out = np.empty((3, 3))
    cofactor(A, out)
    assert determinant(A) == pytest.approx(np.linalg.det(A), rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(out.T @ A, determinant(A) * np.eye(3), atol=1e-10)


@given(tensors, deformations())
def test_cauchy_stress_gives_the_same_force_on_the_deformed_area(A, F):
    sigma = A + A.T
    P = np.linalg.det(F) * sigma @ np.linalg.inv(F).T
    error = np.abs(cauchy_from_piola(P, F) - sigma).max()
    assert error < 1e-13 * np.linalg.cond(F) * (1.0 + np.abs(sigma).max())


@given(deformations())
def test_polar_decomposition(F):
    R, U = polar_decomposition(F)
    size = np.linalg.norm(F, 2)
    np.testing.assert_allclose(R.T @ R, np.eye(3), atol=1e-12)
    assert np.linalg.det(R) == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(R @ U, F, atol=1e-11 * size)
    np.testing.assert_array_equal(U, U.T)
    assert np.linalg.eigvalsh(U).min() > -1e-12 * size
    np.testing.assert_allclose(U, scipy.linalg.polar(F)[1], atol=1e-11 * size)


def test_polar_decomposition_keeps_leading_axes_and_rotations():
    Q = Rotation.random(6, rng=np.random.default_rng(0)).as_matrix().reshape(2, 3, 3, 3)
    R, U = polar_decomposition(Q)
    np.testing.assert_allclose(R, Q, atol=1e-15)
    np.testing.assert_allclose(U, np.broadcast_to(np.eye(3), Q.shape), atol=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("entry", [(0, 0), (1, 2), (2, 1)])
def test_first_inadmissible_finds_what_is_not_finite(bad, entry):
    F = np.tile(np.eye(3), (5, 1, 1))
    assert first_inadmissible(F) == -1
    F[4] = -np.eye(3)
    F[2][entry] = bad
    assert first_inadmissible(F) == 2


@given(deformations())
def test_first_inadmissible_accepts_every_deformation_and_no_mirror_image(F):
    assert first_inadmissible(F[None]) == -1
    assert first_inadmissible(np.stack([np.eye(3), F * [1.0, -1.0, 1.0]])) == 1
