"""A texture that has given harmonic coefficients: grains moved as little as need be from an even spread."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from microscale.crystals.texture.harmonics import coefficients, crystal_functions, key_of
from microscale.crystals.texture.representative import STATED, descend
from microscale.crystals.texture.sources import everywhere
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Seed, checked, numbers_in
from microscale.tensors import FloatArray

GRAINS = 512
CLOSE = 1e-3
"""Norm of the difference of coefficients that is accepted; a single crystal's have the norm 1."""


@checked
def of_harmonics(
    wanted: Mapping[str, ArrayLike], group: Rotation, grains: Count = GRAINS, seed: Seed = 0
) -> Texture:
    """Return equal grains with given coefficients C_l of orders 2, 4, 6; others are what comes of it.

    Args:
        wanted: C_l by order, shape (M, 2 l + 1) each; see :mod:`microscale.crystals.texture.harmonics`.
        group: Rotations of the crystal's symmetry.
        grains: Number of grains.
        seed: Of the even spread that the descent begins with.

    Raises:
        InputError: An order or a shape is unknown, or no such grains were found: coefficients are those of a
            texture only if some density that is nowhere negative has them.
    """
    orders = {_order(key): _of_order(key, value, group) for key, value in wanted.items()}
    if not orders:
        raise InputError(f"harmonics of no order, expected some of {', '.join(map(str, STATED))}")
    shares = np.full(grains, 1.0 / grains)
    found = descend(everywhere(points=grains, seed=seed).orientations, shares, group, orders)
    there = coefficients(tuple(orders), group, found, shares)
    for order, target in orders.items():
        off = float(np.linalg.norm(there[order] - target))
        if off > CLOSE:
            raise InputError(
                f"harmonics of order {order} with norm {np.linalg.norm(target):.3g}: the nearest "
                f"{grains} grains are off by {off:.2g}, expected the coefficients of a texture "
                "(at most 1 for each function)"
            )
    return Texture.of(found, shares, f"{grains} grains with harmonic coefficients of order {_told(orders)}")


def _order(key: str) -> int:
    if key not in {str(order) for order in STATED}:
        raise InputError(f"harmonics of order {key!r:.20}, expected {', '.join(map(str, STATED))}")
    return int(key)


def _of_order(key: str, value: ArrayLike, group: Rotation) -> FloatArray:
    order = _order(key)
    shape = crystal_functions(order, key_of(group)).shape
    found = numbers_in(f"harmonics of order {order}", value)
    if found.shape != shape or not np.isfinite(found).all():
        raise InputError(f"harmonics of order {order} have shape {found.shape}, expected {shape}, finite")
    return found


def _told(orders: Mapping[int, FloatArray]) -> str:
    return ", ".join(map(str, orders))
