"""The tangent of a law by differences of its step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from microscale.tensors import FloatArray

if TYPE_CHECKING:
    from microscale.law import ConstitutiveLaw, State

STEP = 1e-6
"""Change of F: where stress bends within strains of 1e-2, rounding and curvature are both of order 1e-9."""


def differences(
    law: ConstitutiveLaw,
    F: FloatArray,
    dt: float | FloatArray,
    state: State,
    out: FloatArray,
    size: float = STEP,
) -> None:
    """Fill ``out`` as :meth:`ConstitutiveLaw.tangent` says by central differences over +-``size``."""
    ahead, behind = np.empty_like(F), np.empty_like(F)
    for k, l in np.ndindex(3, 3):
        for sign, stress in ((1.0, ahead), (-1.0, behind)):
            moved = F.copy()
            moved[:, k, l] += sign * size
            law._update(moved, dt, state.copy(), stress)
        out[:, :, :, k, l] = (ahead - behind) / (2.0 * size)
