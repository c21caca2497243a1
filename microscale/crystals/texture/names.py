"""The words of textures that are described, and what is none of them: a file."""

from __future__ import annotations

from pathlib import Path

from microscale.errors import InputError

PLAIN = ("uniform", "random")
"""Polycrystals without texture: their grains are spread, or drawn, and stand for nothing else."""
EXPECTED = {
    "rolled": "rolled:RD,TD, spreads of the c axes from the normal in degrees, such as rolled:15,25",
    "extruded": "extruded:SPREAD in degrees, such as extruded:12",
    "fibre": "fibre:AXIS,SPREAD with x, y or z and degrees, and perhaps a crystal axis, such as fibre:z,15",
}
NAMES = (*PLAIN, *EXPECTED)


def is_file(text: str | Path) -> bool:
    """Return whether a texture is a file, and no description."""
    return isinstance(text, Path) or text.split(":")[0] not in NAMES


def require_axes_used(texture: object, axes: str | None) -> None:
    """Refuse axes of what has none."""
    if axes is not None and texture in PLAIN:
        raise InputError(f"texture-axes = {axes!r} has no use for texture = '{texture}', which has no axes")
