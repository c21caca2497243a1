"""The one abstraction of the framework: a constitutive law turns a deformation history into stress.

A single crystal, a Taylor polycrystal, an FFT unit cell, J2 plasticity and a learnt surrogate all
implement :class:`ConstitutiveLaw`; a data set is any law driven along sampled paths (:func:`drive`), and
the macroscale calls any law at its quadrature points.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple, Self, final

import numpy as np
from numpy.typing import ArrayLike

from microscale.differences import differences
from microscale.errors import DeformationError, InputError
from microscale.inputs.memory import require_memory
from microscale.inputs.numbers import checked, numbers_in
from microscale.progress import tracked
from microscale.tensors import FloatArray, cauchy_from_piola, first_inadmissible

PROBE_STRAIN = 1e-6
"""Stretch by which the stiffness at rest is measured."""


@dataclass(frozen=True)
class StateVariable:
    """One array of the state: its name, its shape at a point, its unit, its value at rest."""

    name: str
    shape: tuple[int, ...]
    unit: str
    at_rest: ArrayLike = 0.0


class Moduli(NamedTuple):
    """Isotropic elasticity at rest, GPa."""

    shear: float
    bulk: float

    @property
    def lame(self) -> float:
        """Lame's lambda, GPa."""
        return self.bulk - 2.0 / 3.0 * self.shear

    def wave_speed(self, density: float) -> float:
        """Return the longitudinal wave speed, mm/us, at a density, g/cm^3."""
        return math.sqrt((4.0 / 3.0 * self.shear + self.bulk) / density)


class State(dict[str, FloatArray]):
    """State arrays by name, each with a leading axis of points."""

    def copy(self) -> State:
        """Return an independent copy of every array."""
        return State({name: array.copy() for name, array in self.items()})

    def points(self, where: slice) -> State:
        """Return views of a range of points: writing to them writes to this state."""
        return State({name: array[where] for name, array in self.items()})


class ConstitutiveLaw(ABC):
    """Deformation gradient history to first Piola-Kirchhoff stress, batched over points.

    Attributes:
        name: Short name, as used on the command line.
        density: Referential mass density, g/cm^3.
        state_spec: The arrays a point carries.
        worth_batching: Whether many points in one update cost less than each in its own.
    """

    name: str
    density: float
    worth_batching: bool = True
    state_spec: tuple[StateVariable, ...] = ()
    _material = ""

    @property
    def bytes_of_a_point(self) -> int:
        """Memory that the state of a point takes."""
        return 8 * sum(math.prod(variable.shape) for variable in self.state_spec)

    def init_state(self, n_points: int) -> State:
        """Return the state of ``n_points`` points at rest.

        Raises:
            InputError: There is no memory for it.
        """
        require_memory(n_points * self.bytes_of_a_point, points=n_points, bytes_of_each=self.bytes_of_a_point)
        state = State()
        for variable in self.state_spec:
            array = np.empty((n_points, *variable.shape))
            array[:] = variable.at_rest
            state[variable.name] = array
        return state

    @final
    def update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        """Advance every point to the deformation gradient ``F`` reached after ``dt``.

        Args:
            F: Deformation gradient at the end of the step, shape (n, 3, 3), C-contiguous, dimensionless.
            dt: Time step, us; one value, or one a point, shape (n,). Zero is an instantaneous step.
            state: State of the n points, advanced in place.
            out: First Piola-Kirchhoff stress at the end of the step, shape (n, 3, 3), GPa; overwritten.

        Raises:
            InputError: Arrays do not fit, or a time step is negative or not finite; nothing was changed.
            DeformationError: A deformation gradient is not finite or has det F <= 0; nothing was changed.
        """
        check_arguments(F, dt, state, out)
        check_deformation(F)
        self._update(F, dt, state, out)

    @abstractmethod
    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        """Advance as :meth:`update` says, for admissible deformation gradients; allocate nothing large."""

    @final
    def tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        """Differentiate the stress that :meth:`update` gives with respect to the ``F`` it reaches.

        Args:
            F: Deformation gradient at the end of the step, shape (n, 3, 3), C-contiguous, dimensionless.
            dt: Time step, us; one value, or one a point, shape (n,).
            state: State of the n points at the beginning of the step; read, never advanced.
            out: dP_ij / dF_kl at [point, i, j, k, l], shape (n, 3, 3, 3, 3), GPa; overwritten.

        Raises:
            InputError: Arrays do not fit, or a time step is negative or not finite.
            DeformationError: A deformation gradient is not finite or has det F <= 0.
        """
        if out.shape != (len(F), 3, 3, 3, 3) or out.dtype != np.float64 or not out.flags.c_contiguous:
            raise InputError(
                f"out is {out.dtype} {out.shape}, expected C-contiguous float64 ({len(F)}, 3, 3, 3, 3)"
            )
        check_arguments(F, dt, state, F)
        check_deformation(F)
        self._tangent(F, dt, state, out)

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        """Fill ``out`` as :meth:`tangent` says: by central differences, unless a law knows better."""
        differences(self.smooth, F, dt, state, out)

    @property
    def smooth(self) -> ConstitutiveLaw:
        """This law, solved to rounding where it iterates to a tolerance.

        It is what a tangent is differenced of, and what equilibrium by Newton needs.
        """
        return self

    def resume(self, state: State) -> None:  # noqa: B027
        """Take up from ``state``, after a restart, what the law counts outside of it; most count nothing."""

    @abstractmethod
    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us, of the law's density; sets the stable time step."""

    def moduli(self) -> Moduli:
        """Return shear and bulk modulus at rest, the former from the latter and the wave speed.

        Raises:
            InputError: The two do not fit together.
        """
        bulk, wave_modulus = self._bulk_modulus(), self.density * self.wave_speed() ** 2
        shear = 0.75 * (wave_modulus - bulk)
        if not (bulk > 0.0 and shear > 0.0):
            raise InputError(
                f"the law {self.name} has a bulk modulus of {bulk:.4g} GPa and a density times wave speed "
                f"squared of {wave_modulus:.4g} GPa, expected 0 < bulk modulus < that: check its wave_speed()"
            )
        return Moduli(shear, bulk)

    def _bulk_modulus(self) -> float:
        """Return the bulk modulus at rest, GPa: by default that of an instantaneous dilatation."""
        F, P = np.eye(3)[None] * (1.0 + PROBE_STRAIN), np.empty((1, 3, 3))
        self.update(F, 0.0, self.init_state(1), P)
        return float(np.trace(P[0])) / 3.0 / (3.0 * PROBE_STRAIN)

    def fields(self, state: State) -> dict[str, FloatArray]:
        """Return what is worth seeing of a state, each of shape (n,): by default its scalar variables."""
        return {variable.name: state[variable.name] for variable in self.state_spec if variable.shape == ()}

    @property
    def field_units(self) -> dict[str, str]:
        """Units of :meth:`fields` by name, such as "GPa"; what has no dimension may be left out."""
        return {variable.name: variable.unit for variable in self.state_spec}

    @property
    def material(self) -> str:
        """What it stands for, in words for titles and summaries; empty where nobody said."""
        return self._material

    def called(self, material: str) -> Self:
        """Return the same law with words for what it stands for; no number changes."""
        other = copy(self)
        other._material = material
        return other

    def with_density(self, density: float) -> Self:
        """Return the same law with another referential density, g/cm^3; waves are slower for a greater one.

        Raises:
            InputError: It is not a positive number.
        """
        if not (isinstance(density, Real) and 0.0 < density < math.inf):
            raise InputError(f"density = {density} g/cm^3, expected a positive number")
        other = copy(self)
        other.density = float(density)
        return other


