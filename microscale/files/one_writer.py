"""One writer at a time to a file or a folder: another is refused in a line that says who holds it."""

from __future__ import annotations

import fcntl
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from microscale.errors import InputError

LONGEST_NOTE = 200
"""Bytes of a lock file that are read."""


@contextmanager
def one_writer(output: Path, lock: Path | None = None) -> Iterator[None]:
    """Hold the lock of an output while it is written.

    The lock is the system's (flock): it is released when the process ends, whatever ends it. A lock file that
    a killed process leaves behind does no harm; others are removed.

    Args:
        output: What is written, for the message.
        lock: The lock file, which says who holds the lock; by default a hidden one beside ``output``. Folders
            on the way to it are made.

    Raises:
        InputError: Another process holds the lock, or the lock file cannot be made.
    """
    lock = output.with_name(f".{output.name}.lock") if lock is None else lock
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = _locked(output, lock)
    except OSError as error:
        raise InputError(f"{output} cannot be written ({error}): choose another place") from error
    try:
        yield
    finally:
        if _is(handle, lock):
            lock.unlink(missing_ok=True)
        os.close(handle)


def _locked(output: Path, lock: Path) -> int:
    """Open and lock the lock file."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            _lock(handle, output)
            # The one before may have removed the file after it was opened here: that lock keeps nobody out.
            if _is(handle, lock):
                os.truncate(handle, 0)
                os.pwrite(handle, _note().encode(), 0)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, output: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        note = os.pread(handle, LONGEST_NOTE, 0).decode(errors="replace")
        holder = "".join(letter for letter in note if letter.isprintable()) or "another process"
        raise InputError(
            f"{output} is being written by {holder}: wait for it, end it, or choose another place"
        ) from error
    except OSError as error:
        warnings.warn(f"{output} is not locked ({error}): let no other program write it", stacklevel=4)


def _is(handle: int, lock: Path) -> bool:
    """Whether an open lock file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), lock.lstat())
    except FileNotFoundError:
        return False


def _note() -> str:
    return f"process {os.getpid()} on {socket.gethostname()} since {datetime.now():%Y-%m-%d %H:%M:%S}"
