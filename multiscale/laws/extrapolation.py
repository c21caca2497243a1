"""What a learnt law does where its training data end: mark, warn once, or stop the run."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np

from microscale.errors import InputError
from microscale.law import FloatArray, State, StateVariable
from multiscale.surrogate.store import TrainingRange

OnExtrapolation = Literal["warn", "stop"]

EXTRAPOLATION = StateVariable("extrapolation", (), "-")
"""How far a point has at most been beyond the training range, relative to it: zero inside."""


class ExtrapolationWarning(UserWarning):
    """A surrogate is used outside the range of its training data."""


class ExtrapolationWatch:
    """Counts the points that leave the training range.

    Args:
        limits: The training range.
        action: ``warn``, once, and go on; or ``stop`` with an error.

    Attributes:
        points: Number of points that have left it.

    Raises:
        InputError: Unknown action.
    """

    def __init__(self, limits: TrainingRange, action: OnExtrapolation) -> None:
        if action not in ("warn", "stop"):
            raise InputError(f"on_extrapolation = '{action}', expected 'warn' or 'stop'")
        self.limits, self.action, self.points = limits, action, 0

    def report(self, newly_outside: int, extrapolation: FloatArray) -> None:
        """Say that points have left the range.

        Args:
            newly_outside: How many had never been outside before; nothing is said of none.
            extrapolation: State of all points of the batch.

        Raises:
            InputError: The action is ``stop``.
        """
        if not newly_outside:
            return
        first, self.points = self.points == 0, self.points + newly_outside
        limits = self.limits
        found = (
            f"{newly_outside} point(s) left the training range of the surrogate (isochoric shape up to "
            f"{limits.shape:.3g}, strain rate up to {limits.strain_rate:.3g} 1/us, det F in "
            f"[{limits.smallest_volume:.3g}, {limits.largest_volume:.3g}]), the farthest by "
            f"{100.0 * extrapolation.max():.3g} %"
        )
        if self.action == "stop":
            raise InputError(
                f"{found}; expected none with --on-extrapolation stop: train on data that reach there"
            )
        if first:
            warnings.warn(
                f"{found}: its stress is a guess there; the field 'extrapolation' shows where, more training "
                "data would help",
                ExtrapolationWarning,
                stacklevel=5,
            )

    def resume(self, state: State) -> None:
        """Count the points that are outside already: they are not new."""
        self.points = int(np.count_nonzero(state[EXTRAPOLATION.name]))
