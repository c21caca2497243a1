"""One impact over several values of one flag: a folder for each, a table and a picture of them all."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cyclopts import CycloptsError
from mpi4py import MPI

from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.files.documents import parse_json
from microscale.files.toml import read_toml
from microscale.inputs.numbers import rule_of
from multiscale.cases.case import Case
from multiscale.cases.case_file import plain_case
from multiscale.cases.sweep_table import Row, draw_rows, print_rows, write_rows
from multiscale.parallel.ranks import shared_errors
from multiscale.results.run_folder import CASE, SUMMARY
from multiscale.run.command import application, one_line
from multiscale.run.control import ControlOptions

CaseOf = Callable[..., Case]

#: Flags that say how a run goes, not what it is of; a sweep takes care of folders and restarts.
OF_RUN = ("output", "checkpoint_every", "max_wall", "restart")


@dataclass(frozen=True)
class Planned:
    """One run of a sweep: the value of the flag as it was given, its case, control and folder."""

    value: str
    case: Case
    control: ControlOptions
    folder: Path


def sweep(
    impact: Callable[..., Any], case_of: CaseOf, tokens: Sequence[str], output: Path | None
) -> list[Row]:
    """Run an impact over the values of the one flag that has several; what is done is kept. Collective.

    Args:
        impact: The function whose flags are meant.
        case_of: From the same flags to the case.
        tokens: Flags as on a command line; one has values with commas between them.
        output: Folder of the runs, of ``sweep.csv`` and of ``sweep.png``.

    Returns:
        The rows of the table.

    Raises:
        InputError: Not one flag has several values, a value cannot be used, or a folder holds another run;
            before anything is run.
        DeformationError: Runs ended with an error; the others are in the table.
    """
    flag, values = swept(impact, tokens)
    output = output or Path("results") / f"{impact.__name__}_{flag}"
    planned = [plan(impact, case_of, tokens, flag, value, output) for value in values]
    if len({each.folder for each in planned}) < len(planned):
        raise InputError(f"--{flag} {','.join(values)}: two values are the same, expected different ones")
    comm = MPI.COMM_WORLD
    done = [found_summary(each, comm) for each in planned]
    rows = [row_of(each, summary, comm) for each, summary in zip(planned, done, strict=True)]
    with shared_errors(comm):
        if comm.rank == 0:
            write_rows(output / "sweep.csv", flag, rows)
            print_rows(output / "sweep.csv", flag, rows)
            draw_rows(output / "sweep.png", label(impact, flag), rows)
    failed = [f"{row.value}: {row.error}" for row in rows if row.error]
    if failed:
        raise DeformationError(
            f"{len(failed)} of {len(rows)} runs over --{flag} ended with an error ({'; '.join(failed)}): "
            f"the others are in {output / 'sweep.csv'}"
        )
    return rows


def swept(impact: Callable[..., Any], tokens: Sequence[str]) -> tuple[str, list[str]]:
    """Return the flag that has several values, without dashes, and the values."""
    single = {
        name for found in application(impact).assemble_argument_collection() for name in found.names
        if found.token_count() == (1, False)
    }  # fmt: skip
    joined = [token if token.startswith("-") else None for token in tokens]
    pairs = [
        (token.split("=", 1) if "=" in token else [token, following])
        for token, following in zip(joined, [*tokens[1:], ""], strict=True)
        if token
    ]
    several = {flag: value.split(",") for flag, value in pairs if flag in single and "," in value}
    if len(several) != 1:
        found = f"{' and '.join(several)} have" if several else "none has"
        raise InputError(
            f"{found} several values, expected one flag that has, such as --velocity 100,200,300: "
            "a sweep goes over one flag"
        )
    ((flag, values),) = several.items()
    return flag.lstrip("-"), values


def label(impact: Callable[..., Any], flag: str) -> str:
    """Return a flag with its unit, if it has one."""
    parameter = inspect.signature(impact).parameters.get(flag.replace("-", "_"))
    unit = "" if parameter is None else getattr(rule_of(parameter.annotation), "unit", "")
    return f"{flag} ({unit})" if unit else flag


def plan(
    impact: Callable[..., Any], case_of: CaseOf, tokens: Sequence[str], flag: str, value: str, output: Path
) -> Planned:
    """Return one run, with all that can be said of it without running it checked."""
    mine, words = [], iter(tokens)
    for word in words:
        if word == f"--{flag}":
            next(words)
            word = f"--{flag}={value}"
        mine.append(f"--{flag}={value}" if word.startswith(f"--{flag}=") else word)
    try:
        _, bound, _ = application(impact).parse_args(mine, exit_on_error=False, print_error=False)
        given = dict(bound.kwargs)
        of_run = {name: given.pop(name) for name in OF_RUN if name in given}
        if set(of_run) & {"output", "restart"}:
            raise InputError(
                "a sweep restarts what was not done by itself, from its own folder: leave it out"
            )
        case = case_of(**given)
        missing = next((file for file in case.files() if not file.is_file()), None)
        if missing is not None:
            raise InputError(f"{missing} is no file that is there")
    except (CycloptsError, InputError) as error:
        raise InputError(f"--{flag} {value}: {one_line(error)}") from error
    folder = output / re.sub(r"[^\w.+-]", "_", f"{flag}={value}".replace("=", "_", 1))
    return Planned(value, case, ControlOptions(**of_run), folder)


def found_summary(planned: Planned, comm: MPI.Comm) -> dict[str, Any] | None:
    """Return the summary of a run that is done; None where it is still to be run. Collective.

    Raises:
        InputError: The folder holds another run.
    """
    found = None
    with shared_errors(comm):
        if comm.rank == 0 and (planned.folder / CASE).exists():
            require_same(planned)
            summary = planned.folder / SUMMARY
            found = parse_json(summary.read_text(encoding="utf-8")) if summary.exists() else None
            found = None if found is None or "error" in found else found  # what failed is run again
    return comm.bcast(found)


def require_same(planned: Planned) -> None:
    """Raise an InputError that names the first key of a case which the one in the folder has otherwise."""
    file = planned.folder / CASE
    there = read_toml(file, "case", "remove its folder, or choose another --output")
    mine = plain_case(planned.case, planned.folder)
    for key in sorted({*mine, *there} - {"title"}):
        if mine.get(key) != there.get(key):
            raise InputError(
                f"{file} is of another run: {key} = {there.get(key)}, this sweep has {mine.get(key)}: "
                "remove its folder, or choose another --output"
            )


def row_of(planned: Planned, summary: dict[str, Any] | None, comm: MPI.Comm) -> Row:
    """Return the row of a run, which is run, or gone on with, where it is not done. Collective."""
    from multiscale.cases.run_case import run_case
    from multiscale.run.recording import CHECKPOINT

    if summary is not None:
        if comm.rank == 0:
            print(f"{planned.folder}: done before", flush=True)
        return Row(planned.value, summary)
    checkpoint = planned.folder / CHECKPOINT
    restart = checkpoint if comm.bcast(checkpoint.exists()) else None
    try:
        return Row(
            planned.value, run_case(planned.case, planned.folder, replace(planned.control, restart=restart))
        )
    except (DeformationError, ConvergenceError) as error:
        return Row(planned.value, {}, one_line(error))
