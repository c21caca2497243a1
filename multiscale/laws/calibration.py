"""Constants of an empirical law fitted to another law's stresses: the parameter-passing multiscale method.

Both laws are driven along the same isochoric paths (uniaxial tension and compression, plane strain) at
several constant rates; the constants make the sum of squared relative errors of the deviatoric stress
histories least. The pressure takes no part: elastic moduli and density are measured on the reference, and
paths without change of volume have none. The reference has no temperature, so the fitted law is not heated.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from microscale.errors import ConvergenceError, InputError
from microscale.files.whole_file import write_json
from microscale.inputs.numbers import Positive, Steps, Strain, checked
from microscale.law import ConstitutiveLaw, drive
from microscale.progress import task
from microscale.tensors import FloatArray, deviator
from multiscale.laws import make_law
from multiscale.laws.constants_file import UNITS

#: Loadings by name: logarithmic strain rates along the axes, up to a factor.
LOADINGS = {
    "tension": (-0.5, -0.5, 1.0),
    "compression": (0.5, 0.5, -1.0),
    "plane strain": (1.0, 0.0, -1.0),
}

#: Equivalent strain rates, 1/us (1e6 1/s). In the paper's impacts most of the flow has rates between them.
RATES = (0.05, 0.2, 1.0, 5.0)

#: Fitted constants of each law, positive, and where the search starts.
STARTS: Mapping[str, Mapping[str, float]] = {
    "johnson-cook": {
        "initial_strength": 0.2,
        "hardening": 0.3,
        "hardening_exponent": 0.3,
        "rate_sensitivity": 0.1,
    },
    "j2": {"yield_stress": 0.3, "hardening_modulus": 0.3},
}


@dataclass(frozen=True)
class Calibration:
    """A fitted law.

    Attributes:
        law: Its name.
        constants: Options of :func:`multiscale.laws.make_law`, fitted ones and others.
        fitted: Names of the fitted ones.
        errors: Relative L2 error of the deviatoric stress history by path.
    """

    law: str
    constants: dict[str, float]
    fitted: tuple[str, ...]
    errors: dict[str, float]

    @property
    def mean_error(self) -> float:
        """Mean over paths of the relative error."""
        return float(np.mean(list(self.errors.values())))


@checked
def calibrate(
    reference: ConstitutiveLaw,
    law: str = "johnson-cook",
    rates: tuple[Positive, ...] = RATES,
    largest_strain: Strain = 0.5,
    samples: Steps = 200,
) -> Calibration:
    """Fit the constants of the law named ``law`` to ``reference``.

    Args:
        reference: Law that stands for the material, such as the Taylor polycrystal.
        law: A key of :data:`STARTS`.
        rates: Equivalent strain rates of the paths, 1/us; the lowest is Johnson and Cook's reference rate.
        largest_strain: Equivalent logarithmic strain at the end of each path.
        samples: Steps of a path.

    Raises:
        InputError: Unknown law, or rates or strain are not positive.
        ConvergenceError: The search did not end.
    """
    if law not in STARTS:
        raise InputError(f"law '{law}' cannot be calibrated, expected one of: {', '.join(STARTS)}")
    if not rates or min(rates) <= 0.0 or largest_strain <= 0.0:
        raise InputError(
            f"rates = {rates} 1/us, largest strain = {largest_strain}, expected positive numbers"
        )
    names, times, F = strain_paths(rates, largest_strain, samples)
    target = deviator(drive(reference, F, times))
    scale = np.linalg.norm(target.reshape(len(F), -1), axis=1)[:, None]
    others = _measured(reference, law, min(rates))
    fitted = tuple(STARTS[law])

    def residuals(logarithms: FloatArray) -> FloatArray:
        fit.done += 1
        constants = others | dict(zip(fitted, np.exp(logarithms).tolist(), strict=True))
        stress = deviator(drive(make_law(law, **constants), F, times))
        return ((stress - target).reshape(len(F), -1) / scale).ravel()

    with task(f"evaluations of the fit of {law}", math.inf) as fit:
        found = least_squares(residuals, np.log(list(STARTS[law].values())), x_scale="jac")
    if not found.success:
        raise ConvergenceError(f"calibration of {law} did not end ({found.message}): give other rates")
    constants = others | dict(zip(fitted, np.exp(found.x).tolist(), strict=True))
    errors = np.linalg.norm(found.fun.reshape(len(F), -1), axis=1)
    return Calibration(law, constants, fitted, dict(zip(names, errors.tolist(), strict=True)))


def strain_paths(
    rates: tuple[float, ...], largest_strain: float, samples: int
) -> tuple[list[str], FloatArray, FloatArray]:
    """Return names (paths), times (paths, samples + 1), us, and F (paths, samples + 1, 3, 3) of all paths."""
    strain = np.linspace(0.0, largest_strain, samples + 1)
    names, times, F = [], [], []
    for loading, direction in LOADINGS.items():
        logarithmic = np.array(direction) / np.sqrt(2.0 / 3.0 * np.dot(direction, direction))
        stretch = np.exp(strain[:, None] * logarithmic)[:, :, None] * np.eye(3)
        for rate in rates:
            names.append(f"{loading} at {rate:g} per us")
            times.append(strain / rate)
            F.append(stretch)
    return names, np.array(times), np.array(F)


def _measured(reference: ConstitutiveLaw, law: str, lowest_rate: float) -> dict[str, float]:
    """Return the constants that are not fitted: density and elasticity of the reference, no heat."""
    shear, bulk = reference.moduli()
    if law == "j2":
        return {
            "density": reference.density,
            "youngs_modulus": 9.0 * bulk * shear / (3.0 * bulk + shear),
            "poissons_ratio": (3.0 * bulk - 2.0 * shear) / (6.0 * bulk + 2.0 * shear),
        }
    return {
        "density": reference.density,
        "shear_modulus": shear,
        "bulk_modulus": bulk,
        "reference_rate": lowest_rate,
        "heated_fraction": 0.0,
    }


def write_calibration(path: Path, calibration: Calibration, provenance: Mapping[str, Any]) -> None:
    """Write constants, errors and where they come from as JSON.

    Raises:
        InputError: The file cannot be written.
    """
    content = {
        "law": calibration.law,
        "constants": calibration.constants,
        "fitted": calibration.fitted,
        "mean_error": calibration.mean_error,
        "errors": calibration.errors,
        "units": UNITS,
        **provenance,
    }
    write_json(path, content, "choose another file")
