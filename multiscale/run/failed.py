"""What a run that ends with an error leaves: a summary that says so, and what its user should not miss."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from microscale.errors import InputError
from multiscale.dynamics.simulation import Simulation
from multiscale.parallel.ranks import RAISED_EVERYWHERE
from multiscale.results.provenance import plain, versions
from multiscale.run.summary import write_summary
from multiscale.run.training_range import left_range, warnings_of


def leave_word(
    simulation: Simulation,
    law: Mapping[str, str],
    inputs: Mapping[str, Any],
    summary: Path,
    error: BaseException,
) -> None:
    """Write the summary of a failed run and print its warnings again; what hinders that is no second error.

    Args:
        simulation: The simulation as it was left.
        law: Its law as it was at the start.
        inputs: Everything the user chose.
        summary: File of the summary; one of an earlier run is replaced.
        error: What the run ended with. Where only this rank has it, nothing is done: others do not wait.
    """
    comm = simulation.mesh.comm
    if not isinstance(error, Exception) or not (comm.size == 1 or getattr(error, RAISED_EVERYWHERE, False)):
        return
    left = left_range(simulation)
    if comm.rank > 0:
        return
    warnings = warnings_of(simulation, left)
    content = {
        "error": str(error),
        "final_time_us": simulation.time,
        "steps": simulation.step_count,
        "elements": simulation.n_cells_global,
        "points": simulation.n_points_global,
        "ranks": comm.size,
        "touched": simulation.touched,
        "warnings": warnings,
        "left_training_range": left,
        "law": dict(law),
        "versions": versions(),
        "inputs": plain(inputs),
    }
    with suppress(InputError, OSError):  # a full disk, which may be what the run ended with
        write_summary(summary, content)
    print("".join(f"warning: {line}\n" for line in warnings), end="", flush=True)
