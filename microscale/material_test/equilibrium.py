"""One step of points under prescribed strains and stresses: Newton's method on the tangent of the law."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from microscale.errors import ConvergenceError, DeformationError
from microscale.law import ConstitutiveLaw, State
from microscale.material_test.program import COLUMNS, COMPONENTS, ROWS
from microscale.tensors import FloatArray, cauchy_from_piola

MOST_ITERATIONS = 12
MOST_CUTS = 10
"""Times that a step is halved where Newton's method fails."""
LARGEST_CHANGE = 0.1
"""Of a component of F in an iteration: from far away the tangent says little."""
POOR = 0.3
"""Share of the residual that a good iteration leaves at most."""
FLOOR = 1e-13
"""Of what a stress may be off, as a part of the wave modulus: rounding."""
BASIS = np.zeros((6, 3, 3))
BASIS[np.arange(6), ROWS, COLUMNS] = 1.0
"""Derivatives of F by its components."""


Flags = NDArray[np.bool_]
Where = NDArray[np.intp]


@dataclass(frozen=True)
class Step:
    """What n points are told to do in a step.

    Attributes:
        dt: Time, us, shape (n,).
        is_stress: Whether a component is prescribed by its stress, shape (n, 6).
        begin: Strains and stresses (GPa) at the beginning, shape (n, 6).
        end: Those at the end.
        engineering: Whether they are engineering ones, shape (n,).
        axes: Axes of the test as columns in those of the sample, shape (n, 3, 3).
        allowed: What a stress may be off, GPa, shape (n,), where the tolerance asks for less.
    """

    dt: FloatArray
    is_stress: Flags
    begin: FloatArray
    end: FloatArray
    engineering: Flags
    axes: FloatArray
    allowed: FloatArray

    def at(self, points: Where | Flags) -> Step:
        """Return that of some points."""
        return Step(*(getattr(self, name)[points] for name in self.__dataclass_fields__))

    def halves(self) -> tuple[Step, Step]:
        """Return the step in two."""
        middle, dt = 0.5 * (self.begin + self.end), 0.5 * self.dt
        return replace(self, end=middle, dt=dt), replace(self, begin=middle, dt=dt)

    def stretched(self, components: FloatArray) -> FloatArray:
        """Return components of F, shape (n, 6), with those in place that are prescribed by strain."""
        return np.where(self.is_stress, components, from_strain(self.end, self.engineering))


@dataclass(frozen=True)
class Balance:
    """Points at the end of a step.

    Attributes:
        components: Of F in the axes of the test, shape (n, 6).
        piola: First Piola-Kirchhoff stress in those axes, shape (n, 3, 3), GPa.
        state: State there.
        found: Which points are in balance, shape (n,), boolean.
        iterations: Newton's iterations, those of cut steps added up, shape (n,).
        slopes: Derivatives of what is prescribed by the components, shape (n, 6, 6); NaN where unknown.
        residuals: Of the uncut step: largest stress that is not as told, before each iteration, GPa.
    """

    components: FloatArray
    piola: FloatArray
    state: State
    found: Flags
    iterations: Where
    slopes: FloatArray
    residuals: list[float]

    def put(self, point: int, other: Balance) -> None:
        """Take a point of another, its only one."""
        self.components[point], self.piola[point] = other.components[0], other.piola[0]
        self.found[point], self.slopes[point] = other.found[0], np.nan
        for name, array in self.state.items():
            array[point] = other.state[name][0]


def from_strain(strain: FloatArray, engineering: Flags) -> FloatArray:
    """Return components of F, shape (n, 6), from strains."""
    normal = np.where(engineering[:, None], 1.0 + strain[:, :3], np.exp(np.minimum(strain[:, :3], 100.0)))
    return np.concatenate([normal, strain[:, 3:]], axis=1)


def to_strain(components: FloatArray, engineering: Flags) -> FloatArray:
    """Return strains, shape (n, 6), from components of F."""
    normal = np.where(engineering[:, None], components[:, :3] - 1.0, np.log(components[:, :3]))
    return np.concatenate([normal, components[:, 3:]], axis=1)


