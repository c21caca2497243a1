"""Grains in the voxels of a periodic unit cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from microscale.crystals.orientations import check_grains, planar_orientations, random_orientations
from microscale.errors import InputError
from microscale.inputs.memory import require_memory
from microscale.inputs.numbers import Count, Seed, checked
from microscale.tensors import FloatArray

BYTES_A_VOXEL = 150
"""While voxels look for their grains, at least."""


@dataclass(frozen=True)
class Microstructure:
    """Grains in the voxels of a periodic unit cell.

    Attributes:
        grain: Number of the grain at each voxel, shape (n1, n2) or (n1, n2, n3).
        orientations: Crystal axes as columns in the sample frame, shape (grains, 3, 3).
    """

    grain: NDArray[np.int64]
    orientations: FloatArray

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along each axis."""
        return self.grain.shape

    @property
    def weights(self) -> FloatArray:
        """Volume fraction of each grain, shape (grains,)."""
        return np.bincount(self.grain.ravel(), minlength=len(self.orientations)) / self.grain.size

    def voxel_orientations(self) -> FloatArray:
        """Return the orientation of each voxel, shape (voxels, 3, 3)."""
        return self.orientations[self.grain.ravel()]

    def oriented(self, orientations: FloatArray) -> Microstructure:
        """Return the same grains with other orientations, shape (grains, 3, 3)."""
        if orientations.shape != self.orientations.shape:
            raise InputError(
                f"orientations have shape {orientations.shape}, expected {self.orientations.shape}"
            )
        return Microstructure(self.grain, orientations)

    def refined(self, parts: int) -> Microstructure:
        """Return the same grains, to the voxel, with every voxel cut into equal ``parts`` along each axis."""
        grain = self.grain
        for axis in range(grain.ndim):
            grain = np.repeat(grain, parts, axis)
        return Microstructure(grain, self.orientations)

    def shifted(self, *voxels: int) -> Microstructure:
        """Return the same material seen through a cell moved by whole voxels along each axis."""
        return Microstructure(
            np.roll(self.grain, voxels, axis=tuple(range(self.grain.ndim))), self.orientations
        )


@checked
def periodic_voronoi(grains: Count, shape: tuple[Count, ...], seed: Seed = 0) -> Microstructure:
    """Return randomly oriented Voronoi grains of uniform random centres in a periodic unit cell.

    Centres and orientations depend on ``seed`` and not on ``shape``: another resolution shows the same
    grains, though a coarse grid may miss a small one.

    Args:
        grains: Number of grains.
        shape: Voxels along each axis; with two axes, crystals are turned about the third.
        seed: Seed of centres and orientations.

    Raises:
        InputError: A number has no meaning.
    """
    check_grains(grains)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise InputError(f"shape = {shape} voxels, expected two or three positive numbers")
    require_memory(BYTES_A_VOXEL * math.prod(shape), resolution=max(shape))
    generator = np.random.default_rng(seed)
    centres = cKDTree(generator.random((grains, len(shape))), boxsize=1.0)
    middles: Any = np.meshgrid(*[(np.arange(n) + 0.5) / n for n in shape], indexing="ij")
    grain = centres.query(np.stack(middles, axis=-1))[1].astype(np.int64)
    orient = planar_orientations if len(shape) == 2 else random_orientations
    return Microstructure(grain, orient(grains, generator))
