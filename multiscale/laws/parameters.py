"""Checks of the constants of a law: a wrong sign or unit is refused where the law is made."""

from __future__ import annotations

import math

from microscale.errors import InputError
from microscale.law import ConstitutiveLaw


def require_positive(law: ConstitutiveLaw, *names: str) -> None:
    """Raise an InputError unless each named attribute of ``law`` is positive and finite."""
    for name in names:
        require(law, name, 0.0 < getattr(law, name) < math.inf, "a positive number")


def require_not_negative(law: ConstitutiveLaw, *names: str) -> None:
    """Raise an InputError unless each named attribute of ``law`` is zero or positive, and finite."""
    for name in names:
        require(law, name, 0.0 <= getattr(law, name) < math.inf, "zero or a positive number")


def require(law: ConstitutiveLaw, name: str, holds: bool, expected: str) -> None:
    """Raise an InputError that says what was ``expected`` of an attribute of ``law``, unless it holds."""
    if not holds:
        raise InputError(f"{law.name}: {name} = {getattr(law, name)}, expected {expected}")
