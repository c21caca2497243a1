"""The step ahead: a fraction of the stable step, shortened to end on time, refused when it falls too far."""

from __future__ import annotations

import numpy as np

from microscale.errors import DeformationError, InputError

# A step this much smaller than the first one will not end: the run stops with an error.
SMALLEST_STEP = 1e-4


class StepSize:
    """Chooses the steps of a run.

    Attributes:
        courant: Fraction of the estimated stable step that is taken.
        first: The first of these, us; zero before it is known.
        end_time: Time at which the run ends, us.
    """

    def __init__(self, courant: float) -> None:
        if not 0.0 < courant <= 1.0:
            raise InputError(f"courant = {courant}, expected a factor above 0, at most 1")
        self.courant, self.first, self.end_time = courant, 0.0, np.inf

    def next(self, stable: float, time: float, limiting_cell: int) -> float:
        """Return the step from ``time``, us; the last two before the end are equal.

        Args:
            stable: Estimated stable step, us.
            time: Present time, us.
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
        remaining = self.end_time - time
        if 0.0 < remaining <= 2.0 * step:
            return remaining if remaining <= step else 0.5 * remaining
        return step
