"""Refuse the surrogate of another material than that of a run, compared in all that a material is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from microscale.crystals.crystal import Crystal
from microscale.errors import InputError
from multiscale.surrogate.material_identity import difference, identity_of
from multiscale.surrogate.store import Material

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
