"""Harmonic coefficients as tensors: symmetric and traceless, one of order l for each function of order l."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from microscale.crystals.texture.harmonics import harmonics
from microscale.crystals.texture.sources import everywhere
from microscale.tensors import FloatArray


def harmonic_tensors(order: int, coefficients: FloatArray) -> FloatArray:
    """Return the tensors T with T . (v x ... x v) = sum_m C_m Y_m(v) at all unit vectors v.

    They turn with the sample as tensors do, and have no trace in any pair of indices. Of hexagonal crystals
    the one of order 2 is sqrt(5) times 3/2 of the mean deviator of c x c.

    Args:
        order: l, at most 6.
        coefficients: C_l, shape (M, 2 l + 1).

    Returns:
        Shape (M, 3, ..., 3), with l indices behind the first.
    """
    whole = np.tensordot(coefficients, _basis(order), 1)
    return np.asarray(whole.reshape(len(coefficients), *(3,) * order))


@cache
def _basis(order: int) -> FloatArray:
    """The tensors of the real harmonics, shape (2 l + 1, 3^l): those whose polynomials have their values."""
    directions = everywhere(points=400).orientations[:, :, 2]
    indices = np.array(list(product(range(3), repeat=order)))
    powers = np.stack([(indices == axis).sum(axis=1) for axis in range(3)], axis=-1)
    kinds, kind, count = np.unique(powers, axis=0, return_inverse=True, return_counts=True)
    monomials = np.prod(directions[:, None, :] ** kinds, axis=-1)
    found = np.linalg.lstsq(monomials, harmonics(order, directions), rcond=None)[0]
    return np.asarray((found / count[:, None])[kind.reshape(-1)].T)
