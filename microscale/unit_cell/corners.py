"""Voxels as hexahedra: strains in their middles and hourglasses, from displacements at their corners.

The ``stabilised`` derivative of :mod:`microscale.unit_cell.grid` in real space, where each voxel can have a
stiffness of its own. A displacement that is the product of a difference along two or three axes has no
gradient in the middle of a voxel. These four patterns are its hourglasses (one in the plane); with the
amplitudes g of them

    mean squared gradient at the corners = |gradient in the middle|^2 + |g|^2 .

Arrays of a voxel are (3, 7): by component of the displacement its gradient, then its hourglasses.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numba import njit

from microscale.tensors import FloatArray
from microscale.unit_cell.grid import ComplexArray, PeriodicGrid

PATTERNS = 4
"""Hourglasses of a voxel: alternating along axes 1 and 2, 1 and 3, 2 and 3, and along all three."""


class Corners:
    """Displacements at the corners of voxels, as amplitudes of the ``stabilised`` grid or as values.

    Attributes:
        weights: See :func:`pattern_weights`.

    Args:
        grid: A grid of the derivative ``stabilised``.
    """

    def __init__(self, grid: PeriodicGrid) -> None:
        self._grid, self._axes = grid, tuple(range(grid.dimension))
        self.shape = tuple((*grid.shape, 1)[:3])
        self.weights = pattern_weights(self.shape)
        self.displacement, self.forces = np.empty((2, *self.shape, 3))

    def at(self, amplitude: ComplexArray) -> FloatArray:
        """Return the displacements of amplitudes, shape (n1, n2, n3, 3); the next call overwrites them."""
        waves = (amplitude * self._grid.corner_scale).reshape(*self._grid.half_shape, 3)
        u = scipy.fft.irfftn(waves, s=self._grid.shape, axes=self._axes, workers=self._grid.workers)
        return np.asarray(u).reshape(*self.shape, 3)

    def amplitudes(self, forces: FloatArray, out: ComplexArray) -> None:
        """Write forces at corners, shape (n1, n2, n3, 3), as those of amplitudes into ``out``."""
        field = forces.reshape(*self._grid.shape, 3)
        waves = scipy.fft.rfftn(field, axes=self._axes, workers=self._grid.workers)
        np.multiply(waves.reshape(-1, 3), self._grid.corner_analysis, out=out)


def pattern_weights(shape: tuple[int, ...]) -> FloatArray:
    """Return by which factors differences of corners are gradient and hourglasses, shape (7,).

    Args:
        shape: Voxels along each of three axes of a cell of side one; an axis of one voxel does not vary.
    """
    n = np.array(shape, dtype=float)
    squares = (n[0] ** 2 + n[1] ** 2, n[0] ** 2 + n[2] ** 2, n[1] ** 2 + n[2] ** 2, (n**2).sum())
    return np.concatenate([0.25 * n, 0.25 * np.sqrt(squares[:3]), [0.25 * np.sqrt(squares[3])]])


@njit(cache=True, inline="always")
def gather(u: FloatArray, a: int, b: int, c: int, weights: FloatArray, out: FloatArray) -> None:
    """Write gradient and hourglasses of the voxel (a, b, c) into ``out`` (3, 7); ``u`` (n1, n2, n3, 3)."""
    a1, b1, c1 = (a + 1) % u.shape[0], (b + 1) % u.shape[1], (c + 1) % u.shape[2]
    for i in range(3):
        p, q = u[a, b, c, i], u[a1, b, c, i]
        r, s = u[a, b1, c, i], u[a1, b1, c, i]
        t, v = u[a, b, c1, i], u[a1, b, c1, i]
        w, x = u[a, b1, c1, i], u[a1, b1, c1, i]
        out[i, 0] = weights[0] * (q + s + v + x - p - r - t - w)
        out[i, 1] = weights[1] * (r + s + w + x - p - q - t - v)
        out[i, 2] = weights[2] * (t + v + w + x - p - q - r - s)
        out[i, 3] = weights[3] * (p + s + t + x - q - r - v - w)
        out[i, 4] = weights[4] * (p + v + r + x - q - t - s - w)
        out[i, 5] = weights[5] * (p + w + q + x - r - t - s - v)
        out[i, 6] = weights[6] * (q + r + t + x - p - s - v - w)


@njit(cache=True, inline="always")
def scatter(stress: FloatArray, a: int, b: int, c: int, weights: FloatArray, out: FloatArray) -> None:
    """Add to the corners of a voxel the forces of its stresses (3, 7): the adjoint of :func:`gather`."""
    a1, b1, c1 = (a + 1) % out.shape[0], (b + 1) % out.shape[1], (c + 1) % out.shape[2]
    for i in range(3):
        x, y, z = weights[0] * stress[i, 0], weights[1] * stress[i, 1], weights[2] * stress[i, 2]
        p, q, r = weights[3] * stress[i, 3], weights[4] * stress[i, 4], weights[5] * stress[i, 5]
        s = weights[6] * stress[i, 6]
        out[a, b, c, i] += -x - y - z + p + q + r - s
        out[a1, b, c, i] += x - y - z - p - q + r + s
        out[a, b1, c, i] += -x + y - z - p + q - r + s
        out[a1, b1, c, i] += x + y - z + p - q - r - s
        out[a, b, c1, i] += -x - y + z + p - q - r + s
        out[a1, b, c1, i] += x - y + z - p + q - r - s
        out[a, b1, c1, i] += -x + y + z - p - q + r - s
        out[a1, b1, c1, i] += x + y + z + p + q + r + s


@njit(cache=True)
def hourglasses(u: FloatArray, weights: FloatArray, out: FloatArray) -> None:
    """Write the hourglasses of displacements ``u`` (n1, n2, n3, 3) into ``out`` (voxels, 3, PATTERNS)."""
    strain, voxel = np.empty((3, 7)), 0
    for a in range(u.shape[0]):
        for b in range(u.shape[1]):
            for c in range(u.shape[2]):
                gather(u, a, b, c, weights, strain)
                out[voxel] = strain[:, 3:]
                voxel += 1


@njit(cache=True)
def hourglass_forces(stress: FloatArray, weights: FloatArray, out: FloatArray) -> None:
    """Write forces at corners (n1, n2, n3, 3) of hourglass stresses (voxels, 3, PATTERNS) into ``out``."""
    whole, voxel = np.zeros((3, 7)), 0
    out[:] = 0.0
    for a in range(out.shape[0]):
        for b in range(out.shape[1]):
            for c in range(out.shape[2]):
                whole[:, 3:] = stress[voxel]
                scatter(whole, a, b, c, weights, out)
                voxel += 1


@njit(cache=True)
def stiffness_forces(
    u: FloatArray, tangent: FloatArray, resistance: FloatArray, weights: FloatArray, out: FloatArray
) -> None:
    """Write the forces that answer a displacement of elastic voxels.

    Args:
        u: Displacements of corners, shape (n1, n2, n3, 3).
        tangent: Stiffness of each voxel, GPa, shape (voxels, 3, 3, 3, 3).
        resistance: Its stiffness against hourglasses, GPa, shape (voxels,).
        weights: See :func:`pattern_weights`.
        out: Forces at corners, shape (n1, n2, n3, 3).
    """
    strain, stress, voxel = np.empty((3, 7)), np.empty((3, 7)), 0
    out[:] = 0.0
    for a in range(u.shape[0]):
        for b in range(u.shape[1]):
            for c in range(u.shape[2]):
                gather(u, a, b, c, weights, strain)
                C = tangent[voxel]
                for i in range(3):
                    for j in range(3):
                        total = 0.0
                        for k in range(3):
                            for m in range(3):
                                total += C[i, j, k, m] * strain[k, m]
                        stress[i, j] = total
                    for j in range(3, 7):
                        stress[i, j] = resistance[voxel] * strain[i, j]
                scatter(stress, a, b, c, weights, out)
                voxel += 1
