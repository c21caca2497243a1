"""Material tests of a law, one point for each, all at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from microscale.errors import InputError
from microscale.inputs.numbers import checked, numbers_in
from microscale.law import ConstitutiveLaw, State
from microscale.material_test.equilibrium import (
    FLOOR,
    Flags,
    Step,
    Where,
    advance,
    gradient,
    stress_of,
    to_strain,
)
from microscale.material_test.program import COLUMNS, COMPONENTS, ROWS, MaterialTest, Tolerance
from microscale.progress import task
from microscale.tensors import FloatArray, cauchy_from_piola

TOLERANCE = 1e-5
"""Of a stress, relative to the largest so far."""


@dataclass(frozen=True)
class Curve:
    """What a law did in a test, in the axes of the test.

    Attributes:
        times: Shape (samples,), us.
        F: Deformation gradients, shape (samples, 3, 3).
        stress: Cauchy stress, shape (samples, 3, 3), GPa.
        fields: What the law shows of its state, each of shape (samples,).
        iterations: Newton's iterations of each step, shape (samples,); zero of the first sample.
    """

    times: FloatArray
    F: FloatArray
    stress: FloatArray
    fields: dict[str, FloatArray]
    iterations: Where

    def component(self, name: str, engineering: bool = False) -> tuple[FloatArray, FloatArray]:
        """Return strain and stress (GPa) of a component such as xx, shapes (samples,)."""
        k, flags = COMPONENTS.index(name), np.full(len(self.F), engineering)
        piola = np.linalg.det(self.F)[:, None, None] * self.stress @ np.linalg.inv(self.F).swapaxes(1, 2)
        strain = to_strain(self.F[:, ROWS, COLUMNS], flags)
        return strain[:, k], stress_of(piola, self.F, flags)[:, k]


class _Told(NamedTuple):
    """What a point is told to do in its next step; see :class:`Step`."""

    dt: float
    is_stress: Flags
    begin: FloatArray
    end: FloatArray
    fraction: float  # of the segment that is behind


@checked
def run_tests(
    law: ConstitutiveLaw,
    tests: Sequence[MaterialTest],
    tolerance: Tolerance = TOLERANCE,
    initial: Mapping[str, Any] | None = None,
) -> list[Curve]:
    """Run material tests, each on a point of its own that begins at rest.

    Args:
        law: Any constitutive law.
        tests: They may be of different length.
        tolerance: Of a stress, relative to the largest so far.
        initial: State variables at the beginning in place of those at rest, each of shape (tests, ...).

    Raises:
        InputError: A segment cannot be run from where the one before ended.
        ConvergenceError: No balance was found, even in smaller steps.
    """
    if not len(tests):
        return []
    points = _Points(law, tests, initial or {})
    with task(f"steps of {len(tests)} test(s) of {law.name}", max(map(_steps, tests))) as part:
        while len(active := points.begin_step()):
            points.take(active, tolerance)
            part.done += 1
    return points.curves()


def _steps(program: MaterialTest) -> int:
    return sum(segment.steps for segment in program.segments)


class _Points:
    """The points of tests: where they are, and what has been seen of them."""

    def __init__(
        self, law: ConstitutiveLaw, programs: Sequence[MaterialTest], initial: Mapping[str, Any]
    ) -> None:
        n = len(programs)
        self.law, self.state = law, law.init_state(n)
        for name, values in initial.items():
            if name not in self.state:
                raise InputError(
                    f"initial {name}, which the law {law.name} does not have: expected one of "
                    f"{', '.join(self.state)}"
                )
            given = numbers_in(name, values)
            if given.shape != self.state[name].shape:
                raise InputError(f"initial {name} has shape {given.shape}, expected {self.state[name].shape}")
            self.state[name][:] = given
        self.engineering = np.array([program.measure == "engineering" for program in programs])
        self.axes = np.array([program.axes for program in programs])
        self.components = np.tile([1.0, 1.0, 1.0, 0.0, 0.0, 0.0], (n, 1))
        self.before = self.components.copy()
        self.piola = np.zeros((n, 3, 3))
        self.largest, self.rounding = np.zeros(n), FLOOR * law.density * law.wave_speed() ** 2
        self.time = np.zeros(n)
        self.iterations = np.zeros(n, dtype=int)
        self.last_dt = np.ones(n)
        self.slopes = np.full((n, 6, 6), np.nan)
        self.told: list[_Told | None] = []
        self.plans = [self._plan(k, program) for k, program in enumerate(programs)]
        self.seen: list[list[tuple[object, ...]]] = [[] for _ in programs]
        self._look(range(n))

    def begin_step(self) -> Where:
        """Let each point be told of its next step; return those that have one."""
        self.told = [next(plan, None) for plan in self.plans]
        return np.flatnonzero([told is not None for told in self.told])

    def take(self, active: Where, tolerance: float) -> None:
        """Take the step of the active points."""
        told = [told for told in self.told if told is not None]
        dt, is_stress, begin, end, behind = (np.array(column) for column in zip(*told, strict=True))
        # Where a stress goes back to zero there is only what has been to compare it with.
        allowed = np.maximum(tolerance * self.largest[active], self.rounding)
        step = Step(dt, is_stress, begin, end, self.engineering[active], self.axes[active], allowed)
        here = self.components[active]
        # Within a segment what is free goes on as it did; at its beginning nobody knows.
        goes_on = np.where(behind > 0.0, dt / self.last_dt[active], 0.0)[:, None]
        guess = here + goes_on * (here - self.before[active])
        state = State({name: array[active] for name, array in self.state.items()})
        slopes = np.where(behind[:, None, None] > 0.0, self.slopes[active], np.nan)
        found = advance(self.law, step, state, here, guess, tolerance, slopes)
        self.slopes[active] = found.slopes
        self.before[active], self.components[active] = here, found.components
        self.piola[active], self.iterations[active] = found.piola, found.iterations
        for name, array in found.state.items():
            self.state[name][active] = array
        self.largest[active] = np.maximum(self.largest[active], np.abs(found.piola).max(axis=(1, 2)))
        self.time[active] += dt
        self.last_dt[active] = dt
        self._look(active)

    def curves(self) -> list[Curve]:
        """Return what has been seen."""
        names = list(self.law.fields(self.state))
        made = []
        for rows in self.seen:
            times, F, stress, fields, iterations = (np.array(column) for column in zip(*rows, strict=True))
            made.append(Curve(times, F, stress, dict(zip(names, fields.T, strict=True)), iterations))
        return made

    def _plan(self, k: int, program: MaterialTest) -> Iterator[_Told]:
        """Yield what a point is told; where a segment begins is known when the one before has ended."""
        for number, segment in enumerate(program.segments, 1):
            begin = self._present(k, segment.is_stress)
            end = segment.ends(begin)
            try:
                dt = segment.time(begin, end) / segment.steps
            except InputError as error:
                raise InputError(f"segment {number}: {error}") from error
            for i in range(segment.steps):
                first, last = (begin + (end - begin) * j / segment.steps for j in (i, i + 1))
                yield _Told(dt, segment.is_stress, first, last, i / segment.steps)

    def _present(self, k: int, is_stress: Flags) -> FloatArray:
        """Strains and stresses of a point, shape (6,)."""
        one = slice(k, k + 1)
        strain = to_strain(self.components[one], self.engineering[one])
        stress = stress_of(self.piola[one], gradient(self.components[one]), self.engineering[one])
        return np.where(is_stress, stress, strain)[0]

    def _look(self, points: Sequence[int] | Where) -> None:
        F = gradient(self.components)
        stress = cauchy_from_piola(self.piola, F)
        fields = np.array(list(self.law.fields(self.state).values())).reshape(-1, len(F))
        for k in points:
            self.seen[k].append((self.time[k], F[k], stress[k], fields[:, k].copy(), self.iterations[k]))
