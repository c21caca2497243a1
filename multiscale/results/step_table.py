"""A CSV file with a row a step: an interrupted run loses no row, and a restarted one goes on with it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from microscale.errors import InputError


class StepTable:
    """The file on the rank that writes it.

    Attributes:
        path: The file.
        columns: Names of the columns, the first of them ``step``; units at their ends.
    """

    def __init__(self, path: Path, columns: Sequence[str], kept: int = 0, kind: str = "table") -> None:
        """Write the header, or go on with the table of a run that is restarted.

        Args:
            path: File to write; an existing one is replaced, or cut.
            columns: Names of the columns.
            kept: Bytes to keep of an existing one.
            kind: What it is, for messages.

        Raises:
            InputError: The file cannot be written.
        """
        self.path, self.columns, self._kind = Path(path), tuple(columns), kind
        self._file: TextIO | None = None
        try:
            # Line buffered: an interrupted run loses no row.
            self._file = self.path.open("a" if kept else "w", buffering=1)
            self._file.truncate(kept)
            if not kept:
                print(*self.columns, sep=",", file=self._file)
        except OSError as error:
            raise InputError(f"{kind} {path} cannot be written ({error}): choose another folder") from error

    def write(self, step: int, numbers: Sequence[float]) -> None:
        """Write a row.

        Raises:
            InputError: It cannot be written; the table is closed then, and later rows are dropped.
        """
        if self._file is None:
            return
        try:
            print(step, *(f"{number:.12g}" for number in numbers), sep=",", file=self._file)
        except OSError as error:
            with suppress(OSError):  # what is left in its buffer
                self._file.close()
            self._file = None
            raise InputError(
                f"{self._kind} {self.path} cannot be extended ({error}): free space on the disk or choose "
                "another folder"
            ) from error

    def flush(self) -> None:
        """Wait until all rows so far are on the disk.

        Raises:
            InputError: They cannot be written.
        """
        if self._file is None:
            return
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise InputError(
                f"{self._kind} {self.path} cannot be extended ({error}): free space on the disk"
            ) from error


def read_rows(path: Path, columns: Sequence[str], kind: str) -> list[tuple[int, int]]:
    """Return the rows of a table in a row: the step of each, and the bytes of the file up to its end.

    The first entry is that of the header, of step -1. A row that is not complete ends the table.

    Raises:
        InputError: The file cannot be read, or has other columns.
    """
    try:
        header, *rows = path.read_bytes().splitlines(keepends=True) or [b""]
    except OSError as error:
        raise InputError(f"{kind} {path} cannot be read ({error}): restart into another --output") from error
    if header != f"{','.join(columns)}\n".encode():
        raise InputError(f"{path} is no {kind} of a run: restart into another --output")
    found = [(-1, len(header))]
    for row in rows:
        number = _step_of(row, len(columns))
        if number is None or number <= found[-1][0]:
            break
        found.append((number, found[-1][1] + len(row)))
    return found


def _step_of(row: bytes, columns: int) -> int | None:
    """Step of a row of a table; None of one that is not complete."""
    number, *rest = row.split(b",")
    complete = row.endswith(b"\n") and len(rest) == columns - 1
    return int(number) if complete and number.isdigit() else None
