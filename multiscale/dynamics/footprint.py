"""Bytes a simulation holds in arrays, counted from the arrays themselves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def array_bytes(owners: Iterable[object]) -> int:
    """Return the bytes of all arrays in attributes of ``owners`` and in containers there; views count once.

    Args:
        owners: Objects with a ``__dict__``.
    """
    found: dict[int, int] = {}
    for owner in owners:
        for value in vars(owner).values():
            _collect(value, found)
    return sum(found.values())


def _collect(value: object, found: dict[int, int]) -> None:
    if isinstance(value, np.ndarray):
        while isinstance(value.base, np.ndarray):
            value = value.base
        found[value.__array_interface__["data"][0]] = value.nbytes
    elif isinstance(value, dict):
        _collect(list(value.values()), found)
    elif isinstance(value, list | tuple):
        for item in value:
            _collect(item, found)
