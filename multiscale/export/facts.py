"""What the files of an export say of a law: its material, units, state and origin."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from microscale.files.printable import printable
from multiscale.export.units import UNITS, UnitSystem
from multiscale.surrogate.recurrent.law import architecture_of, state_of
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


def facts(card: Card, units: UnitSystem) -> dict[str, Any]:
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
        "range": asdict(card.range),
        "weights_sha256": card.weights_sha256,
        "card_sha256": card.card_sha256,
        "version": version("multiscale"),
    }


def state_layout(card: Card) -> list[dict[str, Any]]:
    """Return the numbers of a point in their order: what each is, from where to where, from one."""
    layout: list[dict[str, Any]] = []
    for variable in state_of(architecture_of(card)):
        before = layout[-1]["to"] if layout else 0
        count = variable.shape[0] if variable.shape else 1
        if count:
            layout.append(
                {
                    "name": variable.name,
                    "from": before + 1,
                    "to": before + count,
                    "meaning": MEANING[variable.name],
                }
            )
    return layout
