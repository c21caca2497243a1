"""Stretch and stress histories in memory, and the errors by which surrogates are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from microscale.crystals.texture.moments import turned_numbers
from microscale.tensors import FloatArray, deviator


@dataclass(frozen=True)
class Histories:
    """Paths with as many samples each; a path may end earlier, and repeat its last sample in no time.

    Attributes:
        times: Times of the samples, us, shape (paths, samples).
        stretch: Right stretch U, shape (paths, samples, 3, 3), dimensionless.
        stress: Cauchy stress, shape (paths, samples, 3, 3), GPa.
        texture: Harmonic coefficients of the polycrystal of each path, shape (paths, 27); None where they are
            not known. See :mod:`microscale.crystals.texture.moments`.
    """

    times: FloatArray
    stretch: FloatArray
    stress: FloatArray
    texture: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, paths: Any) -> Histories:
        """Return some of the paths."""
        texture = None if self.texture is None else self.texture[paths]
        return Histories(self.times[paths], self.stretch[paths], self.stress[paths], texture)

    @property
    def in_plane(self) -> Histories:
        """What happens in the plane of the first two axes: tensors (2, 2)."""
        return Histories(self.times, self.stretch[..., :2, :2], self.stress[..., :2, :2])

    def turned(self, Q: FloatArray) -> Histories:
        """Return the paths turned by a rotation Q (3, 3), and their textures with them: so is the stress.

        Where no texture is known the material must be isotropic.
        """
        texture = None if self.texture is None else turned_numbers(self.texture, Q)
        return Histories(self.times, Q @ self.stretch @ Q.T, Q @ self.stress @ Q.T, texture)

    def thinned(self, stride: int) -> Histories:
        """Return every ``stride``-th sample."""
        kept = slice(None), slice(None, None, stride)
        return Histories(self.times[kept], self.stretch[kept], self.stress[kept], self.texture)

    def along(self, times: FloatArray, stretch: FloatArray) -> Histories:
        """Return other paths of the same polycrystals, of which no stress is known."""
        return Histories(times, stretch, np.full_like(stretch, np.nan), self.texture)

    def refined(self, parts: int) -> tuple[FloatArray, FloatArray]:
        """Return times and stretches of the same paths with every step cut into equal ``parts``."""
        return refined(self.times, parts), refined(self.stretch, parts)


def joined(histories: list[Histories]) -> Histories:
    """Return the paths of all. Those with fewer samples repeat the last one: they stand still, in no time.

    Textures are known where they are of all.
    """
    samples = max(h.times.shape[1] for h in histories)
    times, stretch, stress = (
        np.concatenate([_prolonged(getattr(h, name), samples) for h in histories])
        for name in ("times", "stretch", "stress")
    )
    textures = [h.texture for h in histories if h.texture is not None]
    known = len(textures) == len(histories)
    return Histories(times, stretch, stress, np.concatenate(textures) if known else None)


def _prolonged(array: FloatArray, samples: int) -> FloatArray:
    """Repeat the last sample of (paths, samples, ...) up to a number of samples."""
    return np.concatenate([array, np.repeat(array[:, -1:], samples - array.shape[1], axis=1)], axis=1)


def refined(array: FloatArray, parts: int) -> FloatArray:
    """Interpolate samples (paths, samples, ...) linearly at ``parts`` points a step."""
    fractions = (np.arange(parts) / parts).reshape(1, 1, -1, *(1,) * (array.ndim - 2))
    start, end = array[:, :-1, None], array[:, 1:, None]
    inner = (start + fractions * (end - start)).reshape(len(array), -1, *array.shape[2:])
    return np.concatenate([inner, array[:, -1:]], axis=1)


@dataclass(frozen=True)
class RelativeErrors:
    """Relative L2 errors of stress histories, one a path.

    Attributes:
        total: Of the Cauchy stress, as in the paper.
        deviatoric: Of its deviator: strength, which the pressure hides in the former.
    """

    total: FloatArray
    deviatoric: FloatArray


def relative_errors(predicted: FloatArray, exact: FloatArray, times: FloatArray) -> RelativeErrors:
    """Return the L2 norms over time of the errors over those of the exact histories.

    Args:
        predicted: Cauchy stress, shape (paths, samples, 3, 3).
        exact: The same of the reference.
        times: Times of the samples, us, shape (paths, samples).
    """
    return RelativeErrors(
        _relative_norm(predicted - exact, exact, times),
        _relative_norm(deviator(predicted - exact), deviator(exact), times),
    )


def best_factor(predicted: FloatArray, exact: FloatArray, times: FloatArray) -> float:
    """Return the one factor on all predicted deviators that leaves the least squared relative error.

    What is left of the error of a model after it is the rival of whatever else would better the model.

    Args:
        predicted: Cauchy stress, shape (paths, samples, 3, 3).
        exact: The same of the reference.
        times: Times of the samples, us, shape (paths, samples).
    """
    mine, other = deviator(predicted), deviator(exact)
    both, own, size = (
        np.trapezoid((a * b).sum(axis=(2, 3)), times, axis=1)
        for a, b in ((mine, other), (mine, mine), (other, other))
    )
    return float((both / size).sum() / (own / size).sum())


def _relative_norm(error: FloatArray, exact: FloatArray, times: FloatArray) -> FloatArray:
    squares = (np.trapezoid((array**2).sum(axis=(2, 3)), times, axis=1) for array in (error, exact))
    numerator, denominator = squares
    return np.asarray(np.sqrt(numerator / denominator))
