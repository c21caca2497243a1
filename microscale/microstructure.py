"""Grains and their orientations."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.errors import InputError
from microscale.tensors import FloatArray


def random_orientations(grains: int, seed: int | np.random.Generator = 0) -> FloatArray:
    """Return uniform random orientations (grains, 3, 3), crystal axes as columns in the sample frame."""
    if grains < 1:
        raise InputError(f"grains = {grains}, expected at least one")
    return Rotation.random(grains, rng=np.random.default_rng(seed)).as_matrix()
