"""One constitutive law made of several: each point is of a phase, and each phase has a law of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microscale.crystals.single_crystal import check_orientations
from microscale.errors import ConvergenceError, InputError
from microscale.inputs.numbers import numbers_in
from microscale.law import ConstitutiveLaw, Moduli, State, StateVariable
from microscale.tensors import FloatArray

PHASE = "phase"
"""State variable that says of which phase a point is, from zero."""


class PhaseLaws(ConstitutiveLaw):
    """Points of several phases, such as a matrix and fibres.

    State: ``phase``, the number of the phase of each point, which never changes; and the variables of all
    laws. Variables of one name and shape are one array; where laws have different shapes for a name, each has
    an array of its own, ``<name>_of_<phase>``. An array that the law of a point does not have is not used
    there.

    Args:
        laws: The law of each phase, in the order of their numbers.
        fractions: Volume fraction of each phase, for density and moduli; equal ones by default.

    Raises:
        InputError: There is no law, or fractions do not fit.
    """

    name = "phases"

    def __init__(self, laws: Sequence[ConstitutiveLaw], fractions: ArrayLike | None = None) -> None:
        if not laws:
            raise InputError("no law of a phase, expected at least one")
        self.laws = tuple(laws)
        self.fractions = _fractions(len(laws), fractions)
        self.density = float(self.fractions @ [law.density for law in laws])
        self.worth_batching = all(law.worth_batching for law in laws)
        self._names = _names(self.laws)
        self.state_spec = (StateVariable(PHASE, (), "-"), *_variables(self.laws, self._names))

    def at_rest(
        self, phase: ArrayLike, orientations: Mapping[int, ArrayLike] | None = None
    ) -> dict[str, FloatArray]:
        """Return the state at rest of points of given phases, by name: what a cell takes as ``at_rest``.

        Args:
            phase: Number of the phase of each point, shape (n,).
            orientations: Crystal axes of all points, shape (n, 3, 3), by the number of a phase of crystals.

        Raises:
            InputError: There is no such phase, or no crystals in it.
        """
        turned = orientations or {}
        state = self.init_state(np.size(phase))
        state[PHASE][:] = numbers_in("phase", phase)
        for k, points in self._points(state[PHASE]):
            for variable in self.laws[k].state_spec:
                state[self._names[k][variable.name]][points] = variable.at_rest
        for k, axes in turned.items():
            if not (0 <= k < len(self.laws) and "orientation" in self._names[k]):
                raise InputError(f"orientations of phase {k}, which is none of crystals")
            where = state[PHASE] == k
            state[self._names[k]["orientation"]][where] = check_orientations(
                numbers_in("orientations", axes)[where]
            )
        return dict(state)

    def _points(self, phase: FloatArray) -> Iterator[tuple[int, NDArray[np.intp] | slice]]:
        """Numbers of the phases that are there, and where; everywhere is a slice: views, and no copies."""
        found = 0
        for k in range(len(self.laws)):
            points = np.flatnonzero(phase == k)
            found += len(points)
            if len(points):
                yield k, slice(None) if len(points) == len(phase) else points
        if found != len(phase):
            wrong = phase[~np.isin(phase, np.arange(len(self.laws)))][0]
            raise InputError(f"phase = {wrong:g}, expected a whole number from 0 to {len(self.laws) - 1}")

    def _parts(self, state: State) -> Iterator[tuple[int, NDArray[np.intp] | slice, State]]:
        for k, points in self._points(state[PHASE]):
            yield k, points, State({name: state[ours][points] for name, ours in self._names[k].items()})

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        for k, points, part in self._parts(state):
            P = out[points]
            self._guarded(k, F[points], _steps(dt, points), part, P)
            out[points] = P
            for name, ours in self._names[k].items():
                state[ours][points] = part[name]

    def _guarded(self, k: int, F: FloatArray, dt: float | FloatArray, part: State, P: FloatArray) -> None:
        try:
            self.laws[k].update(F, dt, part, P)
        except ConvergenceError as error:
            raise ConvergenceError(f"phase {k} ({self.laws[k].name}): {error}") from error

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        for k, points, part in self._parts(state):
            C = out[points]
            self.laws[k].tangent(F[points], _steps(dt, points), part, C)
            out[points] = C

    @cached_property
    def smooth(self) -> Self:
        """The same, of laws that are solved to rounding."""
        other = copy(self)
        other.laws = tuple(law.smooth for law in self.laws)
        return other

    def resume(self, state: State) -> None:
        """Let each law take up from its part of a state."""
        for k, _, part in self._parts(state):
            self.laws[k].resume(part)

    def wave_speed(self) -> float:
        """Largest longitudinal wave speed of the phases, mm/us: no mixture of them is faster."""
        return max(law.wave_speed() for law in self.laws)

    def moduli(self) -> Moduli:
        """Return the volume averages of the moduli of the phases: Voigt's bound of their mixture."""
        shear, bulk = self.fractions @ np.array([law.moduli() for law in self.laws])
        return Moduli(float(shear), float(bulk))

    @property
    def material(self) -> str:
        """The materials of the phases, or their laws where nobody said."""
        return self._material or " with ".join(law.material or law.name for law in self.laws)

    @property
    def field_units(self) -> dict[str, str]:
        """Units of the fields of all laws, and of the phase."""
        units = {PHASE: "-"}
        for law in self.laws:
            units |= law.field_units
        return units

    def fields(self, state: State) -> dict[str, FloatArray]:
        """Return the fields of all laws, zero where the law of a point does not have it; and the phase."""
        found: dict[str, FloatArray] = {PHASE: state[PHASE]}
        for k, points, part in self._parts(state):
            for name, values in self.laws[k].fields(part).items():
                found.setdefault(name, np.zeros(len(state[PHASE])))[points] = values
        return found


def _steps(dt: float | FloatArray, points: NDArray[np.intp] | slice) -> float | FloatArray:
    return dt if np.ndim(dt) == 0 else np.asarray(dt)[points]


def _fractions(count: int, given: ArrayLike | None) -> FloatArray:
    fractions = np.full(count, 1.0 / count) if given is None else numbers_in("fractions", given)
    if fractions.shape != (count,) or fractions.min() < 0.0 or abs(fractions.sum() - 1.0) > 1e-9:
        raise InputError(f"fractions = {fractions}, expected {count} of sum one, none negative")
    return fractions


def _names(laws: Sequence[ConstitutiveLaw]) -> tuple[Mapping[str, str], ...]:
    """By law: under which name the state has each of its variables."""
    shapes: dict[str, set[tuple[int, ...]]] = {PHASE: {(), (0,)}}  # no law's variable is called that
    for law in laws:
        for variable in law.state_spec:
            shapes.setdefault(variable.name, set()).add(variable.shape)
    return tuple(
        {v.name: v.name if len(shapes[v.name]) == 1 else f"{v.name}_of_{k}" for v in law.state_spec}
        for k, law in enumerate(laws)
    )


def _variables(
    laws: Sequence[ConstitutiveLaw], names: Sequence[Mapping[str, str]]
) -> tuple[StateVariable, ...]:
    """All variables, under their names in the state; one of several laws is at rest as in the first."""
    found: dict[str, StateVariable] = {}
    for law, ours in zip(laws, names, strict=True):
        for v in law.state_spec:
            found.setdefault(ours[v.name], StateVariable(ours[v.name], v.shape, v.unit, v.at_rest))
    return tuple(found.values())
