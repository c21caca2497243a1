"""Files that are there whole or not at all, whatever the kill: the one way files are written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from microscale.errors import InputError

REMEDY = "free space on the disk or choose another place"


@contextmanager
def replacing(file: Path, scratch: Path | None = None, remedy: str = REMEDY) -> Iterator[Path]:
    """Give the name of an unfinished file to write, which then takes the place of ``file``.

    What was written is flushed to the disk before it is renamed, and the new name after it; an error leaves
    the file that was there before, and nothing else.

    Args:
        file: File to write or replace.
        scratch: Folder for the unfinished file, on the same file system; by default that of ``file``.
        remedy: What the user can do where it cannot be written.

    Raises:
        InputError: The disk is full or the folder cannot be written.
    """
    folder = file.parent if scratch is None else scratch
    unfinished = folder / f".{file.name[:100]}.{uuid4().hex}"
    try:
        yield unfinished
        flush(unfinished)
        unfinished.replace(file)
        flush(file.parent)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}; {remedy}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(file: Path, data: bytes, remedy: str = REMEDY) -> None:
    """Write bytes as a file; errors as :func:`replacing`."""
    with replacing(file, remedy=remedy) as unfinished:
        unfinished.write_bytes(data)


def write_json(file: Path, content: Mapping[str, Any], remedy: str = REMEDY) -> None:
    """Write plain values as a JSON file that reads back.

    Raises:
        InputError: See :func:`replacing`, or a number is not finite: JSON has none such.
    """
    try:
        text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    except ValueError as error:
        raise InputError(f"{file} is not written: a number in it is not finite ({error})") from error
    write_whole(file, text.encode(), remedy)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
