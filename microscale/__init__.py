"""What happens inside a material point: crystal plasticity, polycrystals, strain paths and data sets."""

from microscale import kernel_cache  # before any compiled function is defined
from microscale.law import ConstitutiveLaw, State, StateVariable, drive
from microscale.microstructure import random_orientations
from microscale.single_crystal import SingleCrystal
from microscale.taylor import TaylorPolycrystal

__all__ = [
    "ConstitutiveLaw",
    "SingleCrystal",
    "State",
    "StateVariable",
    "TaylorPolycrystal",
    "drive",
    "kernel_cache",
    "random_orientations",
]
