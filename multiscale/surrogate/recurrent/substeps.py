"""Long steps cut into short ones, for the recurrent surrogate.

Within a step U is linear between samples, as it is for every law here. Cut to a small strain, a step looks
the same whatever the sampling: the surrogate learns one flow rule, not its average over steps of any size.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from microscale.tensors import FloatArray
from multiscale.surrogate.recurrent.architecture import (
    LARGEST_STEP,
    LONGEST_UNDER_STRESS,
    MOST_PARTS,
    STRAIN_AS_TIME,
    STRAIN_SCALE,
)
from multiscale.surrogate.recurrent.increments import TINY, increments, unimodular


class CutPaths(NamedTuple):
    """Paths in short steps; shorter paths end with steps of zero size and time, which change nothing.

    Attributes:
        stretch: Isochoric stretch, shape (paths, parts + 1, 3, 3).
        dt: Shape (paths, parts), us.
        ends: Which part ends at which sample but the first, shape (paths, samples - 1).
    """

    stretch: FloatArray
    dt: FloatArray
    ends: NDArray[np.int64]


def cut(
    times: FloatArray,
    stretch: FloatArray,
    largest: FloatArray | float = LARGEST_STEP,
    strain: FloatArray | None = None,
) -> CutPaths:
    """Cut the steps of paths.

    Args:
        times: Times of the samples, us, shape (paths, samples).
        stretch: Right stretch U, shape (paths, samples, 3, 3).
        largest: Longest step, for all or of each path.
        strain: Norm of the elastic strain at the samples over the strain scale, shape (paths, samples), to
            cut by the time under stress too; its longest is in proportion to the longest step.
    """
    isochoric = unimodular(torch.from_numpy(stretch)).numpy()
    steps = np.diff(times, axis=1)
    size = increments(torch.from_numpy(isochoric).transpose(0, 1), torch.from_numpy(steps).mT).size
    sizes = STRAIN_SCALE * size[..., 0].mT.double().numpy()
    limit = np.broadcast_to(largest, len(times))[:, None]
    passed = sizes / limit
    if strain is not None:
        longest = LONGEST_UNDER_STRESS * limit / LARGEST_STEP
        time = steps * strain[:, :-1]
        share = time / (time + sizes * (STRAIN_AS_TIME / STRAIN_SCALE) + TINY)
        passed = np.maximum(passed, time * strain[:, :-1] ** 2 / longest * share)
    parts = np.clip(np.ceil(passed), 1, MOST_PARTS).astype(np.int64)
    after = np.cumsum(parts, axis=1)

    part = np.arange(after[:, -1].max())
    step = np.minimum((after[:, None, :] <= part[:, None]).sum(axis=2), steps.shape[1] - 1)
    path = np.arange(len(times))[:, None]
    share = np.minimum((part - (after - parts)[path, step] + 1) / parts[path, step], 1.0)[..., None, None]
    moved = (1.0 - share) * isochoric[path, step] + share * isochoric[path, step + 1]
    dt = np.where(part < after[:, -1:], (steps / parts)[path, step], 0.0)
    return CutPaths(np.concatenate([isochoric[:, :1], moved], axis=1), dt, after - 1)
