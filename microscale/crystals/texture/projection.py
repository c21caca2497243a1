"""The disc of a pole figure: Lambert's equal-area projection of the upper half of the sphere."""

from __future__ import annotations

import numpy as np

from microscale.tensors import FloatArray


def to_disc(directions: FloatArray) -> FloatArray:
    """Return points of the unit disc, shape (n, 2), of directions (n, 3); those below are reversed."""
    up = directions * np.where(directions[:, 2:] < 0.0, -1.0, 1.0)
    return np.asarray(up[:, :2] / np.sqrt(1.0 + up[:, 2:]))


def from_disc(points: FloatArray) -> FloatArray:
    """Return unit vectors with z >= 0, shape (n, 3), of points of the unit disc, shape (n, 2)."""
    square = np.minimum((points**2).sum(axis=1, keepdims=True), 1.0)
    return np.concatenate([points * np.sqrt(2.0 - square), 1.0 - square], axis=1)


def disc_grid(points: int) -> tuple[FloatArray, FloatArray]:
    """Return the coordinates along both axes (points,) of a grid, and its directions (points^2, 3).

    Directions of points outside the disc are those of its rim, so that a picture has no ragged edge.
    """
    along = np.linspace(-1.0, 1.0, points)
    x, y = np.meshgrid(along, along)
    flat = np.stack([x, y], axis=-1).reshape(-1, 2)
    flat /= np.maximum(1.0, np.linalg.norm(flat, axis=1, keepdims=True))
    return along, from_disc(flat)
