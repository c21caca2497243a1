"""What a learnt law does where its training data end: mark, warn once for each kind, or stop the run.

The range has two sides. On one are large shapes, fast strains and volumes; on the other slow flow, long
holds and small cycles, by the clocks of :mod:`microscale.paths.flow_clocks`. A point keeps how far it was
beyond, by kind.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.law import State, StateVariable
from microscale.paths.flow_clocks import CLOCKS
from microscale.tensors import FloatArray
from multiscale.surrogate.store import TrainingRange

OnExtrapolation = Literal["warn", "stop"]


class Kind(NamedTuple):
    """One way to leave the training range.

    Attributes:
        name: In the summary of a run.
        limit: What of it was trained, in words.
    """

    name: str
    limit: Callable[[TrainingRange], str]


KINDS = (
    Kind("shape", lambda known: f"isochoric shape up to {known.shape:.3g}"),
    Kind("fast", lambda known: f"strain rate up to {known.strain_rate:.3g} 1/us"),
    Kind(
        "volume",
        lambda known: f"det F in [{known.smallest_volume:.3g}, {known.largest_volume:.3g}]",
    ),
    Kind("slow", lambda known: f"rate of flow down to {known.slowest_rate or 0.0:.3g} 1/us"),
    Kind("hold", lambda known: f"holds up to {known.longest_hold or 0.0:.3g} us"),
    Kind("cycle", lambda known: f"repeated cycles down to {known.smallest_cycle or 0.0:.3g} of flow"),
)
"""In the order of the kernels."""

FAST_SIDE = 3
"""How many of them are on the side of large and fast."""

EXTRAPOLATION = StateVariable("extrapolation", (), "-")
"""How far a point has at most been beyond the training range, relative to it: zero inside."""

BEYOND = StateVariable("beyond", (len(KINDS),), "-")
"""The same by kind."""

OUTSIDE = StateVariable("outside_for", (1,), "us")
"""How long ago the point first left the training range, in whatever way."""

WATCHED = (StateVariable("flow_clocks", (CLOCKS,), "-"), OUTSIDE, BEYOND)


def mark(excess: FloatArray, dt: FloatArray, state: State) -> NDArray[np.int64]:
    """Keep the worst of points after a step; what the kernel of the recurrent law does too.

    Args:
        excess: How far they are beyond the training range by kind, shape (n, kinds).
        dt: Time steps, us, shape (n,).
        state: Their state.

    Returns:
        How many left it for the first time, by kind, and at all.
    """
    worst, extrapolation, most = state[BEYOND.name], state[EXTRAPOLATION.name], excess.max(axis=1)
    newly = ((worst == 0.0) & (excess > 0.0)).sum(axis=0)
    first = ((extrapolation == 0.0) & (most > 0.0)).sum()
    state[OUTSIDE.name][:, 0] += np.where(extrapolation > 0.0, dt, 0.0)
    np.maximum(worst, excess, out=worst)
    np.maximum(extrapolation, most, out=extrapolation)
    return np.append(newly, first)


class ExtrapolationWarning(UserWarning):
    """A surrogate is used outside the range of its training data."""


class Worst(NamedTuple):
    """The farthest beyond the training range in one way.

    Attributes:
        kind: Name of the way.
        limit: What of it was trained, in words.
        points: Number of points beyond.
        excess: How far the worst one was, relative to the range.
        point: Which it is.
        left_at: When that point first left the range, in whatever way, us.
    """

    kind: str
    limit: str
    points: int
    excess: float
    point: int
    left_at: float


class ExtrapolationWatch:
    """Counts the points that leave the training range.

    Args:
        limits: The training range.
        action: ``warn``, once for each kind, and go on; or ``stop`` with an error.

    Attributes:
        points: Number of points that have left it.

    Raises:
        InputError: Unknown action.
    """

    def __init__(self, limits: TrainingRange, action: OnExtrapolation) -> None:
        if action not in ("warn", "stop"):
            raise InputError(f"on_extrapolation = '{action}', expected 'warn' or 'stop'")
        self.limits, self.action, self.points = limits, action, 0
        self._told = np.zeros(len(KINDS), dtype=bool)

    @classmethod
    def silent(cls, limits: TrainingRange) -> Self:
        """Return a watch that has said everything: for states that are tried, not reached."""
        watch = cls(limits, "warn")
        watch._told[:] = True
        return watch

    def report(self, newly: NDArray[np.int64], state: State) -> None:
        """Say that points have left the range.

        Args:
            newly: How many had never been outside before, by kind, and at all; nothing is said of none.
            state: State of all points of the batch.

        Raises:
            InputError: The action is ``stop``.
        """
        if not newly.any():
            return
        self.points += int(newly[-1])
        fresh = np.flatnonzero((newly[:-1] > 0) & ~self._told)
        if not fresh.size:
            return
        self._told[fresh] = True
        ways = ", ".join(KINDS[kind].limit(self.limits) for kind in fresh)
        farthest = 100.0 * state[BEYOND.name][:, fresh].max()
        found = (
            f"{newly[:-1][fresh].max()} point(s) left the training range of the surrogate ({ways}), the "
            f"farthest by {farthest:.3g} %"
        )
        if self.action == "stop":
            raise InputError(
                f"{found}; expected none with --on-extrapolation stop: train on data that reach there"
            )
        warnings.warn(
            f"{found}: its stress is a guess there; the field 'extrapolation' shows where, more training "
            "data would help",
            ExtrapolationWarning,
            stacklevel=5,
        )

    def worst(self, state: State, time: float) -> list[Worst]:
        """Return the worst of each kind in which points have left the range.

        Args:
            state: State of the points.
            time: Time they have reached, us.
        """
        beyond: FloatArray = state[BEYOND.name]
        found = []
        for k, kind in enumerate(KINDS):
            if not (points := int(np.count_nonzero(beyond[:, k]))):
                continue
            point = int(beyond[:, k].argmax())
            left_at = time - float(state[OUTSIDE.name][point, 0])
            limit = kind.limit(self.limits)
            found.append(Worst(kind.name, limit, points, float(beyond[point, k]), point, left_at))
        return found

    def resume(self, state: State) -> None:
        """Count the points that are outside already: they are not new."""
        self.points = int(np.count_nonzero(state[EXTRAPOLATION.name]))
        self._told = (state[BEYOND.name] > 0.0).any(axis=0)
