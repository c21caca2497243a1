"""Case files: TOML whose tables are the dataclasses of a case, with quantities as texts such as "200 m/s"."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from microscale.files.quantities import Vector
from microscale.files.schema import validated
from microscale.files.toml import read_toml, toml_text
from microscale.inputs.annotations import rule_of
from multiscale.cases.case import Case
from multiscale.surrogate.store import is_shipped_name

REMEDY = "docs/reference/case.md lists all keys"

HEADER = """\
# Everything this run was computed from; files are named relative to this one. Run it again with
#     multiscale run case.toml
"""


def read_case(path: Path) -> Case:
    """Read a case; the files it names are relative to its own folder.

    Raises:
        InputError: The file cannot be read, or does not follow the schema: one line with file, key, value,
            what was expected and the remedy.
    """
    where = f"case {path}"
    found = validated(Case, read_toml(path, "case", REMEDY), where, REMEDY)
    return _with_files(found, lambda file: path.parent / file)


def case_text(case: Case, folder: Path) -> str:
    """Return a case as a file in a folder, from which the run can be repeated to the bit."""
    return HEADER + "\n" + toml_text(plain_case(case, folder))


def plain_case(case: Case, folder: Path) -> dict[str, Any]:
    """Return a case as plain data, with names of files relative to a folder."""
    from_there = folder.resolve()
    whole = _with_files(case.resolved(), lambda file: Path(os.path.relpath(file.resolve(), from_there)))
    return dict(_plain(whole, Case))


def _with_files(value: Any, place: Any) -> Any:
    """Return a dataclass, or a mapping of them, ``place`` called on every path but names of weights."""
    if isinstance(value, Path):
        return place(value)
    if isinstance(value, Mapping):
        return {key: _with_files(item, place) for key, item in value.items()}
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    items = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    named = {name for name, item in items.items() if name == "weights" and item and is_shipped_name(item)}
    changed = {name: item if name in named else _with_files(item, place) for name, item in items.items()}
    return dataclasses.replace(value, **changed)


def _plain(value: Any, hint: Any) -> Any:
    """Return a value as TOML holds it, quantities with the unit of their annotation, nothing for None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value), include_extras=True)
        items = {name: (getattr(value, name), hints[name]) for name in hints if name in vars(value)}
        return {name: _plain(item, inner) for name, (item, inner) in items.items() if _says(item)}
    if isinstance(value, Mapping):
        return {key: _plain(item, get_args(hint)[-1]) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        vector = next((found for found in _notes(hint) if isinstance(found, Vector)), None)
        if vector is not None:
            return f"{list(map(float, value))} {vector.unit}"
        return [_plain(item, _items_of(hint)) for item in value]
    if isinstance(value, Path):
        return str(value)
    unit = getattr(rule_of(hint), "unit", "")
    return f"{float(value)!r} {unit}" if unit and isinstance(value, (int, float)) else value


def _notes(hint: Any) -> list[Any]:
    """What annotations say of a value, also where it may be something else; not of what is in it."""
    if get_origin(hint) is Annotated:
        return [*hint.__metadata__, *_notes(get_args(hint)[0])]
    if get_origin(hint) in (Union, UnionType):
        return [note for part in get_args(hint) for note in _notes(part)]
    return []


def _items_of(hint: Any) -> Any:
    """The annotation of the items of a tuple."""
    return _items_of(get_args(hint)[0]) if get_origin(hint) is Annotated else get_args(hint)[0]


def _says(value: Any) -> bool:
    """Whether a value says something: None, and nothing in a list or a text, is what is not there."""
    return value is not None and value not in ((), "", {})
