"""Constants of a law: units and signs, and checks where the law is made."""

from __future__ import annotations

import math
import sys
from numbers import Integral, Real
from typing import Annotated

from microscale.errors import InputError
from microscale.files.quantities import LIKELY_DENSITY, In
from microscale.law import ConstitutiveLaw

# In files they may name another unit; a number alone is in these.
Stress = Annotated[float, In("GPa", "positive", bare=True)]
Modulus = Annotated[float, In("GPa", "positive", bare=True, likely=(1e-6, 2000.0))]
StressOrZero = Annotated[float, In("GPa", "not negative", bare=True)]
Density = Annotated[float, In("g/cm^3", "positive", bare=True, likely=LIKELY_DENSITY)]
Rate = Annotated[float, In("1/us", "positive", bare=True)]
Temperature = Annotated[float, In("K", "not negative", bare=True)]
HeatCapacity = Annotated[float, In("J/cm^3/K", "positive", bare=True)]
Ratio = Annotated[float, In("-", "any", bare=True)]
PositiveRatio = Annotated[float, In("-", "positive", bare=True)]
RatioOrZero = Annotated[float, In("-", "not negative", bare=True)]


def require_numbers(law: ConstitutiveLaw) -> None:
    """Raise an InputError unless each field of ``law``, a dataclass, is a number that a float can hold."""
    for name, value in vars(law).items():
        real = isinstance(value, Real) and not isinstance(value, bool)
        huge = isinstance(value, Integral) and abs(int(value)) > sys.float_info.max
        require(law, name, real and not huge, "a number")


def require_positive(law: ConstitutiveLaw, *names: str) -> None:
    """Raise an InputError unless each named attribute of ``law`` is positive and finite."""
    for name in names:
        require(law, name, _is_number(law, name) and getattr(law, name) > 0.0, "a positive number")


def require_not_negative(law: ConstitutiveLaw, *names: str) -> None:
    """Raise an InputError unless each named attribute of ``law`` is zero or positive, and finite."""
    for name in names:
        require(law, name, _is_number(law, name) and getattr(law, name) >= 0.0, "zero or a positive number")


def _is_number(law: ConstitutiveLaw, name: str) -> bool:
    value = getattr(law, name)
    return isinstance(value, Real) and math.isfinite(value)


def require(law: ConstitutiveLaw, name: str, holds: bool, expected: str) -> None:
    """Raise an InputError that says what was ``expected`` of an attribute of ``law``, unless it holds."""
    if not holds:
        raise InputError(f"{law.name}: {name} = {getattr(law, name)}, expected {expected}")
