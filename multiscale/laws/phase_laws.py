"""Laws of the phases of a microstructure file: what stands in the table of a phase, and what it makes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from microscale.crystals.crystal import read_crystal
from microscale.crystals.single_crystal import SingleCrystal
from microscale.files.quantities import In
from microscale.files.schema import Name, Strict
from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray
from microscale.unit_cell.microstructure import periodic_voronoi
from multiscale.laws.constants_file import constants_schema
from multiscale.laws.j2 import J2
from multiscale.laws.johnson_cook import JohnsonCook
from multiscale.laws.neo_hooke import NeoHooke

AIR = 1.2e-3
"""Density of what is in a pore, g/cm^3."""
CONSTANTS: dict[str, type[ConstitutiveLaw]] = {"neo-hooke": NeoHooke, "j2": J2, "johnson-cook": JohnsonCook}
"""Laws that are given by their constants."""


class PhaseTable(Strict):
    """What all phases have."""

    label: Annotated[int, Field(ge=-(2**31), lt=2**31)]
    law: str


class CrystalTable(PhaseTable):
    """Single crystals: Voronoi grains of random orientations, each of which is one crystal."""

    law: Literal["crystal"]
    crystal: Name | None = None
    grains: Annotated[int, Field(ge=1, le=4096)] = 1
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


class PoreTable(PhaseTable):
    """Pores: elastic, and so soft that they carry next to nothing; as dense as air."""

    law: Literal["pore"]
    stiffness: Annotated[float, In("-", "positive", bare=True)] = 1e-3

    def of(self, solids: Sequence[ConstitutiveLaw]) -> ConstitutiveLaw:
        """Return the law of pores in these: ``stiffness`` times the largest moduli among them."""
        shear, bulk = (
            self.stiffness * max(moduli) for moduli in zip(*(s.moduli() for s in solids), strict=True)
        )
        return NeoHooke(shear_modulus=shear, lambda_e=0.5 * bulk, density=AIR).called("pores")


@cache
def _of_constants(law: str) -> type[PhaseTable]:
    """The schema of a phase of a law that is given by constants, all of which must be there."""
    fields: dict[str, Any] = constants_schema(CONSTANTS[law])
    return create_model("ConstantsTable", __base__=PhaseTable, **fields)


PHASE_LAWS: dict[str, Callable[[], type[PhaseTable]]] = {
    **{name: partial(_of_constants, name) for name in CONSTANTS},
    "crystal": lambda: CrystalTable,
    "pore": lambda: PoreTable,
}
"""Schema of a phase, by its law."""


def law_of(phase: Any, folder: Path) -> ConstitutiveLaw:
    """Return the law of a phase that is no pore; files are relative to a folder."""
    if isinstance(phase, CrystalTable):
        return SingleCrystal(crystal=read_crystal(None if phase.crystal is None else folder / phase.crystal))
    kind = CONSTANTS[phase.law]
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: value for name in names if (value := getattr(phase, name)) is not None})


def orientations_of(phase: CrystalTable, shape: tuple[int, ...]) -> FloatArray:
    """Return the crystal axes at each voxel of a cell of this shape, (voxels, 3, 3)."""
    return periodic_voronoi(phase.grains, shape, phase.seed).voxel_orientations()
