"""A bound on the largest eigenvalue of each cell's lumped scalar Laplacian, for the stable step."""

from __future__ import annotations

import numpy as np

from microscale.tensors import FloatArray


def metric(gradients: FloatArray, weights: FloatArray, lumped: FloatArray) -> FloatArray:
    """G = sum over nodes of (V / V_node) B B^T with the mean gradients B.

    Args:
        gradients: Of the shape functions at the points, shape (cells, nodes, 3, points), per mm.
        weights: Volumes of the points, shape (cells, points), mm^3.
        lumped: Volumes the nodes carry, shape (cells, nodes), mm^3.

    Returns:
        Shape (cells, 3, 3), per mm^2; its largest eigenvalue is that of the Laplacian of the mean gradient.
    """
    volume = weights.sum(axis=1)
    mean = np.einsum("cniq,cq->cni", gradients, weights) / volume[:, None, None]
    return np.einsum("cn,cni,cnj->cij", volume[:, None] / lumped, mean, mean)


def spread(gradients: FloatArray, weights: FloatArray, lumped: FloatArray) -> FloatArray:
    """Largest eigenvalue of the lumped scalar Laplacian over that of its mean-gradient part, shape (cells,).

    Arguments as :func:`metric`. It is 1 for parallelepipeds and grows with distortion.
    """
    root = 1.0 / np.sqrt(lumped)
    laplacian = np.einsum("cniq,cmiq,cq->cnm", gradients, gradients, weights)
    full = np.linalg.eigvalsh(root[:, :, None] * laplacian * root[:, None, :])[:, -1]
    largest: FloatArray = full / np.linalg.eigvalsh(metric(gradients, weights, lumped))[:, -1]
    return largest
