"""Annotations of parameters as rules: what of a signature can be held against the values of a call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, isclass, signature
from numbers import Integral
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from microscale.inputs.numbers import EIGHT_BYTES, FINITE, PATH, Fault, Instance, Rule

PLAIN: dict[Any, Rule] = {
    float: FINITE,
    int: EIGHT_BYTES,
    bool: Instance((bool, np.bool_), "True or False"),
    str: Instance(str, "text"),
    Path: PATH,
    NoneType: Instance(NoneType, "None"),
}
SEQUENCES = (tuple, list, Sequence)


@dataclass(frozen=True)
class OneOf(Rule):
    """Words of a list."""

    words: tuple[Any, ...]

    def problem(self, value: Any) -> str | None:  # noqa: D102
        plain = isinstance(value, str | Integral) and not isinstance(value, bool)
        return None if plain and value in self.words else f"one of: {', '.join(map(str, self.words))}"


@dataclass(frozen=True)
class Either(Rule):
    """What any of some rules takes."""

    rules: tuple[Rule, ...]

    @property
    def unit(self) -> str:
        """Unit of the first of the rules that has one."""
        return next((unit for rule in self.rules if (unit := unit_of(rule))), "")

    def problem(self, value: Any) -> str | None:  # noqa: D102
        fault = self.fault(value)
        return None if fault is None else fault.expected

    def fault(self, value: Any) -> Fault | None:  # noqa: D102
        faults = [rule.fault(value) for rule in self.rules]
        return None if None in faults else next((f for f in faults if f and f.expected != "None"), None)


@dataclass(frozen=True)
class Each(Rule):
    """Sequences, and what their items are.

    Attributes:
        rule: Of each item.
        length: How many there must be; None for any number.
    """

    rule: Rule | None
    length: int | None = None

    @property
    def unit(self) -> str:
        """Unit of the items."""
        return unit_of(self.rule)

    def problem(self, value: Any) -> str | None:  # noqa: D102
        fault = self.fault(value)
        return None if fault is None else fault.expected

    def fault(self, value: Any) -> Fault | None:  # noqa: D102
        array = isinstance(value, np.ndarray) and value.ndim > 0
        if not (isinstance(value, Sequence) or array) or isinstance(value, str | bytes):
            words = getattr(self.rule, "words", "")
            return Fault(value, f"a list, each {words}" if words else "a list")
        if self.length is not None and len(value) != self.length:
            return Fault(value, f"{self.length} values")
        faults = (self.rule.fault(item) for item in value) if self.rule else iter(())
        return next((fault for fault in faults if fault is not None), None)


@dataclass(frozen=True)
class Keyed(Rule):
    """Mappings from names, and what their values are."""

    rule: Rule | None

    def problem(self, value: Any) -> str | None:  # noqa: D102
        fault = self.fault(value)
        return None if fault is None else fault.expected

    def fault(self, value: Any) -> Fault | None:  # noqa: D102
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            return Fault(value, "names with values, {name: value}")
        faults = (self.rule.fault(item) for item in value.values()) if self.rule else iter(())
        return next((fault for fault in faults if fault is not None), None)


@dataclass(frozen=True)
class Called(Rule):
    """Functions."""

    def problem(self, value: Any) -> str | None:  # noqa: D102
        return None if callable(value) else "a function"


def unit_of(rule: Rule | None) -> str:
    """Return the unit of what a rule takes, empty where it has none."""
    return str(getattr(rule, "unit", ""))


def rules_of(annotated: Any) -> dict[str, Rule]:
    """Return the rules by the names of parameters, or of fields; of those whose annotation is understood."""
    parameters = signature(annotated).parameters
    found = {}
    for name, hint in get_type_hints(annotated, include_extras=True).items():
        kind = parameters[name].kind if name in parameters else None
        rule = rule_of(hint) if name != "return" and kind is not Parameter.VAR_KEYWORD else None
        if rule is not None:
            found[name] = Each(rule) if kind is Parameter.VAR_POSITIONAL else rule
    return found


def rule_of(hint: Any) -> Rule | None:
    """Return the rule of an annotation; None where it says nothing that can be checked."""
    if isclass(hint) and hint in PLAIN:
        return PLAIN[hint]
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return next((found for found in hint.__metadata__ if isinstance(found, Rule)), rule_of(inner[0]))
    if origin is Literal:
        return OneOf(inner)
    if origin in (Union, UnionType):
        rules = tuple(rule_of(part) for part in inner)
        return Either(tuple(rule for rule in rules if rule)) if all(rules) else None
    if origin in SEQUENCES:
        fixed = origin is tuple and Ellipsis not in inner
        return Each(rule_of(inner[0]), len(inner) if fixed else None)
    if origin is Iterable:
        return Instance(Iterable, "a list")
    if origin is Mapping or origin is dict:
        return Keyed(rule_of(inner[1]))
    if origin is Callable:
        return Called()
    if not isclass(hint) or origin is not None or hint in (object, Any):
        return None
    if getattr(hint, "_is_protocol", False) and not getattr(hint, "_is_runtime_protocol", False):
        return None
    return Instance(hint, f"a {hint.__name__}")
