"""Geometry of the trilinear hexahedron: shape functions, Gauss points, gradients, lumped mass.

Nodes follow dolfinx: node 0..7 has the natural coordinates (-1 or 1) of the bits 0, 1, 2 of its number.
"""

from __future__ import annotations

import numpy as np

from microscale.tensors import FloatArray

CORNERS = np.array([[2 * (n >> axis & 1) - 1 for axis in range(3)] for n in range(8)], dtype=float)
GAUSS_POINTS = CORNERS / np.sqrt(3.0)

# The four patterns that leave the mean gradient unchanged: eta zeta, zeta xi, xi eta, xi eta zeta.
HOURGLASS = np.array([CORNERS[:, pattern].prod(axis=1) for pattern in ([1, 2], [2, 0], [0, 1], [0, 1, 2])])

# Each corner and its three neighbours along the edges, positively oriented.
CORNER_TETRAHEDRA = np.array(
    [[n, n ^ 1, n ^ 2, n ^ 4] if CORNERS[n].prod() < 0.0 else [n, n ^ 2, n ^ 1, n ^ 4] for n in range(8)]
)


def shape_functions(xi: FloatArray) -> FloatArray:
    """Values of the eight shape functions at natural coordinates (points, 3), shape (points, 8)."""
    return 0.125 * np.prod(1.0 + xi[:, None, :] * CORNERS, axis=2)


def natural_gradients(xi: FloatArray) -> FloatArray:
    """Derivatives of the shape functions at natural coordinates (points, 3), shape (points, 8, 3)."""
    factors = 1.0 + xi[:, None, :] * CORNERS
    others = np.stack([np.prod(np.delete(factors, axis, axis=2), axis=2) for axis in range(3)], axis=2)
    return 0.125 * CORNERS * others


def gauss_points(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Inverse Jacobians and weights of the 2 x 2 x 2 Gauss rule.

    Args:
        X: Reference positions of the cells' nodes, shape (cells, 8, 3), mm.

    Returns:
        dxi_a/dX_j, shape (cells, a, j, points), per mm; weight times Jacobian determinant, (cells, points),
        mm^3.
    """
    jacobian = np.einsum("cni,qna->cqia", X, natural_gradients(GAUSS_POINTS))
    weights = np.linalg.det(jacobian)
    return np.ascontiguousarray(np.moveaxis(np.linalg.inv(jacobian), 1, 3)), weights


def gauss_gradients(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradients dN/dX, (cells, 8, 3, points), per mm, and weights as :func:`gauss_points`."""
    inverse, weights = gauss_points(X)
    return np.einsum("qna,cajq->cnjq", natural_gradients(GAUSS_POINTS), inverse), weights


def mean_gradients(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Volume averages of the gradients (Flanagan and Belytschko 1981, eq. 15), and the volumes.

    The Gauss rule integrates dN/dX det(dX/dxi) exactly, so that patch tests pass on distorted hexahedra.

    Returns:
        Shapes (cells, 8, 3), per mm, and (cells,), mm^3.
    """
    gradients, weights = gauss_gradients(X)
    volume = weights.sum(axis=1)
    mean = np.einsum("cnjq,cq->cnj", gradients, weights) / volume[:, None, None]
    return np.ascontiguousarray(mean), volume


def lumped_volumes(X: FloatArray) -> FloatArray:
    """Volume each node carries, the integral of its shape function (row sum), shape (cells, 8), mm^3."""
    _, weights = gauss_gradients(X)
    return weights @ shape_functions(GAUSS_POINTS)


def corner_bend(X: FloatArray, gradients: FloatArray) -> FloatArray:
    """Largest |F_c - F| at a cell's corners over |q|, of F from ``gradients`` and hourglass amplitudes q.

    Both are zero for linear fields, so F_c - F = sum over patterns of q_a K_a, with K, (4, 3), from the
    gradients of the shape functions at the corner; what is asked for is its norm.

    Args:
        X: Reference positions of the cells' nodes, shape (cells, 8, 3), mm.
        gradients: Those F is made of, exact for linear fields, shape (cells, 8, 3), per mm.

    Returns:
        Shape (cells,), per mm.
    """
    natural = natural_gradients(CORNERS)
    at_corners = np.einsum("qna,cqaj->cqnj", natural, np.linalg.inv(np.einsum("cni,qna->cqia", X, natural)))
    moments = np.einsum("an,cnj->caj", HOURGLASS, X)
    gamma = HOURGLASS - np.einsum("caj,cnj->can", moments, gradients)
    patterns = np.linalg.pinv(gamma / 8.0)  # displacements of unit amplitude, shape (cells, 8, 4)
    K = np.einsum("cqnj,cna->cqaj", at_corners - gradients[:, None], patterns)
    largest: FloatArray = np.linalg.norm(K, ord=2, axis=(2, 3)).max(axis=1)
    return largest
