"""Protocol A, any load: strain, turn back, cycle, hold, at rates that jump by decades, in steps of any size.

A path is a row of intervals. In each the velocity gradient L = D + W + (d ln J / dt) I / 3 is constant in the
interval's own clock, F = exp(a L) F_before, and U = sqrt(F^T F): so simple shear (|W| = |D|) is one of them,
turning bodies are, and what comes back comes back exactly. Three kinds of intervals:

- load: a goes from 0 to 1, by a strain log-uniform from 0.1 to 30 %, in a new direction, on in the last one
  (the rate jumps), or back; in every other one the volume changes too;
- cycles: a goes to and fro one to five times, about zero or to one side, by 0.1 to 5 %;
- hold: F rests, to the bit.

Durations of intervals are log-uniform over three and a half decades, and add up to T. Time steps are equal,
or grow or shrink geometrically within an interval: in holds from 0.1 ns on. An interval has a share of the
samples that grows with its strain. Its ends, and where cycles turn, are samples if there are 100 steps or a
multiple.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from microscale.paths.strains import log_uniform, right_stretch, unit_deviator
from microscale.tensors import FloatArray

UNITS = 50
"""Parts of the samples: an interval has a whole number of them."""
STRAINS, AMPLITUDES, VOLUMES = (1e-3, 0.3), (1e-3, 0.05), (1e-3, 0.12)
"""Equivalent strain of a load, amplitude of cycles, and |ln J|: smallest and largest."""
STRAIN_OF_A_UNIT = 0.04
APART = 3e3
"""Longest over shortest interval."""
MAX_RATE = 30.0
"""Largest equivalent strain rate, 1/us, by default: an interval that is too short for its strain has less."""
SHORTEST_STEP = 1e-4
"""us, where there are 200 steps."""
LARGEST_GROWTH = 12.0
"""Logarithm of the last over the first time step of a hold, at most."""
TERMS = 14
"""Of the series of exp(a L), whose argument is below one."""


@dataclass
class Interval:
    """A part of a path.

    Attributes:
        units: Its share of the samples, of UNITS.
        strain: Equivalent strain of its load, or amplitude of its cycles; zero in a hold.
        cycles: How often it goes to and fro; zero if it does not.
        about: Whether cycles go to both sides.
        duration: us.
        growth: Logarithm of its last over its first time step.
        gradient: L times the duration, shape (d, d).
        start: F at its beginning, shape (d, d).
    """

    units: int
    strain: float = 0.0
    cycles: int = 0
    about: bool = True
    duration: float = 0.0
    growth: float = 0.0
    gradient: FloatArray = field(default_factory=lambda: np.zeros((3, 3)))
    start: FloatArray = field(default_factory=lambda: np.eye(3))

    def amplitude(self, x: FloatArray) -> FloatArray:
        """Return a, at fractions (n,) of the interval."""
        if self.cycles == 0:
            return x
        phase = self.cycles * x
        if self.about:
            return np.asarray(4.0 * np.abs((phase + 0.75) % 1.0 - 0.5) - 1.0)
        return np.asarray(1.0 - 2.0 * np.abs(phase % 1.0 - 0.5))

    def clock(self, x: FloatArray) -> FloatArray:
        """Return the share of its duration that has passed at fractions (n,) of its samples."""
        if abs(self.growth) < 1e-6:
            return x
        return np.asarray(np.expm1(self.growth * x) / np.expm1(self.growth))

    def end(self) -> FloatArray:
        """Return F at its end, shape (d, d)."""
        a = self.amplitude(np.ones(1))[:, None, None]
        return np.asarray((_exponential(a * self.gradient) @ self.start)[0])


class AnyLoad:
    """A path: intervals one after another.

    Args:
        intervals: With durations, gradients and what they start from.
    """

    def __init__(self, intervals: list[Interval]) -> None:
        self.intervals = intervals
        self._ends = np.cumsum([interval.units for interval in intervals])

    def __call__(self, fractions: FloatArray) -> FloatArray:
        """Return the stretch U, shape (n, 3, 3), at fractions of the samples, shape (n,)."""
        which, x = self._places(fractions)
        d = len(self.intervals[0].start)
        F = np.empty((len(fractions), d, d))
        for k, interval in enumerate(self.intervals):
            here = which == k
            a = interval.amplitude(x[here])[:, None, None]
            F[here] = _exponential(a * interval.gradient) @ interval.start
        U = np.zeros((len(fractions), 3, 3))
        U[:, 2, 2] = 1.0
        U[:, :d, :d] = right_stretch(F)
        return U

    def times(self, fractions: FloatArray) -> FloatArray:
        """Return the times at fractions of the samples, us, both of shape (n,)."""
        which, x = self._places(fractions)
        durations = np.array([interval.duration for interval in self.intervals])
        begin = np.cumsum(durations) - durations
        passed = np.empty(len(fractions))
        for k, interval in enumerate(self.intervals):
            passed[which == k] = interval.clock(x[which == k])
        return begin[which] + durations[which] * passed

    def _places(self, fractions: FloatArray) -> tuple[NDArray[np.int64], FloatArray]:
        """Interval and fraction of it, shape (n,) each; where two meet, the end of the earlier one."""
        place = np.round(UNITS * fractions, 9)  # a node is one whatever the rounding of the fraction
        which = np.minimum(np.searchsorted(self._ends, place), len(self.intervals) - 1)
        units = np.array([interval.units for interval in self.intervals])
        return which, (place - (self._ends - units)[which]) / units[which]


def any_load(
    generator: np.random.Generator,
    max_strain: float,
    duration: float,
    dimension: int,
    fastest_rate: float = MAX_RATE,
) -> AnyLoad:
    """Draw a path of any load.

    Args:
        generator: Source of randomness.
        max_strain: Largest equivalent logarithmic deviatoric strain at the ends of intervals.
        duration: T, us.
        dimension: 3, or 2 for plane strain.
        fastest_rate: Largest equivalent strain rate, 1/us.
    """
    intervals = _kinds(generator, max_strain)
    _set_durations(generator, intervals, duration)
    F, direction = np.eye(dimension), _direction(generator, dimension)
    for interval in intervals:
        interval.start, interval.gradient = F, np.zeros_like(F)
        if interval.strain == 0.0:
            continue
        way = generator.random()
        if way < 0.5:
            direction = _direction(generator, dimension)
        elif way < 0.75:
            direction = -direction
        most = _largest(interval, fastest_rate)
        L = min(interval.strain, most) * direction
        if interval.cycles == 0 and generator.random() < 0.5:
            L = L + _dilatation(generator, F, most)
        interval.gradient = _within(F, L, interval, max_strain)
        F = interval.end()
    return AnyLoad(intervals)


def _kinds(generator: np.random.Generator, max_strain: float) -> list[Interval]:
    """Draw intervals until they have all samples: first a strain, and no hold after a hold."""
    intervals: list[Interval] = []
    while (left := UNITS - sum(interval.units for interval in intervals)) > 0:
        kind = generator.random()
        if kind < 0.3 and intervals and intervals[-1].strain > 0.0:
            intervals.append(Interval(min(left, int(generator.integers(2, 9)))))
        elif kind < 0.5 and left > 1:
            cycles = min(left // 2, int(generator.integers(1, 6)))
            (strain,) = log_uniform(generator, *_upto(AMPLITUDES, max_strain), 1)
            about = bool(generator.random() < 0.5)
            intervals.append(Interval(2 * cycles, float(strain), cycles, about))
        else:
            (strain,) = log_uniform(generator, *_upto(STRAINS, max_strain), 1)
            units = int(generator.integers(1, 4) + strain / STRAIN_OF_A_UNIT)
            intervals.append(Interval(min(left, units), float(strain)))
    return intervals


def _upto(limits: tuple[float, float], largest: float) -> tuple[float, float]:
    high = min(limits[1], largest)
    return min(limits[0], 0.1 * high), high


def _set_durations(generator: np.random.Generator, intervals: list[Interval], duration: float) -> None:
    """Draw durations and the growth of time steps."""
    units = np.array([interval.units for interval in intervals])
    per_unit = 200.0 / UNITS
    shortest = units * min(per_unit * SHORTEST_STEP, 0.2 * duration / UNITS)
    shares = log_uniform(generator, 1.0 / APART, 1.0, len(intervals))
    durations = shortest + (duration - shortest.sum()) * shares / shares.sum()
    for interval, lasting, least in zip(intervals, durations, shortest, strict=True):
        interval.duration = float(lasting)
        if interval.strain == 0.0:
            # the first of n steps is at least exp(-growth) / n of the duration
            most = min(LARGEST_GROWTH, float(np.log(lasting / least)))
            interval.growth = float(generator.uniform(0.0, most))
        elif interval.cycles == 0 and generator.random() < 0.5:
            interval.growth = float(generator.uniform(-3.0, 3.0))


def _largest(interval: Interval, fastest_rate: float) -> float:
    """Largest strain of an interval, by its rate where its clock is slowest."""
    growth = abs(interval.growth)
    slowest = growth / np.expm1(growth) if growth else 1.0
    ways = max(1, (4 if interval.about else 2) * interval.cycles)
    return float(fastest_rate * interval.duration * slowest / ways)


def _direction(generator: np.random.Generator, dimension: int) -> FloatArray:
    """Draw a velocity gradient (d, d) of the equivalent strain rate one: strain, strain that turns, shear."""
    kind = generator.random()
    if kind < 0.25:
        axes = np.linalg.qr(generator.normal(size=(dimension, dimension)))[0]
        return np.asarray(np.sqrt(3.0) * np.outer(axes[:, 0], axes[:, 1]))
    L = np.sqrt(1.5) * unit_deviator(generator, dimension)
    if kind < 0.6:
        A = generator.normal(size=(dimension, dimension))
        W = (A - A.T) / np.linalg.norm(A - A.T)
        L = L + generator.uniform(0.0, 1.2) * np.sqrt(1.5) * W
    return np.asarray(L)


def _dilatation(generator: np.random.Generator, F: FloatArray, most: float) -> FloatArray:
    """Draw the gradient (d, d) that takes the volume to a new level, by ``most`` in ln J."""
    level = float(log_uniform(generator, *VOLUMES, 1)[0] * generator.choice([-1.0, 1.0]))
    change = np.clip(level - np.log(np.linalg.det(F)), -most, most)
    return np.asarray(change * np.eye(len(F)) / len(F))


def _within(F: FloatArray, L: FloatArray, interval: Interval, max_strain: float) -> FloatArray:
    """Return a gradient that stays within the largest strain: turned back if need be, else less of it."""
    ends = np.array([1.0, -1.0]) if interval.cycles and interval.about else np.ones(1)
    for candidate in (L, -L if interval.cycles == 0 else L, *(0.5**k * L for k in range(1, 6))):
        if _equivalent(_exponential(ends[:, None, None] * candidate) @ F).max() <= max_strain:
            return candidate
    return np.zeros_like(L)


def _equivalent(F: FloatArray) -> FloatArray:
    """Equivalent logarithmic deviatoric strain of deformation gradients (n, d, d), shape (n,)."""
    principal = 0.5 * np.log(np.linalg.eigvalsh(np.swapaxes(F, 1, 2) @ F))
    square = (principal**2).sum(axis=1) - principal.sum(axis=1) ** 2 / F.shape[1]
    return np.asarray(np.sqrt(np.maximum(square, 0.0) / 1.5))


def _exponential(A: FloatArray) -> FloatArray:
    """Return exp(A) of tensors (n, d, d) of norms below one, by its series; exp(0) is the identity itself."""
    identity = np.eye(A.shape[-1])
    E = np.broadcast_to(identity, A.shape)
    for k in range(TERMS, 0, -1):
        E = identity + A @ E / k
    return np.asarray(E)
