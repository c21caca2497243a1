"""What a run that ends with an error leaves: a summary that says so, and what its user should not miss."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from microscale.errors import InputError
from multiscale.parallel.ranks import RAISED_EVERYWHERE
from multiscale.results.field_writer import ResultWriter
from multiscale.results.provenance import plain, versions
from multiscale.results.recorded import Recorded
from multiscale.run.control import Checkpoints
from multiscale.run.stopped import Stopped
from multiscale.run.summary import write_summary
from multiscale.run.training_range import left_range, told


@contextmanager
def last_good(
    results: ResultWriter, checkpoints: Checkpoints, leave_word: Callable[[BaseException], None]
) -> Iterator[None]:
    """Keep the outputs of a run that fails, leave word of it, and note on its error what was last good."""
    try:
        yield
    except Stopped:
        raise
    except BaseException as error:
        results.rescue()
        last = results.last_time
        output = "no new output" if last is None else f"last output at t = {last:.6g} us"
        leave_word(error)
        error.add_note(f"{output} in {results.path}, {checkpoints.last}")
        raise


def leave_word(
    run: Recorded,
    law: Mapping[str, str],
    inputs: Mapping[str, Any],
    summary: Path,
    own: Callable[[], dict[str, Any]],
    error: BaseException,
) -> None:
    """Write the summary of a failed run and print its warnings again; what hinders that is no second error.

    Args:
        run: The computation as it was left.
        law: Its law as it was at the start.
        inputs: Everything the user chose.
        summary: File of the summary; one of an earlier run is replaced.
        own: Returns what else this kind of run says of itself, its warnings among it.
        error: What the run ended with. Where only this rank has it, nothing is done: others do not wait.
    """
    comm = run.mesh.comm
    if not isinstance(error, Exception) or not (comm.size == 1 or getattr(error, RAISED_EVERYWHERE, False)):
        return
    left = left_range(run)
    if comm.rank > 0:
        return
    figures = own()
    warnings = [*figures.get("warnings", ()), *told(left, run.n_points_global)]
    content = {
        **figures,
        "error": str(error),
        "final_time_us": run.time,
        "steps": run.step_count,
        "elements": run.n_cells_global,
        "points": run.n_points_global,
        "ranks": comm.size,
        "warnings": warnings,
        "left_training_range": left,
        "law": dict(law),
        "versions": versions(),
        "inputs": plain(inputs),
    }
    with suppress(InputError, OSError):  # a full disk, which may be what the run ended with
        write_summary(summary, content)
    print("".join(f"warning: {line}\n" for line in warnings), end="", flush=True)
