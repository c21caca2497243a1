"""TOML as plain data: read with the limits of our other files; and written, which Python itself cannot do."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from microscale.errors import InputError
from microscale.files.documents import read_bytes, require_limits

LARGEST = 2**18
"""Bytes of a file."""
BARE = re.compile(r"[A-Za-z0-9_-]+")


def read_toml(path: Path, what: str, remedy: str) -> dict[str, Any]:
    """Read a file as plain data.

    Args:
        path: The file.
        what: What it is, for messages.
        remedy: What the user can do, for messages.

    Raises:
        InputError: It is no regular file, cannot be read, is too large, or is not TOML of plain values.
    """
    data = read_bytes(path, what, remedy, LARGEST)
    try:
        found = tomllib.loads(data.decode())
        require_limits(found)
        json.dumps(found)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{what} {path}: damaged or no TOML ({' '.join(str(error).split())}); {remedy}"
        ) from error
    except TypeError as error:
        raise InputError(f"{what} {path}: dates and times are not read; {remedy}") from error
    return found


def toml_text(table: Mapping[str, Any]) -> str:
    """Return plain data as TOML: texts, numbers, lists and tables; a list of tables has a header for each."""
    return "\n".join(_lines(table, ())).strip() + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Values first: in TOML what stands under a header belongs to it."""
    inner = {key: value for key, value in table.items() if _is_table(value) or _are_tables(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in table.items() if key not in inner]
    for key, value in inner.items():
        place = (*path, key)
        header = ".".join(map(_key, place))
        if _is_table(value):
            own = [] if value and all(map(_is_table, value.values())) else ["", f"[{header}]"]
            lines += [*own, *_lines(value, place)]
        else:
            lines += [line for part in value for line in ("", f"[[{header}]]", *_lines(part, place))]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _are_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_table, value))


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):  # escapes are those of JSON, and a file name may hold bytes that are no text
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise TypeError(f"{value!r} has no place in a TOML file")
