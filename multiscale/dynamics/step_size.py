"""The step ahead: a fraction of the stable step, held as long as that allows, shortened to end on time.

The central difference keeps its energy as long as its step is constant; a change adds
(dt_old^2 - dt_new^2) / 8 f^2 / m. A step that follows the stable one through every elastic wave is short
where the forces are great, and these amounts add up: 2 % of the energy of a ringing bar in 100,000 steps.
So the step falls when it must, at once, and grows only when the stable step has stayed above it for long.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from microscale.errors import DeformationError, InputError

# A step this much smaller than the first one will not end: the run stops with an error.
SMALLEST_STEP = 1e-4

# The step grows when it could have been this much longer for a share of all steps so far, and at least for
# some. Elastic waves change the stable step by less; so it grows some eight times while the steps double.
GROWTH, SHARE, FEWEST = 1.05, 1.0 / 8.0, 16


class StepSize:
    """Chooses the steps of a run.

    Attributes:
        courant: Fraction of the estimated stable step that is taken.
        first: The first of these, us; zero before it is known.
        held: The step, us, but for one shortened to end on time; zero before it is known.
        end_time: Time at which the run ends, us.
    """

    def __init__(self, courant: float) -> None:
        if not 0.0 < courant <= 1.0:
            raise InputError(f"courant = {courant}, expected a factor above 0, at most 1")
        self.courant, self.first, self.held, self.end_time = courant, 0.0, 0.0, np.inf
        self._shortest, self._review = np.inf, FEWEST

    def next(self, stable: float, time: float, step_count: int, limiting_cell: int) -> float:
        """Return the step from ``time``, us; the last two before the end are equal.

        Args:
            stable: Estimated stable step, us.
            time: Present time, us.
            step_count: Steps taken.
            limiting_cell: Cell that limits it, for the message.

        Raises:
            DeformationError: The stable step has fallen below :data:`SMALLEST_STEP` of the first.
        """
        step = self.courant * stable
        self.first = self.first or step
        if step < SMALLEST_STEP * self.first:
            raise DeformationError(
                f"the stable step fell from {self.first:.4g} to {step:.4g} us at {time:.6g} us: "
                f"cell {limiting_cell} is crushed; refine the mesh there or end earlier"
            )
        step = self._hold(step, step_count)
        remaining = self.end_time - time
        if 0.0 < remaining <= 2.0 * step:
            return remaining if remaining <= step else 0.5 * remaining
        return step

    def _hold(self, allowed: float, step_count: int) -> float:
        """Return the step held so far as long as ``allowed`` is no less, or not much more for long."""
        self._shortest = min(self._shortest, allowed)
        if self.held == 0.0 or allowed < self.held:
            self.held = allowed
        if step_count >= self._review:
            if self._shortest > GROWTH * self.held:
                self.held = self._shortest
            self._shortest, self._review = np.inf, step_count + max(FEWEST, int(SHARE * step_count))
        return self.held

    def clock(self) -> dict[str, float]:
        """What :meth:`resume` needs to go on with the same bits."""
        held = {"held_step": self.held, "shortest_step": self._shortest, "step_review": self._review}
        return {"first_step": self.first, **held}

    def resume(self, clock: Mapping[str, float]) -> None:
        """Go on from what :meth:`clock` said."""
        self.first, self.held = clock["first_step"], clock["held_step"]
        self._shortest, self._review = clock["shortest_step"], int(clock["step_review"])
