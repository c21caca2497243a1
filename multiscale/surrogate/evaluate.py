"""How good a surrogate is on test data: errors by data set, by size of the step, by strain and by rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microscale.files.printable import drawable
from microscale.law import ConstitutiveLaw, drive
from microscale.tensors import FloatArray, deviator
from multiscale.surrogate.histories import Histories, RelativeErrors, relative_errors
from multiscale.surrogate.kinds import Driven

Predict = Callable[[FloatArray, FloatArray], FloatArray]
"""Times (paths, samples), us, and stretches (paths, samples, 3, 3) to Cauchy stress, GPa."""


def followed(predict: Predict, data: Histories) -> FloatArray:
    """Return a surrogate's stress along paths; one that is driven is told their textures too."""
    if isinstance(predict, Driven):
        return predict(data.times, data.stretch, data.texture)
    return predict(data.times, data.stretch)


CHECKED_PATHS = 50
"""Paths used for the checks that need several runs."""
STRAIN_EDGES = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, np.inf])
RATE_EDGES = np.array([0.0, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, np.inf])
"""Bins of the equivalent logarithmic strain and of its rate, 1/us."""


@dataclass(frozen=True)
class Evaluation:
    """Errors of a surrogate on one data set.

    Attributes:
        name: Of the data set.
        errors: One a path.
        worst: Index of the path with the largest deviatoric error.
        predicted: Stress of that path, shape (samples, 3, 3), GPa.
        by_strain: Total and deviatoric error in each strain bin, shape (2, bins); nan where no sample is.
        by_rate: The same in each bin of the strain rate.
    """

    name: str
    errors: RelativeErrors
    worst: int
    predicted: FloatArray
    by_strain: FloatArray
    by_rate: FloatArray

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
    predicted = followed(predict, data)
    errors = relative_errors(predicted, data.stress, data.times)
    worst = int(np.argmax(errors.deviatoric))
    strain = equivalent_log_strain(data.stretch)
    rate = strain_rate(data.times, data.stretch)
    by_strain = binned_errors(predicted, data.stress, strain, STRAIN_EDGES)
    by_rate = binned_errors(predicted[:, 1:], data.stress[:, 1:], rate, RATE_EDGES)
    return Evaluation(name, errors, worst, predicted[worst], by_strain, by_rate)


def equivalent_log_strain(stretch: FloatArray) -> FloatArray:
    """Return sqrt(2/3) |dev ln U| of stretches (..., 3, 3)."""
    principal = np.log(np.linalg.eigvalsh(stretch))
    principal -= principal.mean(axis=-1, keepdims=True)
    return np.asarray(np.sqrt(2.0 / 3.0) * np.linalg.norm(principal, axis=-1))


def strain_rate(times: FloatArray, stretch: FloatArray) -> FloatArray:
    """Return sqrt(2/3) |dev sym(dU U^-1)| / dt of the steps of paths, 1/us, shape (paths, samples - 1)."""
    gradient = np.diff(stretch, axis=1) @ np.linalg.inv(stretch[:, :-1])
    strain = deviator(0.5 * (gradient + np.swapaxes(gradient, 2, 3)))
    return np.asarray(np.sqrt(2.0 / 3.0) * np.linalg.norm(strain, axis=(2, 3)) / np.diff(times, axis=1))


def binned_errors(
    predicted: FloatArray, exact: FloatArray, measure: FloatArray, edges: FloatArray
) -> FloatArray:
    """Return the relative errors in each bin of a measure (paths, samples) of samples, shape (2, bins)."""
    bins = np.digitize(measure, edges[1:-1]).ravel()

    def sums(tensors: FloatArray) -> NDArray[np.float64]:
        squares = (tensors**2).sum(axis=(2, 3)).ravel()
        return np.bincount(bins, squares, minlength=len(edges) - 1)

    with np.errstate(invalid="ignore"):  # a bin without samples
        total = sums(predicted - exact) / sums(exact)
        deviatoric = sums(deviator(predicted - exact)) / sums(deviator(exact))
    return np.sqrt(np.stack([total, deviatoric]))


def step_independence(
    predict: Predict, data: Histories, polycrystal: ConstitutiveLaw | None = None
) -> dict[str, float]:
    """Return mean deviatoric errors at common samples, by the size of the steps.

    Every law here takes U for linear between samples: finer ones are the same path, and coarse ones another.
    There the reference is the polycrystal along the coarse samples, in steps of the data, and how far that is
    from the data is told too: no law can know what the samples have lost. Without a polycrystal the reference
    is the data.

    Args:
        predict: The surrogate.
        data: Test data.
        polycrystal: The law whose stress the data are.

    Raises:
        ConvergenceError, DeformationError: The polycrystal cannot follow the coarse samples.
    """
    part = data[:CHECKED_PATHS]
    coarse = part.thinned(4)

    def error(stress: FloatArray, exact: FloatArray) -> float:
        return float(relative_errors(stress, exact, coarse.times).deviatoric.mean())

    stress = followed(predict, coarse)
    found = {
        "as trained": error(followed(predict, part)[:, ::4], coarse.stress),
        "4x finer": error(followed(predict, part.along(*part.refined(4)))[:, ::16], coarse.stress),
    }
    if polycrystal is None:
        return found | {"4x coarser, against the data": error(stress, coarse.stress)}
    times, stretch = coarse.refined(4)
    exact = drive(polycrystal, stretch, times)[:, ::4]
    return found | {
        "4x coarser": error(stress, exact),
        "lost by the coarse samples": error(exact, coarse.stress),
    }


def draw_path(times: FloatArray, exact: FloatArray, predicted: FloatArray, title: str, picture: Path) -> None:
    """Draw the six components of one stress history (samples, 3, 3), GPa: pressure and deviator apart."""
    from matplotlib.figure import Figure

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


def draw_errors(found: list[Evaluation], picture: Path) -> None:
    """Draw the errors of all data sets: how they are distributed over paths, over strain and over rate."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4), layout="constrained")
    paths, strain, rate = figure.subplots(1, 3, sharey=True)
    for colour, evaluation in enumerate(found):
        errors, name = evaluation.errors, drawable(evaluation.name, 40)
        binned = (evaluation.by_strain, evaluation.by_rate)
        for kind, style in enumerate(("--", "-")):
            values = np.sort(100.0 * (errors.total, errors.deviatoric)[kind])
            share = (np.arange(len(values)) + 0.5) / len(values)
            label = f"{name}, {('total', 'deviatoric')[kind]}"
            paths.plot(share, values, f"C{colour}{style}", label=label)
            for axes, edges, of_bins in zip((strain, rate), (STRAIN_EDGES, RATE_EDGES), binned, strict=True):
                axes.stairs(
                    100.0 * of_bins[kind][1:-1], edges[1:-1], baseline=None, color=f"C{colour}", ls=style
                )
    paths.set(xlabel="share of the paths", ylabel="relative L2 error, %", yscale="log")
    strain.set(xlabel="equivalent logarithmic strain", xscale="log")
    rate.set(xlabel="strain rate, 1/us", xscale="log")
    paths.legend(fontsize="small")
    for axes, edges in ((strain, STRAIN_EDGES), (rate, RATE_EDGES)):
        axes.set_xticks(edges[1:-1], [f"{edge:g}" for edge in edges[1:-1]])
        axes.minorticks_off()
    for axes in (paths, strain, rate):
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=120)
