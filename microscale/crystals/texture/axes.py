"""How a sample lies in a part: which axes of the part its rolling, transverse and normal direction are."""

from __future__ import annotations

import re

import numpy as np

from microscale.crystals.texture.euler import from_bunge
from microscale.errors import InputError
from microscale.tensors import FloatArray

EXPECTED = (
    "where RD, TD and ND (the sample's x, y, z) lie in the part, such as z,x,y or -y,x,z, or three Bunge "
    "angles in degrees that turn the part's axes onto them, such as 45,0,0"
)


def part_axes(text: str) -> FloatArray:
    """Return the rotation (3, 3) that takes vectors of the sample into the frame of the part.

    Args:
        text: ``z,x,y`` for RD along the part's z, TD along its x and ND along its y; or three angles.

    Raises:
        InputError: It is neither, or the axes are those of a mirror image.
    """
    words = [word.strip().lower() for word in text.split(",")]
    if len(words) != 3:
        raise InputError(f"texture-axes = {text!r:.60}, expected {EXPECTED}")
    if all(re.fullmatch(r"[+-]?[xyz]", word) for word in words):
        R = np.stack([_axis(word) for word in words], axis=-1)
        if abs(np.linalg.det(R)) < 0.5:
            raise InputError(f"texture-axes = {text!r}, expected each of x, y, z once")
        if np.linalg.det(R) < 0.0:
            turned = ",".join([*words[:2], words[2][1:] if words[2][0] == "-" else f"-{words[2][-1]}"])
            raise InputError(
                f"texture-axes = {text!r} is left-handed, a mirror image; expected right-handed axes, such "
                f"as {turned}"
            )
        return R
    try:
        degrees = np.array([float(word) for word in words])
    except ValueError:
        degrees = np.full(3, np.nan)
    if not (np.abs(degrees) <= 360.0).all():
        raise InputError(f"texture-axes = {text!r:.60}, expected {EXPECTED}")
    return from_bunge(degrees[None])[0]


def _axis(word: str) -> FloatArray:
    return np.eye(3)["xyz".index(word[-1])] * (-1.0 if word[0] == "-" else 1.0)
