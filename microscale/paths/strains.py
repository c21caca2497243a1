"""What several protocols draw: numbers over decades, directions of strain, stretches."""

from __future__ import annotations

import numpy as np

from microscale.tensors import FloatArray


def log_uniform(generator: np.random.Generator, low: float, high: float, count: int) -> FloatArray:
    """Draw numbers, shape (count,), whose logarithm is uniform between those of ``low`` and ``high``."""
    return np.exp(generator.uniform(np.log(low), np.log(high), count))


def unit_deviator(generator: np.random.Generator, dimension: int) -> FloatArray:
    """Draw a traceless symmetric tensor (d, d) of the norm one, of any direction alike."""
    A = generator.normal(size=(dimension, dimension))
    A = A + A.T
    A -= np.trace(A) / dimension * np.eye(dimension)
    return A / np.linalg.norm(A)


def exponential(H: FloatArray) -> FloatArray:
    """Return exp H of symmetric tensors (n, d, d)."""
    values, vectors = np.linalg.eigh(H)
    U = np.einsum("nik,nk,njk->nij", vectors, np.exp(values), vectors)
    return np.asarray(0.5 * (U + np.swapaxes(U, 1, 2)))


def right_stretch(F: FloatArray) -> FloatArray:
    """Return U = sqrt(F^T F) of deformation gradients (n, d, d)."""
    values, vectors = np.linalg.eigh(np.swapaxes(F, 1, 2) @ F)
    U = np.einsum("nik,nk,njk->nij", vectors, np.sqrt(values), vectors)
    return np.asarray(0.5 * (U + np.swapaxes(U, 1, 2)))
