"""Whether stress belongs to its stretches as in any crystal: the elasticity is known, and work is done on it.

For materials that cannot be driven again, such as a user's own law.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from microscale.data.origin import some_of
from microscale.errors import InputError
from microscale.tensors import FloatArray, deviator
from multiscale.surrogate.histories import Histories
from multiscale.surrogate.store import Material

MEAN_STRESS_ERROR = 0.1
"""Of 2 lambda_e (J - 1) plus the deviator: exact in a crystal; voids and stiff particles change it."""
MOST_ELASTIC = 1.5
"""Stress of the first strain of a path over the elastic one, at most."""
GIVING_WORK = 0.05
"""Share of the paths that may give work back on the whole: none but for the sampling."""
SAMPLED = 0.1
"""Share of the work to and fro that sampling may get wrong: an elastic path that returns does none in all."""
MOST_PATHS = 500
"""Looked at, spread over the set."""
REMEDY = "stress is GPa, tensors in the order 11, 22, 33, 23, 13, 12; generate the data again"


def require_plausible(file: Path, data: Histories, material: Material) -> None:
    """Raise unless the histories of a file can be those of its material.

    Raises:
        InputError: Mean stress, first slope or work are of no such crystal: of other units or components.
    """
    data = data[some_of(len(data), MOST_PATHS)]
    shear = deviator(data.stress)
    if material.stiffness is None:
        _require_crystal(file, data, shear, material)
    work = _work(data.stretch, shear)
    giving = float(np.mean(work.sum(axis=1) < -SAMPLED * np.abs(work).sum(axis=1)))
    if giving > GIVING_WORK:
        raise InputError(
            f"{file}: along {giving:.0%} of its paths, which begin at rest, stress does negative work on the "
            f"whole, expected none; {REMEDY}"
        )


def _require_crystal(file: Path, data: Histories, shear: FloatArray, material: Material) -> None:
    """Raise unless mean stress and first slope are those of crystals; cells of phases have neither."""
    if (off := mean_stress_error(data, material)) > MEAN_STRESS_ERROR:
        raise InputError(
            f"{file}: its mean stress is {off:.3g} times the stress off 2 lambda_e (det U - 1) with "
            f"lambda_e = {material.lambda_e:.4g} GPa, expected at most {MEAN_STRESS_ERROR:g}; {REMEDY}"
        )
    if (slope := _first_slope(data.stretch, shear) / (2.0 * material.shear_modulus)) > MOST_ELASTIC:
        raise InputError(
            f"{file}: the first stress of its paths is {slope:.4g} times the elastic one of its shear "
            f"modulus, {material.shear_modulus:.4g} GPa, expected at most 1; {REMEDY}"
        )


def require_known_pressure(data: Histories, material: Material) -> None:
    """Raise unless the mean stress is 2 lambda_e (J - 1), which a surrogate with it built in cannot unlearn.

    Raises:
        InputError: It is another one, as in a porous material that flows.
    """
    if (off := mean_stress_error(data[some_of(len(data), MOST_PATHS)], material)) > MEAN_STRESS_ERROR:
        raise InputError(
            f"the mean stress of {material.name} is {off:.3g} times the stress off 2 lambda_e (det U - 1) "
            f"with lambda_e = {material.lambda_e:.4g} GPa, expected at most {MEAN_STRESS_ERROR:g}: its "
            "pressure is not elastic, train the model pca, which learns it"
        )


def mean_stress_error(data: Histories, material: Material) -> float:
    """Return how far the mean stress is from 2 lambda_e (det U - 1), over that and the deviator."""
    shear, mean = deviator(data.stress), np.trace(data.stress, axis1=2, axis2=3) / 3.0
    known = 2.0 * material.lambda_e * (np.linalg.det(data.stretch) - 1.0)
    sizes = np.linalg.norm(known) + np.linalg.norm(shear)
    return float(np.linalg.norm(mean - known) / sizes)


def _first_slope(stretch: FloatArray, shear: FloatArray) -> float:
    """Return the median over paths of |s| / |e|, GPa, at the first sample that is strained."""
    strain = np.linalg.norm(deviator(stretch - np.eye(3)), axis=(2, 3))
    first = np.argmax(strain > 1e-6, axis=1)[:, None]
    stress = np.take_along_axis(np.linalg.norm(shear, axis=(2, 3)), first, axis=1)
    strained = (e := np.take_along_axis(strain, first, axis=1)) > 1e-6
    return float(np.median(stress[strained] / e[strained])) if strained.any() else 0.0


def _work(stretch: FloatArray, shear: FloatArray) -> FloatArray:
    """Return the work of the deviators (paths, samples, 3, 3) in each step, GPa, (paths, samples - 1)."""
    middle = 0.5 * (stretch[:, 1:] + stretch[:, :-1])
    rate = np.diff(stretch, axis=1) @ np.linalg.inv(middle)
    return np.asarray((0.5 * (shear[:, 1:] + shear[:, :-1]) * np.swapaxes(rate, 2, 3)).sum(axis=(2, 3)))
