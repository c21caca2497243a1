"""What a sweep is going to run: the flag that has several values, and the case of each, checked."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyclopts import CycloptsError

from microscale.errors import InputError
from microscale.inputs.annotations import rule_of
from multiscale.cases.case import Case
from multiscale.run.command import application, one_line
from multiscale.run.control import ControlOptions

Impact = Callable[..., Any]
CaseOf = Callable[..., Case]

#: Flags whose commas are part of one value, as in rolled:15,25.
WITH_COMMAS = ("texture", "texture_axes")

#: Flags that say how a run goes, and those of them that a sweep sets itself.
OF_RUN, OURS = ("output", "checkpoint_every", "max_wall", "restart"), {"output", "restart"}


@dataclass(frozen=True)
class Planned:
    """One run of a sweep.

    Attributes:
        value: Value of the flag, as it was given.
        case: What is run.
        control: Its checkpoints and its end.
        folder: Where its record goes.
    """

    value: str
    case: Case
    control: ControlOptions
    folder: Path


def plan(
    impact: Impact, case_of: CaseOf, tokens: Sequence[str], flag: str, values: Sequence[str], output: Path
) -> list[Planned]:
    """Return the runs over the values of a flag, with all that can be said without running them checked.

    Raises:
        InputError: A value cannot be used, or two are the same.
    """
    planned = []
    for value in values:
        words = [f"--{flag}={value}" if word.startswith(f"--{flag}=") else word for word in joined(tokens)]
        try:
            case, control = parsed(impact, case_of, words)
        except (CycloptsError, InputError) as error:
            raise InputError(f"--{flag} {value}: {one_line(error)}") from error
        name = re.sub(r"[^\w.+-]", "_", f"{flag}_{value}")
        planned.append(Planned(value, case, control, output / name))
    if len({each.folder for each in planned}) < len(planned):
        raise InputError(f"--{flag} {','.join(values)}: two values are the same, expected different ones")
    return planned


def swept(impact: Impact, tokens: Sequence[str]) -> tuple[str, list[str]]:
    """Return the flag that has several values, without dashes, and the values.

    Raises:
        InputError: There is not one such flag.
    """
    arguments = application(impact).assemble_argument_collection()
    single = {name for found in arguments for name in found.names if found.token_count() == (1, False)}
    single -= {f"--{name.replace('_', '-')}" for name in WITH_COMMAS}
    given = (word.partition("=") for word in joined(tokens))
    several = {flag: value.split(",") for flag, _, value in given if flag in single and "," in value}
    if len(several) != 1:
        found = f"{' and '.join(several)} have" if several else "none has"
        raise InputError(
            f"{found} several values, expected one flag that has, such as --velocity 100,200,300: "
            "a sweep goes over one flag"
        )
    ((flag, values),) = several.items()
    return flag.removeprefix("--"), values


def joined(tokens: Sequence[str]) -> list[str]:
    """Return the words of a command line with the value of each flag behind an equals sign."""
    words: list[str] = []
    for token in tokens:
        waits = bool(words) and words[-1].startswith("--") and "=" not in words[-1]
        if waits and not token.startswith("--"):
            words[-1] += f"={token}"
        else:
            words.append(token)
    return words


def parsed(impact: Impact, case_of: CaseOf, words: Sequence[str]) -> tuple[Case, ControlOptions]:
    """Return the case and the control that flags stand for.

    Raises:
        CycloptsError: They are no flags of this impact.
        InputError: A value cannot be used, a file is not there, or a flag is one that a sweep sets itself.
    """
    _, bound, _ = application(impact).parse_args(list(words), exit_on_error=False, print_error=False)
    given = dict(bound.kwargs)
    of_run = {name: given.pop(name) for name in OF_RUN if name in given}
    if OURS & of_run.keys():
        raise InputError("a sweep restarts what was not done by itself, from its own folder: leave it out")
    case = case_of(**given)
    missing = next((file for file in case.files() if not file.is_file()), None)
    if missing is not None:
        raise InputError(f"{missing} is no file that is there")
    return case, ControlOptions(**of_run)


def label(impact: Impact, flag: str) -> str:
    """Return a flag with its unit, if it has one."""
    parameter = inspect.signature(impact).parameters.get(flag.replace("-", "_"))
    unit = "" if parameter is None else getattr(rule_of(parameter.annotation), "unit", "")
    return f"{flag} ({unit})" if unit else flag
