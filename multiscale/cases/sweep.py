"""One impact over several values of one flag: a folder for each, a table and a picture of them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mpi4py import MPI

from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.files.documents import parse_json
from microscale.files.toml import read_toml
from multiscale.cases.case_file import plain_case
from multiscale.cases.sweep_plan import CaseOf, Impact, Planned, label, plan, swept
from multiscale.cases.sweep_table import Row, draw_rows, print_rows, write_rows
from multiscale.parallel.ranks import shared_errors
from multiscale.results.run_folder import CASE, SUMMARY
from multiscale.run.command import one_line


def sweep(impact: Impact, case_of: CaseOf, tokens: Sequence[str], output: Path | None) -> list[Row]:
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
    planned = plan(impact, case_of, tokens, flag, values, output)
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
