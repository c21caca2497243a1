"""What a record asks of a computation over time: explicit dynamics or statics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray
from multiscale.dynamics.saved_state import SavedState


class Recorded(Protocol):
    """A computation; its attributes are those of :class:`multiscale.dynamics.simulation.Simulation`."""

    law: ConstitutiveLaw
    time: float
    step_count: int
    request: int
    n_cells_global: int
    n_points_global: int

    @property
    def mesh(self) -> Any:
        """The dolfinx mesh."""

    @property
    def element(self) -> Any:
        """The cells, with their name and the weights of their points."""

    @property
    def points(self) -> Any:
        """F, P and state at the points."""

    @property
    def u(self) -> Any:
        """Displacement function, mm."""

    @property
    def v(self) -> Any:
        """Velocity function, mm/us."""

    def cell_fields(self, extra: Sequence[str] = ...) -> dict[str, FloatArray]:
        """Averages over this rank's cells."""

    def place(self, cell: int) -> tuple[int, tuple[float, float, float]]:
        """The original number of a cell of this rank, and its reference centre, mm."""

    def saved_state(self) -> SavedState:
        """All that is needed to go on from here."""

    def resume(self, clock: Mapping[str, float], booked: FloatArray) -> None:
        """Go on from a state that has been filled."""
