"""Spheres and fibres in a periodic unit cell: pores, particles, reinforcements.

All are segments with a radius: a sphere has the length zero, and a fibre that goes through the whole cell is
a point of its cross-section. They are dropped at random, and those that must not overlap then push one
another apart. Positions depend on the seed and not on the grid. A voxel is of an inclusion if its middle is
near enough to one, and the limit is such that the grid has the volume fraction asked for, to half a voxel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.inputs.memory import require_memory
from microscale.inputs.numbers import Count, Fraction, Seed, checked
from microscale.tensors import FloatArray

Axis = Literal[1, 2, 3]
GAP = 1.02
"""Distance over the diameter, at which inclusions do not touch; less counts as touching."""
PUSHES = 20_000
"""Rounds in which inclusions may push one another apart."""
BYTES_A_VOXEL = 40


@dataclass(frozen=True)
class Inclusions:
    """Equal inclusions in a periodic cell of side one.

    Attributes:
        centres: Shape (count, axes), two of the cross-section or three.
        directions: Unit vectors along them, same shape; zero for spheres and for what fills an axis.
        length: Of the segment, in sides of the cell: that of the inclusion less two radii.
        fraction: Their volume fraction.
        across: Axis that they fill from end to end, 1 to 3; None if there is none.
    """

    centres: FloatArray
    directions: FloatArray
    length: float
    fraction: float
    across: Axis | None = None

    @checked
    def voxels(self, shape: tuple[Count, ...]) -> NDArray[np.int64]:
        """Return 1 in the voxels of inclusions and 0 elsewhere.

        Args:
            shape: Voxels along each axis, as many axes as the inclusions; three if they fill one.

        Raises:
            InputError: The number of axes does not fit, or no voxel, or every one, would be an inclusion.
        """
        axes = self.centres.shape[1] + (self.across is not None)
        if len(shape) != axes:
            raise InputError(f"shape = {shape} voxels, expected {axes} numbers")
        require_memory(BYTES_A_VOXEL * math.prod(shape), resolution=max(shape))
        seen = tuple(n for axis, n in enumerate(shape, start=1) if axis != self.across)
        distance = _distances(self.centres, self.directions, self.length, np.array((*seen, 1)[:3]))
        count = round(self.fraction * distance.size)
        if not 0 < count < distance.size:
            raise InputError(
                f"fraction = {self.fraction:g} is {count} of {distance.size} voxels: give a finer resolution"
            )
        label = np.zeros(distance.size, dtype=np.int64)
        label[np.argsort(distance, kind="stable")[:count]] = 1
        label = label.reshape(seen)
        if self.across is None:
            return label
        along = np.expand_dims(label, self.across - 1)
        return np.ascontiguousarray(np.broadcast_to(along, shape))


@checked
def spheres(
    fraction: Fraction, count: Count = 1, seed: Seed = 0, overlapping: bool = False, dimension: Count = 3
) -> Inclusions:
    """Return equal spheres at random places; discs in a cell of two dimensions.

    Args:
        fraction: Their volume fraction.
        count: How many there are in a cell.
        seed: Seed of the places.
        overlapping: Whether they may overlap; else they have at least 2 % of their diameter between them.
        dimension: Of the cell, 2 or 3.

    Raises:
        InputError: They do not fit in.
    """
    if dimension not in (2, 3):
        raise InputError(f"dimension = {dimension}, expected 2 or 3")
    at_rest = np.zeros((count, dimension))
    return _placed(at_rest, 0.0, fraction, seed, overlapping, None)


@checked
def fibres(
    fraction: Fraction,
    count: Count = 1,
    seed: Seed = 0,
    axis: Axis | None = None,
    length: float | None = None,
    overlapping: bool = False,
) -> Inclusions:
    """Return equal round fibres at random places of a solid cell: through it, or short ones with round ends.

    Args:
        fraction: Their volume fraction.
        count: How many there are in a cell.
        seed: Seed of places and directions.
        axis: Axis along which they are aligned, 1 to 3; by default they have random directions.
        length: Of the axis of a short fibre between the middles of its ends, in sides of the cell; without
            it they go through the cell, and need an axis.
        overlapping: Whether they may overlap.

    Raises:
        InputError: They do not fit in, or have neither an axis nor a length.
    """
    if length is None:
        if axis is None:
            raise InputError("fibres through the cell need an axis, 1 to 3; random ones need a length")
        return _placed(np.zeros((count, 2)), 0.0, fraction, seed, overlapping, axis)
    if not 0.0 < length <= 1.0:
        raise InputError(f"length = {length} of a fibre, expected a number above 0, at most 1")
    if axis is None:
        directions = np.random.default_rng((seed, 1)).standard_normal((count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    else:
        directions = np.tile(np.eye(3)[axis - 1], (count, 1))
    return _placed(directions, length, fraction, seed, overlapping, None)


def _placed(
    directions: FloatArray, length: float, fraction: float, seed: int, overlapping: bool, across: Axis | None
) -> Inclusions:
    centres = np.random.default_rng(seed).random(directions.shape)
    if not overlapping:
        radius = _radius(fraction / len(centres), length, centres.shape[1])
        apart = _push_apart(centres, directions, length, 2.0 * GAP * radius, PUSHES)
        if not apart:
            raise InputError(
                f"fraction = {fraction:g} of {len(centres)} inclusions that do not overlap: no place was "
                "found for all; give a smaller fraction, shorter fibres, or let them overlap"
            )
    return Inclusions(centres, directions, length, fraction, across)


def _radius(volume: float, length: float, dimension: int) -> float:
    """Radius of an inclusion of a volume: a disc in two dimensions, a rod with round ends in three."""
    if dimension == 2:
        return math.sqrt(volume / math.pi)
    roots = np.roots([4.0 / 3.0 * math.pi, math.pi * length, 0.0, -volume])
    return float(max(root.real for root in roots if abs(root.imag) < 1e-12))


@njit(cache=True)
def _push_apart(
    centres: FloatArray, directions: FloatArray, length: float, distance: float, rounds: int
) -> bool:
    """Move segments until none is nearer to another one, or to an image, than ``distance``; tell whether."""
    n, axes = centres.shape
    images = 3**axes
    gap = np.empty(axes)
    for _ in range(rounds):
        moved = False
        for a in range(n):
            for b in range(a + 1):
                for image in range(images):
                    if a == b and image == images // 2:
                        continue
                    shift = image
                    for i in range(axes):
                        d = centres[b, i] - centres[a, i]
                        gap[i] = d - np.floor(d + 0.5) + (shift % 3) - 1
                        shift //= 3
                    near = _nearest(gap, directions[a], directions[b], length)
                    if near < distance:
                        if a == b:
                            return False  # it overlaps its own image: moving it does not help
                        moved = True
                        for i in range(axes):
                            part = 0.5 * (1.001 * distance - near) * gap[i] / max(near, 1e-12)
                            centres[a, i] = (centres[a, i] - part) % 1.0
                            centres[b, i] = (centres[b, i] + part) % 1.0
        if not moved:
            return True
    return False


@njit(cache=True)
def _nearest(gap: FloatArray, u: FloatArray, v: FloatArray, length: float) -> float:
    """Distance of two segments, middles ``gap`` apart (Ericson 2005, 5.1.9); gap becomes its vector."""
    if length == 0.0:
        return float(np.sqrt((gap**2).sum()))
    half, uv, ug, vg = 0.5 * length, (u * v).sum(), (u * gap).sum(), (v * gap).sum()
    square = 1.0 - uv * uv
    s = 0.0 if square < 1e-9 else (ug - uv * vg) / square
    s = min(max(s, -half), half)
    t = min(max(uv * s - vg, -half), half)
    s = min(max(uv * t + ug, -half), half)
    for i in range(len(gap)):
        gap[i] += t * v[i] - s * u[i]
    return float(np.sqrt((gap**2).sum()))


@njit(cache=True)
def _distances(
    centres: FloatArray, directions: FloatArray, length: float, shape: NDArray[np.int64]
) -> FloatArray:
    """Distance of the middle of each voxel from the nearest segment or its image, shape (voxels,)."""
    axes = centres.shape[1]
    reach = 1 if length > 0.0 else 0
    found = np.empty(shape.prod())
    place, gap = np.empty(3), np.empty(3)
    for voxel in range(len(found)):
        rest = voxel
        for i in range(axes - 1, -1, -1):
            place[i] = (rest % shape[i] + 0.5) / shape[i]
            rest //= shape[i]
        least = np.inf
        for b in range(len(centres)):
            for image in range((2 * reach + 1) ** axes):
                shift, along, square = image, 0.0, 0.0
                for i in range(axes):
                    d = place[i] - centres[b, i]
                    gap[i] = d - np.floor(d + 0.5) + shift % (2 * reach + 1) - reach
                    shift //= 2 * reach + 1
                    along += gap[i] * directions[b, i]
                along = min(max(along, -0.5 * length), 0.5 * length)
                for i in range(axes):
                    square += (gap[i] - along * directions[b, i]) ** 2
                least = min(least, square)
        found[voxel] = np.sqrt(least)
    return found
