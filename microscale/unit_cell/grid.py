"""Periodic grids: gradients of a periodic displacement, forces of a stress, answer of a reference medium.

A displacement v is held as amplitudes y, one vector for each direction n of a frequency (one, but for
``enriched``), such that

    grad v = inverse FFT of (sum y n sigma),   |n|^2 = 1 - h,   <grad v : grad v> = sum (1 - h) |y|^2 :

y is a strain, and the plain scalar product of two amplitudes is that of the two strain fields, with the
shares h that the voxels do not see (hourglasses; zero but for ``enriched`` and ``stabilised``).
The forces of a stress field P are the adjoint: r with sum Re(conj(y) r) = <P : grad v> for every v, so that
|r| is the norm of the part of P that is not in equilibrium.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
from numba import njit
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.tensors import FloatArray
from microscale.unit_cell.enriched import enriched_directions

ComplexArray = NDArray[np.complex128]

DERIVATIVES = ("enriched", "stabilised", "rotated", "central", "spectral")
HOURGLASSES = ("enriched", "stabilised")
"""Derivatives whose amplitudes know the share of strain that voxels do not see."""


class PeriodicGrid:
    """Voxels of a periodic unit cell of side one, and the discrete derivative on them.

    Args:
        shape: Voxels along each axis: two for fields that do not vary along the third, or three.
        derivative: How the gradient is taken in Fourier space.
            ``enriched``: Displacements at the corners of voxels and halfway between, one gradient a voxel,
            the mean (:mod:`microscale.unit_cell.enriched`). No ringing, and no checkerboard of stress.
            ``rotated``: Displacements at the corners of voxels, gradients in their middles (Willot 2015):
            one-point hexahedra; no ringing, but hourglass patterns cost no energy, and where the material
            softens they fill the cell.
            ``stabilised``: The same, and amplitudes know their hourglass share, so that the cell can resist
            it: the squared gradients at the corners of voxels less those in the middle.
            ``central``: Fourth-order central differences, as the finite-difference-corrected derivatives of
            Vidyasagar, Tan and Kochmann (2017).
            ``spectral``: The exact derivative of the trigonometric interpolant; rings at grain boundaries.
        workers: Threads of the transforms.

    Raises:
        InputError: The shape or the derivative has no meaning.
    """

    def __init__(self, shape: tuple[int, ...], derivative: str, workers: int = 1) -> None:
        if len(shape) not in (2, 3) or min(shape) < 1:
            raise InputError(f"shape = {shape} voxels, expected two or three positive numbers")
        self.shape, self.workers = tuple(shape), workers
        self.voxels, self.dimension = int(np.prod(shape)), len(shape)
        self._axes: Any = tuple(range(self.dimension))
        angles = _angles(self.shape)
        self.half_shape = angles.shape[1:]
        self._own_mirror, self._mirror = _mirror_images(self.half_shape, self.shape[-1] % 2 == 0)
        angles = angles.reshape(self.dimension, -1)
        directions, phase = self._directions(angles, derivative)
        self._ways = directions.shape[1]
        # The half spectrum of a real field stands for both halves but for its first and, if even, last plane.
        weight = np.full((len(directions), 1, 1), 2.0)
        weight[self._own_mirror] = 1.0
        scale = phase.reshape(-1, 1, 1) / np.sqrt(weight)
        self.directions = directions.reshape(-1, self.dimension)
        square = (self.directions**2).sum(axis=1, keepdims=True)
        resisted = (square > 0.0) & (derivative in HOURGLASSES)
        self.hourglass_share = np.where(resisted, 1.0 - square, 0.0)
        self._synthesis = (self.voxels * scale * directions).reshape(-1, self.dimension)
        self._analysis = (np.conj(scale) * weight * directions / self.voxels).reshape(-1, self.dimension)
        if derivative == "stabilised":
            norm = np.sqrt((_corner_differences(angles, self.shape) ** 2).sum(axis=0)).reshape(-1, 1)
            root = norm * np.sqrt(weight[:, 0])
            with np.errstate(divide="ignore"):
                self.corner_scale = np.where(norm > 0, self.voxels / root, 0.0)
                self.corner_analysis = np.where(norm > 0, weight[:, 0] / root / self.voxels, 0.0)
        self._gradient_hat = np.empty((len(directions), 3, self.dimension), dtype=complex)

    def _directions(self, angles: FloatArray, derivative: str) -> tuple[FloatArray, ComplexArray]:
        """Directions n (frequencies, ways, axes) of the derivative, and phases (frequencies,)."""
        if derivative == "enriched":
            n = enriched_directions(angles, self.shape)
            n[self._own_mirror] = n[np.minimum(self._own_mirror, self._mirror)]  # real fields stay real
            return n, np.ones(len(n), dtype=complex)
        k, phase = _wave_vectors(angles, self.shape, derivative)
        counted = _corner_differences(angles, self.shape) if derivative == "stabilised" else k
        norm = np.sqrt((counted**2).sum(axis=0))
        still = norm < 1e-9 * max(self.shape)  # the mean, and waves the derivative does not see
        return np.where(still, 0.0, k / np.where(still, 1.0, norm)).T[:, None], phase

    @property
    def amplitude_shape(self) -> tuple[int, int]:
        """Shape of an array of amplitudes: (directions of all frequencies, 3), complex."""
        return len(self.directions), 3

    def deformation(self, amplitude: ComplexArray, mean: FloatArray, out: FloatArray) -> None:
        """Write the mean (3, 3) plus the gradient of the displacement into ``out``, shape (voxels, 3, 3)."""
        _outer(amplitude, self._synthesis, self._gradient_hat)
        gradient = scipy.fft.irfftn(
            self._gradient_hat.reshape(*self.half_shape, 3, self.dimension),
            s=self.shape,
            axes=self._axes,
            overwrite_x=True,
            workers=self.workers,
        )
        _add(mean, gradient.reshape(self.voxels, 3, self.dimension), out)

    def forces(self, P: FloatArray, out: ComplexArray) -> None:
        """Write the forces of a stress field ``P`` (voxels, 3, 3) into ``out``, an array of amplitudes."""
        field = P.reshape(*self.shape, 3, 3)[..., : self.dimension]
        P_hat = scipy.fft.rfftn(field, axes=self._axes, workers=self.workers)
        _contract(P_hat.reshape(-1, 3, self.dimension), self._analysis, out)

    def make_real(self, amplitude: ComplexArray) -> None:
        """Take out of amplitudes what no real field has: a frequency and its mirror image are conjugate.

        Gradients do not see the rest, so that the iteration would hardly end what rounding has begun.
        """
        waves = amplitude.reshape(len(self._gradient_hat), self._ways, 3)
        waves[self._own_mirror] = 0.5 * (waves[self._own_mirror] + waves[self._mirror].conj())

    def relax(
        self,
        forces: ComplexArray,
        mean: FloatArray,
        moduli: tuple[float, float],
        hourglass: float,
        out: ComplexArray,
    ) -> None:
        """Write into ``out`` the amplitudes by which a homogeneous medium would balance the forces.

        Its stress grows with the strain in the frame of the mean deformation, dP = (c : dF F^-1) F^-T with
        the isotropic stiffness c, so that the answer turns with a rotation of the cell. Directions of one
        frequency are answered one by one; what little couples them is left to the acceleration.

        Args:
            forces: As :meth:`forces` wrote them.
            mean: Mean deformation gradient F, shape (3, 3).
            moduli: Shear and longitudinal modulus of c, GPa.
            hourglass: Stiffness against hourglasses, GPa.
            out: Array of amplitudes.
        """
        own = hourglass * self.hourglass_share[:, 0]
        _solve(forces, self.directions, own, np.linalg.inv(mean), *moduli, out)


def _angles(shape: tuple[int, ...]) -> FloatArray:
    """Phase change over a voxel along each axis of each frequency of the half spectrum, radians."""
    axes = [2.0 * np.pi * np.fft.fftfreq(n) for n in shape[:-1]]
    axes.append(2.0 * np.pi * np.fft.rfftfreq(shape[-1]))
    return np.stack(np.meshgrid(*axes, indexing="ij"))


def _corner_differences(angles: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Size of the derivative along the edges of voxels, shape (axes, frequencies)."""
    return np.asarray(2.0 * np.array(shape).reshape(-1, 1) * np.sin(0.5 * angles))


