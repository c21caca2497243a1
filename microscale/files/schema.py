"""Data against its schema: what a file must hold, and one line that says where it does not.

Schemas are pydantic models or dataclasses, strict (no text for a number) and closed (no unknown key).
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from microscale.errors import InputError
from microscale.files.documents import key_path
from microscale.files.printable import printable

STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
Positive = Annotated[float, Field(gt=0.0)]
NotNegative = Annotated[float, Field(ge=0.0)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""What pydantic calls a key that no model, or no dataclass, knows."""
UNIONS = (Union, types.UnionType)
EXPECTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "dataclass_type": "keys with values",
    "finite_number": "a finite number",
    "none_required": "nothing",
}
"""What pydantic's kinds of errors ask for, in our words."""


class Strict(BaseModel):
    """A part of a file: its keys are its fields, and no others."""

    model_config = STRICT


class Record(Strict):
    """A part of a record: keys that are read are checked, others (of another version) are kept."""

    model_config = ConfigDict(**{**STRICT, "extra": "allow"})


def validated[T](model: type[T], data: Any, where: str, remedy: str) -> T:
    """Return data as what its schema says.

    Args:
        model: A pydantic model, or a dataclass with ``__pydantic_config__ = STRICT``.
        data: Plain data of a file.
        where: The file, for messages.
        remedy: What the user can do, for messages.

    Raises:
        InputError: In one line: the file, the key, its value, what was expected, the remedy.
    """
    try:
        # As JSON: of Python's own mappings pydantic, where strict, makes no dataclasses.
        return cast(T, _adapter(cast(Any, model)).validate_json(json.dumps(data)))
    except ValidationError as error:
        found = error.errors(include_url=False)
        # A wrong key leaves the right one missing: name the wrong one.
        first = next((e for e in found if e["type"] in UNKNOWN), found[0])
        raise InputError(f"{where}: {_described(first, model)}; {remedy}") from error


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def forget() -> None:
    """Read schemas anew: one of them has grown."""
    _adapter.cache_clear()


def wrong(expected: str, value: str | None = None) -> PydanticCustomError:
    """Return the error a validator raises: what it expected, and the value if it is to be shown otherwise."""
    return PydanticCustomError("ours", "{expected}", {"expected": expected, "value": value})


def _described(error: ErrorDetails, model: Any) -> str:
    kind, context = error["type"], error.get("ctx", {})
    place, _ = _followed(error["loc"], model)
    if kind in UNKNOWN:
        return _unknown_key(error["loc"], model)
    if kind.startswith("union_tag"):  # the key that tells the schemas of a union apart
        place.append(context["discriminator"].strip("'"))
    if kind in ("missing", "union_tag_not_found"):
        return f"{key_path(place)} is missing"
    if kind == "value_error":  # a dataclass whose values do not go together says so itself
        return f"{key_path(place)}{': ' if place else ''}{context['error']}"
    value = context.get("value") if kind == "ours" else context.get("tag") and repr(context["tag"])
    shown = _short(error["input"]) if value is None else printable(value, 60)
    return f"{key_path(place)} = {shown}, expected {_expected(kind, context, error['msg'])}"


def _expected(kind: str, context: dict[str, Any], message: str) -> str:
    if kind == "ours" or (kind == "literal_error" and "expected" in context):
        return str(context["expected"])
    if kind == "union_tag_invalid":
        return f"one of {context['expected_tags']}"
    if kind == "greater_than" and context["gt"] == 0:
        return "a positive number"
    if kind == "greater_than_equal" and context["ge"] == 0:
        return "zero or a positive number"
    if kind in EXPECTED:
        return EXPECTED[kind]
    return message.removeprefix("Input should be ")


def _unknown_key(place: Sequence[int | str], model: Any) -> str:
    keys, part = _followed(place[:-1], model)
    known, name = list(_fields(_plain_type(part))), str(place[-1])
    near = difflib.get_close_matches(name, known, 1, cutoff=0.5)
    meant = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
    return f"{key_path([*keys, name])} is no known key, {meant}"


def _followed(place: Sequence[int | str], model: Any) -> tuple[list[int | str], Any]:
    """The keys of a place as the file has them, and the part of the schema there; None where it has none.

    Where a union is told apart by a tag, pydantic puts the tag among the keys.
    """
    keys: list[int | str] = []
    for key in place:
        model = _plain_type(model)
        if get_origin(model) in UNIONS:
            model = next(part for part in get_args(model) if key in _tags(part))
            continue
        keys.append(key)
        inner = [part for part in get_args(model) if part is not ...]
        # Of a list or a mapping the last argument is what it holds.
        model = inner[-1] if inner else _fields(model).get(str(key))
    return keys, model


def _tags(model: Any) -> list[Any]:
    """The values by which a schema is told from the others of its union."""
    return [tag for hint in _fields(model).values() if get_origin(hint) is Literal for tag in get_args(hint)]


def _plain_type(model: Any) -> Any:
    """The type inside annotations and ``| None``; of a union without tags the first."""
    if get_origin(model) is Annotated:
        # A quantity declares the schema it is read with.
        return _plain_type(getattr(model.__metadata__[0], "schema", get_args(model)[0]))
    if get_origin(model) not in UNIONS:
        return model
    parts = [part for part in get_args(model) if part is not type(None)]
    tagged = len(parts) > 1 and all(map(_tags, parts))
    return model if tagged else _plain_type(parts[0])


def _fields(model: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(model) or (isinstance(model, type) and issubclass(model, BaseModel)):
        hints = get_type_hints(model, include_extras=True)
        names = model.model_fields if hasattr(model, "model_fields") else model.__dataclass_fields__
        return {name: hints[name] for name in names}
    return {}


def _short(value: Any) -> str:
    return printable(repr(value), 60)
