"""What is in the folder of a run is checked before anything is written.

A restart goes on with the record there only where that reaches the checkpoint without a gap.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from microscale.errors import InputError
from multiscale.results.field_writer import BEFORE, LAST_OUTPUT, OUTPUTS
from multiscale.results.ledger import COLUMNS, ledger_until
from multiscale.results.vtkhdf import Results, steps_until
from multiscale.run.inputs import require_apart
from multiscale.run.same_run import Origin

#: Attribute of a result file: what the run is of.
ORIGIN = "origin"


class Kept(NamedTuple):
    """What a restart keeps of a record.

    Attributes:
        ledger: Bytes of the ledger.
        steps: Steps of the result file; None where there is no record yet.
    """

    ledger: int = 0
    steps: int | None = None


def require_free(written: Collection[Path], inputs: Mapping[str, Any]) -> None:
    """Refuse files of a record that would be written over what is read, or that something else stands for."""
    require_apart(written, [v for name, v in inputs.items() if isinstance(v, Path) and name != "restart"])
    for path in written:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            kind = "link" if path.is_symlink() else "folder" if path.is_dir() else "device"
            raise InputError(f"{path} is a {kind}, expected a file or none: choose another --output")


def kept_record(
    results: Path,
    ledger: Path,
    step: int,
    time: float,
    record: Mapping[str, float],
    origin: Origin,
    columns: Sequence[str] = COLUMNS,
) -> Kept:
    """Return what is kept of the record in a folder; nothing is written.

    Args:
        results: The result file, if there is one.
        ledger: The ledger, if there is one.
        step: Steps of the checkpoint.
        time: Its time, us.
        record: Its :data:`OUTPUTS` and :data:`LAST_OUTPUT`.
        origin: What the restarted run is of.
        columns: Those of the ledger.

    Raises:
        InputError: The record is damaged, of another run, or ends before the checkpoint, or has a gap.
    """
    if not results.exists() and not ledger.exists():
        return Kept()
    for there, missing in ((results, ledger), (ledger, results)):
        if not missing.exists():
            raise InputError(f"{there} has no {missing.name} beside it: restart into another --output")
    found = Results(results)
    try:
        origin.require(json.loads(found.attributes[ORIGIN]), results)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{results} does not say what it is of: restart into another --output") from error
    size, rows = ledger_until(ledger, step, columns)
    steps = steps_until(found.times, time)
    if rows == steps == 0:
        return Kept()
    before = int(found.attributes.get(BEFORE, 0))
    if before + steps != record[OUTPUTS] or found.times[steps - 1] != record[LAST_OUTPUT]:
        raise InputError(
            f"result file {results} holds outputs {before + 1} to {before + steps} up to the checkpoint at "
            f"t = {time:.6g} us, which had {record[OUTPUTS]}: restart into another --output"
        )
    return Kept(size, steps)
