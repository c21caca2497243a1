"""What a unit cell is by default, and the memory that it needs."""

from __future__ import annotations

import math

from microscale.inputs.memory import require_memory
from microscale.law import ConstitutiveLaw

DERIVATIVE = {2: "enriched", 3: "stabilised"}
"""By dimension: crystals of the plane lock, those of magnesium do not (docs/theory/unit_cell.md)."""


def require_room(
    law: ConstitutiveLaw, shape: tuple[int, ...], derivative: str | None, memory: int = 20
) -> None:
    """Refuse a cell that needs more memory than is free; before its grains are drawn, if you can.

    Args:
        law: Law of a voxel.
        shape: Voxels along each axis.
        derivative: Discrete derivative; None for that of the dimension.
        memory: Secants kept.

    Raises:
        InputError: It does.
    """
    dimension, count = len(shape), math.prod(shape)
    enriched = (derivative or DERIVATIVE[dimension]) == "enriched"
    waves = count // 2 * (dimension if enriched else 1)  # each with a vector of complex amplitudes
    state = 48 * waves * (3 + 2 * memory) + count * law.bytes_of_a_point
    work = 16 * waves * 7 * dimension + count * (3 * law.bytes_of_a_point + 144)
    require_memory(state + work, resolution=max(shape), memory_of_secants=memory)
