"""What material a run is of, for its title, the terminal and the summary."""

from __future__ import annotations

import dataclasses
import textwrap
from typing import Any

from microscale.law import ConstitutiveLaw


def material_of(law: ConstitutiveLaw) -> dict[str, Any]:
    """Return law, material, density and wave speed, and the constants or the weights."""
    told: dict[str, Any] = {
        "law": law.name,
        "material": law.material,
        "density_g_per_cm3": law.density,
        "wave_speed_mm_per_us": law.wave_speed(),
    }
    card = getattr(law, "card", None)
    if card is not None:
        told |= {"weights": card.weights_sha256[:12], "network": card.kind}
    if dataclasses.is_dataclass(law):
        told["constants"] = {
            field.name: getattr(law, field.name)
            for field in dataclasses.fields(law)
            if field.name != "density"
        }
    return told


def material_line(law: ConstitutiveLaw) -> str:
    """Return the same in a line for a title: no constants."""
    told = material_of(law)
    weights = f", weights {told['weights']}" if "weights" in told else ""
    material = f"{told['material']}, " if told["material"] else ""
    return f"{law.name}: {material}density {law.density:.4g} g/cm^3{weights}"


def material_text(law: ConstitutiveLaw) -> str:
    """Return the same in lines for a terminal, with the constants."""
    constants = material_of(law).get("constants", {})
    told = [f"{name} {value:.5g}" for name, value in constants.items()]
    rows = [", ".join(told[k : k + 3]) for k in range(0, len(told), 3)]
    return "\n".join([wrapped(material_line(law)), *(f"    {row}" for row in rows)])


def wrapped(line: str) -> str:
    """Return a line as lines of at most 79 letters, broken between words."""
    return textwrap.fill(line, 79, subsequent_indent="    ", break_long_words=False)
