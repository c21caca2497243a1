"""Resistance of a periodic cell to hourglasses: strains that its voxels do not see.

A cell that softens would fill with them. While the material is elastic they are resisted with a part of its
shear modulus; while it flows that resistance relaxes as the material's own does: a Maxwell element with a
part of the material's stiffness and the same part of its viscosity. So it never grows far above the stress.

Where all voxels are as stiff, as in a polycrystal, the cell has one such element, and it acts on amplitudes.
Where they are not, each voxel has its own: one of the middle would stiffen the softest voxels, and at a
contrast of 1000 the cell by a third.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numba import njit

from microscale.tensors import FloatArray
from microscale.unit_cell.corners import PATTERNS, Corners, hourglass_forces, hourglasses
from microscale.unit_cell.grid import ComplexArray

STIFFNESS = {"stabilised": 0.05, "enriched": 1.0}
"""Elastic resistance over the shear modulus, by derivative: chosen in docs/notebook/unit_cell.md."""


class Resistance(ABC):
    """The resistance over one step; :attr:`stress` is its only memory.

    Attributes:
        shape: Of the stress as a state variable of real numbers.
        stiffness: Change of the stress with the hourglasses, GPa; one, or that of each voxel.
        stress: GPa.
    """

    shape: tuple[int, ...]
    stiffness: float | FloatArray
    stress: ComplexArray | FloatArray
    _shear: float | FloatArray

    def relaxation(self, F: FloatArray, P: FloatArray, dissipated: FloatArray, out: FloatArray) -> None:
        """Write what follows from dissipation, see :func:`relaxation`, into ``out``, shape (voxels, 2)."""
        relaxation(F, P, self._shear * dissipated, out)

    @abstractmethod
    def turned(self, stored: FloatArray, turn: FloatArray) -> ComplexArray | FloatArray:
        """Return a stress as :meth:`store` wrote it, its rows turned with the cell by ``turn`` (3, 3)."""

    @abstractmethod
    def begin(self, displacement: ComplexArray, stress: ComplexArray | FloatArray) -> None:
        """Begin a step from these amplitudes and this stress, both already turned with the cell."""

    @abstractmethod
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

    @abstractmethod
    def slope(self, relaxation: FloatArray, slopes: FloatArray) -> FloatArray:
        """Return how what flow leaves follows F of each voxel, shape (voxels, 3, 3).

        Args:
            relaxation: As :meth:`relaxation` wrote it.
            slopes: Its derivatives by F, shape (voxels, 2, 3, 3).
        """

    @abstractmethod
    def change(self, displacement: ComplexArray, stress: Any, left: FloatArray) -> ComplexArray:
        """Return how the forces change at the end of the step that :meth:`forces` saw last.

        Args:
            displacement: Change of the displacement of the step, amplitudes.
            stress: Change of the stress at the beginning, as :meth:`turned` returns it.
            left: By voxel, F at the end times :meth:`slope`, shape (voxels,).
        """

    def store(self, out: FloatArray) -> None:
        """Write the stress into an array of :attr:`shape`."""
        out[:] = self.stress.view(float).reshape(self.shape)


class HourglassResistance(Resistance):
    """Of voxels that are all as stiff: stress and hourglasses are those of amplitudes.

    The stress of each amplitude is complex, shape (frequencies, 3), and acts on the hourglass share of it.

    Args:
        share: Hourglass share of each frequency, shape (frequencies, 1).
        shear: Shear modulus of the material, GPa.
        stiffness: Elastic resistance over the shear modulus.
    """

    def __init__(self, share: FloatArray, shear: float, stiffness: float) -> None:
        self._share, self._shear, self.shape = share, shear, (len(share), 3, 2)
        self.stiffness = self._elastic = stiffness * shear

    def turned(self, stored: FloatArray, turn: FloatArray) -> ComplexArray:
        """See :class:`Resistance`."""
        return np.asarray(stored.view(complex)[..., 0] @ turn)

    def begin(self, displacement: ComplexArray, stress: ComplexArray | FloatArray) -> None:
        """See :class:`Resistance`."""
        self._from = self._elastic * displacement - stress

    def forces(
        self, displacement: ComplexArray, F: FloatArray, P: FloatArray, dissipated: FloatArray | None
    ) -> ComplexArray:
        """See :class:`Resistance`."""
        self._left = 1.0 if dissipated is None else stress_left(F, P, self._shear * dissipated)
        self.stiffness = self._left * self._elastic
        self.stress = self._left * (self._elastic * displacement - self._from)
        return np.asarray(self._share * self.stress)

    def slope(self, relaxation: FloatArray, slopes: FloatArray) -> FloatArray:
        """See :class:`Resistance`."""
        flow, relaxed = relaxation.sum(axis=0)
        return _slope(flow, relaxed, slopes)

    def change(self, displacement: ComplexArray, stress: Any, left: FloatArray) -> ComplexArray:
        """See :class:`Resistance`."""
        changed = self._left * (self._elastic * displacement + stress)
        return np.asarray(self._share * (changed + left.sum() / self._left * self.stress))


class VoxelResistance(Resistance):
    """Of voxels that are not all as stiff: each resists its own hourglasses, and relaxes as it flows itself.

    Args:
        corners: Of a grid of the derivative ``stabilised``.
        shear: Shear modulus of each voxel, GPa, shape (voxels,).
        stiffness: Elastic resistance over the shear modulus.
    """

    def __init__(self, corners: Corners, shear: FloatArray, stiffness: float) -> None:
        self._corners, self._shear, self.shape = corners, shear, (len(shear), 3, PATTERNS)
        self._elastic = (stiffness * shear)[:, None, None]
        self.stiffness, self._left = stiffness * shear, np.ones(len(shear))
        self._from, self._strain = np.zeros((2, *self.shape))
        self._forces = np.empty((*corners.shape, 3))

    def turned(self, stored: FloatArray, turn: FloatArray) -> FloatArray:
        """See :class:`Resistance`."""
        return np.einsum("vim,ij->vjm", stored, turn)

    def begin(self, displacement: ComplexArray, stress: ComplexArray | FloatArray) -> None:
        """See :class:`Resistance`."""
        self._from = self._elastic * self._of(displacement) - np.asarray(stress, dtype=float)

    def forces(
        self, displacement: ComplexArray, F: FloatArray, P: FloatArray, dissipated: FloatArray | None
    ) -> ComplexArray:
        """See :class:`Resistance`."""
        if dissipated is not None:
            self._left = stress_left_in_each(F, P, self._shear * dissipated)
        self.stiffness = self._left * self._elastic[:, 0, 0]
        self.stress = self._left[:, None, None] * (self._elastic * self._of(displacement) - self._from)
        return self._forces_of(self.stress, displacement)

    def slope(self, relaxation: FloatArray, slopes: FloatArray) -> FloatArray:
        """See :class:`Resistance`."""
        flow, relaxed = relaxation.T[..., None, None]
        return _slope(flow, relaxed, slopes)

    def change(self, displacement: ComplexArray, stress: Any, left: FloatArray) -> ComplexArray:
        """See :class:`Resistance`."""
        changed = self._left[:, None, None] * (self._elastic * self._of(displacement) + stress)
        changed += (left / self._left)[:, None, None] * self.stress
        return self._forces_of(changed, displacement)

    def _forces_of(self, stress: FloatArray, like: ComplexArray) -> ComplexArray:
        hourglass_forces(stress, self._corners.weights, self._forces)
        found = np.empty_like(like)
        self._corners.amplitudes(self._forces, found)
        return found

    def _of(self, displacement: ComplexArray) -> FloatArray:
        """Hourglasses of amplitudes, shape (voxels, 3, PATTERNS)."""
        hourglasses(self._corners.at(displacement), self._corners.weights, self._strain)
        return self._strain


@njit(cache=True)
def _squared_shear(F: FloatArray, P: FloatArray) -> float:
    """Squared shear stress of a voxel, half that of the deviator of P F^T, GPa^2; F and P are (3, 3)."""
    trace = square = 0.0
    for i in range(3):
        for j in range(3):
            tau = P[i, 0] * F[j, 0] + P[i, 1] * F[j, 1] + P[i, 2] * F[j, 2]
            square += tau * tau
            if i == j:
                trace += tau
    return 0.5 * (square - trace * trace / 3.0)


@njit(cache=True)
def relaxation(F: FloatArray, P: FloatArray, flow: FloatArray, out: FloatArray) -> None:
    """Write flow and flow^2 / s^2 of each voxel, GPa^2, into ``out``, shape (voxels, 2).

    A plastic shear g under the shear stress s dissipates D = s g, and leaves s of the elastic s + G g: with
    flow = G D the latter over the former is 1 + flow / s^2.

    Args:
        F: Deformation gradients, shape (voxels, 3, 3).
        P: First Piola-Kirchhoff stress, GPa, same shape; s is its shear stress.
        flow: Shear modulus G times what was dissipated in the step, GPa^2, shape (voxels,).
        out: As said.
    """
    for p in range(F.shape[0]):
        out[p] = 0.0
        if flow[p] > 0.0:
            square = max(_squared_shear(F[p], P[p]), 1e-6 * flow[p])  # a stress that turned may be none
            out[p, 0], out[p, 1] = flow[p], flow[p] * flow[p] / square


def _slope(flow: Any, relaxed: Any, slopes: FloatArray) -> FloatArray:
    """Derivative of flow / (flow + relaxed), numbers or arrays (voxels, 1, 1), by that of each voxel's."""
    whole = np.where(flow > 0.0, flow + relaxed, np.inf)
    return np.asarray((relaxed * slopes[:, 0] - flow * slopes[:, 1]) / whole**2)


def stress_left(F: FloatArray, P: FloatArray, flow: FloatArray) -> float:
    """What flow in a step leaves of a shear stress, at the mean rate of voxels, each weighted by its flow.

    The mean is that of G g / s = flow / s^2 with ``flow`` = G D, GPa^2, shape (voxels,): of rates, since that
    of what is left depends on the step where few voxels flow much.
    """
    parts = np.empty((len(F), 2))
    relaxation(F, P, flow, parts)
    total, relaxed = parts.sum(axis=0)
    return float(total / (total + relaxed)) if total > 0.0 else 1.0


def stress_left_in_each(F: FloatArray, P: FloatArray, flow: FloatArray) -> FloatArray:
    """Return what flow in a step leaves of the shear stress of each voxel, shape (voxels,)."""
    parts = np.empty((len(F), 2))
    relaxation(F, P, flow, parts)
    total, relaxed = parts.T
    return np.divide(total, total + relaxed, out=np.ones(len(F)), where=total > 0.0)
