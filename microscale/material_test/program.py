"""What a material test does: segments, in each of which strains or stresses go where they are told.

The axes x, y and z of a test are its own: x is the direction of loading. A fibre along x stays along x, and
the plane of x and y keeps its normal, so F is an upper triangle and the test does not turn. Each of the six
components is prescribed by its strain or by its stress, which go linearly in time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.inputs.numbers import Range, Steps, Time, check_fields
from microscale.tensors import MANDEL_COLUMNS, MANDEL_ROWS, FloatArray

COMPONENTS = ("xx", "yy", "zz", "yz", "xz", "xy")
"""Of strain and stress, in the order of :mod:`microscale.tensors`."""
ROWS, COLUMNS = MANDEL_ROWS, MANDEL_COLUMNS
AXES = {"x": "1,0,0", "y": "0,1,0", "z": "0,0,1"}
Measure = Literal["true", "engineering"]
LARGEST_STRAIN = 3.0
"""Beyond it a fraction is a percentage."""
SHORTEST = -0.95
"""Least engineering strain: at -1 nothing is left."""
Rate = Annotated[float, Range(1e-18, 1e9, unit="1/us")]
Tolerance = Annotated[float, Range(1e-15, 0.01)]
"""Of a stress, relative to the largest so far: beyond a per cent sides that should be free bear load."""

LOADINGS: Mapping[str, Mapping[str, float]] = {
    "uniaxial": {"xx": 1.0},
    "plane-strain": {"xx": 1.0, "yy": 0.0},
    "biaxial": {"xx": 1.0, "yy": 1.0},
    "confined": {"xx": 1.0, "yy": 0.0, "zz": 0.0},
    "shear": {"xy": 1.0, "xx": 0.0, "yy": 0.0, "zz": 0.0, "yz": 0.0, "xz": 0.0},
}
"""Strains of the usual tests, for a strain of one; all other components are free of stress."""


@dataclass(frozen=True)
class Segment:
    """A part of a test. A component that is named in neither mapping goes to zero stress.

    Attributes:
        strain: Strains at the end by component; None holds one where it is. Those of yz, xz and xy are F_yz,
            F_xz and F_xy, the amounts of shear.
        stress: Stresses at the end, GPa; None holds one where it is.
        duration: Time from beginning to end, us.
        rate: In its place, the rate of the strain that changes most, 1/us.
        steps: Steps that it is taken in.

    Raises:
        InputError: A component is unknown or named twice, a value is not finite, or not one of duration and
            rate is given.
    """

    strain: Mapping[str, float | None] = field(default_factory=dict)
    stress: Mapping[str, float | None] = field(default_factory=dict)
    duration: Time | None = None
    rate: Rate | None = None
    steps: Steps = 100

    def __post_init__(self) -> None:
        check_fields(self)
        for name in (*self.strain, *self.stress):
            if name not in COMPONENTS:
                raise InputError(
                    f"component '{printable(name, 40)}', expected one of: {', '.join(COMPONENTS)}"
                )
        if twice := sorted(self.strain.keys() & self.stress.keys()):
            raise InputError(f"strain.{twice[0]} and stress.{twice[0]} are both given, expected one of them")
        for name, value in self.strain.items():
            if value is not None and abs(value) > LARGEST_STRAIN:
                raise InputError(
                    f"strain.{name} = {value:g}, expected at most {LARGEST_STRAIN:g}: "
                    "a fraction, not per cent"
                )
        if (self.duration is None) == (self.rate is None):
            raise InputError("a segment needs a duration or a rate, and not both")

    @property
    def is_stress(self) -> NDArray[np.bool_]:
        """Which components are prescribed by their stress, shape (6,), boolean."""
        return np.array([name not in self.strain for name in COMPONENTS])

    def ends(self, begin: FloatArray) -> FloatArray:
        """Return strains or stresses at the end, shape (6,), from those at the beginning."""
        given = {name: 0.0 for name in COMPONENTS} | dict(self.stress) | dict(self.strain)
        held = {name: float(value) for name, value in zip(COMPONENTS, begin, strict=True)}
        return np.array([held[c] if (value := given[c]) is None else value for c in COMPONENTS])

    def time(self, begin: FloatArray, end: FloatArray) -> float:
        """Return the duration, us, from strains and stresses at the beginning and at the end, shape (6,).

        Raises:
            InputError: A rate is given, and no strain changes.
        """
        if self.duration is not None:
            return self.duration
        change = float(np.abs((end - begin)[~self.is_stress]).max(initial=0.0))
        if change < 1e-12:
            raise InputError(f"rate = {self.rate} 1/us, but no strain changes: give a duration")
        assert self.rate is not None  # one of the two is given
        return change / self.rate


@dataclass(frozen=True)
class MaterialTest:
    """A material test.

    Attributes:
        segments: Its parts, one after the other; the first begins at rest.
        direction: Axis x of the test in the axes of the sample.
        across: A direction that, with x, spans the plane of x and y; by default the axis of the sample that
            is nearest to a right angle with x.
        measure: Strain and stress that are prescribed: true (logarithmic and Cauchy), or engineering
            (elongation and force, both over what the sample had at rest).

    Raises:
        InputError: There is no segment, or the directions span no plane.
    """

    segments: tuple[Segment, ...]
    direction: tuple[float, float, float] = (1.0, 0.0, 0.0)
    across: tuple[float, float, float] | None = None
    measure: Measure = "true"

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.segments:
            raise InputError("segments = (), expected at least one")
        for name in ("xx", "yy", "zz") if self.measure == "engineering" else ():
            for value in (segment.strain.get(name) for segment in self.segments):
                if value is not None and value < SHORTEST:
                    raise InputError(
                        f"strain.{name} = {value:g}, expected an engineering strain above {SHORTEST}"
                    )
        self.axes  # noqa: B018  which checks the directions

    @property
    def axes(self) -> FloatArray:
        """Axes of the test as columns in those of the sample, shape (3, 3)."""
        x = _unit("direction", self.direction)
        if self.across is None:
            aside = np.eye(3)[np.argmin(np.abs(x).round(9))]
        else:
            aside = _unit("across", self.across)
        z = np.cross(x, aside)
        if np.linalg.norm(z) < 1e-6:
            raise InputError(
                f"across = {self.across} lies along direction = {self.direction}, expected a plane"
            )
        z /= np.linalg.norm(z)
        return np.stack([x, np.cross(z, x), z], axis=1)


def direction_of(name: str, words: str, where: str = "") -> tuple[float, float, float]:
    """Return a direction in words: x, y, z, or three numbers with commas.

    Raises:
        InputError: It is no direction.
    """
    try:
        x, y, z = map(float, AXES.get(words, words).split(","))
    except ValueError as error:
        shown = printable(words, 60)
        raise InputError(f"{where}{name} = '{shown}', expected x, y, z or three numbers, as 1,1,0") from error
    _unit(f"{where}{name}", (x, y, z))
    return x, y, z


def loading(kind: str, strain: float) -> dict[str, float | None]:
    """Return the strains of one of :data:`LOADINGS`.

    Raises:
        InputError: The kind is unknown.
    """
    if kind not in LOADINGS:
        raise InputError(f"test = '{kind}', expected one of: {', '.join(LOADINGS)}")
    return {component: factor * strain for component, factor in LOADINGS[kind].items()}


def _unit(name: str, direction: tuple[float, float, float]) -> FloatArray:
    vector = np.asarray(direction, dtype=float)
    length = float(np.linalg.norm(vector)) if vector.shape == (3,) else 0.0
    if not 1e-12 < length < math.inf:
        raise InputError(f"{name} = {direction}, expected three numbers that are not all zero")
    return vector / length
