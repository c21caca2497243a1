"""The C compiler: how it is found, and how it is run within a time limit."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Sequence

from microscale.errors import InputError

PATIENCE = 120.0
"""How long a compiler may take, s; a kernel takes it a few."""
REMEDY = "set CC to a C compiler that works, or unset it"


def compiler() -> list[str]:
    """Return the C compiler and the flags that belong to it: CC, or else cc or gcc.

    Raises:
        InputError: CC names no program, or there is none.
    """
    given = os.environ.get("CC", "")
    try:
        words = shlex.split(given)
    except ValueError as error:
        raise InputError(f"CC = '{given}' cannot be read ({error}); {REMEDY}") from error
    if words and shutil.which(words[0]) is None:
        raise InputError(f"CC = '{given}' is no program that can be run; {REMEDY}")
    found = words or [path for path in map(shutil.which, ("cc", "gcc")) if path][:1]
    if not found:
        raise InputError(
            "no C compiler found (cc, gcc): install one, e.g. the package 'gcc' and 'libc6-dev' on Debian"
        )
    return found


def run(command: Sequence[str], what: str) -> tuple[int, str]:
    """Run a compiler on a source; return its exit code and its messages.

    Args:
        command: The compiler and its arguments.
        what: Name of the source, for messages.

    Raises:
        InputError: The compiler cannot be run, or takes too long: it is ended, with the programs it started.
    """
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(f"{command[0]} cannot be run ({error.strerror}); {REMEDY}") from error
    try:
        messages = process.communicate(timeout=PATIENCE)[1]
    except BaseException as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise InputError(
                f"compiling {what} with {command[0]} took more than {PATIENCE:g} s; {REMEDY}"
            ) from None
        raise
    return process.returncode, messages
