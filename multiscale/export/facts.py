"""What the files of an export say of a law: its material, units, state and origin."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from microscale.crystals.texture.names import require_axes_used
from microscale.errors import InputError
from microscale.files.printable import printable
from multiscale.export.units import UNITS, UnitSystem
from multiscale.surrogate.recurrent.law import architecture_of, state_of
from multiscale.surrogate.stand_in import numbers_of
from multiscale.surrogate.store import Card

MEANING = {
    "stretch": "isochoric part of U: 11, 22, 33, 23, 13, 12; zeros stand for rest",
    "elastic_strain": "deviators of the elastic left Cauchy-Green tensor, five numbers each, in 1/64",
    "tensors": "learnt deviators",
    "internal": "learnt scalars",
    "flow_clocks": "what the watch over the training range measures",
    "outside_for": "time since the training range was left, us",
    "beyond": "how far at most beyond it: shape, fast, volume, slow, hold, cycle; 0 inside",
    "extrapolation": "the largest of these: 0 where the law is inside its training range",
}


TEXTURE, NO_TEXTURE = "texture", "uniform"


def facts(card: Card, units: UnitSystem, texture: dict[str, Any] | None) -> dict[str, Any]:
    """Return what is told of a law in a system of units, as plain values."""
    system, material = UNITS[units], card.material
    state = state_layout(card)
    return {
        "material": printable(material.name),
        "system": units,
        "units": system.words,
        "density": material.density * system.density,
        "shear_modulus": material.shear_modulus * system.stress,
        "bulk_modulus": 2.0 * material.lambda_e * system.stress,
        "wave_speed": material.wave_speed(material.density) * system.speed,
        "numbers": state[-1]["to"],
        "state": state,
        "texture": texture,
        "holds": bool(architecture_of(card).holds),
        "range": asdict(card.range),
        "weights_sha256": card.weights_sha256,
        "card_sha256": card.card_sha256,
        "version": version("multiscale"),
    }


def state_layout(card: Card) -> list[dict[str, Any]]:
    """Return the numbers of a point in their order: what each is, from where to where, from one.

    A texture is none of them, it is a constant of the material.
    """
    layout: list[dict[str, Any]] = []
    for variable in state_of(architecture_of(card)):
        before = layout[-1]["to"] if layout else 0
        count = variable.shape[0] if variable.shape else 1
        if count and variable.name != TEXTURE:
            layout.append(
                {
                    "name": variable.name,
                    "from": before + 1,
                    "to": before + count,
                    "meaning": MEANING[variable.name],
                }
            )
    return layout


def texture_of(card: Card, texture: str | Path | None, axes: str | None) -> dict[str, Any] | None:
    """Return the numbers of a texture and what it is, for a law that is told any; None for others.

    Args:
        card: Of the surrogate.
        texture: As a law takes it; none by default.
        axes: How its sample lies in the reference configuration of the host.

    Raises:
        InputError: It cannot be understood, or the surrogate is told none.
    """
    if architecture_of(card).texture:
        named = NO_TEXTURE if texture is None else texture
        require_axes_used(named, axes)
        lies = "" if axes is None else f", RD, TD and ND along {axes}"
        made = printable(f"{named}{lies}", 60).replace("*/", "* /")  # it stands in comments of C
        return {"numbers": numbers_of(card.material, named, None, axes).tolist(), "made": made}
    for name, given in (("texture", texture), ("texture-axes", axes)):
        if given is not None:
            raise InputError(f"{name} = '{printable(given)}' of a surrogate that is told none: leave it out")
    return None
