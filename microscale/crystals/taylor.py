"""Taylor-averaged polycrystal: every grain sees the macroscopic F, stresses are averaged."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from microscale.crystals.crystal import Crystal, read_crystal
from microscale.crystals.diagnostics import family_activity, twin_volume
from microscale.crystals.kernel import STEP_TOLERANCE, CrystalKernel
from microscale.crystals.single_crystal import (
    CrystalLaw,
    Tolerance,
    check_orientations,
    elastic_wave_speed,
    raise_if_failed,
)
from microscale.crystals.texture.texture import Texture
from microscale.crystals.uniform_texture import uniform_orientations
from microscale.errors import InputError
from microscale.inputs.numbers import Count, checked, numbers_in
from microscale.law import State, StateVariable
from microscale.tensors import FloatArray


class TaylorPolycrystal(CrystalLaw):
    """Polycrystal under the Taylor assumption (v = 0 in the unit cell), the paper's 3DTaylor model.

    State of a point: ``F`` at the last update; ``plastic_inverse`` (9, grains), F_in^-1 of each grain
    in its crystal axes, row by row; ``slip`` (systems, grains), accumulated activity e of eq. (27);
    ``twin_fraction`` (twins, grains); ``dissipation``, averaged over grains, GPa.

    Args:
        orientations: Crystal axes as columns in the sample frame, shape (grains, 3, 3);
            by default 128 that cover all orientations evenly.
        weights: Volume fractions of the grains, shape (grains,), adding up to one; equal by default.
        crystal: Parameters; magnesium by default.
        step_tolerance: Error a sub-step may make, GPa, where m = 1/2 (with twins: smaller for smaller m,
            and in slow flow); infinite for none (for convergence studies).
        threads: Threads of a batch; OMP_NUM_THREADS or all cores by default.

    Raises:
        InputError: An orientation is not a rotation, or weights do not fit.
    """

    name = "taylor"
    _made = ""

    @checked
    def __init__(
        self,
        orientations: ArrayLike | None = None,
        weights: ArrayLike | None = None,
        crystal: Crystal | None = None,
        step_tolerance: Tolerance = STEP_TOLERANCE,
        threads: Count | None = None,
    ) -> None:
        self.crystal = read_crystal() if crystal is None else crystal
        self.density = self.crystal.density
        given = (
            uniform_orientations(128, crystal=self.crystal)
            if orientations is None
            else numbers_in("orientations", orientations)
        )
        self.orientations = check_orientations(given)
        self.weights = _check_weights(weights, self.grains)
        self.state_spec = (
            StateVariable("F", (3, 3), "-", np.eye(3)),
            StateVariable("plastic_inverse", (9, self.grains), "-", np.eye(3).reshape(9, 1)),
            StateVariable("slip", (self.crystal.n_slip, self.grains), "-"),
            StateVariable("twin_fraction", (self.crystal.n_twin, self.grains), "-"),
            StateVariable("dissipation", (), "GPa"),
        )
        self._kernel = CrystalKernel.of(self.crystal, step_tolerance, threads)
        self._lanes = np.ascontiguousarray(self.orientations.reshape(-1, 9).T)

    @property
    def texture(self) -> Texture:
        """Orientations and weights of the grains, as they are at rest."""
        return Texture(self.orientations, self.weights, self._made)

    @classmethod
    def of(cls, texture: Texture, crystal: Crystal | None = None) -> Self:
        """Return the polycrystal whose grains are those of a texture."""
        law = cls(texture.orientations, texture.weights, crystal)
        law._made = texture.made
        return law

    @property
    def grains(self) -> int:
        """Number of grains at a point."""
        return len(self.orientations)

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.ascontiguousarray(np.broadcast_to(dt, len(F)), dtype=float)
        arrays = (state[k] for k in ("F", "plastic_inverse", "slip", "twin_fraction", "dissipation"))
        failed = self._kernel.update(
            len(F), self.grains, False, self._lanes, self.weights, F, steps, *arrays, out
        )
        raise_if_failed(failed, F)

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.ascontiguousarray(np.broadcast_to(dt, len(F)), dtype=float)
        arrays = (state[k] for k in ("F", "plastic_inverse", "slip", "twin_fraction"))
        failed = self._kernel.tangent(
            len(F), self.grains, False, self._lanes, self.weights, F, steps, *arrays, out
        )
        raise_if_failed(failed, F)

    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us."""
        return elastic_wave_speed(self.crystal, self.density)

    @property
    def material(self) -> str:
        """Name of the crystal, number of grains, and what made their texture, if anybody said."""
        return f"{self.crystal.name}, {self._made or f'{self.grains} grains'}"

    def fields(self, state: State) -> dict[str, FloatArray]:
        """Return dissipation (GPa), twinned volume and slip of each family, averaged over grains, (n,)."""
        activity = family_activity(self.crystal, state["slip"], self.weights)
        return {
            "dissipation": state["dissipation"],
            "twin_volume": twin_volume(state["twin_fraction"], self.weights),
            **{f"slip_{name}": values for name, values in activity.items()},
        }


def _check_weights(weights: ArrayLike | None, grains: int) -> FloatArray:
    if weights is None:
        return np.full(grains, 1.0 / grains)
    given = np.ascontiguousarray(numbers_in("weights", weights))
    if given.shape != (grains,) or not np.all(given >= 0.0) or abs(given.sum() - 1.0) > 1e-9:
        raise InputError(
            f"weights have shape {given.shape} and sum {given.sum():.9g}, "
            f"expected {grains} non-negative fractions adding up to one"
        )
    return given
