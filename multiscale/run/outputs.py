"""When the fields of a run are put out: at even times, or every so many steps."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import numpy as np
from numpy.typing import NDArray

from multiscale.dynamics.simulation import Simulation
from multiscale.results.field_writer import ResultWriter
from multiscale.results.recorded import Recorded
from multiscale.results.vtkhdf import Step

Fields = Mapping[str, NDArray[np.float64]]

#: Outputs of the fields after the initial one, if the user does not say otherwise, and those of a run that is
#: expected to take fewer steps than given: one output takes as long as half a step of a cheap law.
OUTPUTS, FEW_OUTPUTS, FEW_STEPS = 20, 8, 160

#: Times that are alike, relative to the interval.
ALIKE = 1e-9


class EvenTimes:
    """Observer: outputs at multiples of an interval, and at the end time.

    Steps keep their own length, as a change of it costs energy (:mod:`multiscale.dynamics.step_size`). An
    output between two steps is interpolated linearly between them, with an error of the square of the step.
    """

    def __init__(self, writer: ResultWriter, end_time: float, interval: float, begun: Simulation) -> None:
        """Go on after ``begun``, the simulation at its start or restart; collective.

        Args:
            writer: Takes the outputs.
            end_time: End of the run, us, at which there is an output too.
            interval: Time between outputs, us.
            begun: What it has behind it, or is at, was put out before.
        """
        self._writer, self._interval, self._end = writer, interval, end_time
        self._round_off = ALIKE * interval
        self._next = int(begun.time / interval + ALIKE) + 1
        self._last = ceil(end_time / interval - ALIKE)
        self._before = self._state_before(begun)

    def _due(self) -> float:
        return min(self._next * self._interval, self._end)

    def _state_before(self, simulation: Simulation) -> Step | None:
        """Return the present fields if the next output is due within the step ahead; collective."""
        crosses = simulation.time + simulation.dt >= self._due() - self._round_off
        return self._writer.state(simulation) if self._next <= self._last and crosses else None

    def __call__(self, simulation: Simulation) -> None:
        """Put out what is due up to the present time; collective."""
        now = None
        while self._next <= self._last and simulation.time >= (due := self._due()) - self._round_off:
            now = now or self._writer.state(simulation)
            alike = simulation.time - due <= self._round_off
            self._writer.add(now if alike or self._before is None else _between(self._before, now, due))
            self._next += 1
        self._before = self._state_before(simulation)


def _between(before: Step, after: Step, time: float) -> Step:
    """Return the fields at a time between two steps."""
    share = (time - before.time) / (after.time - before.time)

    def mean(old: Fields, new: Fields) -> Fields:
        return {name: old[name] + share * (new[name] - old[name]) for name in new}

    return Step(
        time,
        mean(before.point_fields, after.point_fields),
        mean(before.cell_fields, after.cell_fields),
    )


class EverySteps:
    """Observer: an output every so many steps."""

    def __init__(self, writer: ResultWriter, steps: int, begun: Recorded) -> None:
        """Go on after ``begun``; see :class:`EvenTimes`."""
        self._writer, self._steps = writer, steps
        self._passed = begun.step_count // steps

    def __call__(self, simulation: Recorded) -> None:
        """Put out the present fields if they are due; collective."""
        count = simulation.step_count // self._steps
        if count > self._passed:
            self._passed = count
            self._writer.add(self._writer.state(simulation))
