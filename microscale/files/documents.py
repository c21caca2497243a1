"""Files of parameters as plain data, one way for YAML and JSON: keys, texts, numbers, nothing that acts.

Both are read with the same rules. Keys stand once. Numbers are numbers: ``1e3`` is one (YAML 1.1 takes it for
a text), ``yes`` and ``1:30`` are texts (YAML 1.1 takes them for True and 90). YAML is that of its core schema
without tags, anchors and aliases, which can make a file of a few lines grow beyond any memory. Sizes, depth
and digits have limits.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from microscale.errors import InputError
from microscale.files.printable import printable

LARGEST = {"YAML": 2**18, "JSON": 2**22}
"""Bytes of a file: a material has some thousand, the card of a surrogate some ten thousand."""
DEEPEST = 40
"""Levels of keys and lists inside each other."""


def read_document(path: Path, what: str, remedy: str) -> Any:
    """Read a file as plain data: JSON where its name ends so, else YAML.

    Args:
        path: The file.
        what: What it is, for messages.
        remedy: What the user can do, for messages.

    Raises:
        InputError: It is no regular file, cannot be read, is too large, or is not YAML or JSON.
    """
    language = "JSON" if path.suffix.lower() == ".json" else "YAML"
    data = read_bytes(path, what, remedy, LARGEST[language])
    try:
        text = _decoded(data, language)
        return parse_json(text) if language == "JSON" else parse_yaml(text)
    except ValueError as error:
        raise InputError(f"{what} {path}: {error}; {remedy}") from error


def read_bytes(path: Path, what: str, remedy: str, largest: int) -> bytes:
    """Read a regular file of limited size; errors as :func:`read_document`."""
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{what} {path} is a folder or device, expected a file; {remedy}")
        size = path.stat().st_size
        if size > largest:
            raise InputError(f"{what} {path} has {size} bytes, expected at most {largest}; {remedy}")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{what} {path} cannot be read ({error.strerror}); {remedy}") from error
    except ValueError as error:  # a zero byte in the name
        if isinstance(error, InputError):
            raise
        raise InputError(f"{what} {printable(path)} has no usable name ({error}); {remedy}") from error


def _decoded(data: bytes, language: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"damaged or no {language} ({error})") from error


def parse_json(text: str) -> Any:
    """Return the plain data of a JSON text.

    Raises:
        ValueError: It is not JSON, has a key twice, NaN or an infinity, or goes beyond a limit.
    """
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_int=_whole)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    except json.JSONDecodeError as error:
        raise ValueError(f"damaged or no JSON ({error})") from error
    require_limits(data)
    return data


def parse_yaml(text: str) -> Any:
    """Return the plain data of a YAML text.

    Raises:
        ValueError: It is not YAML of the core schema, has a key twice, or goes beyond a limit.
    """
    try:
        data = yaml.load(text, Loader=_CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise ValueError(f"damaged or no YAML ({place}{error.problem})") from error
    except yaml.YAMLError as error:
        raise ValueError(f"damaged or no YAML ({' '.join(str(error).split())})") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    require_limits(data)
    return data


_TOO_DEEP = f"keys and lists inside each other, expected at most {DEEPEST} levels"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key '{printable(key, 60)}' stands twice, expected once")
        found[key] = value
    return found


def _whole(text: str) -> int:
    if len(text) > 4000:  # Python converts no more
        raise ValueError(f"a whole number of {len(text)} digits, expected at most 19")
    return int(text)


def require_limits(data: Any, place: tuple[int | str, ...] = ()) -> None:
    """Raise where a key is no text, a number is not finite, or keys and lists go too deep."""
    if len(place) > DEEPEST:
        raise ValueError(_TOO_DEEP)
    if isinstance(data, dict):
        for key, value in data.items():
            require_limits(value, (*place, key))
    elif isinstance(data, list):
        for k, value in enumerate(data):
            require_limits(value, (*place, k))
    elif isinstance(data, int) and not -(2**63) <= data < 2**63:
        raise ValueError(f"{key_path(place)} = {printable(data, 60)}, expected a whole number of 64 bits")
    elif isinstance(data, float) and not math.isfinite(data):
        raise ValueError(f"{key_path(place)} = {data}, expected a finite number")


def key_path(place: Sequence[int | str]) -> str:
    """Return where in a file something is, such as ``slip_families.basal.plane_direction[0]``."""
    if len(place) > 1 and place[-1] == "value":  # of a quantity: its name says enough
        place = place[:-1]
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{printable(key, 60)}" for key in place)
    return text.removeprefix(".") or "the file"


class _CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema, without anchors, aliases, merges and tags."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            problem = "anchors and aliases are not read, write the value out"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                self._refuse(f"key {printable(key, 60)} is no text, expected a name", key_node)
            if key in seen:
                self._refuse(f"key '{printable(key, 60)}' stands twice, expected once", key_node)
            seen.add(key)
        return super().construct_mapping(node, deep)

    def _refuse(self, problem: str, node: Any) -> NoReturn:
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)

    def plain_int(self, node: Any) -> int:
        return _whole(str(self.construct_scalar(node)))

    def plain_float(self, node: Any) -> float:
        return float(re.sub(r"\.(?=[in])", "", str(self.construct_scalar(node)).lower()))  # .inf and .nan

    def unknown(self, node: Any) -> NoReturn:
        self._refuse(f"tag {printable(node.tag, 60)} is not read, expected plain values", node)


def _core_schema() -> None:
    """Teach the loader what an unquoted word is, by YAML 1.2.2, section 10.3.2."""
    loader: Any = _CoreLoader
    loader.yaml_implicit_resolvers = {}
    tag, number = "tag:yaml.org,2002:", list("-+0123456789.")
    for name, pattern, first in (
        ("null", r"^(~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("bool", r"^(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
        ("int", r"^[-+]?[0-9]+$", number),
        ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", number),
        ("float", r"^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$", number),
    ):
        loader.add_implicit_resolver(tag + name, re.compile(pattern), first)
    read: dict[str | None, Any] = {
        tag + "null": loader.construct_yaml_null,
        tag + "bool": loader.construct_yaml_bool,
        tag + "int": loader.plain_int,
        tag + "float": loader.plain_float,
        tag + "str": loader.construct_yaml_str,
        tag + "seq": loader.construct_yaml_seq,
        tag + "map": loader.construct_yaml_map,
        None: loader.unknown,
    }
    loader.yaml_constructors = read


_core_schema()
