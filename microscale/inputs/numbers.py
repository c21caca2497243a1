"""What a parameter takes: types for signatures, read alike by Python, the command line and case files.

    @checked
    def anvil(*, velocity: Speed = 200.0, elements: Count = 3000, seed: Seed = 0): ...

A number without such a type must be finite, and a whole one must fit into eight bytes. Other annotations are
read as they are written (:mod:`microscale.inputs.annotations`). In Python and on the command line a number is
in the unit of its type; a case file names the unit, as in "200 m/s".
"""

from __future__ import annotations

import math
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from inspect import signature
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from microscale.errors import InputError

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, ValidationInfo
    from pydantic_core import CoreSchema


class Fault(NamedTuple):
    """What is wrong with a value: it or a part of it, what was expected, and the unit."""

    shown: Any
    expected: str
    unit: str = ""


class Rule(ABC):
    """What a parameter takes: it stands in the annotation of the parameter, or is made of it."""

    @abstractmethod
    def problem(self, value: Any) -> str | None:
        """Return what was expected in place of a value, or None if the value is good."""

    def fault(self, value: Any) -> Fault | None:
        """Return the same with the value."""
        expected = self.problem(value)
        return None if expected is None else Fault(value, expected, getattr(self, "unit", ""))


@dataclass(frozen=True)
class Instance(Rule):
    """Values of some kinds.

    Attributes:
        kinds: The kinds.
        words: What they are, for the message.
    """

    kinds: type | tuple[type, ...]
    words: str

    def problem(self, value: Any) -> str | None:  # noqa: D102
        return None if isinstance(value, self.kinds) else self.words


