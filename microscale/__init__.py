"""What happens inside a material point: crystal plasticity, polycrystals, strain paths and data sets."""

from microscale.crystals.orientations import random_orientations
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.law import ConstitutiveLaw, State, StateVariable, drive
from microscale.native import numba_cache  # before any compiled function is defined

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
