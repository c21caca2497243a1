"""What curves say of fitted parameters, and what they do not, from the derivatives where a fit ended.

Everything is in logarithms of parameters: an error of 0.01 is one per cent. Points of a curve err
independently by what is left of that curve's residual, each curve by its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from microscale.files.printable import printable
from microscale.tensors import FloatArray
from multiscale.laws.experiments.fit import Fit

LARGE = 0.3
"""Standard error of a logarithm beyond which data are said not to determine it: about 30 per cent."""
BLIND = 1e-4
"""Singular value, over the largest one, below which nothing is seen but rounding."""
MISSED = 0.1
"""Relative error of a curve that noise alone hardly makes."""
ALIKE = 0.95
"""Correlation that is worth a word."""
AT_BOUND = 1e-3
"""Distance from a bound, as a logarithm."""


@dataclass(frozen=True)
class Determination:
    """What the data determine.

    Attributes:
        sensitivities: Change of the stress of a curve over its size, for a change of a parameter over its
            size, root mean square; shape (curves, parameters).
        errors: Relative standard errors of the parameters, shape (parameters,); infinite where nothing is
            seen.
        correlations: Of the errors, shape (parameters, parameters).
        singular_values: Of the weighted derivatives, falling, shape (parameters,).
        directions: Their directions in the logarithms of the parameters, one a row.
        direction_errors: Standard errors along them, shape (parameters,).
        at_bound: Which parameters ended at a bound, shape (parameters,), boolean.
    """

    sensitivities: FloatArray
    errors: FloatArray
    correlations: FloatArray
    singular_values: FloatArray
    directions: FloatArray
    direction_errors: FloatArray
    at_bound: NDArray[np.bool_]


def determination(found: Fit) -> Determination:
    """Return what the curves of a fit determine."""
    counts = np.array([len(residual) for residual in found.residuals])
    weights = np.concatenate([np.full(n, n**-0.5) for n in counts])
    U, values, directions = np.linalg.svd(
        np.concatenate(found.slopes) * weights[:, None], full_matrices=False
    )
    # Each fitted parameter takes up a degree of freedom, shared among the curves by their points.
    free = 1.0 - len(found.names) / counts.sum()
    noise = np.concatenate([np.full(len(r), np.mean(r**2) / free) for r in found.residuals])
    spread = np.einsum("ik,i,il->kl", U, noise * weights**2, U)
    seen = values > BLIND * values[0]
    inverse = np.where(seen, 1.0 / np.where(seen, values, 1.0), 0.0)
    covariance = directions.T @ (spread * np.outer(inverse, inverse)) @ directions
    # What lies along a direction that is not seen can be anything.
    blind = (directions[~seen] ** 2 > BLIND).any(axis=0)
    errors = np.where(blind, np.inf, np.sqrt(np.diag(covariance)))
    scale = np.sqrt(np.maximum(np.diag(covariance), 1e-300))
    bounds = np.log([found.lower, found.upper])
    return Determination(
        np.array([np.sqrt(np.mean(slope**2, axis=0)) for slope in found.slopes]),
        errors,
        covariance / np.outer(scale, scale),
        values,
        directions,
        np.where(seen, np.sqrt(np.diag(spread)) * inverse, np.inf),
        np.abs(bounds - np.log(found.values)).min(axis=0) < AT_BOUND,
    )


def doubts(found: Fit, known: Determination) -> list[str]:
    """Return in a sentence each what the data do not determine, and curves that the law does not meet."""
    names = found.names
    told = [
        f"{printable(name, 40)} is not met, error {100.0 * error:.0f} %: is it this material, test, direction"
        " and rate, are its numbers right, and can the law show it?"
        for name, error in found.errors.items()
        if error > MISSED
    ]
    for k, name in enumerate(names):
        if known.at_bound[k]:
            bound = "lower" if found.values[k] < np.sqrt(found.lower[k] * found.upper[k]) else "upper"
            told.append(f"{name} is at its {bound} bound: the data would have it go on")
        elif known.errors[k] > LARGE:
            told.append(f"{name} is not determined: {_size(known.errors[k])}")
    for direction, error in zip(known.directions, known.direction_errors, strict=True):
        if error > LARGE and np.sum(np.abs(direction) > 0.2) > 1:
            told.append(f"together not determined: {_combination(names, direction)} ({_size(error)})")
    for i, j in combinations(range(len(names)), 2):
        correlation = known.correlations[i, j]
        if abs(correlation) > ALIKE and max(known.errors[i], known.errors[j]) <= LARGE:
            pair = f"{names[i]} and {names[j]} are hard to tell apart"
            told.append(f"{pair}: their errors have a correlation of {correlation:.3f}")
    return told


def _size(error: float) -> str:
    return "no curve feels it" if np.isinf(error) else f"standard error {100.0 * error:.0f} %"


def _combination(names: tuple[str, ...], direction: FloatArray) -> str:
    """Return a direction as a product of powers, the largest first."""
    order = [k for k in np.argsort(-np.abs(direction)) if abs(direction[k]) > 0.2]
    sign = np.sign(direction[order[0]])
    return " ".join(f"{names[k]}^{sign * direction[k]:+.2f}" for k in order)
