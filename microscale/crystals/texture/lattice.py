"""Names of crystal directions by the lattice: which poles show a texture, and indices as directions."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import Crystal, SlipFamily, Twinning, miller_bravais_normal
from microscale.crystals.uniform_texture import hexagonal_rotations, point_group
from microscale.errors import InputError
from microscale.tensors import FloatArray


@dataclass(frozen=True)
class Lattice:
    """What the symmetry of a crystal says of its directions.

    Attributes:
        name: hexagonal, cubic, or other.
        group: Rotations that map the crystal's systems to themselves.
        poles: Indices of the poles that are shown.
        sector: Indices at the corners of the part of the sphere that an inverse pole figure shows; none for
            all of it.
    """

    name: str
    group: Rotation
    poles: tuple[str, ...]
    sector: tuple[str, ...] = ()

    def direction(self, indices: str) -> FloatArray:
        """Return the normal of a plane of indices such as 0001, 10-10 or 111, shape (3,), in crystal axes.

        Raises:
            InputError: They are none, or depend on c/a.
        """
        if not re.fullmatch(r"(-?\d){3,4}", indices):
            raise InputError(f"pole {indices!r:.40}, expected indices such as {', '.join(self.poles)}")
        numbers = [float(word) for word in re.findall(r"-?\d", indices)]
        if self.name != "hexagonal":
            if len(numbers) != 3 or not any(numbers):
                raise InputError(f"pole {indices}, expected three indices such as {', '.join(self.poles)}")
            return np.array(numbers) / np.linalg.norm(numbers)
        if len(numbers) != 4 or abs(sum(numbers[:3])) > 0.0 or not any(numbers):
            raise InputError(f"pole {indices}, expected four indices h k i l with h + k + i = 0, as 10-10")
        if any(numbers[:3]) and numbers[3]:
            raise InputError(f"pole {indices} depends on c/a, expected one such as {', '.join(self.poles)}")
        return miller_bravais_normal(np.array(numbers), 1.0)


def lattice_of(crystal: Crystal) -> Lattice:
    """Return the lattice of a crystal, by the rotations that its systems have."""
    systems: tuple[SlipFamily | Twinning, ...] = (*crystal.families, crystal.twinning)
    key = tuple((group.directions.tobytes(), group.normals.tobytes()) for group in systems)
    if key not in _FOUND:
        _FOUND[key] = _lattice_of(crystal)
    return _FOUND[key]


_FOUND: dict[tuple[tuple[bytes, bytes], ...], Lattice] = {}
"""Lattices by the systems of their crystals: the families of textures ask for one again and again."""


def _lattice_of(crystal: Crystal) -> Lattice:
    group = point_group(crystal)
    if len(group) == 12 and _within(group, hexagonal_rotations()):
        return Lattice("hexagonal", group, ("0001", "10-10", "11-20"), ("0001", "2-1-10", "10-10"))
    if len(group) == 24:
        return Lattice("cubic", group, ("100", "110", "111"), ("001", "101", "111"))
    return Lattice("other", group, ("100", "010", "001"))


def _within(group: Rotation, other: Rotation) -> bool:
    return all((group[k] * other.inv()).magnitude().min() < 1e-6 for k in range(len(group)))
