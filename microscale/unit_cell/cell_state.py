"""The state of one unit cell among those of many points."""

from __future__ import annotations

from microscale.law import State
from microscale.unit_cell.grid import ComplexArray

VOXEL = "voxel_"
"""Prefix of the state variables of the local law."""


class CellState:
    """Views of the state of one point."""

    def __init__(self, state: State, point: int) -> None:
        self.mean_F = state["mean_F"][point]
        self.displacement: ComplexArray = state["displacement"][point].view(complex)[..., 0]
        self.displacement_rate: ComplexArray = state["displacement_rate"][point].view(complex)[..., 0]
        self.hourglass_stress = state["hourglass_stress"][point]
        self.secants = state["secants"][point]
        self.secant_count = state["secant_count"][point : point + 1].reshape(())
        self.voxels = State(
            {name.removeprefix(VOXEL): a[point] for name, a in state.items() if name.startswith(VOXEL)}
        )
        self._state, self._point = state, point

    def copy(self) -> CellState:
        """Return the same in a state of its own."""
        one = slice(self._point, self._point + 1)
        return CellState(State({name: array[one].copy() for name, array in self._state.items()}), 0)
