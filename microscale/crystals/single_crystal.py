"""Single crystals with slip and twinning at material points: the paper's SI-A, integrated implicitly."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from microscale.crystals.crystal import Crystal, read_crystal
from microscale.crystals.kernel import SMOOTH_SHARE, STEP_TOLERANCE, CrystalKernel
from microscale.errors import ConvergenceError, InputError
from microscale.inputs.numbers import Count, Range, checked, numbers_in
from microscale.law import ConstitutiveLaw, Moduli, State, StateVariable
from microscale.tensors import FloatArray


@dataclass(frozen=True)
class _Tolerance(Range):
    """Positive stresses, and infinity for no limit."""

    def problem(self, value: Any) -> str | None:
        return None if isinstance(value, float) and value == math.inf else super().problem(value)


Tolerance = Annotated[float, _Tolerance(1e-30, unit="GPa")]


class CrystalLaw(ConstitutiveLaw):
    """A law whose points are crystals."""

    _kernel: CrystalKernel

    @property
    def smooth(self) -> Self:
        """The same, its stages solved to rounding."""
        other = copy(self)
        other._kernel = self._kernel.to_rounding()
        return other


class SingleCrystal(CrystalLaw):
    """A single crystal; every point may have its own orientation (its state ``orientation``).

    State: ``F`` at the last update; ``orientation``, crystal axes as columns in the sample frame;
    ``plastic_inverse``, F_in^-1 in crystal axes; ``slip``, accumulated activity e of eq. (27);
    ``twin_fraction``, lambda; ``dissipation``, GPa (J/mm^3 of reference volume).

    Args:
        orientation: Crystal axes as columns in the sample frame, shape (3, 3); that of points at rest.
        crystal: Parameters; magnesium by default.
        step_tolerance: Error a sub-step may make, GPa, where m = 1/2 (with twins: smaller for smaller m,
            and in slow flow); infinite for none (for convergence studies).
        threads: Threads of a batch; OMP_NUM_THREADS or all cores by default.

    Raises:
        InputError: The orientation is not a rotation.
    """

    name = "crystal"

    @checked
    def __init__(
        self,
        orientation: ArrayLike | None = None,
        crystal: Crystal | None = None,
        step_tolerance: Tolerance = STEP_TOLERANCE,
        threads: Count | None = None,
    ) -> None:
        self.crystal = read_crystal() if crystal is None else crystal
        self.density = self.crystal.density
        axes = (
            np.eye(3)
            if orientation is None
            else check_orientations(numbers_in("orientation", orientation)[None])[0]
        )
        self.state_spec = (
            StateVariable("F", (3, 3), "-", np.eye(3)),
            StateVariable("orientation", (3, 3), "-", axes),
            StateVariable("plastic_inverse", (3, 3), "-", np.eye(3)),
            StateVariable("slip", (self.crystal.n_slip,), "-"),
            StateVariable("twin_fraction", (self.crystal.n_twin,), "-"),
            StateVariable("dissipation", (), "GPa"),
        )
        self._kernel = CrystalKernel.of(self.crystal, step_tolerance, threads, SMOOTH_SHARE)

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.ascontiguousarray(np.broadcast_to(dt, len(F)), dtype=float)
        arrays = (state[k] for k in ("F", "plastic_inverse", "slip", "twin_fraction", "dissipation"))
        failed = self._kernel.update(
            len(F), 1, True, state["orientation"], np.ones(1), F, steps, *arrays, out
        )
        raise_if_failed(failed, F)

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.ascontiguousarray(np.broadcast_to(dt, len(F)), dtype=float)
        arrays = (state[k] for k in ("F", "plastic_inverse", "slip", "twin_fraction"))
        failed = self._kernel.tangent(
            len(F), 1, True, state["orientation"], np.ones(1), F, steps, *arrays, out
        )
        raise_if_failed(failed, F)

    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us."""
        return elastic_wave_speed(self.crystal, self.density)

    @property
    def material(self) -> str:
        """Name of the crystal."""
        return f"single crystal of {self.crystal.name}"


def elastic_wave_speed(crystal: Crystal, density: float) -> float:
    """Longitudinal wave speed at rest of the elasticity of eq. (29) and a density, g/cm^3, mm/us."""
    return Moduli(crystal.shear_modulus, 2.0 * crystal.lambda_e).wave_speed(density)


def check_orientations(orientations: FloatArray) -> FloatArray:
    """Return contiguous orientation matrices (n, 3, 3); an InputError where one is not a rotation."""
    R = np.ascontiguousarray(orientations, dtype=float)
    if R.ndim != 3 or R.shape[1:] != (3, 3) or len(R) == 0:
        raise InputError(
            f"orientations have shape {R.shape}, expected (grains, 3, 3) with at least one grain"
        )
    error = np.abs(np.swapaxes(R, 1, 2) @ R - np.eye(3)).max(axis=(1, 2)) + np.abs(np.linalg.det(R) - 1.0)
    if not np.all(error < 1e-8):
        worst = int(np.nanargmax(np.where(np.isnan(error), np.inf, error)))
        raise InputError(
            f"orientation {worst} is not a rotation (off by {error[worst]:.2g}); orthonormalise it"
        )
    return R


def raise_if_failed(point: int, F: FloatArray) -> None:
    """Raise a ConvergenceError for the first failed point of a batch, if any."""
    if point >= 0:
        raise ConvergenceError(
            f"crystal plasticity at point {point} did not converge in the smallest sub-step "
            f"(det F = {np.linalg.det(F[point]):.4g}, largest stretch {np.linalg.norm(F[point], 2):.4g}): "
            "the strain increment is too large, take smaller steps"
        )
