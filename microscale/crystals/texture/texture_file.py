"""Texture files (TOML): a file with what there is to say of it, mixtures, harmonic coefficients.

file = "plate.ang"                texture = "rolled:15,25"           [[part]]
phase = "Magnesium"               axes = "z,x,y"                     share = 0.7
at_least = { ci = 0.1 }                                              texture = "rolled:15,25"
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from microscale.crystals.texture.orientation_map import XAxis
from microscale.crystals.texture.orientation_text import Descriptor
from microscale.errors import InputError
from microscale.files.schema import Name, Positive, Strict, validated
from microscale.files.toml import read_toml

REMEDY = "docs/reference/textures.md lists all keys"
ORDERS = (2, 4, 6)


class Described(Strict):
    """One texture.

    Attributes:
        texture: As on a command line: a description, or a file.
        file: A file of orientations, with what follows.
        phase: Of a map.
        at_least: Least values of properties of the points of a map.
        x_axis: Where the x of hexagonal crystals lies in a map.
        descriptor: What the lines of a text file hold.
        harmonics: C_l by order, as lists of M lists of 2 l + 1 numbers.
        axes: How the sample lies in the part, as --texture-axes.
        share: Of the volume, in a mixture.
    """

    texture: Name | None = None
    file: Name | None = None
    phase: Name | None = None
    at_least: dict[str, float] | None = None
    x_axis: XAxis | None = None
    descriptor: Descriptor | None = None
    harmonics: dict[str, list[list[float]]] | None = None
    axes: Name | None = None
    share: Positive | None = None


class TextureFile(Described):
    """A texture, or a mixture of parts."""

    part: Annotated[list[Described], Field(min_length=1)] | None = None


def read_texture_file(path: Path) -> TextureFile:
    """Return what a texture file says.

    Raises:
        InputError: It cannot be read, does not follow the schema, or says two things or none.
    """
    where = f"texture file {path}"
    found = validated(TextureFile, read_toml(path, "texture file", REMEDY), where, REMEDY)
    if found.share is not None:
        raise InputError(f"{where}: share = {found.share:g} of a whole texture, expected it in a [[part]]")
    for entry in [found] if found.part is None else [found, *found.part]:
        _require_one(entry, where)
    shares = [entry.share for entry in found.part or ()]
    if None in shares and any(shares):
        number = shares.index(None)
        raise InputError(
            f"{where}: part[{number}].share is missing, expected a share of each or of none; {REMEDY}"
        )
    return found


def _require_one(entry: Described, where: str) -> None:
    parts = getattr(entry, "part", None)
    given = {"texture": entry.texture, "file": entry.file, "harmonics": entry.harmonics, "part": parts}
    said = [name for name, value in given.items() if value is not None]
    if len(said) != 1:
        raise InputError(
            f"{where}: has {' and '.join(said) or 'none'}, expected one of texture, file, harmonics and "
            f"[[part]]; {REMEDY}"
        )
    of_file = ("phase", "at_least", "x_axis", "descriptor")
    unused = [name for name in of_file if getattr(entry, name) is not None and said != ["file"]]
    if unused:
        raise InputError(f"{where}: {unused[0]} has no use without file =; {REMEDY}")
