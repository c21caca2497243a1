"""Strain-path protocols: random stretch histories U(t), t in (0, T), along which laws are driven.

The protocols of the paper (section 2.2, Table SI-2) and two of our own:

- F: ``intervals`` fixed intervals; at each node every component U_ij (i <= j) has moved by +-U_max sqrt(dt).
- R: the same with random intervals: their ends are uniform in (0, T).
- U: uniaxial, U_11 = f, U_22 = 1/f, f = 1 + c t.
- L-U: load and unload, f rises linearly to its peak at T/2 and returns to 1.
- C: cavity-expansion shear, U_22 = 1/U_11 = sqrt(1 + c t^2).
- I: impact (:mod:`microscale.paths.impact`).
- A: any load, with cycles, holds and jumps of the rate (:mod:`microscale.paths.any_load`).

Where the paper is silent or cannot be meant as printed, we read it so. The sign nu_n is drawn for each
component. In F and R time is a fraction of T, so that U_max is the standard deviation of U_ij(T) whatever T.
"Cubic Hermite" is the piecewise cubic Hermite interpolant with monotone slopes (Fritsch, Carlson; "pchip"):
once continuously differentiable, and without overshoot, so that U_ij stays between its nodes. f = c t
(printed) vanishes at rest; f = 1 + c t does not. L-U as printed jumps at T/2; ours does not. The paper calls
U "uniaxial strain", which holds the sides, U_22 = 1, but prints U_22 = 1/f: we take the print, and with
``isochoric = False`` the name. The largest stretch of U, L-U and C, less one, is uniform in (0, U_max); their
principal frame is a random rotation: exchanging two axes turns tension into compression, so no sign is drawn.
In two dimensions the path is plane strain: U_33 = 1, U_13 = U_23 = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from microscale.errors import InputError
from microscale.inputs.memory import require_memory
from microscale.inputs.numbers import Count, Positive, Seed, Strain, Time, check_fields
from microscale.inputs.options import options_for
from microscale.paths.any_load import MAX_RATE, AnyLoad, any_load
from microscale.paths.impact import impact_path
from microscale.tensors import MANDEL_COLUMNS, MANDEL_ROWS, FloatArray

History = Callable[[FloatArray], FloatArray]
"""Fractions of T, or of the samples where these are not uniform, (n,), to stretches, shape (n, 3, 3)."""

PARABOLIC = ("F", "R")
SHEARED = ("U", "L-U", "C")
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    **{protocol: {"intervals": 10} for protocol in PARABOLIC},
    **{protocol: {"isochoric": True} for protocol in SHEARED},
    "I": {},
    "A": {"fastest_rate": MAX_RATE},
}
"""What each protocol takes beside what all do, and the defaults."""
PROTOCOLS = tuple(OPTIONS)
DEFAULTS = {name: value for options in OPTIONS.values() for name, value in options.items()}
SMALLEST_STRETCH = 0.2
"""Paths with a principal stretch below this are rejected.

