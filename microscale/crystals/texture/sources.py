"""Textures that a few numbers describe, as many orientations of equal weight.

A described texture is a distribution; its orientations are points of a low-discrepancy sequence, which stand
for it better than as many drawn ones. To a polycrystal of few grains it is reduced
(:mod:`microscale.crystals.texture.representative`).
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import Crystal
from microscale.crystals.orientations import random_orientations
from microscale.crystals.texture.texture import Texture
from microscale.crystals.uniform_texture import uniform_orientations
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Range, Seed, check, checked, numbers_in
from microscale.tensors import FloatArray

POINTS = 4096
"""Orientations that stand for a distribution."""
LIKELY_SPREAD = 1.0
"""Degrees; below, radians were given, or hardly more than one crystal."""
LARGEST_SPREAD = 90.0
"""Degrees; beyond, a fibre is hardly one."""
PRISM = (np.sqrt(0.75), 0.5, 0.0)
"""Normal of the prism plane (10-10) of hexagonal crystals, whose x is along [2-1-10]."""
Z = (0.0, 0.0, 1.0)


@checked
def even(grains: Count, seed: Seed = 0, crystal: Crystal | None = None) -> Texture:
    """Return orientations that are evenly spread; see :mod:`microscale.crystals.uniform_texture`."""
    return Texture.of(
        uniform_orientations(grains, seed, crystal), made=f"{grains} evenly spread, seed {seed}"
    )


@checked
def drawn(grains: Count, seed: Seed | np.random.Generator = 0) -> Texture:
    """Return orientations drawn uniformly."""
    return Texture.of(random_orientations(grains, seed), made=f"{grains} drawn, seed {seed}")


@checked
def everywhere(*, points: Count = POINTS, seed: Seed = 0) -> Texture:
    """Return a polycrystal without texture, of many orientations (Shoemake's map of the sequence)."""
    u = _sequence(points, 3, seed)
    first, second = 2.0 * np.pi * u[:, 1], 2.0 * np.pi * u[:, 2]
    short, long = np.sqrt(1.0 - u[:, 0]), np.sqrt(u[:, 0])
    q = np.stack([short * np.sin(first), short * np.cos(first), long * np.sin(second), long * np.cos(second)])
    return Texture.of(Rotation.from_quat(q.T).as_matrix(), made="no texture")


@checked
def fibre(
    spread: float,
    sample_axis: ArrayLike = Z,
    crystal_axis: ArrayLike = Z,
    *,
    points: Count = POINTS,
    seed: Seed = 0,
) -> Texture:
    """Return a fibre: a crystal axis gathers about one of the sample, crystals are turned about it at will.

    The tilt of the crystal axis has two normally distributed components of the same standard deviation.

    Args:
        spread: That standard deviation, degrees.
        sample_axis: Direction in the sample, shape (3,).
        crystal_axis: Direction in the crystal, shape (3,).
        points: Number of orientations.
        seed: Of the shift of the sequence.

    Raises:
        InputError: A direction is zero, or the spread is out of range.
    """
    return _about((spread, spread), sample_axis, crystal_axis, points, seed, f"fibre of {spread:g} degrees")


@checked
def rolled(rolling: float, transverse: float, *, points: Count = POINTS, seed: Seed = 0) -> Texture:
    """Return a rolled sheet: c axes about the normal z; the sheet was rolled along x.

    Args:
        rolling: Standard deviation of the tilt of c from the normal towards the rolling direction, degrees.
        transverse: That towards the transverse direction y, degrees.
        points: Number of orientations.
        seed: Of the shift of the sequence.

    Raises:
        InputError: A spread is out of range.
    """
    made = f"rolled, {rolling:g} degrees to RD, {transverse:g} to TD"
    return _about((rolling, transverse), Z, Z, points, seed, made)


@checked
def extruded(spread: float, *, points: Count = POINTS, seed: Seed = 0) -> Texture:
    """Return a rod of a hexagonal metal extruded along z: normals of (10-10) about z, so c axes across it.

    Args:
        spread: Standard deviation of each component of their tilt, degrees.
        points: Number of orientations.
        seed: Of the shift of the sequence.

    Raises:
        InputError: The spread is out of range.
    """
    return _about((spread, spread), Z, PRISM, points, seed, f"extruded, {spread:g} degrees")


def _about(
    spreads: tuple[float, float],
    sample_axis: ArrayLike,
    crystal_axis: ArrayLike,
    points: int,
    seed: int,
    made: str,
) -> Texture:
    """Return crystals whose axis is tilted from one of the sample, by normally distributed angles."""
    for value in spreads:
        check({"spread": value}, {"spread": Range(0.0, LARGEST_SPREAD, unit="degrees")})
    if 0.0 < max(spreads) < LIKELY_SPREAD:
        warnings.warn(f"{made}: expected degrees, and these are hardly more than one crystal", stacklevel=4)
    s, h = _unit("sample_axis", sample_axis), _unit("crystal_axis", crystal_axis)
    u = _sequence(points, 3, seed)
    radius = np.sqrt(-2.0 * np.log1p(-u[:, 0]))  # Box and Muller
    tilt = (
        radius
        * np.stack([np.cos(2.0 * np.pi * u[:, 1]), np.sin(2.0 * np.pi * u[:, 1])])
        * np.radians(np.array(spreads))[:, None]
    )
    frame = _frame(s)  # two axes across s, the first for the first spread
    across = tilt[0, :, None] * frame[:, 0] + tilt[1, :, None] * frame[:, 1]
    tilted = Rotation.from_rotvec(np.cross(s, across))
    gathered = Rotation.from_matrix(frame @ _frame(h).T)
    turned = Rotation.from_rotvec(2.0 * np.pi * u[:, 2:] * h)
    return Texture.of((tilted * gathered * turned).as_matrix(), made=made)


def _frame(axis: FloatArray) -> FloatArray:
    """A right-handed frame (3, 3) whose last column is an axis; about z that of the sample."""
    first = np.eye(3)[0 if abs(axis[0]) < 0.9 else 1]
    x = first - (first @ axis) * axis
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(axis, x), axis], axis=-1)


def _unit(name: str, axis: ArrayLike) -> FloatArray:
    v = numbers_in(name, axis)
    if v.shape != (3,) or not np.isfinite(v).all() or not np.linalg.norm(v) > 0.0:
        raise InputError(f"{name} = {v.tolist()}, expected a direction of three numbers that is not zero")
    return np.asarray(v / np.linalg.norm(v))


def _sequence(points: int, dimension: int, seed: int) -> FloatArray:
    """Points (points, dimension) in the unit cube: the additive sequence of Roberts (2018), shifted."""
    ratio = 2.0
    for _ in range(64):  # its generalised golden ratio, the root of x^(d + 1) = x + 1
        ratio = (1.0 + ratio) ** (1.0 / (dimension + 1))
    steps = ratio ** -np.arange(1.0, dimension + 1.0)
    shift = np.random.default_rng(seed).random(dimension)
    return np.asarray((shift + np.arange(points)[:, None] * steps) % 1.0)
