"""Checks of a surrogate besides its error: causality, frame indifference, isotropy, rest, cost."""

from __future__ import annotations

import time

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.law import ConstitutiveLaw, drive
from microscale.tensors import FloatArray
from multiscale.surrogate.evaluate import CHECKED_PATHS, Predict, followed
from multiscale.surrogate.histories import Histories
from multiscale.surrogate.kinds import at_rest

TIMED_POINTS, TIMED_STEPS = 3000, 20
ROTATIONS = 12


def influence_of_the_future(predict: Predict, data: Histories) -> float:
    """Return how much the stress up to half time changes with what comes after; zero if not by a bit.

    The change is measured as errors are: the mean over paths of its L2 norm over that of the stress.
    """
    part = data[:CHECKED_PATHS]
    half = part.times.shape[1] // 2
    changed = part.stretch.copy()
    changed[:, half:] = changed[:, half - 1 : half]
    before = followed(predict, part)[:, :half]
    change = followed(predict, part.along(part.times, changed))[:, :half] - before
    norms = [np.sqrt((array**2).sum(axis=(1, 2, 3))) for array in (change, before)]
    return float((norms[0] / norms[1]).mean())


def stress_at_rest(predict: Predict, data: Histories) -> float:
    """Return the largest stress of a body at rest over the root mean square of the data's stress."""
    times = data.times[:1]
    rest = predict(times, np.broadcast_to(np.eye(3), (*times.shape, 3, 3)))
    return float(np.abs(rest).max() / np.sqrt(np.mean(data.stress**2)))


def anisotropy(predict: Predict, data: Histories, frames: int = ROTATIONS) -> float:
    """Return how much the stress depends on the orientation of the material.

    Each path is turned with the material fixed, U -> Q U Q^T, and its stress turned back; the answer is the
    mean over paths of the standard deviation over rotations Q, relative to the stress, both as L2 norms over
    time. The texture of a finite polycrystal has some of its own.
    """
    part = data[: CHECKED_PATHS // 2]
    rotations = Rotation.random(frames, rng=np.random.default_rng(0)).as_matrix()
    turned = [Q.T @ followed(predict, part.along(part.times, Q @ part.stretch @ Q.T)) @ Q for Q in rotations]
    return scatter(np.stack(turned))


def scatter(stress: FloatArray) -> float:
    """Return the relative standard deviation of stress histories (rotations, paths, samples, 3, 3)."""
    mean = stress.mean(axis=0)
    variance = ((stress - mean) ** 2).mean(axis=0)
    return float(np.sqrt(variance.sum(axis=(1, 2, 3)) / (mean**2).sum(axis=(1, 2, 3))).mean())


def objectivity(law: ConstitutiveLaw, data: Histories) -> float:
    """Return the largest difference of Q sigma(U) Q^T and sigma(Q U), over a path's largest stress."""
    part = data[:CHECKED_PATHS]
    shape = part.stretch.shape[:2]
    Q = Rotation.random(shape[0] * shape[1], rng=np.random.default_rng(0)).as_matrix().reshape(*shape, 3, 3)
    Q[:, 0] = np.eye(3)
    states = [at_rest(law, len(part), part.texture) for _ in range(2)]
    turned = Q @ drive(law, part.stretch, part.times, states[0]) @ np.swapaxes(Q, 2, 3)
    difference = np.abs(drive(law, Q @ part.stretch, part.times, states[1]) - turned).max(axis=(1, 2, 3))
    return float((difference / np.abs(turned).max(axis=(1, 2, 3))).max())


def keeps_still(law: ConstitutiveLaw, data: Histories) -> bool:
    """Tell whether a zero increment in no time leaves state and stress as they are, to the bit."""
    part = data[:CHECKED_PATHS]
    half = part.times.shape[1] // 2
    F, steps = np.ascontiguousarray(part.stretch[:, half]), np.diff(part.times, axis=1, prepend=0.0)
    state, P = at_rest(law, len(F), part.texture), np.empty_like(F)
    for sample in range(half + 1):
        here, dt = np.ascontiguousarray(part.stretch[:, sample]), np.ascontiguousarray(steps[:, sample])
        law.update(here, dt, state, P)
    before, again = state.copy(), np.empty_like(P)
    law.update(F, 0.0, state, again)
    return bool(np.array_equal(P, again)) and all(np.array_equal(state[name], before[name]) for name in state)


def cost(law: ConstitutiveLaw) -> float:
    """Return the least time of a step of 3,000 points, in us a point."""
    generator = np.random.default_rng(0)
    F = np.eye(3) + 0.01 * generator.standard_normal((TIMED_POINTS, 3, 3))
    state, P, least = law.init_state(TIMED_POINTS), np.empty_like(F), np.inf
    for _ in range(TIMED_STEPS):
        F += 1e-4 * generator.standard_normal(F.shape)
        started = time.perf_counter()
        law.update(F, 0.01, state, P)
        least = min(least, time.perf_counter() - started)
    return 1e6 * least / TIMED_POINTS
