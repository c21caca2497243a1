"""The slow side of a training range: slowest flow, longest hold and smallest cycle of the training paths."""

from __future__ import annotations

import numpy as np

from microscale.paths.flow_clocks import CLOCKS, LONGEST, FlowClocks
from microscale.tensors import FloatArray, deviator
from multiscale.surrogate.histories import Histories

COVERED = 0.999
"""Share of the training samples inside the range, as of its other limits."""
PARTS = 8
"""Parts a step of the data is cut into: steps of large strain are longer than the elastic range is wide."""
COMPONENTS = ((0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1))


def elastic_limit(histories: Histories, shear_modulus: float) -> float:
    """Return the lower quartile of the norm of the elastic strain J dev(sigma) / 2 G: most samples flow.

    Above it are what is hardened and what is fast, below it what is unloaded or has not flowed yet.

    Args:
        histories: Paths with their stress.
        shear_modulus: G, GPa.
    """
    J = np.linalg.det(histories.stretch)
    strain = J[..., None, None] * deviator(histories.stress) / (2.0 * shear_modulus)
    return float(np.quantile(np.linalg.norm(strain, axis=(2, 3)), 0.25))


def far_side(histories: Histories, limit: float) -> dict[str, float]:
    """Return slowest rate, longest hold and smallest cycle of all but a few samples, and the elastic limit.

    Args:
        histories: Paths; their stress is not looked at.
        limit: Elastic limit, as the norm of a deviatoric strain.
    """
    shown = np.concatenate([_shown(histories[k : k + 2048], limit) for k in range(0, len(histories), 2048)])
    flowing, resting, path = np.quantile(shown, COVERED, axis=0)
    # No path may flow, or none turn: then what is known ends where flow, or rest, begins.
    window = 2.0 * limit
    return {
        "elastic_limit": limit,
        "slowest_rate": window / max(float(flowing), TINY),
        "longest_hold": max(float(resting), TINY),
        "smallest_cycle": window**2 / max(float(path), window),
    }


TINY = 1e-9
"""Time, us, where none is known."""


def _shown(histories: Histories, limit: float) -> FloatArray:
    """Return what the clocks show at most between samples, of all paths, shape (steps, LONGEST)."""
    times, stretch = histories.refined(PARTS)
    packed = np.ascontiguousarray(np.moveaxis(stretch[..., COMPONENTS[0], COMPONENTS[1]], 1, 0))
    steps = np.ascontiguousarray(np.diff(times, axis=1).T)
    clocks, watch = np.zeros((len(times), CLOCKS)), FlowClocks(limit)
    shown = np.empty((len(steps), len(times), LONGEST))
    for k, dt in enumerate(steps):
        watch.advance(packed[k], packed[k + 1], dt, clocks, shown[k])
    in_steps = shown.reshape(-1, PARTS, len(times), LONGEST).max(axis=1)
    return in_steps[steps[::PARTS] > 0.0]  # shorter paths repeat their last sample, in no time
