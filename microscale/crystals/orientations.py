"""Orientations of grains, drawn: crystal axes as columns in the sample frame."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.errors import InputError
from microscale.inputs.memory import require_memory
from microscale.inputs.numbers import Count, Seed, checked
from microscale.tensors import FloatArray

BYTES_A_GRAIN = 200
"""While orientations are drawn, at least."""


@checked
def random_orientations(grains: Count, seed: Seed | np.random.Generator = 0) -> FloatArray:
    """Return uniform random orientations (grains, 3, 3), crystal axes as columns in the sample frame."""
    check_grains(grains)
    return Rotation.random(grains, rng=np.random.default_rng(seed)).as_matrix()


@checked
def planar_orientations(grains: Count, seed: Seed | np.random.Generator = 0) -> FloatArray:
    """Return uniform random rotations (grains, 3, 3) about the third axis, for crystals in the plane."""
    check_grains(grains)
    angles = np.random.default_rng(seed).uniform(0.0, 2.0 * np.pi, grains)
    return Rotation.from_rotvec(angles[:, None] * [0.0, 0.0, 1.0]).as_matrix()


def check_grains(grains: int) -> None:
    """Raise InputError for a number of grains that is not positive, or too large for the memory."""
    if grains < 1:
        raise InputError(f"grains = {grains}, expected at least one")
    require_memory(BYTES_A_GRAIN * grains, grains=grains)
