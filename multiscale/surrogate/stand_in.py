"""Refuse the surrogate of another material than that of a run, compared in all that a material is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from microscale.crystals.crystal import Crystal, read_crystal
from microscale.crystals.texture.texture import Texture
from microscale.data.schema import recorded_crystal
from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.tensors import FloatArray
from multiscale.surrogate.material_identity import difference, identity_of
from multiscale.surrogate.store import Material

ACCIDENT = 0.1
"""Norm of harmonic coefficients that 128 drawn grains have by chance, about."""
ORDERS = (2, 4, 6)
KNOWN = ("name", "shear_modulus", "lambda_e", "density")
"""Of a crystal, what cards without an identity say too."""


def require_material(learnt: Material, wanted: str | Crystal | Mapping[str, Any], file: Path) -> None:
    """Refuse a surrogate of another material.

    Args:
        learnt: What it stands for.
        wanted: A crystal, with its sensitivity; the record of a polycrystal in a data set; or the name of a
            crystal.
        file: The weights, for the message.

    Raises:
        InputError: It does not stand for that; the message names the first difference.
    """
    if isinstance(wanted, Mapping) and not {"name", "options", "crystal"} <= set(wanted):
        raise InputError(
            f"material has keys {sorted(map(str, wanted))}, expected those of a law in a data set"
        )
    differs, expected = _difference(learnt, wanted)
    if differs is not None:
        raise InputError(
            f"{file} stands for {learnt.name}, expected {expected}: give other --weights, or the --crystal "
            f"they stand for ({differs})"
        )


def require_no_texture(learnt: Material, texture: str | Path | Texture, crystal: Any, file: Path) -> None:
    """Refuse a texture that is more than the accidents of a draw, for a network that is told none.

    Args:
        learnt: What the network stands for.
        texture: That of the polycrystal it is to stand for.
        crystal: A crystal, or anything else for that of the network.
        file: The weights, for the message.

    Raises:
        InputError: It is one; the message says how strong.
    """
    from microscale.crystals.texture.described import distribution  # only who names a texture waits for it
    from microscale.crystals.texture.harmonics import coefficients
    from microscale.crystals.texture.lattice import lattice_of

    crystal = _crystal_of(learnt, crystal)
    found = distribution(texture, crystal)
    C = coefficients(ORDERS, lattice_of(crystal).group, found.orientations, found.weights)
    sizes = {order: float(np.linalg.norm(C[order])) for order in ORDERS}
    if max(sizes.values()) > ACCIDENT:
        name = texture.made if isinstance(texture, Texture) else texture
        told = ", ".join(f"{size:.2f} of order {order}" for order, size in sizes.items())
        raise InputError(
            f"texture = '{printable(name, 60)}' has "
            f"harmonic coefficients {told} (none: 0, a single crystal: 1), but {file.name} stands for a "
            f"polycrystal without texture, {learnt.name}: expected --weights any-texture, those of a network "
            "that is told textures; on rolled:15,25 this one is off by 34 %, on sharper ones by 60 %"
        )


def numbers_of(learnt: Material, texture: str | Path | Texture, crystal: Any, axes: str | None) -> FloatArray:
    """Return the numbers, shape (27,), of a texture for a network that is told them.

    Args:
        learnt: What the network stands for.
        texture: That of the polycrystal.
        crystal: A crystal, or anything else for that of the network.
        axes: How the sample lies in the part.

    Raises:
        InputError: The texture cannot be understood.
    """
    from microscale.crystals.texture.axes import part_axes  # only who names a texture waits for it
    from microscale.crystals.texture.described import distribution
    from microscale.crystals.texture.lattice import lattice_of
    from microscale.crystals.texture.moments import NUMBERS, texture_numbers
    from microscale.crystals.texture.names import PLAIN

    if isinstance(texture, str) and texture in PLAIN:
        return np.zeros(NUMBERS)
    crystal = _crystal_of(learnt, crystal)
    found = distribution(texture, crystal)
    return texture_numbers(
        found if axes is None else found.turned(part_axes(axes)), lattice_of(crystal).group
    )


def _crystal_of(learnt: Material, crystal: Any) -> Crystal:
    """Return a crystal, or that of a network where it is none."""
    if isinstance(crystal, Crystal):
        return crystal
    recorded = learnt.identity["crystal"] if learnt.identity else None
    return recorded_crystal(recorded) if recorded and recorded.get("families") else read_crystal()


def _difference(learnt: Material, wanted: str | Crystal | Mapping[str, Any]) -> tuple[str | None, str]:
    crystal = learnt.identity["crystal"] if learnt.identity else None
    name = crystal["name"] if crystal else learnt.name.split(",")[0]
    if isinstance(wanted, str):
        return difference({"name": name}, {"name": wanted}), wanted
    if isinstance(wanted, Crystal):
        found = crystal or {"name": name, **{key: getattr(learnt, key) for key in KNOWN[1:]}}
        whole = asdict(wanted)
        return difference(found, whole if crystal else {key: whole[key] for key in KNOWN}), wanted.name
    if learnt.identity is None:
        return f"the card of {name} does not say what it is of", str(wanted["name"])
    return difference(learnt.identity, identity_of(wanted)), str(wanted["name"])
