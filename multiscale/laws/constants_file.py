"""The file that holds the constants of an empirical law: made by ``multiscale calibrate``, or by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, create_model

from microscale.errors import InputError
from microscale.files.documents import read_document
from microscale.files.quantities import perfect_strength
from microscale.files.schema import Name, NotNegative, Positive, Strict, validated
from microscale.law import ConstitutiveLaw
from multiscale.laws.j2 import J2
from multiscale.laws.johnson_cook import THERMAL, JohnsonCook

UNITS = "mm, us, GPa, g/cm^3"
"""Units of constants that name none of their own; times the kelvin of temperatures."""
REMEDY = f"make it with 'multiscale calibrate', or write law, units ('{UNITS}') and all constants"
LAWS: Mapping[str, type[ConstitutiveLaw]] = {"j2": J2, "johnson-cook": JohnsonCook}
"""Laws whose constants are read from files; their fields say in which unit and of which sign."""


class ConstantsFile(Strict):
    """Constants, and what made them (:func:`multiscale.laws.calibration.write_calibration`)."""

    law: Name
    constants: dict[str, Any]
    units: Literal["mm, us, GPa, g/cm^3"]
    fitted: list[str] | None = None
    mean_error: NotNegative | None = None
    errors: dict[str, NotNegative] | None = None
    reference: Any = None
    largest_strain: Positive | None = None
    versions: dict[str, str] | None = None


def shipped_constants(law: str) -> Path:
    """Return the file of constants that comes with this: fitted to magnesium of 128 grains, for impacts."""
    return Path(__file__).parent / "constants" / f"{law}.json"


def constants_are_of(path: Path) -> str:
    """Return the name of the law that a file of constants is of.

    Raises:
        InputError: The file cannot be read or does not follow the schema.
    """
    content = validated(ConstantsFile, read_document(path, "constants", REMEDY), f"constants {path}", REMEDY)
    return content.law


def fitted_law(path: Path, law: str) -> ConstitutiveLaw:
    """Return the law of a file of constants; it says what it was fitted to, or the name of the file.

    Raises:
        InputError: See :func:`read_constants`.
    """
    constants = read_constants(path, law)
    reference = read_document(path, "constants", REMEDY).get("reference")
    try:
        material = f"{reference['crystal']['name']}, fitted to {reference['options']['grains']} grains"
    except (KeyError, TypeError):
        material = f"constants of {path.name}"
    return LAWS[law](**constants).called(material)


def read_constants(path: Path, law: str) -> dict[str, float]:
    """Return the constants in a file, as options of ``make_law(law)``.

    A constant is a number in our units, or a value with a unit of its own, as in a material file. None may be
    left out: a default is that of another material.

    Raises:
        InputError: The file cannot be read, does not follow the schema, or is of another law.
    """
    what = f"constants {path}"
    content = validated(ConstantsFile, read_document(path, "constants", REMEDY), what, REMEDY)
    if content.law != law or law not in LAWS:
        raise InputError(f"{what}: law = '{content.law}', expected '{law}'; give the constants of that law")
    found: Any = validated(_of_law(law), {"constants": content.constants}, what, REMEDY)
    constants = {name: value for name, value in found.constants if value is not None}
    _require_weaker_than_perfect(constants, what)
    missing = [name for name in THERMAL if name not in constants]
    if law == "johnson-cook" and constants["heated_fraction"] > 0.0 and missing:
        raise InputError(
            f"{what}: constants.{missing[0]} is missing, which a heated_fraction above zero needs; {REMEDY}"
        )
    return constants


def _require_weaker_than_perfect(constants: Mapping[str, float], what: str) -> None:
    """Refuse a strength beyond that of a perfect crystal: megapascals that are called gigapascals, say.

    Raises:
        InputError: It is.
    """
    name = "yield_stress" if "yield_stress" in constants else "initial_strength"
    shear = constants.get("shear_modulus")
    if shear is None:
        shear = constants["youngs_modulus"] / (2.0 * (1.0 + constants["poissons_ratio"]))
    strength, most = constants[name], perfect_strength(shear)
    if strength > most:
        raise InputError(
            f"{what}: constants.{name} = {strength:g} GPa, expected at most {most:.3g} GPa, that of a "
            f"perfect crystal (shear modulus / 2 pi): check the unit; {REMEDY}"
        )


@cache
def _of_law(law: str) -> type[BaseModel]:
    """The schema of a file of a law's constants."""
    constants = create_model("Constants", __base__=Strict, **constants_schema(LAWS[law]))
    return create_model("ConstantsOfLaw", __base__=Strict, constants=(constants, ...))


def constants_schema(law: type[ConstitutiveLaw]) -> dict[str, Any]:
    """Return the fields of a schema of a law's constants: all of them needed but those of heat."""
    kinds = get_type_hints(law, include_extras=True)
    names = [field.name for field in dataclasses.fields(law)]  # type: ignore[arg-type]
    return {name: (kinds[name] | None, None) if name in THERMAL else (kinds[name], ...) for name in names}
