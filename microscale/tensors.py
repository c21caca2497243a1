"""Tensor algebra shared by all laws: the only place where index order of packed tensors is defined.

Tensors are (..., 3, 3) float64. The six independent components of a symmetric tensor are packed in Mandel
order (11, 22, 33, 23, 13, 12), off-diagonal ones times sqrt(2), so that the packed scalar product is A : B.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from microscale import point_tensors
from microscale.point_tensors import FloatArray as FloatArray

MANDEL_ROWS = np.array([0, 1, 2, 1, 0, 0])
MANDEL_COLUMNS = np.array([0, 1, 2, 2, 2, 1])
MANDEL_WEIGHTS = np.array([1.0, 1.0, 1.0, np.sqrt(2.0), np.sqrt(2.0), np.sqrt(2.0)])


def to_mandel(A: FloatArray) -> FloatArray:
    """Pack symmetric tensors (..., 3, 3) into Mandel vectors (..., 6)."""
    return A[..., MANDEL_ROWS, MANDEL_COLUMNS] * MANDEL_WEIGHTS


def from_mandel(a: FloatArray) -> FloatArray:
    """Unpack Mandel vectors (..., 6) into symmetric tensors (..., 3, 3)."""
    A = np.empty((*a.shape[:-1], 3, 3))
    A[..., MANDEL_ROWS, MANDEL_COLUMNS] = a / MANDEL_WEIGHTS
    A[..., MANDEL_COLUMNS, MANDEL_ROWS] = a / MANDEL_WEIGHTS
    return A


def deviator(A: FloatArray) -> FloatArray:
    """Return A - tr(A)/d I for tensors (..., d, d)."""
    d = A.shape[-1]
    mean = np.trace(A, axis1=-2, axis2=-1) / d
    return A - mean[..., None, None] * np.eye(d)


def von_mises(sigma: FloatArray) -> FloatArray:
    """Return sqrt(3/2) |dev sigma| for Cauchy stresses (..., 3, 3), in their unit (paper, section 3.1)."""
    return np.sqrt(1.5) * np.linalg.norm(deviator(sigma), axis=(-2, -1))


def cauchy_from_piola(P: FloatArray, F: FloatArray) -> FloatArray:
    """Return the Cauchy stress P F^T / det F; all of shape (..., 3, 3)."""
    return P @ np.swapaxes(F, -1, -2) / np.linalg.det(F)[..., None, None]


@njit(cache=True)
def determinant(A: FloatArray) -> float:
    """Determinant of one tensor (3, 3); for use inside compiled kernels."""
    return (
        A[0, 0] * (A[1, 1] * A[2, 2] - A[1, 2] * A[2, 1])
        - A[0, 1] * (A[1, 0] * A[2, 2] - A[1, 2] * A[2, 0])
        + A[0, 2] * (A[1, 0] * A[2, 1] - A[1, 1] * A[2, 0])
    )


@njit(cache=True)
def first_inadmissible(F: FloatArray) -> int:
    """Index of the first F of (n, 3, 3) that is not finite or has det F <= 0; -1 where there is none."""
    for point in range(F.shape[0]):
        a, b, c = point_tensors.load(F, point)
        det = point_tensors.dot(a, point_tensors.cross(b, c))
        total = a[0] + a[1] + a[2] + b[0] + b[1] + b[2] + c[0] + c[1] + c[2]
        # A NaN or an infinity in any entry makes the determinant or the sum fail these comparisons.
        if not (0.0 < det < np.inf and abs(total) < np.inf):
            return point
    return -1


@njit(cache=True)
def cofactor(A: FloatArray, out: FloatArray) -> None:
    """Write the cofactor matrix det(A) A^-T of one tensor (3, 3) into ``out``."""
    for i in range(3):
        a, b = (i + 1) % 3, (i + 2) % 3
        for j in range(3):
            c, d = (j + 1) % 3, (j + 2) % 3
            out[i, j] = A[a, c] * A[b, d] - A[a, d] * A[b, c]


@njit(cache=True, error_model="numpy")
def polar_rotation(F: FloatArray, R: FloatArray) -> None:
    """Write the rotation of F = R U into ``R``, both of shape (n, 3, 3).

    Scaled Newton iteration (Higham 1986): X <- (g X + X^-T / g) / 2 converges quadratically for det F > 0, so
    that the result is exact to rounding once a change falls below 1e-8.
    """
    for point in range(F.shape[0]):
        X = point_tensors.load(F, point)
        for _ in range(30):
            cof = point_tensors.cofactor(X)
            det = point_tensors.dot(X[0], cof[0])
            scale = np.sqrt(np.sqrt(point_tensors.squared_norm(cof) / point_tensors.squared_norm(X)) / det)
            new = point_tensors.combine(0.5 * scale, X, 0.5 / (scale * det), cof)
            change = point_tensors.squared_norm(point_tensors.combine(1.0, new, -1.0, X))
            X = new
            if change < 1e-16:
                break
        point_tensors.store(X, 1.0, R, point)


def polar_decomposition(F: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the rotation R and the right stretch U of F = R U, shapes (..., 3, 3)."""
    flat = np.ascontiguousarray(F, dtype=float).reshape(-1, 3, 3)
    R = np.empty_like(flat)
    polar_rotation(flat, R)
    U = np.swapaxes(R, -1, -2) @ flat
    U = 0.5 * (U + np.swapaxes(U, -1, -2))
    return R.reshape(F.shape), U.reshape(F.shape)
