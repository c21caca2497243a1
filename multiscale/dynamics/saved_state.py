"""What a simulation needs to go on from where it is, on any number of ranks."""

from __future__ import annotations

from dataclasses import dataclass

from microscale.tensors import FloatArray


@dataclass(frozen=True)
class SavedState:
    """One rank's part of the state of a simulation between two steps.

    The arrays are views of the simulation's own: read them to save it; to restore it, write into them, then
    call :meth:`multiscale.dynamics.simulation.Simulation.resume`.

    Attributes:
        clock: Numbers all ranks agree on, such as ``time``, us, and ``step_count``.
        booked: This rank's share of what the energy ledger sums over the ranks, shape (n,).
        nodes: Arrays by name, leading axis this rank's own nodes.
        cells: Arrays by name, leading axes this rank's cells and the points of a cell.
    """

    clock: dict[str, float]
    booked: FloatArray
    nodes: dict[str, FloatArray]
    cells: dict[str, FloatArray]
