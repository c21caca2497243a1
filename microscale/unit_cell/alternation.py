"""How much of a periodic field alternates from voxel to voxel: ringing, hourglasses, checkerboards."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from microscale.tensors import FloatArray


def nyquist_variation(field: FloatArray, where: NDArray[np.bool_] | None = None) -> float:
    """Return how much of the variation of a periodic field alternates from voxel to voxel.

    The norm of (f[i-1] - 2 f[i] + f[i+1]) / 4 along the axes, which passes a wave of two voxels whole and a
    smooth one hardly, over that of the field less its mean.

    Args:
        field: Shape (n1, n2) or (n1, n2, n3).
        where: Voxels at which to look, of the same shape; for instance those not beside a grain boundary,
            where the true field jumps. All by default.
    """
    variation = field - field.mean()
    alternating = sum(
        (2.0 * variation - np.roll(variation, 1, axis) - np.roll(variation, -1, axis)) ** 2 / 16.0
        for axis in range(field.ndim)
    )
    chosen = np.asarray(alternating) if where is None else np.asarray(alternating)[where]
    return float(np.sqrt(chosen.sum() / field.ndim / (variation**2).sum()))


def checkerboard_power(field: FloatArray) -> float:
    """Return the power of a periodic field at the shortest wavelengths along all axes, over its mean power.

    Of the last quarter of frequencies along each axis: 1 where no wavelength stands out (white noise),
    nearly 4^axes for a checkerboard on a fine grid, near 0 for a smooth field.

    Args:
        field: Shape (n1, n2) or (n1, n2, n3), not constant.
    """
    return _corner_power(field - field.mean())


def checkerboard_windows(field: FloatArray, size: int = 16) -> FloatArray:
    """Return :func:`checkerboard_power` of a periodic field in windows, which patches cannot hide from.

    Windows overlap by half and fade to their edges (Hann). One in which the field is smooth but for the steps
    of a grain boundary has some too: compare with the same grains of a crystal that does not lock.

    Args:
        field: Shape (n1, n2) or (n1, n2, n3), multiples of ``size``; in no window constant.
        size: Voxels along a side of a window, even.

    Returns:
        Shape (windows,).
    """
    fade = np.hanning(size + 2)[1:-1]
    fades = np.prod(np.meshgrid(*[fade] * field.ndim, indexing="ij"), axis=0)
    powers = []
    for first in itertools.product(*(range(0, n, size // 2) for n in field.shape)):
        places = [np.arange(start, start + size) % n for start, n in zip(first, field.shape, strict=True)]
        window = field[np.ix_(*places)]
        powers.append(_corner_power((window - window.mean()) * fades))
    return np.array(powers)


def _corner_power(field: FloatArray) -> float:
    power = np.abs(np.fft.fftn(field)) ** 2
    corner = np.ix_(*(np.abs(np.fft.fftfreq(n)) >= 0.375 for n in field.shape))
    return float(power[corner].mean() / power.mean())


def at_corners(field: FloatArray, axes: Iterable[int]) -> FloatArray:
    """Return the means of a periodic field over the voxels around each corner, the last one of each voxel.

    A stress that alternates from voxel to voxel along two axes makes no force in the ``rotated`` and the
    ``stabilised`` scheme: equilibrium does not determine it. These means are without it.

    Args:
        field: Values in the middles of voxels; other axes are components.
        axes: Those of the grid.
    """
    for axis in axes:
        field = 0.5 * (field + np.roll(field, -1, axis))
    return field
