"""Taylor polycrystals of the same grains with other shares of the volume, driven at once along a path."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import Crystal
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.texture.euler import from_bunge, written_bunge
from microscale.crystals.texture.sources import everywhere
from microscale.crystals.texture.texture import Texture
from microscale.tensors import FloatArray, cauchy_from_piola


class SharedGrains:
    """Polycrystals of the same grains.

    Args:
        crystal: Parameters.
        orientations: Crystal axes as columns, shape (grains, 3, 3).
        weights: Shares of the volume, shape (polycrystals, grains).
    """

    worth_batching = False
    """Grains are the batch."""

    def __init__(self, crystal: Crystal, orientations: FloatArray, weights: FloatArray) -> None:
        self.crystal, self.orientations, self.weights = crystal, orientations, weights

    @property
    def textures(self) -> list[Texture]:
        """The grains with the shares of each polycrystal."""
        return [Texture(self.orientations, shares, "shared grains") for shares in self.weights]

    def histories(self, times: FloatArray, F: FloatArray) -> FloatArray:
        """Drive the grains from rest; return Cauchy stress (paths, polycrystals, samples, 3, 3), GPa.

        Args:
            times: Times of the samples, us, shape (paths, samples).
            F: Deformation gradient, shape (paths, samples, 3, 3).
        """
        return np.stack([self._history(t, path) for t, path in zip(times, F, strict=True)])

    def _history(self, times: FloatArray, F: FloatArray) -> FloatArray:
        law, grains = SingleCrystal(crystal=self.crystal), len(self.orientations)
        state, P = law.init_state(grains), np.zeros((grains, 3, 3))
        state["orientation"][:] = self.orientations
        mean = np.zeros((len(self.weights), len(times), 9))
        everywhere_alike = np.empty((grains, 3, 3))
        for n, dt in enumerate(np.diff(times), start=1):
            everywhere_alike[:] = F[n]
            law.update(everywhere_alike, float(dt), state, P)
            mean[:, n] = self.weights @ P.reshape(grains, 9)
        return cauchy_from_piola(mean.reshape(*mean.shape[:2], 3, 3), F)


def evenly_turned(grains: int, generator: np.random.Generator) -> FloatArray:
    """Return orientations (grains, 3, 3), evenly spread and turned at will; their written angles are they."""
    spread = everywhere(points=grains, seed=int(generator.integers(2**31))).orientations
    turned = Rotation.random(rng=generator).as_matrix() @ spread
    return from_bunge(written_bunge(turned))


def nearest_volumes(orientations: FloatArray, textures: Sequence[Texture], group: Rotation) -> FloatArray:
    """Return the share of each texture that is nearest to each grain, shape (textures, grains).

    Args:
        orientations: Of the grains, shape (grains, 3, 3).
        textures: As many orientations as describe them.
        group: Rotations of the crystal's symmetry.
    """
    equivalent = np.einsum("nij,hjk->hnik", orientations, group.as_matrix()).reshape(-1, 3, 3)
    q = Rotation.from_matrix(equivalent).as_quat()
    tree = cKDTree(np.concatenate([q, -q]))  # both stand for one rotation
    shares = np.empty((len(textures), len(orientations)))
    for row, texture in zip(shares, textures, strict=True):
        _, nearest = tree.query(Rotation.from_matrix(texture.orientations).as_quat())
        row[:] = np.bincount(nearest % len(orientations), texture.weights, len(orientations))
    return shares / shares.sum(axis=1, keepdims=True)