def gradient(components: FloatArray) -> FloatArray:
    """Return F, shape (n, 3, 3), of its components (n, 6): an upper triangle."""
    F = np.zeros((len(components), 3, 3))
    F[:, ROWS, COLUMNS] = components
    return F


def stress_of(piola: FloatArray, F: FloatArray, engineering: Flags) -> FloatArray:
    """Return the stresses that a test prescribes, shape (n, 6), GPa: Cauchy's, or over the area at rest."""
    stress = np.where(engineering[:, None, None], piola, cauchy_from_piola(piola, F))
    return stress[:, ROWS, COLUMNS]


def advance(
    law: ConstitutiveLaw,
    step: Step,
    state: State,
    here: FloatArray,
    guess: FloatArray,
    tolerance: float,
    slopes: FloatArray | None = None,
    cuts: int = MOST_CUTS,
) -> Balance:
    """Take a step; where Newton's method fails it is cut in two, and those again.

    Args:
        law: Any constitutive law.
        step: What the n points are told.
        state: Their state at the beginning; kept.
        here: Components of F at the beginning, shape (n, 6).
        guess: Those at the end to start from.
        tolerance: Of a stress, relative to the largest there.
        slopes: What the step before left as ``slopes``, or NaN; shape (n, 6, 6).
        cuts: Times that a step may still be halved.

    Raises:
        ConvergenceError: No balance was found in the smallest steps.
    """
    found = balance(law, step, state, guess, tolerance, slopes)
    for point in np.flatnonzero(~found.found):
        if cuts == 0:
            raise ConvergenceError(_failure(law, step, found, int(point), tolerance))
        where = np.array([point])
        # The guess is past the end of a half, where that is all a law carries: it goes half way.
        reached, begin, change = _points(state, where), here[where], 0.5 * (guess - here)[where]
        for half in step.at(where).halves():
            part = advance(law, half, reached, begin, begin + change, tolerance, None, cuts - 1)
            reached, begin, change = part.state, part.components, part.components - begin
            found.iterations[point] += part.iterations[0]
        found.put(int(point), part)
    return found


def balance(
    law: ConstitutiveLaw,
    step: Step,
    state: State,
    guess: FloatArray,
    tolerance: float,
    slopes: FloatArray | None = None,
) -> Balance:
    """Find deformation gradients at which each component is as told, by Newton's method from a guess.

    A tangent that a law finds by differences costs eighteen updates. Of such a law it is asked at the
    beginning, and where the residual does not fall to :data:`POOR`; else it is corrected by what the last
    iteration found (Broyden 1965).

    Arguments as of :func:`advance`. Points that were not found are marked.
    """
    n = len(guess)
    known = np.full((n, 6, 6), np.nan) if slopes is None else slopes.copy()
    nothing = np.empty((n, 3, 3)), state.copy(), np.zeros(n, bool), np.zeros(n, int)
    result = Balance(step.stretched(guess), *nothing, known, [])
    active: Where = np.arange(n)
    change, before = np.zeros((n, 6)), np.full(n, np.inf)
    for _ in range(MOST_ITERATIONS + 1):
        here, kept = step.at(active), _points(state, active)
        try:
            trial = _tried(law, here, kept, result.components[active])
            done = trial.off <= np.maximum(tolerance * np.abs(trial.piola).max(axis=(1, 2)), here.allowed)
            result.residuals.append(float(trial.off.max()))
            _keep(result, active[done], done, trial)
            left = ~done
            poor, change, before = (trial.off > POOR * before)[left], change[left], trial.off[left]
            active, trial = active[left], trial.at(left)
            if not len(active):
                break
            here, kept = step.at(active), _points(state, active)
            known[active] = _renewed(law, here, kept, trial, known[active], change, poor)
            change = -np.linalg.solve(known[active], trial.residual[..., None])[..., 0]
        except (DeformationError, ConvergenceError, np.linalg.LinAlgError):
            break
        change = np.clip(change, -LARGEST_CHANGE, LARGEST_CHANGE)
        result.components[active] += change
        result.iterations[active] += 1
    return result


