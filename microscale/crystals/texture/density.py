"""Pole figures and inverse pole figures as densities, in multiples of a random distribution.

Of a crystal direction h, with all that the symmetry makes equal to it, and of -h (a diffractometer sees no
sign), the pole density at the sample direction y is

    P_h(y) = sum_g w_g mean_{h'} k(y . Q_g h'),    k(t) = (1 + kappa) ((1 + t) / 2)^kappa,

with the pole of de la Vallee Poussin's kernel of orientation space (Schaeben 1997), whose mean over the
sphere is one: so P = 1 everywhere for a uniform texture, and the mean of P is one for any. Its half width is
the angle at which the kernel of orientations has half its height, cos(angle / 2)^(2 kappa) = 1/2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.inputs.numbers import numbers_in
from microscale.tensors import FloatArray

HALF_WIDTH = 10.0
"""Degrees, of the kernel."""
NARROWEST = 0.5
CELL = 0.2
"""Side of the cells into which many poles are gathered, half widths; peaks lose less than half a per cent."""
MANY = 4_000
BLOCK = 2**22
"""Numbers at a time."""


def concentration(half_width: float) -> float:
    """Return kappa of a half width, degrees.

    Raises:
        InputError: The half width is not between half a degree and 90.
    """
    if not NARROWEST <= half_width <= 90.0:
        raise InputError(f"half width = {half_width} degrees, expected from {NARROWEST} to 90")
    return float(np.log(0.5) / (2.0 * np.log(np.cos(np.radians(half_width) / 2.0))))


def equivalents(direction: ArrayLike, group: Rotation) -> FloatArray:
    """Return the directions, shape (n, 3), that symmetry and reversal make of one; each once.

    Raises:
        InputError: The direction is zero.
    """
    v = numbers_in("direction", direction)
    if v.shape != (3,) or not np.linalg.norm(v) > 0.0:
        raise InputError(f"direction {v.tolist()}, expected three numbers that are not all zero")
    all_of_them = group.as_matrix() @ (v / np.linalg.norm(v))
    both = np.concatenate([all_of_them, -all_of_them])
    _, first = np.unique(both.round(6) + 0.0, axis=0, return_index=True)
    return np.asarray(both[np.sort(first)])


def pole_density(
    texture: Texture,
    pole: ArrayLike,
    group: Rotation,
    directions: FloatArray,
    half_width: float = HALF_WIDTH,
) -> FloatArray:
    """Return the density of a pole at directions of the sample, multiples of random.

    Args:
        texture: Orientations and weights.
        pole: Direction in the crystal, shape (3,).
        group: Rotations of the crystal's symmetry.
        directions: Unit vectors in the sample, shape (n, 3).
        half_width: Of the kernel, degrees.

    Returns:
        Shape (n,).
    """
    poles = equivalents(pole, group)
    seen = np.einsum("gij,hj->ghi", texture.orientations, poles).reshape(-1, 3)
    return smoothed(seen, np.repeat(texture.weights / len(poles), len(poles)), directions, half_width)


def inverse_pole_density(
    texture: Texture,
    direction: ArrayLike,
    group: Rotation,
    poles: FloatArray,
    half_width: float = HALF_WIDTH,
) -> FloatArray:
    """Return the density of a direction of the sample at directions of the crystal, multiples of random.

    Args:
        texture: Orientations and weights.
        direction: Direction in the sample, shape (3,).
        group: Rotations of the crystal's symmetry.
        poles: Unit vectors in the crystal, shape (n, 3).
        half_width: Of the kernel, degrees.

    Returns:
        Shape (n,).
    """
    v = numbers_in("direction", direction)
    here = np.einsum("gij,i->gj", texture.orientations, v / np.linalg.norm(v))
    turned = np.einsum("sij,gj->gsi", group.as_matrix(), here)
    both = np.concatenate([turned, -turned], axis=1)
    shares = np.repeat(texture.weights / both.shape[1], both.shape[1])
    return smoothed(both.reshape(-1, 3), shares, poles, half_width)


def smoothed(
    points: FloatArray, weights: FloatArray, directions: FloatArray, half_width: float = HALF_WIDTH
) -> FloatArray:
    """Return the density of weighted unit vectors at directions (n, 3), in multiples of a uniform one."""
    kappa = concentration(half_width)
    points, weights = _gathered(points, weights, CELL * np.radians(half_width))
    density = np.zeros(len(directions))
    step = max(1, BLOCK // len(directions))
    for first in range(0, len(points), step):
        cosine = directions @ points[first : first + step].T
        half = np.maximum(0.5 + 0.5 * cosine, 1e-300)
        density += (1.0 + kappa) * np.exp(kappa * np.log(half)) @ weights[first : first + step]
    return density


def _gathered(points: FloatArray, weights: FloatArray, side: float) -> tuple[FloatArray, FloatArray]:
    """Many points as the means of those in small cells."""
    if len(points) <= MANY:
        return points, weights
    apart = 2 * int(np.ceil(1.0 / side)) + 3
    places = np.round(points / side).astype(np.int64) + apart // 2
    # One number for each cell: rows of three are ten times slower to sort.
    _, cell = np.unique(places @ np.array([apart**2, apart, 1]), return_inverse=True)
    total = np.bincount(cell, weights)
    means = np.stack([np.bincount(cell, weights * points[:, k]) for k in range(3)], axis=-1)
    length = np.linalg.norm(means, axis=1)
    held = length > 0.0
    return means[held] / length[held, None], total[held]
