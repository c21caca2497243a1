"""The log of a training, one line an epoch, and its picture; a damaged log does not stop the training."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from microscale.errors import InputError
from microscale.files.whole_file import write_whole
from microscale.tensors import FloatArray

COLUMNS = ("epoch", "rate", "train", "validation_deviatoric", "validation_total", "seconds")


def append_line(log: Path, values: Sequence[float]) -> None:
    """Add the line of an epoch; the first begins the file.

    Raises:
        InputError: The log cannot be written.
    """
    try:
        with log.open("a", newline="") as file:
            writer = csv.writer(file)
            if values[0] == 1:
                writer.writerow(COLUMNS)
            writer.writerow([f"{value:.6g}" for value in values])
    except OSError as error:
        raise InputError(
            f"log {log} cannot be written ({error.strerror}): free space or choose another --out; "
            "the same command goes on from the last checkpoint"
        ) from error


def read_log(log: Path) -> FloatArray:
    """Return the lines of a log that are six finite numbers, shape (epochs, 6); others are left out."""
    if not log.is_file():
        return np.empty((0, len(COLUMNS)))
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [row for row in map(_numbers, lines) if row is not None]
    return np.array(rows).reshape(-1, len(COLUMNS))


def _numbers(line: str) -> list[float] | None:
    try:
        row = [float(text) for text in line.split(",")]
    except ValueError:
        return None
    return row if len(row) == len(COLUMNS) and all(math.isfinite(value) for value in row) else None


def truncate_log(log: Path, epochs: int) -> None:
    """Keep the sound lines of the first so many epochs: those after a checkpoint will be run again."""
    if log.is_file():
        kept = [row for row in read_log(log) if 1 <= row[0] <= epochs]
        lines = [",".join(f"{value:.6g}" for value in row) for row in kept]
        write_whole(log, ("\r\n".join([",".join(COLUMNS), *lines]) + "\r\n").encode())


def draw_losses(log: Path, picture: Path) -> None:
    """Draw the errors of a log over epochs; where that cannot be, say why and go on."""
    from matplotlib.figure import Figure

    try:
        table = read_log(log)
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.add_subplot(xlabel="epoch", ylabel="relative L2 error", yscale="log")
        for column, label in ((2, "training loss"), (3, "validation, deviatoric"), (4, "validation, total")):
            axes.plot(table[:, 0], table[:, column], label=label)
        axes.grid(alpha=0.3)
        axes.legend(loc="upper right")
        figure.savefig(picture, dpi=120)
    except (OSError, ValueError) as error:
        print(f"the losses are not drawn: {' '.join(str(error).split())}", flush=True)
