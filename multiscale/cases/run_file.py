"""Running a case file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from microscale.inputs.flat import flat
from microscale.inputs.numbers import OutFolder
from multiscale.cases.case_file import read_case
from multiscale.results.run_folder import CASE
from multiscale.run.control import ControlOptions
from multiscale.run.inputs import require_apart


@flat
def run_file(case: Path, *, control: ControlOptions, output: OutFolder | None = None) -> dict[str, Any]:
    """Run a case file: body, law, obstacles, end and outputs stand in it.

    The results hold the case too, so that a run can be repeated from its folder.

    Args:
        case: The case, a TOML file, see docs/reference/case.md.
        output: Folder for the results; by default results/NAME for NAME.toml, and results/NAME_again for the
            case.toml of a folder NAME.

    Returns:
        The summary.

    Raises:
        InputError: The case cannot be read, or a value in it cannot be used.
    """
    from multiscale.cases.run_case import run_case

    folder = folder_of(case) if output is None else output
    require_apart([folder / CASE], [case])
    return run_case(read_case(case), folder, control)


def folder_of(case: Path) -> Path:
    """Return the folder that the results of a case go to by default."""
    again = case.name == CASE
    return Path("results") / (f"{case.resolve().parent.name}_again" if again else case.stem)
