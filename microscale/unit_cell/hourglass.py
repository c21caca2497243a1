"""Resistance of a periodic cell to hourglasses: strains that its voxels do not see.

A cell that softens would fill with them. While the material is elastic they are resisted with a part of its
shear modulus; while it flows that resistance relaxes as the material's own does: a Maxwell element with a
part of the material's stiffness and the same part of its viscosity. So it never grows far above the stress.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from microscale.tensors import FloatArray
from microscale.unit_cell.grid import ComplexArray

STIFFNESS = {"stabilised": 0.05, "enriched": 1.0}
"""Elastic resistance over the shear modulus, by derivative: chosen in docs/notebook/unit_cell.md."""


class HourglassResistance:
    """The resistance over one step; :attr:`stress` is its only memory.

    Attributes:
        stiffness: Change of the stress with that of the amplitudes, GPa.
        stress: Of each amplitude, GPa, complex, shape (frequencies, 3); it acts on the hourglass share of it.

    Args:
        share: Hourglass share of each frequency, shape (frequencies, 1).
        shear: Shear modulus of the material, GPa.
        stiffness: Elastic resistance over the shear modulus.
    """

    def __init__(self, share: FloatArray, shear: float, stiffness: float) -> None:
        self._share, self._shear = share, shear
        self.stiffness = self._elastic = stiffness * shear

    def begin(self, displacement: ComplexArray, stress: ComplexArray) -> None:
        """Begin a step from these amplitudes and this stress, both already turned with the cell."""
        self._from = self._elastic * displacement - stress

    def forces(
        self, displacement: ComplexArray, F: FloatArray, P: FloatArray, dissipated: FloatArray | None
    ) -> ComplexArray:
        """Return the forces that resist amplitudes at the end of the step.

        Args:
            displacement: Amplitudes, complex, shape (frequencies, 3).
            F: Deformation gradients of the voxels, shape (voxels, 3, 3).
            P: Their first Piola-Kirchhoff stress, GPa, same shape.
            dissipated: Energy each dissipated in the step, GPa, shape (voxels,); None if it is elastic.
        """
        left = 1.0 if dissipated is None else stress_left(F, P, self._shear * dissipated)
        self.stiffness = left * self._elastic
        self.stress = left * (self._elastic * displacement - self._from)
        return np.asarray(self._share * self.stress)


@njit(cache=True)
def stress_left(F: FloatArray, P: FloatArray, flow: FloatArray) -> float:
    """What flow in a step leaves of a shear stress, at the mean rate of voxels, each weighted by its flow.

    A plastic shear g under the shear stress s dissipates D = s g, and leaves s of the elastic s + G g. The
    mean is that of G g / s = flow / s^2 with ``flow`` = G D, GPa^2, shape (voxels,): of rates, since that of
    what is left depends on the step where few voxels flow much.
    """
    relaxed = total = 0.0
    for p in range(F.shape[0]):
        trace = square = 0.0
        for i in range(3):
            for j in range(3):
                tau = P[p, i, 0] * F[p, j, 0] + P[p, i, 1] * F[p, j, 1] + P[p, i, 2] * F[p, j, 2]
                square += tau * tau
                if i == j:
                    trace += tau
        square = 0.5 * (square - trace * trace / 3.0)
        if flow[p] > 0.0:
            relaxed += flow[p] * flow[p] / max(square, 1e-6 * flow[p])  # a stress that turned may be none
            total += flow[p]
    return total / (total + relaxed) if total > 0.0 else 1.0
