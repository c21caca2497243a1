"""The size of load steps: cut where one fails, grown where they are easy, ended where a load has a corner."""

from __future__ import annotations

from collections.abc import Iterable

from microscale.errors import ConvergenceError

#: A step that fails is taken again so much shorter; one of few iterations is followed by one so much longer.
CUT, GROWTH, EASY = 0.5, 1.5, 5

#: Shortest step over the first one.
SHORTEST = 1e-4

#: Times that are alike, relative to the end time.
ALIKE = 1e-12


class LoadSteps:
    """Sizes of load steps.

    Attributes:
        size: The step ahead, us, but for corners.
        cuts: How often a step was cut so far.
    """

    def __init__(
        self,
        end_time: float,
        first: float,
        longest: float,
        corners: Iterable[float],
        size: float = 0.0,
        cuts: int = 0,
    ) -> None:
        """Begin, or go on with a step of ``size`` after so many cuts.

        Args:
            end_time: Time to end at, us.
            first: The first step, us.
            longest: The longest step, us.
            corners: Times at which a step ends, us.
            size: The step ahead where steps were taken before, us.
            cuts: How often a step was cut before.
        """
        self.size, self._first, self._longest = size or first, first, longest
        self._alike = ALIKE * end_time
        self._stops = sorted({*(time for time in corners if time < end_time - self._alike), end_time})
        self.cuts = cuts

    def ahead(self, time: float) -> float:
        """Return the step from a time, us: up to the next corner, or half way where it comes too near."""
        left = next(stop for stop in self._stops if stop > time + self._alike) - time
        if left <= self.size * (1.0 + 1e-9):
            return left
        return 0.5 * left if left < 2.0 * self.size else self.size

    def accepted(self, dt: float, iterations: int) -> None:
        """Take note of a step that converged."""
        if iterations <= EASY and dt >= (1.0 - 1e-9) * self.size:
            self.size = min(GROWTH * self.size, self._longest)

    def failed(self, dt: float, time: float, why: str) -> None:
        """Take note of a step from ``time`` that did not converge.

        Raises:
            ConvergenceError: Steps are too short already.
        """
        self.size, self.cuts = CUT * dt, self.cuts + 1
        if self.size < SHORTEST * self._first:
            raise ConvergenceError(
                f"no equilibrium after t = {time:.6g} us with steps of {dt:.3g} us, {SHORTEST:g} of the "
                f"first one ({why}): the body may have reached its greatest load; prescribe displacements in "
                "place of forces, refine the mesh or end earlier"
            )
