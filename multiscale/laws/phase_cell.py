"""The law of a unit cell of several phases, by the name of its file."""

from __future__ import annotations

from pathlib import Path

from microscale.errors import InputError
from microscale.inputs.numbers import Count, CountOrZero, checked
from microscale.law import ConstitutiveLaw
from microscale.unit_cell.cell import FullFieldCell
from multiscale.laws.microstructure_file import read_microstructure


@checked
def phase_cell(
    microstructure: Path | None = None,
    resolution: Count | None = None,
    tolerance: float = 1e-3,
    memory: CountOrZero = 20,
) -> ConstitutiveLaw:
    """Make the unit cell of a microstructure file.

    Args:
        microstructure: The file; there is no default.
        resolution: Voxels along each side, in place of the file's.
        tolerance: Of equilibrium.
        memory: Secants kept.
    """
    if microstructure is None:
        raise InputError("the law phases needs a microstructure: name a file (docs/howto/phases.md)")
    found = read_microstructure(microstructure, resolution)
    return FullFieldCell.of_phases(
        found.phase,
        found.laws,
        orientations=found.orientations,
        described=found.described,
        tolerance=tolerance,
        memory=memory,
    )
