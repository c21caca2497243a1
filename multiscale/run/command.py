"""Programs started from a shell, on any number of ranks: flags, errors in one line, exit codes."""

from __future__ import annotations

import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from io import StringIO
from typing import Any

from cyclopts import App, CycloptsError, Parameter
from mpi4py import MPI
from rich.console import Console

from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.files.printable import printable
from microscale.inputs.numbers import checked
from microscale.progress import reporting
from multiscale.run.flags import read_words
from multiscale.run.stopped import Stopped

#: Exit codes: success, a run that failed, a command line that is wrong, Ctrl-C (as shells have it).
SUCCESS, FAILURE, USAGE, INTERRUPTED = 0, 1, 2, 130

#: Errors whose message is meant for the user; any other is a defect of the program and shows its traceback.
EXPECTED = (InputError, DeformationError, ConvergenceError, OSError, MemoryError)

#: How long a rank that failed waits for the others to fail too before it ends them, s.
PATIENCE = 2.0

#: How long mpirun gets to pass on a message before an abort, which drops what is still on its way, s.
DELIVERY = 0.5


def launch(program: App | Callable[..., Any], tokens: list[str] | None = None) -> None:
    """Run a program with the flags of the command line and exit, on every rank, with the same exit code.

    Args:
        program: A cyclopts application, or a function: its keyword arguments become flags, its docstring the
            help.
        tokens: Command line; by default that of this process.
    """
    os.environ["MPLBACKEND"] = "agg"  # pictures are files: a backend of the shell's may not be here
    program = application(program)
    if MPI.COMM_WORLD.rank > 0:
        program.console = Console(file=StringIO())  # help and version are printed once
    warnings.formatwarning = _format_warning
    # Ranks load libraries at their own pace; from here on a rank that is late is a rank in trouble.
    MPI.COMM_WORLD.Barrier()
    with reporting(program.name[0]) if MPI.COMM_WORLD.rank == 0 else nullcontext():
        ended = outcome(program, tokens)
    sys.exit(agree(MPI.COMM_WORLD, *ended))


def application(program: App | Callable[..., Any]) -> App:
    """Return a program as a cyclopts application whose words and numbers are read strictly."""
    if not isinstance(program, App):
        function, program = program, App(program.__name__)
        program.default(checked(function))
    program.default_parameter = Parameter(converter=read_words)
    return program


def outcome(app: App, tokens: list[str] | None) -> tuple[int, str]:
    """Run and return the exit code and what there is to say about a failure."""
    try:
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
        command(*bound.args, **bound.kwargs)
    except CycloptsError as error:
        return USAGE, f"error: {one_line(error)} (--help lists the flags)"
    except Stopped as stopped:
        return stopped.code, one_line(stopped)
    except EXPECTED as error:
        # Notes say what of the run was last good.
        said = one_line(error) or type(error).__name__
        return FAILURE, "; ".join([f"error: {said}", *getattr(error, "__notes__", [])])
    except KeyboardInterrupt:
        return INTERRUPTED, "interrupted: the files written so far are complete up to their last output"
    except Exception:
        return FAILURE, traceback.format_exc().rstrip()
    return SUCCESS, ""


def one_line(message: object) -> str:
    """Return the text of an error or a warning without line breaks or anything else a terminal obeys."""
    return printable(" ".join(str(message).split()), 2000)


def _format_warning(message: Warning | str, *_: Any, **__: Any) -> str:
    """Leave out where in the program a warning was raised: it concerns the run."""
    return f"warning: {one_line(message)}\n"


def agree(comm: MPI.Comm, code: int, message: str) -> int:
    """Return the worst exit code of all ranks; print each message once.

    A rank that fails while others wait for it in a collective call would leave them waiting for ever, so it
    waits :data:`PATIENCE` seconds for their outcome and then aborts all of them.
    """
    arrival = comm.Ibarrier()
    deadline = time.monotonic() + PATIENCE
    while not arrival.Test():
        if code != SUCCESS and time.monotonic() > deadline:
            _say(message)
            time.sleep(DELIVERY)
            comm.Abort(code)
            os._exit(code)  # MPICH may return from it before mpirun has ended this rank
        time.sleep(0.01)
    outcomes = comm.allgather((code, message))
    if comm.rank == 0:
        for text in dict.fromkeys(message for _, message in outcomes if message):
            _say(text)
    return max(code for code, _ in outcomes)


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
