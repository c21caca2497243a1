"""What happens inside a material point: crystal plasticity, polycrystals, strain paths and data sets."""

from microscale.native import numba_cache  # before any compiled function is defined

# isort: split

from importlib import import_module
from typing import TYPE_CHECKING, Any

from microscale.moved import moved

if TYPE_CHECKING:
    from microscale.crystals.orientations import random_orientations
    from microscale.crystals.single_crystal import SingleCrystal
    from microscale.crystals.taylor import TaylorPolycrystal
    from microscale.law import ConstitutiveLaw, State, StateVariable, drive

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

#: Where each name is defined. SciPy takes most of a second to load: a program that needs none does not wait.
_DEFINED = {
    "ConstitutiveLaw": "microscale.law",
    "SingleCrystal": "microscale.crystals.single_crystal",
    "State": "microscale.law",
    "StateVariable": "microscale.law",
    "TaylorPolycrystal": "microscale.crystals.taylor",
    "drive": "microscale.law",
    "random_orientations": "microscale.crystals.orientations",
}


def __getattr__(name: str) -> Any:
    """Load a name from where it is defined."""
    if name not in _DEFINED:
        raise AttributeError(f"module 'microscale' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_DEFINED[name]), name)
    return found


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