def _renewed(
    law: ConstitutiveLaw,
    step: Step,
    state: State,
    trial: _Trial,
    known: FloatArray,
    change: FloatArray,
    poor: Flags,
) -> FloatArray:
    """Return the slopes for the next iteration, shape (n, 6, 6): corrected ones, or those of the tangent."""
    if type(law)._tangent is not ConstitutiveLaw._tangent:
        return _slope(law, step, state, trial)
    # Broyden: the slope, times the last change, is what the residual changed by.
    size = (change**2).sum(axis=1)[:, None, None]
    slopes = known + trial.residual[:, :, None] * change[:, None, :] / np.where(size > 0.0, size, np.inf)
    asked = poor | np.isnan(slopes).any(axis=(1, 2))
    if asked.any():
        slopes[asked] = _slope(law, step.at(asked), _points(state, asked), trial.at(asked))
    return slopes


class _Trial(NamedTuple):
    """Points as they would be: F, P, state, what stresses are off what was told, and the largest of that."""

    F: FloatArray
    piola: FloatArray
    state: State
    residual: FloatArray
    off: FloatArray

    def at(self, points: Where | Flags) -> _Trial:
        return _Trial(
            self.F[points],
            self.piola[points],
            _points(self.state, points),
            self.residual[points],
            self.off[points],
        )


def _tried(law: ConstitutiveLaw, step: Step, state: State, components: FloatArray) -> _Trial:
    """Let points go to components of F, from a state that is kept."""
    F, reached, P = gradient(components), state.copy(), np.empty((len(components), 3, 3))
    law.update(_turned(step.axes, F), step.dt, reached, P)
    P = _turned(np.swapaxes(step.axes, 1, 2), P)
    residual = np.where(step.is_stress, stress_of(P, F, step.engineering) - step.end, 0.0)
    return _Trial(F, P, reached, residual, np.abs(residual).max(axis=1))


def _slope(law: ConstitutiveLaw, step: Step, state: State, trial: _Trial) -> FloatArray:
    """Return the derivatives of all six conditions by the components of F, shape (n, 6, 6)."""
    tangent = np.empty((len(trial.F), 3, 3, 3, 3))
    law.tangent(_turned(step.axes, trial.F), step.dt, state, tangent)
    there, back = step.axes[:, None], np.swapaxes(step.axes, 1, 2)[:, None]
    dP = back @ np.einsum("pijkl,pdkl->pdij", tangent, there @ BASIS @ back) @ there
    inverse = np.linalg.inv(trial.F)
    sigma = cauchy_from_piola(trial.piola, trial.F)
    # sigma = P F^T / J, and dJ / J = tr(F^-1 dF).
    moved = dP @ np.swapaxes(trial.F, 1, 2)[:, None] + trial.piola[:, None] @ np.swapaxes(BASIS, 1, 2)
    d_sigma = moved / np.linalg.det(trial.F)[:, None, None, None]
    d_sigma -= np.einsum("pji,dij->pd", inverse, BASIS)[..., None, None] * sigma[:, None]
    stress = np.where(step.engineering[:, None, None, None], dP, d_sigma)[..., ROWS, COLUMNS]
    return np.where(step.is_stress[..., None], np.swapaxes(stress, 1, 2), np.eye(6))


def _turned(axes: FloatArray, A: FloatArray) -> FloatArray:
    return np.ascontiguousarray(axes @ A @ np.swapaxes(axes, 1, 2))


def _points(state: State, points: Where | Flags) -> State:
    return State({name: array[points] for name, array in state.items()})


def _keep(result: Balance, points: Where, done: Flags, trial: _Trial) -> None:
    """Note the points that are in balance."""
    result.piola[points], result.found[points] = trial.piola[done], True
    for name, array in trial.state.items():
        result.state[name][points] = array[done]


def _failure(law: ConstitutiveLaw, step: Step, found: Balance, point: int, tolerance: float) -> str:
    told = ", ".join(
        f"{'stress' if is_stress else 'strain'}.{name} = {end:.4g}"
        for name, is_stress, end in zip(COMPONENTS, step.is_stress[point], step.end[point], strict=True)
    )
    nearest = f"{min(found.residuals):.3g} GPa off" if found.residuals else "no stress"
    return (
        f"no balance of the law {law.name} at {told} in a step of {step.dt[point]:.3g} us ({nearest}): "
        f"the law may not carry that stress; take more steps, or a tolerance above {tolerance:g}"
    )
