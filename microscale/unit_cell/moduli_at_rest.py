"""How stiff each voxel of a cell is at rest, and whether all are alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from microscale.law import ConstitutiveLaw, State
from microscale.tensors import FloatArray

PROBE = 1e-7
"""Strain by which stiffness is measured."""
ALIKE = 1e-6
"""Relative difference of moduli that counts as none: rounding makes 1e-8."""


class ModuliAtRest(NamedTuple):
    """Elasticity of the voxels, taken for isotropic; each of shape (voxels,), GPa."""

    shear: FloatArray
    longitudinal: FloatArray

    @property
    def alike(self) -> bool:
        """Whether all voxels are as stiff."""
        return all(float(m.max()) <= (1.0 + ALIKE) * float(m.min()) for m in self)

    @property
    def middle(self) -> tuple[float, float]:
        """Shear and longitudinal modulus midway between the softest and the stiffest voxel.

        Midway is the reference medium with which the plain iteration converges fastest.
        """
        return (
            float(0.5 * (self.shear.min() + self.shear.max())),
            float(0.5 * (self.longitudinal.min() + self.longitudinal.max())),
        )


def moduli_at_rest(law: ConstitutiveLaw, n: int, voxels: State) -> ModuliAtRest:
    """Measure shear (of axis 1 along axis 2) and longitudinal modulus of each of n voxels."""
    moduli = []
    for row, column in ((0, 1), (0, 0)):
        F, P = np.tile(np.eye(3), (n, 1, 1)), np.empty((n, 3, 3))
        F[:, row, column] += PROBE
        law.update(F, 0.0, voxels.copy(), P)
        moduli.append(P[:, row, column] / PROBE)
    return ModuliAtRest(*moduli)
