"""How good a surrogate is: errors on test data, and the promises it makes by construction."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.law import ConstitutiveLaw, drive
from multiscale.surrogate.histories import FloatArray, Histories, RelativeErrors, relative_errors

Predict = Callable[[FloatArray, FloatArray], FloatArray]
"""Times (paths, samples), us, and stretches (paths, samples, 3, 3) to Cauchy stress, GPa."""

CHECKED_PATHS = 50
"""Paths used for the checks that need several runs."""
TIMED_POINTS, TIMED_STEPS = 3000, 20


@dataclass(frozen=True)
class Evaluation:
    """Errors of a surrogate on one data set.

    Attributes:
        name: Of the data set.
        errors: One a path.
        worst: Index of the path with the largest deviatoric error.
        predicted: Stress of that path, shape (samples, 3, 3), GPa.
    """

    name: str
    errors: RelativeErrors
    worst: int
    predicted: FloatArray

    def summary(self) -> dict[str, float]:
        """Return mean, median, 95th percentile and maximum of both errors."""
        kinds = {"total": self.errors.total, "deviatoric": self.errors.deviatoric}
        return {
            f"{kind}_{name}": float(measure(values))
            for kind, values in kinds.items()
            for name, measure in STATISTICS.items()
        }


STATISTICS: dict[str, Callable[[FloatArray], Any]] = {
    "mean": np.mean,
    "median": np.median,
    "p95": lambda values: np.quantile(values, 0.95),
    "worst": np.max,
}


def evaluate(predict: Predict, data: Histories, name: str) -> Evaluation:
    """Return the errors of a surrogate on test data."""
    predicted = predict(data.times, data.stretch)
    errors = relative_errors(predicted, data.stress, data.times)
    worst = int(np.argmax(errors.deviatoric))
    return Evaluation(name, errors, worst, predicted[worst])


def step_independence(predict: Predict, data: Histories) -> dict[str, float]:
    """Return mean deviatoric errors at common samples, by the size of the steps."""
    part = data[:CHECKED_PATHS]
    coarse = part.thinned(4)
    fine = predict(*part.refined(4))[:, ::16]
    stresses = {
        "4x finer": fine,
        "as trained": predict(part.times, part.stretch)[:, ::4],
        "4x coarser": predict(coarse.times, coarse.stretch),
    }
    found = {name: relative_errors(stress, coarse.stress, coarse.times) for name, stress in stresses.items()}
    return {name: float(errors.deviatoric.mean()) for name, errors in found.items()}


def is_causal(predict: Predict, data: Histories) -> bool:
    """Tell whether the stress up to half time has the same bits whatever comes after."""
    part = data[:CHECKED_PATHS]
    half = part.times.shape[1] // 2
    changed = part.stretch.copy()
    changed[:, half:] = changed[:, half - 1 : half]
    before = predict(part.times, part.stretch)[:, :half]
    return bool(np.array_equal(before, predict(part.times, changed)[:, :half]))


def objectivity(law: ConstitutiveLaw, data: Histories) -> float:
    """Return the largest difference of Q sigma(U) Q^T and sigma(Q U), over a path's largest stress."""
    part = data[:CHECKED_PATHS]
    shape = part.stretch.shape[:2]
    Q = Rotation.random(shape[0] * shape[1], rng=np.random.default_rng(0)).as_matrix().reshape(*shape, 3, 3)
    Q[:, 0] = np.eye(3)
    turned = Q @ drive(law, part.stretch, part.times) @ np.swapaxes(Q, 2, 3)
    difference = np.abs(drive(law, Q @ part.stretch, part.times) - turned).max(axis=(1, 2, 3))
    return float((difference / np.abs(turned).max(axis=(1, 2, 3))).max())


def keeps_still(law: ConstitutiveLaw, data: Histories) -> bool:
    """Tell whether a zero increment in no time leaves state and stress as they are, to the bit."""
    F = np.ascontiguousarray(data.stretch[:CHECKED_PATHS, -1])
    state, P = law.init_state(len(F)), np.empty_like(F)
    for sample in range(data.stretch.shape[1]):
        law.update(np.ascontiguousarray(data.stretch[:CHECKED_PATHS, sample]), 0.01, state, P)
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


def draw_path(times: FloatArray, exact: FloatArray, predicted: FloatArray, title: str, picture: Path) -> None:
    """Draw the six components of one stress history (samples, 3, 3), GPa: pressure and deviator apart."""
    from matplotlib.figure import Figure

    from microscale.tensors import deviator

    figure = Figure(figsize=(9, 4), layout="constrained")
    whole, strength = figure.subplots(1, 2)
    for axes, label, transform in (
        (whole, "Cauchy stress", lambda s: s),
        (strength, "its deviator", deviator),
    ):
        for colour, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))):
            axes.plot(times, transform(exact)[:, i, j], f"C{colour}", label=f"{i + 1}{j + 1}")
            axes.plot(times, transform(predicted)[:, i, j], f"C{colour}--")
        axes.set(xlabel="time, us", ylabel=f"{label}, GPa")
    whole.legend(ncols=2, fontsize="small")
    figure.suptitle(f"{title} (dashed: surrogate)")
    figure.savefig(picture, dpi=120)