def _mirror_images(half_shape: tuple[int, ...], even: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frequencies k of the half spectrum that also holds -k, and where it does: the first and last plane."""
    planes = np.arange(np.prod(half_shape)).reshape(half_shape)[..., [0, -1] if even else [0]]
    others = tuple(range(len(half_shape) - 1))
    return planes.ravel(), np.roll(np.flip(planes, others), 1, others).ravel()


def _wave_vectors(
    angles: FloatArray, shape: tuple[int, ...], derivative: str
) -> tuple[FloatArray, ComplexArray]:
    """Wave vectors k (axes, frequencies) and phases (frequencies,): phase k is the symbol of a derivative."""
    voxels_per_length = np.array(shape).reshape(-1, 1)
    straight = np.full(angles.shape[1:], 1j)
    if derivative in ("rotated", "stabilised"):
        half = 0.5 * angles
        others = [np.prod(np.cos(np.delete(half, axis, axis=0)), axis=0) for axis in range(len(shape))]
        return 2.0 * voxels_per_length * np.sin(half) * np.stack(others), straight * np.exp(
            1j * half.sum(axis=0)
        )
    if derivative == "central":
        return voxels_per_length * (8.0 * np.sin(angles) - np.sin(2.0 * angles)) / 6.0, straight
    if derivative == "spectral":
        # At the Nyquist frequency a real field has no derivative of odd order.
        return voxels_per_length * np.where(np.abs(angles) > np.pi - 1e-9, 0.0, angles), straight
    raise InputError(f"derivative = '{derivative}', expected one of: {', '.join(DERIVATIVES)}")


@njit(cache=True)
def _outer(y: ComplexArray, symbol: ComplexArray, out: ComplexArray) -> None:
    ways = len(y) // len(out)
    for p in range(out.shape[0]):
        for i in range(3):
            for j in range(out.shape[2]):
                total = y[ways * p, i] * symbol[ways * p, j]
                for q in range(ways * p + 1, ways * (p + 1)):
                    total += y[q, i] * symbol[q, j]
                out[p, i, j] = total


@njit(cache=True)
def _add(mean: FloatArray, gradient: FloatArray, out: FloatArray) -> None:
    for p in range(out.shape[0]):
        for i in range(3):
            for j in range(3):
                out[p, i, j] = mean[i, j]
            for j in range(gradient.shape[2]):
                out[p, i, j] += gradient[p, i, j]


@njit(cache=True)
def _contract(P: ComplexArray, symbol: ComplexArray, out: ComplexArray) -> None:
    ways = len(out) // len(P)
    for q in range(out.shape[0]):
        p = q // ways
        for i in range(3):
            out[q, i] = 0.0
            for j in range(P.shape[2]):
                out[q, i] += P[p, i, j] * symbol[q, j]


@njit(cache=True)
def _solve(
    r: ComplexArray,
    n: FloatArray,
    own: FloatArray,
    F_inverse: FloatArray,
    shear: float,
    longitudinal: float,
    out: ComplexArray,
) -> None:
    """Invert (shear |q|^2 + own) I + (longitudinal - shear) q q with q = F^-T n at each frequency."""
    q = np.empty(3)
    for p in range(n.shape[0]):
        square = 0.0
        along = 0.0j
        for i in range(3):
            q[i] = 0.0
            for j in range(n.shape[1]):
                q[i] += F_inverse[j, i] * n[p, j]
            square += q[i] * q[i]
            along += q[i] * r[p, i]
        across = shear * square + own[p]
        if across == 0.0:
            out[p] = 0.0
            continue
        coupling = longitudinal - shear
        share = coupling / (across + coupling * square) * along
        for i in range(3):
            out[p, i] = (r[p, i] - share * q[i]) / across


@njit(cache=True)
def fluctuation(field: FloatArray) -> float:
    """Norm of a tensor field (voxels, 3, 3) less its mean: root of the mean square over voxels."""
    n, square = field.shape[0], 0.0
    for i in range(3):
        for j in range(3):
            mean = 0.0
            for p in range(n):
                mean += field[p, i, j]
            mean /= n
            for p in range(n):
                square += (field[p, i, j] - mean) ** 2
    return float(np.sqrt(square / n))
