"""How far two textures are apart as densities: the share of the volume that points elsewhere."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation
from scipy.special import beta

from microscale.crystals.texture.density import concentration
from microscale.crystals.texture.sources import everywhere
from microscale.crystals.texture.texture import Texture
from microscale.tensors import FloatArray

HALF_WIDTH = 10.0
"""Degrees, of the kernel."""
PLACES = 512
"""Orientations at which densities are compared."""
MOST = 4096
"""Orientations of a texture that are looked at; more are sampled."""


def density_misfit(one: Texture, other: Texture, group: Rotation, half_width: float = HALF_WIDTH) -> float:
    """Return half the mean of |f - g|, zero for equal textures and one for those that nowhere overlap.

    The densities f and g are smoothed by de la Vallee Poussin's kernel and compared at even orientations.

    Args:
        one: A texture.
        other: Another.
        group: Rotations of the crystal's symmetry.
        half_width: Of the kernel, degrees.
    """
    places = Rotation.from_matrix(everywhere(points=PLACES).orientations).as_quat()
    f, g = (_density(texture, group, places, half_width) for texture in (one, other))
    return float(0.5 * np.abs(f - g).mean())


def _density(texture: Texture, group: Rotation, places: FloatArray, half_width: float) -> FloatArray:
    """Density (m,) at quaternions (m, 4), multiples of random."""
    kappa = concentration(half_width)
    height = beta(1.5, 0.5) / beta(1.5, kappa + 0.5) / len(group)  # the mean of the kernel is one
    thin = max(1, -(-len(texture) // MOST))
    q = Rotation.from_matrix(texture.orientations[::thin])
    weights = height * texture.weights[::thin] / texture.weights[::thin].sum()
    density = np.zeros(len(places))
    for turn in group:
        cosine = np.abs(places @ (q * turn).as_quat().T)  # of half the angle between
        density += np.exp(2.0 * kappa * np.log(np.maximum(cosine, 1e-300))) @ weights
    return density
