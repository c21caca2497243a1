"""What a polycrystal feels of its texture: 27 numbers, the c axes' moments of order 2, 4 and 6.

Under the Taylor assumption orders above 6 make 2 to 5 % of the stress (docs/results/any_texture.md). So
C_2^1, C_4^1 and C_6^1 (:mod:`microscale.crystals.texture.harmonics`) are what a surrogate of any texture is
told: 5, 9 and 13 numbers, in the order of the real harmonics. They turn with the sample. The second
function of order 6 of hexagonal crystals, which tells turns about c apart, is not among them: it counts for
less than 0.1 %. Cubic crystals have no function of order 2: zeros.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from microscale.crystals.texture.harmonics import coefficients, rotation_matrix
from microscale.crystals.texture.texture import Texture
from microscale.tensors import FloatArray

ORDERS = (2, 4, 6)
NUMBERS = 27
"""5 + 9 + 13: 2 l + 1 of each order l."""
ENDS = (5, 14)
"""Where the numbers of the second order begin, and those of the third."""


def texture_numbers(texture: Texture, group: Rotation) -> FloatArray:
    """Return C_2^1, C_4^1 and C_6^1 of a texture, shape (27,); zero where it is uniform, of norms up to one.

    Args:
        texture: The grains.
        group: Rotations of the crystal's symmetry.
    """
    found = coefficients(ORDERS, group, texture.orientations, texture.weights)
    return np.concatenate([_first(found[order], order) for order in ORDERS])


def turned_numbers(numbers: NDArray[np.float64], Q: FloatArray) -> FloatArray:
    """Return the numbers (..., 27) of textures that were turned by a rotation Q (3, 3)."""
    parts = np.split(numbers, ENDS, axis=-1)
    turned = (part @ rotation_matrix(order, Q).T for part, order in zip(parts, ORDERS, strict=True))
    return np.concatenate(list(turned), axis=-1)


def _first(C: FloatArray, order: int) -> FloatArray:
    return C[0] if len(C) else np.zeros(2 * order + 1)
