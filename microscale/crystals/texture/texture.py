"""A texture: orientations of crystals, and the share of the volume that each has."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microscale.crystals.single_crystal import check_orientations
from microscale.crystals.texture.euler import written_bunge
from microscale.errors import InputError
from microscale.inputs.numbers import numbers_in
from microscale.tensors import FloatArray


@dataclass(frozen=True, eq=False)
class Texture:
    """Orientations with weights.

    Attributes:
        orientations: Crystal axes as columns in the sample frame, shape (n, 3, 3).
        weights: Shares of the volume, shape (n,), positive, adding up to one.
        made: What made it, in words.
    """

    orientations: FloatArray
    weights: FloatArray
    made: str = ""

    @classmethod
    def of(cls, orientations: ArrayLike, weights: ArrayLike | None = None, made: str = "") -> Texture:
        """Return a texture of orientations and shares, equal by default; those without volume are left out.

        Args:
            orientations: Rotations, shape (n, 3, 3).
            weights: Shares of any sum, shape (n,).
            made: What made it.

        Raises:
            InputError: An orientation is not a rotation, or the weights cannot be shares.
        """
        Q = check_orientations(numbers_in("orientations", orientations))
        shares = np.ones(len(Q)) if weights is None else numbers_in("weights", weights)
        if shares.shape != (len(Q),):
            raise InputError(f"weights have shape {shares.shape}, expected one for each of {len(Q)} crystals")
        if not (np.isfinite(shares) & (shares >= 0.0)).all() or not shares.sum() > 0.0:
            raise InputError(
                f"weights from {shares.min():.4g} to {shares.max():.4g}, expected shares of the volume: not "
                "negative, and not all zero"
            )
        kept = shares > 0.0
        return cls(np.ascontiguousarray(Q[kept]), shares[kept] / shares.sum(), made)

    def __len__(self) -> int:
        return len(self.orientations)

    def turned(self, rotation: FloatArray) -> Texture:
        """Return the texture of the body after it was turned: rotation (3, 3), from left on every crystal."""
        return Texture.of(rotation @ self.orientations, self.weights, self.made)

    def record(self) -> dict[str, Any]:
        """Return it whole as plain values: Bunge angles (degrees), weights where they differ, and a hash."""
        entry: dict[str, Any] = {
            "made": self.made,
            "sha256": self.digest(),
            "bunge_degrees": written_bunge(self.orientations).tolist(),
        }
        if np.ptp(self.weights) > 1e-12:
            entry["weights"] = self.weights.tolist()
        return entry

    def digest(self) -> str:
        """Return the SHA-256 of orientations and weights, to nine digits: the last ones are a machine's."""
        values = np.concatenate([self.orientations.ravel(), self.weights]).round(9) + 0.0
        return hashlib.sha256(values.astype("<f8").tobytes()).hexdigest()


def mixture(parts: Sequence[tuple[Texture, float]], made: str = "") -> Texture:
    """Return textures together, each with its share of the volume.

    Raises:
        InputError: There is none, or a share is not positive.
    """
    if not parts or not all(np.isfinite(share) and share > 0.0 for _, share in parts):
        raise InputError(f"shares {[share for _, share in parts]} of a mixture, expected positive numbers")
    Q = np.concatenate([texture.orientations for texture, _ in parts])
    weights = np.concatenate([share * texture.weights for texture, share in parts])
    return Texture.of(Q, weights, made or " + ".join(f"{s:g} of {t.made}" for t, s in parts))
