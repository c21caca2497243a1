"""Checks of what a user gives, before anything is built from it."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path

from microscale.errors import InputError
from microscale.files.printable import printable


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


def require_places(outputs: Iterable[Path]) -> None:
    """Raise an InputError that names the first file which has no place, before long work for it begins.

    Args:
        outputs: Files that are going to be written; folders on the way to them may still be missing.
    """
    for path in outputs:
        shown = printable(path)
        if path.is_dir():
            raise InputError(f"{shown} is a folder, expected the name of a file: give another name")
        there = next(folder for folder in path.absolute().parents if folder.exists())
        if not there.is_dir():
            raise InputError(f"{shown} cannot be written, {printable(there)} is no folder: give another name")
        if not os.access(there, os.W_OK):
            raise InputError(f"{shown} cannot be written, {printable(there)} is read-only: give another name")


def make_folder_of(path: Path) -> None:
    """Make the folders on the way to a file.

    Raises:
        InputError: They cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot make {printable(path.parent)} ({error.strerror}): give another name"
        ) from error
