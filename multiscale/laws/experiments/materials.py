"""Materials whose parameters are fitted: what they are called, how they make a law, how they are kept."""

from __future__ import annotations

import copy
import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from microscale.crystals.crystal import Crystal, material_path
from microscale.crystals.material_file import REMEDY as CRYSTAL_REMEDY
from microscale.crystals.material_file import crystal_of, units_of
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.names import PLAIN
from microscale.errors import InputError
from microscale.files.documents import read_document
from microscale.files.quantities import In, converted, perfect_strength
from microscale.files.whole_file import write_json, write_whole
from microscale.law import ConstitutiveLaw
from multiscale.laws import make_law
from multiscale.laws.constants_file import LAWS, UNITS


class Material(ABC):
    """A material with parameters.

    Attributes:
        law_name: Name of its law.
        parameters: Positive numbers that may be fitted, in our units, as they stand.
        units: Their units.
        largest: What some of them can be at most.
        difference: Relative change by which stresses are differenced with respect to a parameter.
    """

    law_name: str
    parameters: Mapping[str, float]
    units: Mapping[str, str]
    largest: Mapping[str, float]
    difference: float

    @abstractmethod
    def law(self, values: Mapping[str, float], texture: str | None) -> ConstitutiveLaw:
        """Return the law with other values of parameters, and of a texture that an experiment names."""

    @abstractmethod
    def write(self, path: Path, values: Mapping[str, float], told: Mapping[str, Any]) -> None:
        """Write a file that the law reads, with other values and what there is to tell of the fit."""


class Constants(Material):
    """An empirical law with constants.

    Args:
        law_name: Name of the law.
        constants: All of its constants; those that are not fitted stay as they are.
    """

    difference = 1e-3

    def __init__(self, law_name: str, constants: Mapping[str, float]) -> None:
        self.law_name, self.constants = law_name, dict(constants)
        hints = get_type_hints(LAWS[law_name], include_extras=True)
        self.units = {name: _unit(hints[name]) for name in self.constants}
        self.parameters = {
            name: value for name, value in self.constants.items() if value > 0.0 and name != "density"
        }
        strongest = perfect_strength(make_law(law_name, **constants).moduli().shear)
        self.largest = {"yield_stress": strongest, "initial_strength": strongest, "poissons_ratio": 0.499}

    def law(self, values: Mapping[str, float], texture: str | None) -> ConstitutiveLaw:
        """Return the law with other values of parameters; it has no texture."""
        if texture is not None:
            raise InputError(
                f"texture = {texture} of a curve, but the law {self.law_name} has none: leave it out"
            )
        return make_law(self.law_name, **{**self.constants, **values})

    def write(self, path: Path, values: Mapping[str, float], told: Mapping[str, Any]) -> None:
        """Write a file of constants."""
        content = {
            "law": self.law_name,
            "constants": {**self.constants, **values},
            "fitted": list(values),
            "units": UNITS,
            **told,
        }
        write_json(path, content, "choose another file")


class CrystalFile(Material):
    """Taylor polycrystals of a crystal that stands in a material file.

    Args:
        path: The file; magnesium by default.
        options: Options of the taylor law besides the crystal: grains, seed, texture, texture_axes.
    """

    law_name = "taylor"
    difference = 1e-2

    def __init__(self, path: Path | None = None, options: Mapping[str, Any] | None = None) -> None:
        self.path = material_path(path)
        self.document = read_document(self.path, "material file", CRYSTAL_REMEDY)
        self.where = f"material file {self.path}"
        strongest = perfect_strength(crystal_of(self.document, self.where).shear_modulus)
        self.options = dict(options or {})
        self._grains: dict[str | None, TaylorPolycrystal] = {}
        self.units = units_of(self.document)
        self.parameters = {
            name: value for name, unit in self.units.items() if (value := self._value(name, unit)) > 0.0
        }
        strengths = {name: strongest for name in self.parameters if name.endswith(".strength")}
        self.largest = {**strengths, "rate_sensitivity.m": 1.0}

    def crystal(self, values: Mapping[str, float]) -> Crystal:
        """Return the crystal with other values of parameters."""
        return crystal_of(self._changed(values, None), self.where)

    def law(self, values: Mapping[str, float], texture: str | None) -> ConstitutiveLaw:
        """Return the polycrystal; a texture that an experiment names takes the place of the usual one."""
        if texture not in self._grains:  # orientations take longer than a test
            options = self.options if texture is None else {**self.options, "texture": texture}
            if texture in PLAIN:  # what a curve says of itself; axes are those of the others
                options = {**options, "texture_axes": None}
            made = make_law("taylor", crystal=self.crystal({}), **options)
            assert isinstance(made, TaylorPolycrystal)  # of which only the orientations are kept
            self._grains[texture] = made
        grains = self._grains[texture]
        return TaylorPolycrystal(grains.orientations, grains.weights, self.crystal(values))

    def write(self, path: Path, values: Mapping[str, float], told: Mapping[str, Any]) -> None:
        """Write a material file."""
        source = f"fitted by multiscale calibrate to {', '.join(told['curves'])}; was"
        if path.suffix.lower() == ".json":
            return write_json(path, self._changed(values, source), "choose another file")
        text = yaml.safe_dump(
            self._changed(values, source),
            sort_keys=False,
            default_flow_style=None,
            width=110,
            allow_unicode=True,
        )
        write_whole(path, f"# {told['sentence']}\n{text}".encode(), "choose another file")

    def _value(self, name: str, unit: str) -> float:
        entry = _entry(self.document, name)
        return _in(unit, float(entry["value"]), entry["unit"])

    def _changed(self, values: Mapping[str, float], source: str | None) -> Any:
        """Return the document with other values, each in the unit that it has there."""
        changed = copy.deepcopy(self.document)
        for name, value in values.items():
            entry = _entry(changed, name)
            if source is not None:
                entry["source"] = f"{source} {entry['value']} ({entry.get('source', 'no source')})"
            entry["value"] = _in(entry["unit"], value, self.units[name])
        return changed


def _entry(document: Any, name: str) -> dict[str, Any]:
    """Return the entry of a parameter such as slip_families.basal.strength."""
    for key in name.split("."):
        document = document[key]
    return document


def _in(wanted: str, value: float, unit: str) -> float:
    """Convert a value that a schema has checked."""
    return value if unit == wanted else converted(value, unit, wanted, f"{value} {unit}")


def _unit(hint: Any) -> str:
    return next(note.unit for note in hint.__metadata__ if isinstance(note, In))


def constants_of(law: ConstitutiveLaw) -> dict[str, float]:
    """Return the constants of an empirical law."""
    return {field.name: getattr(law, field.name) for field in dataclasses.fields(law)}  # type: ignore[arg-type]
