"""Quantities of files: a value in any unit that the file names, converted to ours (mm, us, GPa, g/cm^3)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.files.schema import Strict, wrong

Sign = Literal["any", "positive", "not negative"]
WORDS = {
    "any": "a finite number",
    "positive": "a positive number",
    "not negative": "zero or a positive number",
}
DIMENSIONLESS = "-"
LIKELY_DENSITY = (0.01, 50.0)
"""From aerogels to twice osmium, g/cm^3: beyond it a unit is wrong, or the mass was scaled."""
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
SPOKEN = re.compile(rf"(?!\s*{NUMBER}\s*$)\s*({NUMBER})\s*([^\s\d.].*?|1/.*?)\s*")
VECTOR = re.compile(rf"\s*\[\s*({NUMBER})\s*,\s*({NUMBER})\s*,\s*({NUMBER})\s*\]\s*(\S.*?)\s*")
"""``5 mm``, ``1e3/s`` and ``[0, 0, -200] m/s``."""
UNIT = re.compile(r"(1|[^\W\d_]+|%)((\^|\*\*)-?\d)?([ */·]+([^\W\d_]+)((\^|\*\*)-?\d)?){0,5}")
"""Products of powers of names: a unit is not computed with, so that none takes for ever."""


class Quantity(Strict):
    """A number with its unit, and where it is from."""

    value: float
    unit: str
    source: str | None = None


@dataclass(frozen=True)
class In:
    """Annotation of a number that is read as a quantity and kept in our unit.

    Attributes:
        unit: Ours; ``-`` without dimension.
        sign: What is asked of the number.
        bare: Whether a number without unit is taken to be in ours.
        likely: Least and largest value that a material has, in ours: beyond them the unit is wrong.
    """

    unit: str
    sign: Sign = "any"
    bare: bool = False
    likely: tuple[float, float] = (-math.inf, math.inf)
    schema = Quantity

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read a quantity, then convert it."""
        read = core_schema.no_info_after_validator_function(
            self._converted, handler.generate_schema(Quantity)
        )
        return core_schema.no_info_before_validator_function(self._entry, read)

    def _entry(self, found: Any) -> Any:
        if isinstance(found, dict):
            return found
        if self.bare:
            return {"value": found, "unit": self.unit}
        raise wrong(f"a value with its unit, as {{value: ..., unit: {self.unit}}}")

    def _converted(self, found: Quantity) -> float:
        value = float(found.value)
        shown = f"{value!r} {found.unit}".removesuffix(" " + DIMENSIONLESS)
        value = _in_ours(value, found.unit, self.unit, shown)
        holds = {"any": True, "positive": value > 0.0, "not negative": value >= 0.0}[self.sign]
        if not (holds and math.isfinite(value)):
            raise wrong(WORDS[self.sign], shown)
        least, most = self.likely
        if not least <= value <= most:
            unit = "" if self.unit == DIMENSIONLESS else f" {self.unit}"
            raise wrong(f"{least:g} to {most:g}{unit}, as solids have: check the unit", shown)
        return value


@dataclass(frozen=True)
class Vector:
    """Annotation of a vector that is read from a text such as ``[0, 0, -200] m/s`` and kept in our unit.

    Attributes:
        unit: Ours.
    """

    unit: str

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read a text."""
        return core_schema.with_info_plain_validator_function(self._read)

    def _read(self, found: Any, info: ValidationInfo) -> tuple[float, ...]:
        if info.mode == "python":  # of cyclopts: a flag has been read already
            return found
        match = VECTOR.fullmatch(found) if isinstance(found, str) and len(found) < 200 else None
        if match is None:
            raise wrong(f"three numbers with their unit, as '[0, 0, 1] {self.unit}'")
        *numbers, unit = match.groups()
        vector = tuple(_in_ours(float(number), unit, self.unit, found) for number in numbers)
        if not all(map(math.isfinite, vector)):
            raise wrong("finite numbers")
        return vector


Point = Annotated[tuple[float, float, float], Vector("mm")]
Velocity = Annotated[tuple[float, float, float], Vector("m/s")]


def spoken(found: Any, ours: str) -> float:
    """Return a quantity that is a text such as ``5 mm`` in our unit.

    Raises:
        PydanticCustomError: It is no such text, or measures something else.
    """
    match = SPOKEN.fullmatch(found) if isinstance(found, str) and len(found) < 200 else None
    if match is None:
        raise wrong(f"a number with its unit, as '5 {ours}'")
    unit = f"1{match[2]}" if match[2].startswith("/") else match[2]
    return _in_ours(float(match[1]), unit, ours, found)


def told(name: str, words: str, ours: str, where: str = "") -> float:
    """Return a positive quantity that a flag or the header of a file gives in words, in our unit.

    Args:
        name: What it is, for messages.
        words: A number with its unit.
        ours: Our unit.
        where: File, for messages.

    Raises:
        InputError: It has no unit or one that measures something else, or is not positive.
    """
    try:
        found = spoken(words, ours)
        expected = "a positive number"
    except PydanticCustomError as error:
        found, expected = math.nan, str((error.context or {}).get("expected"))
    if not 0.0 < found < math.inf:
        raise InputError(f"{where}{name} = '{printable(words, 60)}', expected {expected}")
    return found


def _in_ours(value: float, unit: str, ours: str, shown: str) -> float:
    """What is in our unit already keeps its bits."""
    return value if unit == ours else converted(value, unit, ours, shown)


def perfect_strength(shear_modulus: float) -> float:
    """Strength of a crystal without dislocations, G / 2 pi (Frenkel 1926), GPa: none is stronger."""
    return shear_modulus / (2.0 * math.pi)


def converted(value: float, unit: str, ours: str, shown: str) -> float:
    """Return a value of one unit in ours.

    Args:
        value: In ``unit``.
        unit: As a file names it.
        ours: What it is converted to.
        shown: The quantity, for messages.

    Raises:
        PydanticCustomError: The unit is unknown or measures something else.
    """
    import pint

    meant = "a number without dimension, unit '-'" if ours == DIMENSIONLESS else f"a unit of {ours}"
    if len(unit) > 40 or not UNIT.fullmatch(unit.strip()):
        raise wrong(meant, shown)
    try:
        target = "" if ours == DIMENSIONLESS else ours
        return float(_registry().Quantity(value, unit).to(target).magnitude)
    except (pint.PintError, AttributeError, ArithmeticError, ValueError, TypeError) as error:
        raise wrong(meant, shown) from error


@cache
def _registry() -> Any:
    """Pint's units; half a second, so only where a file names another unit than ours."""
    import pint

    return pint.UnitRegistry()