def check_arguments(F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
    """Raise an InputError unless the arrays of an update fit: compiled kernels would write past them."""
    n_points = len(F)
    for name, tensor in (("F", F), ("out", out)):
        if tensor.shape != (n_points, 3, 3) or tensor.dtype != np.float64 or not tensor.flags.c_contiguous:
            layout = "C-contiguous" if tensor.flags.c_contiguous else "strided"
            raise InputError(
                f"{name} is {layout} {tensor.dtype} {tensor.shape}, "
                f"expected C-contiguous float64 ({n_points}, 3, 3)"
            )
    for name, array in state.items():
        if len(array) != n_points:
            raise InputError(
                f"state '{name}' has {len(array)} points, F has {n_points}: use init_state(len(F))"
            )
    steps = np.asarray(dt)
    if steps.shape not in ((), (n_points,)):
        raise InputError(f"dt has shape {steps.shape}, expected one value or ({n_points},)")
    if not (np.isfinite(steps) & (steps >= 0.0)).all():
        raise InputError(f"a time step of {steps.min()} us, expected zero or more")


def check_deformation(F: FloatArray) -> None:
    """Raise a DeformationError that names the first inadmissible point of ``F``, shape (n, 3, 3)."""
    point = first_inadmissible(F)
    if point >= 0:
        with np.errstate(invalid="ignore"):  # an infinite entry
            value = np.linalg.det(F[point])
        raise DeformationError(
            f"deformation gradient at point {point} has det F = {value:.6g}, expected finite and positive; "
            "the element has inverted or the step was unstable: reduce the time step or refine the mesh there"
        )


@checked
def drive(law: ConstitutiveLaw, F: FloatArray, times: FloatArray, state: State | None = None) -> FloatArray:
    """Drive a law along deformation paths and return the Cauchy stress history.

    Args:
        law: Any constitutive law.
        F: Deformation gradients, shape (paths, samples, 3, 3); linear between samples. A first sample other
            than the identity is reached in an instantaneous step.
        times: Times of the samples, us, increasing; shape (samples,), or (paths, samples).
        state: State of the paths before the first sample, advanced in place; by default at rest.

    Returns:
        Cauchy stress, shape (paths, samples, 3, 3), GPa.

    Raises:
        InputError: Shapes do not agree or times do not increase.
        DeformationError: See :meth:`ConstitutiveLaw.update`.
    """
    F = np.ascontiguousarray(numbers_in("F", F))
    if F.ndim != 4 or F.shape[2:] != (3, 3):
        raise InputError(f"F has shape {F.shape}, expected (paths, samples, 3, 3)")
    paths, samples = F.shape[:2]
    given = numbers_in("times", times)
    if given.shape not in ((samples,), (paths, samples)):
        raise InputError(f"times have shape {given.shape}, expected ({samples},) or ({paths}, {samples})")
    times = np.broadcast_to(given, (paths, samples))
    steps = np.diff(times, axis=1)
    if not np.all(steps > 0.0) or not np.isfinite(times).all():
        raise InputError("times must increase from sample to sample and be finite")
    state = law.init_state(paths) if state is None else state
    stress = np.empty_like(F)
    piola = np.empty((paths, 3, 3))
    dt = np.zeros(paths)
    for k in tracked(range(samples), f"{law.name} along {paths} path(s), samples"):
        if k > 0:
            dt = np.ascontiguousarray(steps[:, k - 1])
        here = np.ascontiguousarray(F[:, k])
        law.update(here, dt, state, piola)
        stress[:, k] = cauchy_from_piola(piola, here)
    return stress
