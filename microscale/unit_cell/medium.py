"""The medium that answers forces out of balance: a homogeneous one, or voxels of a stiffness each."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numba import njit

from microscale.tensors import FloatArray
from microscale.unit_cell.corners import Corners, stiffness_forces
from microscale.unit_cell.grid import ComplexArray, PeriodicGrid

MOST_ITERATIONS = 1000
"""Of conjugate gradients, which call no law: some 30 at a contrast of 1000."""
TANGENT_EVERY = 10
"""Iterations of a step after which voxels are asked for their tangents: those of rest may be far off."""
TANGENT_CALLS = 18
"""Of the law, that a tangent counts for: as many as one by differences takes."""


class Medium(ABC):
    """What answers the forces out of balance in the iteration of a cell.

    Attributes:
        has_voxels: Whether it has a stiffness for each voxel, and so can be sharpened.
    """

    has_voxels = False

    @abstractmethod
    def begin(self, F: FloatArray) -> None:
        """Begin a step that ends at the mean deformation ``F``, shape (3, 3)."""

    @abstractmethod
    def relax(
        self, forces: ComplexArray, resistance: float | FloatArray, goal: float, out: ComplexArray
    ) -> None:
        """Write into ``out`` the amplitudes by which the medium would balance the forces.

        Args:
            forces: As :meth:`PeriodicGrid.forces` wrote them.
            resistance: Stiffness against hourglasses, GPa; one, or that of each voxel.
            goal: Norm of the forces that may be left, GPa, where it iterates.
            out: Array of amplitudes.
        """

    @abstractmethod
    def sharpen(self, tangent: FloatArray) -> None:
        """Become as stiff as the voxels are.

        Args:
            tangent: Their tangents less those of a uniform pressure, GPa, shape (voxels, 3, 3, 3, 3).
        """


class HomogeneousMedium(Medium):
    """An isotropic medium (Moulinec and Suquet 1998): right where all voxels are about as stiff.

    Args:
        grid: The grid.
        moduli: Shear and longitudinal modulus, GPa.
    """

    def __init__(self, grid: PeriodicGrid, moduli: tuple[float, float]) -> None:
        self._grid, self._moduli, self._mean = grid, moduli, np.eye(3)

    def begin(self, F: FloatArray) -> None:
        """See :class:`Medium`."""
        self._mean = F

    def relax(
        self, forces: ComplexArray, resistance: float | FloatArray, goal: float, out: ComplexArray
    ) -> None:
        """See :class:`Medium`."""
        self._grid.relax(forces, self._mean, self._moduli, float(np.mean(resistance)), out)

    def sharpen(self, tangent: FloatArray) -> None:
        """Stay as it is."""


class VoxelMedium(Medium):
    """Voxels with a stiffness each, solved by conjugate gradients at no call of the law.

    A homogeneous medium preconditions them (Zeman, Vondrejc, Novak and Marek 2010). They begin each step with
    their isotropic stiffness c at rest, dP = (c : dF F^-1) F^-T with the mean F, and take their tangents
    where that does not do.

    Args:
        grid: Of the derivative ``stabilised``.
        corners: Of the grid.
        shear: Shear modulus of each voxel at rest, GPa, shape (voxels,).
        longitudinal: Its longitudinal modulus, same shape.
    """

    has_voxels = True

    def __init__(
        self, grid: PeriodicGrid, corners: Corners, shear: FloatArray, longitudinal: FloatArray
    ) -> None:
        middle = tuple(0.5 * float(m.min() + m.max()) for m in (shear, longitudinal))
        self._grid, self._corners = grid, corners
        self._shear, self._lame = shear, longitudinal - 2.0 * shear
        self._middle = middle[0]
        self._preconditioner = HomogeneousMedium(grid, (middle[0], middle[1]))
        self._tangent = np.empty((grid.voxels, 3, 3, 3, 3))
        self._forces = np.empty((*corners.shape, 3))

    def begin(self, F: FloatArray) -> None:
        """See :class:`Medium`."""
        self._preconditioner.begin(F)
        G, one = np.linalg.inv(F), np.eye(3)
        dilatation = np.einsum("ji,lk->ijkl", G, G)
        shear = np.einsum("ik,jm,lm->ijkl", one, G, G) + np.einsum("jk,li->ijkl", G, G)
        np.multiply.outer(self._lame, dilatation, out=self._tangent)
        self._tangent += np.multiply.outer(self._shear, shear)

    def sharpen(self, tangent: FloatArray) -> None:
        """See :class:`Medium`. It takes the symmetric part."""
        _symmetric(tangent, self._tangent)

    def relax(
        self, forces: ComplexArray, resistance: float | FloatArray, goal: float, out: ComplexArray
    ) -> None:
        """See :class:`Medium`. Where a tangent is not positive it ends with the descent made so far."""
        own = np.asarray(resistance)
        part = self._middle * float(np.mean(own / self._shear))  # as it resists hourglasses on the whole
        left, z, answer = forces.copy(), np.empty_like(forces), np.empty_like(forces)
        out[:] = 0.0
        self._preconditioner.relax(left, part, goal, z)
        direction, descent = z.copy(), np.vdot(left, z).real
        for k in range(MOST_ITERATIONS):
            if np.linalg.norm(left) <= goal:
                return
            self._respond(direction, own, answer)
            curvature = np.vdot(direction, answer).real
            if not curvature > 0.0:
                if k == 0:
                    out[:] = direction
                return
            length = descent / curvature
            out += length * direction
            left -= length * answer
            self._preconditioner.relax(left, part, goal, z)
            before, descent = descent, np.vdot(left, z).real
            direction *= descent / before
            direction += z

    def _respond(self, amplitude: ComplexArray, resistance: FloatArray, out: ComplexArray) -> None:
        """Write the forces of the medium under a displacement."""
        u, weights = self._corners.at(amplitude), self._corners.weights
        stiffness_forces(u, self._tangent, resistance, weights, self._forces)
        self._corners.amplitudes(self._forces, out)
        self._grid.make_real(out)


@njit(cache=True)
def _symmetric(C: FloatArray, out: FloatArray) -> None:
    """Write the symmetric part of tangents, which conjugate gradients need; both (voxels, 3, 3, 3, 3)."""
    for v in range(len(C)):
        for m in range(9):
            for n in range(m + 1):
                i, j, k, q = m // 3, m % 3, n // 3, n % 3
                out[v, i, j, k, q] = out[v, k, q, i, j] = 0.5 * (C[v, i, j, k, q] + C[v, k, q, i, j])
