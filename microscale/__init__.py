"""What happens inside a material point: crystal plasticity, polycrystals, strain paths and data sets."""

from microscale.native import numba_cache  # before any compiled function is defined

# isort: split

from microscale.crystals.orientations import random_orientations
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.law import ConstitutiveLaw, State, StateVariable, drive
from microscale.moved import moved

__all__ = [
    "ConstitutiveLaw",
    "SingleCrystal",
    "State",
    "StateVariable",
    "TaylorPolycrystal",
    "drive",
    "numba_cache",
    "random_orientations",
]

moved(
    {
        "microscale.crystal": "microscale.crystals.crystal",
        "microscale.single_crystal": "microscale.crystals.single_crystal",
        "microscale.taylor": "microscale.crystals.taylor",
        "microscale.uniform_texture": "microscale.crystals.uniform_texture",
        "microscale.microstructure": "microscale.unit_cell.microstructure",
        "microscale.fft": "microscale.unit_cell.cell",
        "microscale.dataset": "microscale.data.dataset",
        "microscale.generate": "microscale.data.generate",
        "microscale.flow_clocks": "microscale.paths.flow_clocks",
        "microscale.material_file": "microscale.crystals.material_file",
    }
)