@dataclass(frozen=True)
class Range(Rule):
    """The numbers from ``least`` to ``most``.

    Attributes:
        least: Smallest number.
        most: Largest number.
        above: Whether ``least`` itself is too small.
        unit: Unit, for the message.
    """

    least: float = -math.inf
    most: float = math.inf
    above: bool = False
    unit: str = ""

    def __get_pydantic_core_schema__(self, kind: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In a file a number that has a unit is a text with it, such as ``5 mm``; the rule is the same."""
        from pydantic_core import core_schema

        from microscale.files.quantities import spoken
        from microscale.files.schema import wrong

        def read(found: Any, info: ValidationInfo) -> Any:
            if info.mode == "python":  # of cyclopts: a flag is checked where the function is called
                return found
            value = spoken(found, self.unit) if self.unit else found
            expected = self.problem(value)
            if expected is not None:
                raise wrong(expected)
            return value

        if kind not in (float, int):  # a rule of what is in a list is asked where the list is made
            return handler(kind)
        if self.unit:
            return core_schema.with_info_plain_validator_function(read)
        return core_schema.with_info_after_validator_function(read, handler(kind))

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if not isinstance(value, Real) or isinstance(value, bool):
            return "a number"
        number: Any = value  # a whole one of any size: as a float it could overflow
        enough = number > self.least or (number == self.least and not self.above)
        if enough and number <= self.most and abs(number) <= LARGEST:
            return None
        return self._expected(number)

    def _expected(self, value: Any) -> str:
        unit = f" {self.unit}" if self.unit else ""
        if value > self.most and self.most < math.inf:
            return f"at most {self.most:_}{unit}"
        if self.least >= 0.0 and (self.above or self.least % 1.0) and not value > 0.0:
            return "a positive number"
        if self.above:
            return f"more than {self.least:g}{unit}"
        return f"at least {self.least:g}{unit}" if self.least > -math.inf else "a finite number"


@dataclass(frozen=True)
class Whole(Range):
    """Whole numbers from ``least`` to ``most``."""

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if not isinstance(value, Integral) or isinstance(value, bool):
            return "a whole number"
        return super().problem(value)


@dataclass(frozen=True)
class ToWrite(Rule):
    """A path that can be written: a folder, or else a file, in folders that are there or can be made."""

    folder: bool = False

    def problem(self, value: Any) -> str | None:  # noqa: D102
        if not isinstance(value, str | os.PathLike):
            return PATH.words
        path = Path(value)
        device = path.exists() and not path.is_file()  # a file that is renamed to /dev/null takes its place
        if not self.folder and (not path.name or device):
            return "the name of a file"
        above = path.absolute() if self.folder else path.absolute().parent
        there = next(place for place in (above, *above.parents) if place.exists())
        if not there.is_dir():
            return f"no file in the way, as {there} is"
        if not os.access(there, os.W_OK | os.X_OK):
            return f"a place that can be written, which {there} is not"
        return None


LARGEST = sys.float_info.max
COUNT = 2**31 - 1
"""Largest number of things: C's int counts them in MPI, gmsh and mesh files."""
FINITE, EIGHT_BYTES = Range(), Whole(-(2**63), 2**63 - 1)
PATH = Instance((str, os.PathLike), "a path")

Positive = Annotated[float, Range(1e-30, 1e30)]
Fraction = Annotated[float, Range(0.0, 1.0, above=True)]
Share = Annotated[float, Range(0.0, 1.0)]
Count = Annotated[int, Whole(1, COUNT)]
CountOrZero = Annotated[int, Whole(0, COUNT)]
Steps = Annotated[int, Whole(1, 100_000)]
Repeats = Annotated[int, Whole(1, 10_000)]
Seed = Annotated[int, Whole(0, 2**63 - 1)]
OutFile = Annotated[Path, ToWrite()]
OutFolder = Annotated[Path, ToWrite(folder=True)]
Length = Annotated[float, Range(1e-6, 1e6, unit="mm")]
Speed = Annotated[float, Range(1e-6, 1e5, unit="m/s")]
Time = Annotated[float, Range(1e-9, 1e12, unit="us")]
WallTime = Annotated[float, Range(1e-9, 1e12, unit="s")]
Percent = Annotated[float, Range(unit="%")]
Strain = Annotated[float, Range(1e-12, 1e3)]


def checked[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Let a function refuse arguments that its annotations do not take; a text serves for a path.

    Raises:
        InputError: In place of a call with such an argument: name, value and what was expected.
    """
    if hasattr(function, "__checked__"):
        return function
    given = signature(function)

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = given.bind(*args, **kwargs)
        for name in _paths(function) & bound.arguments.keys():
            bound.arguments[name] = _as_path(bound.arguments[name])
        check(bound.arguments, _rules(function))
        return function(*bound.args, **bound.kwargs)

    call.__checked__ = True  # type: ignore[attr-defined]
    return call


def check_fields(instance: Any) -> None:
    """Refuse values of a dataclass that the annotations of its class do not take; see :func:`checked`."""
    kind: Any = type(instance)
    check(vars(instance), _rules(kind))


def check(values: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Raise an InputError that names the first of ``values`` that the rule of its name does not take."""
    for name, value in values.items():
        fault = rules[name].fault(value) if name in rules else None
        if fault is not None:
            unit = f" {fault.unit}" if fault.unit and isinstance(fault.shown, Real) else ""
            raise InputError(
                f"{name.replace('_', '-')} = {_shown(fault.shown)}{unit}, expected {fault.expected}"
            )


def numbers_in(name: str, value: ArrayLike, expected: str = "numbers") -> NDArray[np.float64]:
    """Return an argument as an array of numbers; what cannot be one is an InputError that names it."""
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} = {_shown(value)}, expected {expected}") from error


@cache
def _rules(annotated: Hashable) -> dict[str, Rule]:
    """Return the rules by the names of parameters, or of fields."""
    from microscale.inputs.annotations import rules_of

    return rules_of(annotated)


@cache
def _paths(function: Hashable) -> frozenset[str]:
    """Return the names of parameters that are paths."""
    return frozenset(name for name, hint in get_type_hints(function).items() if _is_path(hint))


def _is_path(hint: Any) -> bool:
    parts = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return Path in parts and str not in parts


def _as_path(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_as_path, value))
    return Path(value) if isinstance(value, str) else value


def _shown(value: Any) -> str:
    text = repr(str(value)) if isinstance(value, str | Path) else " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
