"""What answers forces and hourglasses in a cell, by how its voxels differ."""

from __future__ import annotations

from microscale.unit_cell.corners import Corners
from microscale.unit_cell.grid import PeriodicGrid
from microscale.unit_cell.hourglass import STIFFNESS, HourglassResistance, Resistance, VoxelResistance
from microscale.unit_cell.medium import HomogeneousMedium, Medium, VoxelMedium
from microscale.unit_cell.moduli_at_rest import ModuliAtRest


def answers(grid: PeriodicGrid, derivative: str, moduli: ModuliAtRest) -> tuple[Medium, Resistance]:
    """Medium and resistance to hourglasses, of each voxel where these are not alike."""
    part = STIFFNESS.get(derivative, 0.0)
    if moduli.alike or derivative != "stabilised":
        resistance = HourglassResistance(grid.hourglass_share, moduli.middle[0], part)
        return HomogeneousMedium(grid, moduli.middle), resistance
    corners = Corners(grid)
    return VoxelMedium(grid, corners, *moduli), VoxelResistance(corners, moduli.shear, part)