The paper does not say how it keeps U positive definite. Walks that come close to a singular U would else rule
every error: at a stretch of 0.01 the crystals carry hundreds of GPa, far beyond what eq. (29) is meant for.
"""
CHECKED_FRACTIONS = np.linspace(0.0, 1.0, 2001)
"""Where positive definiteness is checked: whatever the sampling, so that it does not change the path."""
MAX_REJECTIONS = 10_000
BYTES_A_STEP = 300
"""While a path is drawn, at least."""
BYTES_OF_A_SAMPLE = 2 * 8 * (1 + 9)
"""Of several paths: each as it was drawn, and all together."""


def protocol_options(protocol: str, **given: Any) -> dict[str, Any]:
    """Return the options of a protocol: those that were given, and the defaults of the others.

    Raises:
        InputError: An option was given that the protocol does not take.
    """
    return options_for("protocol", protocol, given, OPTIONS.__getitem__, PROTOCOLS)


class StretchPath(NamedTuple):
    """One sampled path.

    Attributes:
        times: Times of the samples, us, shape (steps + 1,).
        stretch: Right stretch U, dimensionless, shape (steps + 1, 3, 3).
        rejected: Number of draws rejected before this one, as not positive definite.
    """

    times: FloatArray
    stretch: FloatArray
    rejected: int


@dataclass(frozen=True)
class StrainPaths:
    """A reproducible sequence of strain paths: path k depends on these attributes and k alone.

    Attributes:
        protocol: One of F, R, U, L-U, C, I, A.
        max_strain: U_max, dimensionless; for I and A the largest equivalent logarithmic deviatoric strain.
        steps: Time steps of a path, which has ``steps + 1`` samples; uniform but for A.
        duration: Shortest and longest T, us; T is log-uniform between them.
        seed: Seed of the sequence.
        intervals: N of the paper, 10 by default; F and R take it.
        dimension: 3, or 2 for plane strain.
        isochoric: Whether the sides give way, as printed and by default; held, they give pressure. U, L-U and
            C take it.
        fastest_rate: Largest equivalent strain rate of A, 1/us, 30 by default.

    Raises:
        InputError: An attribute has no meaning.
    """

    protocol: str
    max_strain: Strain
    steps: Count = 200
    duration: tuple[Time, Time] = (1.0, 1.0)
    seed: Seed = 0
    intervals: Count | None = None
    dimension: int = 3
    isochoric: bool | None = None
    fastest_rate: Positive | None = None

    def __post_init__(self) -> None:
        """Refuse attributes without meaning or use; fill in the defaults of the protocol."""
        check_fields(self)
        if self.protocol not in PROTOCOLS:
            raise InputError(f"protocol is {self.protocol!r}, expected one of {', '.join(PROTOCOLS)}")
        if not self.duration[0] <= self.duration[1]:
            raise InputError(f"duration is {self.duration} us, expected shortest <= longest")
        if self.dimension not in (2, 3):
            raise InputError(f"dimension is {self.dimension}, expected 2 (plane strain) or 3")
        options = protocol_options(self.protocol, **self._wanted())
        for name in DEFAULTS:
            object.__setattr__(self, name, options.get(name))
        require_memory(BYTES_A_STEP * self.steps, steps=self.steps)
        require_memory(BYTES_A_STEP * (self.intervals or 0), intervals=self.intervals or 0)

    def _wanted(self) -> dict[str, Any]:
        """What is asked of the protocol: where all attributes are written out, defaults ask for nothing."""
        given, taken = {name: getattr(self, name) for name in DEFAULTS}, OPTIONS[self.protocol]
        return {
            name: None if name not in taken and value == DEFAULTS[name] else value
            for name, value in given.items()
        }

    def path(self, index: int, attempt: int = 0, rejections: int = MAX_REJECTIONS - 1) -> StretchPath:
        """Return path ``index``; a higher ``attempt`` is its replacement where a law failed on it.

        Args:
            index: Number of the path.
            attempt: How often the law has failed on it.
            rejections: Draws that may be rejected, where it is known how many were.

        Raises:
            InputError: No admissible path was found: ``max_strain`` is too large for the protocol.
        """
        spawn_key = (index, attempt) if attempt else (index,)
        generator = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=spawn_key))
        duration = float(np.exp(generator.uniform(*np.log(self.duration))))
        for rejected in range(min(rejections + 1, MAX_REJECTIONS)):
            history = self._draw(generator, duration)
            if is_admissible(history(CHECKED_FRACTIONS)):
                fractions = np.linspace(0.0, 1.0, self.steps + 1)
                clock = history.times if isinstance(history, AnyLoad) else lambda f: duration * f
                return StretchPath(clock(fractions), history(fractions), rejected)
        raise InputError(
            f"max_strain is {self.max_strain}: none of {rejected + 1} draws of protocol {self.protocol} "
            "is positive definite; choose a smaller one"
        )

    def batch(self, indices: Iterable[int]) -> tuple[FloatArray, FloatArray]:
        """Return times (paths, steps + 1), us, and stretches (paths, steps + 1, 3, 3) of several paths.

        Raises:
            InputError: See :meth:`path`, or there is no memory for so many.
        """
        if isinstance(indices, Sized):
            needed = BYTES_OF_A_SAMPLE * len(indices) * (self.steps + 1)
            require_memory(needed, paths=len(indices), steps=self.steps)
        paths = [self.path(index) for index in indices]
        return np.stack([path.times for path in paths]), np.stack([path.stretch for path in paths])

    def provenance(self) -> dict[str, Any]:
        """Return everything that determines the paths, as plain values for a file's attributes."""
        parameters: dict[str, Any] = {
            "protocol": self.protocol,
            "max_strain": self.max_strain,
            "steps": self.steps,
            "duration_us": list(self.duration),
            "seed": self.seed,
            "dimension": self.dimension,
            "smallest_stretch": SMALLEST_STRETCH,
        }
        if self.protocol in PARABOLIC:
            parameters |= {
                "intervals": self.intervals,
                "interpolation": "piecewise cubic Hermite, monotone slopes",
            }
        if self.isochoric is False:
            parameters["isochoric"] = False
        if self.fastest_rate not in (None, MAX_RATE):
            parameters["fastest_rate_per_us"] = self.fastest_rate
        return parameters

    def _draw(self, generator: np.random.Generator, duration: float) -> History:
        if self.protocol in PARABOLIC:
            return self._random_walk(generator)
        if self.protocol == "I":
            return impact_path(generator, self.max_strain, duration, self.dimension)
        if self.protocol == "A":
            assert self.fastest_rate is not None
            return any_load(generator, self.max_strain, duration, self.dimension, self.fastest_rate)
        return self._shear(generator)

    def _random_walk(self, generator: np.random.Generator) -> History:
        """Draw a path of protocol F or R."""
        from scipy.interpolate import PchipInterpolator  # half a second: where a path is drawn

        intervals = self.intervals
        assert intervals is not None
        if self.protocol == "F":
            times = np.linspace(0.0, 1.0, intervals + 1)
        else:
            inner = np.sort(generator.random(intervals - 1))
            times = np.concatenate([[0.0], inner, [1.0]])
        in_plane = np.maximum(MANDEL_ROWS, MANDEL_COLUMNS) < self.dimension
        signs = generator.choice([-1.0, 1.0], size=(intervals, 6)) * in_plane
        nodes = np.zeros((intervals + 1, 6))
        nodes[1:] = np.cumsum(signs * np.sqrt(np.diff(times))[:, None], axis=0) * self.max_strain
        nodes += np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])
        components = PchipInterpolator(times, nodes)

        def history(fractions: FloatArray) -> FloatArray:
            values = components(fractions)
            U = np.empty((len(fractions), 3, 3))
            U[:, MANDEL_ROWS, MANDEL_COLUMNS] = values
            U[:, MANDEL_COLUMNS, MANDEL_ROWS] = values
            return U

        return history

    def _shear(self, generator: np.random.Generator) -> History:
        """Draw a path of protocol U, L-U or C: principal stretches f, 1/f or 1, 1 in a random fixed frame."""
        Q = random_frame(generator, self.dimension)
        amplitude = self.max_strain * (1.0 - generator.random())

        def history(fractions: FloatArray) -> FloatArray:
            f = self._largest_stretch(amplitude, fractions)
            held = np.ones_like(f)
            principal = np.stack([f, 1.0 / f if self.isochoric else held, held], axis=-1)
            U = np.einsum("ik,nk,jk->nij", Q, principal - 1.0, Q) + np.eye(3)
            return 0.5 * (U + np.swapaxes(U, 1, 2))

        return history

    def _largest_stretch(self, amplitude: float, fractions: FloatArray) -> FloatArray:
        if self.protocol == "U":
            return 1.0 + amplitude * fractions
        if self.protocol == "L-U":
            return 1.0 + amplitude * (1.0 - np.abs(2.0 * fractions - 1.0))
        return np.sqrt(1.0 + ((1.0 + amplitude) ** 2 - 1.0) * fractions**2)


def random_frame(generator: np.random.Generator, dimension: int) -> FloatArray:
    """Return a uniformly distributed rotation (3, 3); about the third axis in two dimensions."""
    from scipy.spatial.transform import Rotation

    if dimension == 2:
        return Rotation.from_rotvec([0.0, 0.0, generator.uniform(0.0, 2.0 * np.pi)]).as_matrix()
    return Rotation.random(rng=generator).as_matrix()


def is_admissible(U: FloatArray) -> bool:
    """Tell whether every stretch of (n, 3, 3) has principal values above the smallest one (Sylvester)."""
    A = U - SMALLEST_STRETCH * np.eye(3)
    minor = A[:, 0, 0] * A[:, 1, 1] - A[:, 0, 1] ** 2
    return bool(np.all(A[:, 0, 0] > 0.0) and np.all(minor > 0.0) and np.all(np.linalg.det(A) > 0.0))
