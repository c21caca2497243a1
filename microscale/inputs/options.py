"""Options belong to what uses them: what the chosen law, model or protocol does not take is refused.

A flag is None where the user gave none. Each choice declares what it takes, with the defaults, as a mapping;
where it is a function or a class, its signature is that mapping (:func:`defaults_of`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from inspect import Parameter, signature
from typing import Any

from microscale.errors import InputError

Taken = Callable[[str], Mapping[str, Any]]
"""From the name of a choice to the options it takes, with their defaults."""


def options_for(
    kind: str, chosen: str, given: Mapping[str, Any], takes: Taken, choices: Iterable[str], **flags: str
) -> dict[str, Any]:
    """Return the options of a choice: those that were given, and the defaults of the others.

    Args:
        kind: What is chosen, such as law.
        chosen: Its name.
        given: Options that the user is offered; None where he gave none.
        takes: What each choice takes.
        choices: All names.
        **flags: Names of the flags of options, where they are others.

    Raises:
        InputError: An option was given that the choice does not take; it says which do.
    """
    known = takes(chosen)
    unused = {name: value for name, value in given.items() if value is not None and name not in known}
    if unused:
        told = (
            f"{_flag(flags.get(name, name), value)} ({_users(name, kind, takes, choices)})"
            for name, value in unused.items()
        )
        raise InputError(
            f"{kind} {chosen} does not take {', '.join(told)}: leave it out, or choose another {kind}"
        )
    return {name: known[name] if given[name] is None else given[name] for name in given if name in known}


@contextmanager
def named(**flags: str) -> Iterator[None]:
    """Let errors speak of a user's flags where a function calls its parameters otherwise.

        with named(impact_radius="radius"):
            plate(impact_radius=radius)

    Args:
        **flags: Names of flags by the names of parameters.
    """
    try:
        yield
    except InputError as error:
        message = str(error)
        for parameter, flag in flags.items():
            either = parameter.replace("_", "[-_]")
            message = re.sub(rf"(?<![\w-]){either}(?![\w-])", flag.replace("_", "-"), message)
        raise InputError(message) from error


def defaults_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the parameters of a function, or of a class, that have defaults, and these."""
    parameters = signature(function).parameters.items()
    return {name: found.default for name, found in parameters if found.default is not Parameter.empty}


def _flag(name: str, value: Any) -> str:
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {value}"


def _users(name: str, kind: str, takes: Taken, choices: Iterable[str]) -> str:
    """Say which choices take an option."""
    users = [choice for choice in choices if name in takes(choice)]
    if not users:
        return f"no {kind} does"
    return f"taken by {', '.join(users)}"
