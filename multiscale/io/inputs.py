"""Checks of what a user gives, before anything is built from it."""

from __future__ import annotations

import math

from microscale.errors import InputError


def require_positive(unit: str, **quantities: float) -> None:
    """Raise an InputError that names the first of ``quantities`` that is not a positive finite number.

    Args:
        unit: Their unit, for the message.
        **quantities: Values by the name the user knows.
    """
    for name, value in quantities.items():
        if not (math.isfinite(value) and value > 0.0):
            raise InputError(
                f"{name.replace('_', '-')} = {value} {unit}, expected a positive number".replace(" ,", ",")
            )
