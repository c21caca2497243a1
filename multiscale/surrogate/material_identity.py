"""Whether two materials are one: law, crystal, sensitivity, grains, texture, derivative, microstructure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

NO_MATERIAL = ("tolerance", "memory", "crystal", "rate_sensitivity")
"""Options that change how a law is solved, not what of; the crystal stands in the record, with its own m."""
FROM_TEXTURE = ("texture", "texture_axes", "seed", "textures")
"""Options that say where the grains came from."""
SAME = 1e-9
"""Relative difference of numbers that come from one material file, read by different versions."""


def identity_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a material is, from the record of its law in a data set (multiscale.results.provenance)."""
    options = {name: value for name, value in record["options"].items() if name not in NO_MATERIAL}
    if record["name"] == "fft3d":
        options = {"texture": "random"} | options  # records of before there was a choice do not say it
    whole = {"law": record["name"], "options": options, "crystal": record["crystal"]}
    if (phases := record.get("microstructure")) is not None:
        return whole | {"microstructure": phases}
    if record.get("textures") is not None:  # paths say which grains; the material is a polycrystal of any
        named = {name: value for name, value in options.items() if name not in (*FROM_TEXTURE, "grains")}
        return whole | {"options": named, "texture": "any"}
    if (texture := record.get("texture")) is None:
        return whole
    # Grains are what they are, whatever file they came from; in a cell the seed is that of their shapes too.
    told = FROM_TEXTURE if record["name"] == "taylor" else FROM_TEXTURE[:2]
    named = {name: value for name, value in options.items() if name not in told}
    return whole | {"options": named, "texture": texture["sha256"]}


def without_grains(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return an identity without what is said of number and orientations of the grains."""
    told = (*FROM_TEXTURE, "grains")
    options = {name: value for name, value in identity["options"].items() if name not in told}
    return {"law": identity["law"], "options": options, "crystal": identity["crystal"]}


def difference(found: Mapping[str, Any], expected: Mapping[str, Any]) -> str | None:
    """Return the first entry in which two materials differ, with both values; None where they do not."""
    mine, other = _flat(found), _flat(expected)
    for name in sorted({*mine, *other}, key=lambda name: (name != "texture", name)):  # it says most
        a, b = mine.get(name), other.get(name)
        numbers = isinstance(a, int | float) and isinstance(b, int | float)
        if not (np.isclose(a, b, rtol=SAME, atol=SAME) if numbers else a == b):  # type: ignore[arg-type]
            return f"{name} = {a}, expected {b}"
    return None


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return the plain values in nested mappings, sequences and arrays, by the words that lead to each."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        entries = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list | tuple):
        entries = [(str(k), item) for k, item in enumerate(value)]
    else:
        return {name: value}
    flat: dict[str, Any] = {}
    for key, item in entries:
        flat |= _flat(item, f"{name} {key}".strip())
    return flat
