"""The schema of a material file: what describes a crystal, each number with its unit and source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from microscale.crystals.crystal import (
    MOST_SYSTEMS,
    NO_TWINNING,
    Crystal,
    SlipFamily,
    Twinning,
    material_path,
    miller_bravais_direction,
    miller_bravais_normal,
)
from microscale.errors import InputError
from microscale.files.documents import read_document
from microscale.files.quantities import LIKELY_DENSITY, In, perfect_strength
from microscale.files.schema import Name, Strict, validated, wrong
from microscale.tensors import FloatArray

REMEDY = "follow microscale/magnesium.yaml (docs/reference/formats.md)"


def _there(entry: Any) -> Any:
    """A key without anything is an oversight: who has no twins leaves the key out."""
    if entry is None:
        raise wrong("keys with values, or no such key at all", "nothing")
    return entry


Stress = Annotated[float, In("GPa", "positive")]
StressOrZero = Annotated[float, In("GPa", "not negative")]
Density = Annotated[float, In("g/cm^3", "positive", likely=LIKELY_DENSITY)]
# From soft polymers to a few times diamond: a wrong prefix of a unit is a factor of 1000.
Modulus = Annotated[float, In("GPa", "positive", likely=(0.05, 2000.0))]
Rate = Annotated[float, In("1/us", "positive")]
Ratio = Annotated[float, In("-", "positive")]
CellRatio = Annotated[float, In("-", "positive", likely=(0.2, 10.0))]
Index = Annotated[float, Field(ge=-1000, le=1000)]
Vector = Annotated[list[Index], Field(min_length=3, max_length=4)]
PlaneDirection = Annotated[list[Vector], Field(min_length=2, max_length=2)]
PlaneDirections = Annotated[list[PlaneDirection], Field(min_length=1, max_length=MOST_SYSTEMS)]


class Lattice(Strict):
    """A hexagonal lattice; a material without one has Cartesian systems."""

    c_over_a: CellRatio


class Densities(Strict):
    """Referential density: as a paper prints it, which counts where it is given, or as measured."""

    as_printed: Annotated[Density | None, BeforeValidator(_there)] = None
    measured: Annotated[Density | None, BeforeValidator(_there)] = None

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if self.as_printed is None and self.measured is None:
            raise wrong("'measured' or 'as_printed' in it", "empty")
        return self


class Elasticity(Strict):
    """Isotropic elasticity of eq. (29)."""

    shear_modulus: Modulus
    lambda_e: Modulus


class RateSensitivity(Strict):
    """Rates go with the power 1/m of the overstress."""

    m: Ratio

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.m > 1.0:
            raise wrong("rate sensitivity 0 < m <= 1 (the rate exponent is 1/m)", f"m = {self.m}")
        return self


class SlipEntry(Strict):
    """Slip systems of one family, as of :class:`microscale.crystals.crystal.SlipFamily`."""

    plane_direction: PlaneDirections
    hardening: StressOrZero
    saturation: StressOrZero
    latent: StressOrZero
    strength: Stress
    reference_rate: Rate


class TwinEntry(Strict):
    """Twin systems, as of :class:`microscale.crystals.crystal.Twinning`."""

    plane_direction: PlaneDirections
    hardening: StressOrZero
    interaction: StressOrZero
    strength: Stress
    reference_rate: Rate
    shear: Ratio


class MaterialFile(Strict):
    """A material file."""

    name: Name
    density: Densities
    elasticity: Elasticity
    rate_sensitivity: RateSensitivity
    slip_families: Annotated[dict[Name, SlipEntry], Field(min_length=1)]
    lattice: Annotated[Lattice | None, BeforeValidator(_there)] = None
    twinning: Annotated[TwinEntry | None, BeforeValidator(_there)] = None


def read_material(path: Path) -> Crystal:
    """Read a crystal from a YAML or JSON file.

    Raises:
        InputError: The file cannot be read, or does not follow the schema: one line with file, key, value,
            what was expected and the remedy.
    """
    return _crystal(_entries(path), f"material file {path}")


def crystal_of(document: Any, where: str) -> Crystal:
    """Return the crystal of the plain data of a material file.

    Args:
        document: The data.
        where: The file, for messages.

    Raises:
        InputError: As of :func:`read_material`.
    """
    return _crystal(validated(MaterialFile, document, where, REMEDY), where)


def units_of(document: Any) -> dict[str, str]:
    """Return our units of what in the data of a material file decides stresses, by dotted names.

    Args:
        document: Data that :func:`crystal_of` has taken.
    """
    groups: dict[str, type[Strict]] = {"elasticity": Elasticity, "rate_sensitivity": RateSensitivity}
    groups |= {f"slip_families.{name}": SlipEntry for name in document["slip_families"]}
    groups |= {"twinning": TwinEntry} if "twinning" in document else {}
    return {
        f"{place}.{name}": note.unit
        for place, group in groups.items()
        for name, field in group.model_fields.items()
        for note in field.metadata
        if isinstance(note, In)
    }


def measured_density(path: Path | None = None) -> float | None:
    """Return the measured density in a material file, g/cm^3, by default of magnesium; None if it has none.

    Raises:
        InputError: As of :func:`read_material`.
    """
    return _entries(material_path(path)).density.measured


def _entries(path: Path) -> MaterialFile:
    what = "material file"
    return validated(MaterialFile, read_document(path, what, REMEDY), f"{what} {path}", REMEDY)


def _crystal(entries: MaterialFile, where: str) -> Crystal:
    _require_weaker_than_perfect(entries, where)
    ratio = None if entries.lattice is None else entries.lattice.c_over_a
    families = tuple(
        SlipFamily(name, **_systems(group, ratio, f"{where}: slip_families.{name}"))
        for name, group in entries.slip_families.items()
    )
    twins = entries.twinning
    density = entries.density.as_printed or entries.density.measured
    assert density is not None  # of the schema
    crystal = Crystal(
        name=entries.name,
        shear_modulus=entries.elasticity.shear_modulus,
        lambda_e=entries.elasticity.lambda_e,
        density=density,
        rate_sensitivity=entries.rate_sensitivity.m,
        families=families,
        twinning=NO_TWINNING if twins is None else Twinning(**_systems(twins, ratio, f"{where}: twinning")),
    )
    if crystal.n_slip > MOST_SYSTEMS:
        raise InputError(f"{where}: {crystal.n_slip} slip systems, expected at most {MOST_SYSTEMS}; {REMEDY}")
    return crystal


def _require_weaker_than_perfect(entries: MaterialFile, where: str) -> None:
    """Refuse a strength beyond that of a perfect crystal.

    Raises:
        InputError: There is one: megapascals that are called gigapascals, say.
    """
    most = perfect_strength(entries.elasticity.shear_modulus)
    groups: dict[str, SlipEntry | TwinEntry] = {
        f"slip_families.{k}": v for k, v in entries.slip_families.items()
    }
    if entries.twinning is not None:
        groups["twinning"] = entries.twinning
    for name, group in groups.items():
        if group.strength > most:
            raise InputError(
                f"{where}: {name}.strength = {group.strength:g} GPa, expected at most {most:.3g} GPa, that "
                f"of a perfect crystal (shear_modulus / 2 pi): check the unit; {REMEDY}"
            )


def _systems(group: SlipEntry | TwinEntry, c_over_a: float | None, where: str) -> dict[str, Any]:
    """Unit normals and directions of a group's systems, and its constants."""
    normals, directions = [], []
    for k, (plane, direction) in enumerate(group.plane_direction):
        place = f"{where}.plane_direction[{k}]"
        normals.append(_unit_vector(plane, c_over_a, miller_bravais_normal, f"{place}[0], the plane normal,"))
        directions.append(
            _unit_vector(direction, c_over_a, miller_bravais_direction, f"{place}[1], the direction,")
        )
        if abs(normals[k] @ directions[k]) > 1e-9:
            raise InputError(
                f"{place} = {group.plane_direction[k]} has s.m = {normals[k] @ directions[k]:.3g}, "
                f"expected 0: a direction in its plane; {REMEDY}"
            )
    constants = {name: value for name, value in group if name != "plane_direction"}
    return {"normals": np.array(normals), "directions": np.array(directions), **constants}


def _unit_vector(numbers: list[float], c_over_a: float | None, of_indices: Any, where: str) -> FloatArray:
    """Return the unit vector of Cartesian components (3), or of Miller-Bravais indices (4) of a lattice."""
    count = 3 if c_over_a is None else 4
    if len(numbers) != count:
        kind = "Cartesian components: there is no lattice" if count == 3 else "indices: there is a lattice"
        raise InputError(f"{where} = {numbers}, expected {count} {kind}; {REMEDY}")
    if max(abs(number) for number in numbers) < 1e-6:
        raise InputError(f"{where} = {numbers}, expected a vector that is not zero; {REMEDY}")
    if c_over_a is None:
        vector = np.array(numbers, dtype=float)
        return np.asarray(vector / np.linalg.norm(vector, axis=-1, keepdims=True))
    if abs(sum(numbers[:3])) > 1e-9:
        raise InputError(f"{where} = {numbers}, expected the first three indices to sum to zero; {REMEDY}")
    return np.asarray(of_indices(np.array(numbers, dtype=float), c_over_a))
