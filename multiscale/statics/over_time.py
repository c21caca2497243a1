"""Quantities over time: a number, a table of times and values, or a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from microscale.errors import InputError
from microscale.inputs.numbers import numbers_in
from microscale.tensors import FloatArray

#: A number or a vector, which does not change; rows of time, us, and value, linear in between; or a function.
Given = float | Sequence[float] | Sequence[Sequence[float]] | Callable[..., Any]


class OverTime:
    """A quantity over time.

    Attributes:
        name: What it is, for messages.
        corners: Times at which its slope may jump, us; load steps end there.
    """

    def __init__(self, name: str, given: Given, components: int = 1) -> None:
        """Take what a user gave.

        Args:
            name: What it is, such as "force on top".
            given: A number (or a vector) for all times; a table, rows of a time, us, and its value (or the
                components of a vector); or a function of the time, us, whose further arguments are those of
                :meth:`at`.
            components: Numbers of a value.

        Raises:
            InputError: It is none of these, the times do not increase, or a number is not finite.
        """
        self.name, self._components = name, components
        self.corners: tuple[float, ...] = ()
        self._function = given if callable(given) else None
        if self._function is None:
            self._times, self._values = self._table(given)
            self.corners = tuple(self._times) if len(self._times) > 1 else ()

    def _table(self, given: Any) -> tuple[FloatArray, FloatArray]:
        """Return times, shape (n,), and values, shape (n, components); one row where nothing changes."""
        expected = f"a function of time, {self._a_value()}, or rows of time and that"
        table = numbers_in(self.name, given, expected)
        if table.shape in ((), (self._components,)) and table.size == self._components:
            table = np.concatenate([[0.0], table.ravel()])[None]
        elif table.ndim != 2 or table.shape[1] != 1 + self._components or len(table) < 2:
            raise InputError(f"{self.name} has shape {table.shape}, expected {expected}, two rows at least")
        if not np.isfinite(table).all() or not np.all(np.diff(table[:, 0]) > 0.0):
            raise InputError(f"{self.name}: expected finite numbers, at times that increase from row to row")
        return table[:, 0], table[:, 1:]

    def _a_value(self) -> str:
        return "a number" if self._components == 1 else f"{self._components} numbers"

    def require_until(self, begin: float, end: float) -> None:
        """Raise an InputError unless a table reaches from ``begin`` to ``end``, us."""
        if self.corners and (self.corners[0] > begin or self.corners[-1] < end * (1.0 - 1e-12)):
            raise InputError(
                f"{self.name} is given from t = {self.corners[0]:g} to {self.corners[-1]:g} us, expected a "
                f"table that reaches from {begin:g} to {end:g} us"
            )

    def at(self, time: float, *further: ArrayLike) -> FloatArray:
        """Return the value at a time, us: shape () or (components,), or whatever shape a function returns.

        Raises:
            InputError: A function returned something else than finite numbers.
        """
        if self._function is not None:
            value = numbers_in(f"{self.name} at t = {time:g} us", self._function(time, *further))
            if not np.isfinite(value).all():
                raise InputError(f"{self.name} = {value} at t = {time:g} us, expected finite numbers")
            return value
        values = [np.interp(time, self._times, column) for column in self._values.T]
        return np.asarray(values[0] if self._components == 1 else values)
