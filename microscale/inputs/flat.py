"""Options in dataclasses, shared by functions, and given as plain keywords or flags.

    @flat
    def anvil(*, material: Material, control: Control, output: Path = Path("results")): ...

    anvil(law="j2", max_wall=60.0)

Each dataclass says once what an option is, its default and its text of help. The command line sees the same
keywords, and its help is made of the same texts.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, get_type_hints

from microscale.inputs.numbers import checked

SECTION = re.compile(r"\n( *)(?:Args|Attributes):\n((?:\1 +.*\n|\s*\n)*)")


def flat[R](function: Callable[..., R]) -> Callable[..., R]:
    """Let a function take the fields of its dataclasses of options as keywords; all are checked.

    Raises:
        TypeError: Of the call: a keyword that none has, or one without default that was not given.
        InputError: Of the call: a value that its annotation does not take.
    """
    hints = get_type_hints(function, include_extras=True)
    own = inspect.signature(function).parameters
    groups = {name: hints[name] for name in own if dataclasses.is_dataclass(hints[name])}
    fields = {name: _parameters(kind) for name, kind in groups.items()}
    taken = [
        each
        for name, found in own.items()
        for each in fields.get(name, [found.replace(annotation=hints[name])])
    ]

    @wraps(function)
    def call(*args: Any, **given: Any) -> R:
        found = {name: _drawn(kind, fields[name], given) for name, kind in groups.items()}
        return function(*args, **found, **given)

    whole: Any = call
    del whole.__wrapped__  # its annotations are not those of the keywords
    whole.__signature__ = inspect.Signature(taken, return_annotation=hints.get("return", Any))
    whole.__annotations__ = {each.name: each.annotation for each in taken} | {
        "return": hints.get("return", Any)
    }
    whole.__doc__ = _joined(function, groups.values())
    return checked(call)


def _parameters(kind: Any) -> list[inspect.Parameter]:
    """The fields of a dataclass as keywords."""
    hints = get_type_hints(kind, include_extras=True)
    found = inspect.signature(kind).parameters.values()
    return [each.replace(annotation=hints[each.name], kind=inspect.Parameter.KEYWORD_ONLY) for each in found]


def _drawn(kind: Any, fields: list[inspect.Parameter], given: dict[str, Any]) -> Any:
    """Make a dataclass of what was given for it, which is taken out."""
    return kind(**{each.name: given.pop(each.name) for each in fields if each.name in given})


def _joined(function: Callable[..., Any], groups: Any) -> str:
    """The text of a function with those of its options in place of the dataclasses."""
    text = f"{inspect.getdoc(function)}\n"
    options = "".join(_section(f"{inspect.getdoc(kind)}\n") for kind in groups)
    match = SECTION.search(text)
    if match is None:
        return f"{text}\nArgs:\n{options}"
    return text[: match.start(2)] + match[2].rstrip("\n") + "\n" + options + "\n" + text[match.end(2) :]


def _section(text: str) -> str:
    match = SECTION.search(text)
    return "" if match is None else match[2].rstrip() + "\n"
