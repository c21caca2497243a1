"""Checks of what a user gives, before anything is built from it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

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


def require_apart(outputs: Iterable[Path], inputs: Iterable[Path | None]) -> None:
    """Raise an InputError that names the first file which would be read and written over.

    Args:
        outputs: Files that are going to be written.
        inputs: Files that are going to be read; None for none.
    """
    written = {path.resolve(): path for path in outputs}
    for path in inputs:
        if path is not None and path.resolve() in written:
            raise InputError(
                f"{path} is read, and {written[path.resolve()]} would be written over it: give another name"
            )
