"""Loads and reactions of statics as a CSV file with a row a load step, and their picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from microscale.errors import InputError
from microscale.tensors import FloatArray
from multiscale.results.run_folder import columns_of
from multiscale.results.step_table import StepTable

if TYPE_CHECKING:
    from multiscale.statics.statics import Statics

REACTION = re.compile(r"reaction_([xyz])_(.+)_kN")

#: Share of the largest reaction below which one is not drawn.
SLIGHT = 1e-3


class LoadsWriter:
    """Observer that writes one row each time it is called (rank 0 only): :meth:`Statics.account`.

    Attributes:
        columns: Names of the columns.
    """

    def __init__(self, path: Path, statics: Statics, kept: int = 0) -> None:
        """Write the header, or go on with the table of a run that is restarted; collective.

        Args:
            path: File to write; an existing one is replaced, or cut.
            statics: What is observed.
            kept: Bytes to keep of an existing one.

        Raises:
            InputError: The file cannot be written; on this rank.
        """
        self.columns = columns(statics)
        self._table = StepTable(path, self.columns, kept, "loads") if statics.mesh.comm.rank == 0 else None

    def __call__(self, statics: Statics) -> None:
        """Write the present row; collective. Where that cannot be, all ranks end at the next step."""
        told = statics.account()
        if self._table is None:
            return
        try:
            self._table.write(statics.step_count, [float(value) for value in told.values()])
        except InputError as error:
            statics.fail(error)

    def flush(self) -> None:
        """Wait until all rows so far are on the disk.

        Raises:
            InputError: They cannot be written.
        """
        if self._table is not None:
            self._table.flush()


def columns(statics: Statics) -> tuple[str, ...]:
    """Return the names of the columns; collective."""
    return ("step", *statics.account())


def load_curves(table: Mapping[str, FloatArray]) -> Sequence[tuple[str, FloatArray, FloatArray]]:
    """Return the reactions that are not slight: a name, mean displacement along it, mm, and force, kN."""
    found = [(match[1], match[2], table[name]) for name in table if (match := REACTION.fullmatch(name))]
    largest = max((float(np.abs(force).max(initial=0.0)) for _, _, force in found), default=0.0)
    return [
        (f"{axis} of {group}", table[f"u_{axis}_{group}_mm"], force)
        for axis, group, force in found
        if np.abs(force).max(initial=0.0) > SLIGHT * largest and np.ptp(table[f"u_{axis}_{group}_mm"]) > 0.0
    ]


def draw_loads(file: Path, picture: Path) -> None:
    """Draw what moves each group over how far it moved.

    Args:
        file: The table of a run.
        picture: PNG to write.

    Raises:
        InputError: The table cannot be read.
    """
    figure = Figure((6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    for name, x, y in load_curves(columns_of(file)):
        axes.plot(x, y, "o-", ms=2.5, lw=1.0, label=name)
    axes.set(xlabel="mean displacement of the group (mm)", ylabel="reaction (kN)")
    axes.grid(color="0.9", lw=0.5)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize="small")
    figure.savefig(picture, dpi=120, pil_kwargs={"optimize": True})
