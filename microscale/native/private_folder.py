"""Where compiled code is kept: folders of the user's own, in which nobody else can put code."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
"""Mode bits that let the group, or everybody, write."""
NOWHERE = Path("/nonexistent")
"""What Linux calls the home of those who have none."""
RANKS = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "RANK")
"""Where launchers say which rank a process is."""


def user_cache(*names: str) -> Path:
    """Return a private folder below ``multiscale`` in XDG_CACHE_HOME, or in ``~/.cache``."""
    try:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # no HOME, and the user is in no list of users
        root = NOWHERE
    return private_folder(root.joinpath("multiscale", *names))


@cache
def private_folder(path: Path) -> Path:
    """Return a folder that only this user can write: the one asked for, else a temporary one, and say so.

    A folder that others could write until now is closed to them and emptied: they may have left code in it.
    """
    try:
        problem = _claim(path)
    except OSError as error:
        problem = error.strerror or str(error)
    if problem is None:
        return path
    instead = _temporary() / "-".join(path.parts[-2:])
    instead.mkdir(exist_ok=True)
    tell(f"compiled code cannot be kept in {path} ({problem}); it goes to {instead}")
    return instead


def tell(text: str) -> None:
    """Print a warning, on one line and by one rank; some are due before the program has begun."""
    rank = next((os.environ[name] for name in RANKS if name in os.environ), "0")
    if rank == "0":
        print(f"warning: {text}", file=sys.stderr, flush=True)


def is_private(path: Path) -> bool:
    """Tell whether a file, and no link to one, is this user's and cannot be written by others."""
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & OTHERS_WRITE


def _claim(path: Path) -> str | None:
    """Make a folder, or close it to others; return why it cannot be used, or None."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    above = path.parent.stat()
    if above.st_mode & stat.S_IWOTH and not above.st_mode & stat.S_ISVTX:
        return f"everybody can write {path.parent}"
    found = path.stat()
    if found.st_uid != os.geteuid():
        return f"it belongs to user {found.st_uid}"
    if found.st_mode & OTHERS_WRITE:
        path.chmod(0o700)
        _empty(path)
        tell(f"others could write {path}: it was closed to them, and what it held is compiled again")
    return None if os.access(path, os.W_OK | os.X_OK) else "it cannot be written"


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@cache
def _temporary() -> Path:
    """Return this user's folder among the temporary ones, kept for later runs; else one for this run only."""
    folder = Path(tempfile.gettempdir()) / f"multiscale-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) == 0o700:
        return folder
    made = Path(tempfile.mkdtemp(prefix="multiscale-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
