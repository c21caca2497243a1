"""The density of an impact: as the law has it, as measured, or a number with a unit."""

from __future__ import annotations

import math
import re
from pathlib import Path

from pydantic_core import PydanticCustomError

from microscale.crystals.crystal import read_crystal
from microscale.crystals.material_file import measured_density
from microscale.errors import InputError
from microscale.files.quantities import LIKELY_DENSITY, converted
from microscale.law import ConstitutiveLaw

NUMBER = re.compile(r"\s*([+-]?[0-9.]+(?:[eE][+-]?\d+)?)\s*(.*?)\s*")
OURS = "g/cm^3"


def with_density(law: ConstitutiveLaw, density: float | str | None, crystal: Path | None) -> ConstitutiveLaw:
    """Return a law with another density; waves and the stable step follow.

    Args:
        law: The law.
        density: In g/cm^3, or a text: a number, with a unit such as 1740 kg/m^3 if need be, or "measured",
            that of the material file; None for the law's own.
        crystal: The material file; None for magnesium.

    Raises:
        InputError: It is no density, or the material file says none or is of another material than the law.
    """
    if density is None:
        return law
    return law.with_density(_measured(law, crystal) if density == "measured" else _number(density))


def _measured(law: ConstitutiveLaw, crystal: Path | None) -> float:
    name = read_crystal(crystal).name
    if not re.match(rf"{re.escape(name)}\b", law.material):
        known = f"stands for '{law.material}'" if law.material else "does not say of which material it is"
        raise InputError(
            f"density = measured is that of {name}, but the law {law.name} {known}: give a number, such as "
            f"1.74 {OURS}"
        )
    found = measured_density(crystal)
    if found is None:
        raise InputError(
            f"density = measured, but {crystal} has no density.measured: add it there, or give a number"
        )
    return found


def _number(density: float | str) -> float:
    value, unit = density, OURS
    if isinstance(density, str):
        match = NUMBER.fullmatch(density)
        if match is None:
            raise InputError(f"density = '{density:.60}', expected 'measured' or a number, as 1.74 {OURS}")
        value, unit = match[1], match[2] or OURS
    try:
        number = float(value)
        number = number if unit == OURS else converted(number, unit, OURS, f"{value} {unit}")
    except (PydanticCustomError, ValueError, TypeError) as error:
        raise InputError(f"density = {density!r:.60}, expected a density, such as 1.74 {OURS}") from error
    least, most = LIKELY_DENSITY
    if not (math.isfinite(number) and least <= number <= most):
        raise InputError(
            f"density = {number:g} {OURS}, expected {least:g} to {most:g}, as solids have: check the unit"
        )
    return number
