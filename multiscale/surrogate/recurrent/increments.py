"""What the recurrent surrogate sees of a step: the isochoric stretch, its increment and the rate.

In the crystal model the deviatoric Kirchhoff stress depends on the history of the isochoric deformation
alone: W_e splits into an isochoric and a volumetric part, slip and twinning conserve volume, and pressure
does no work on them. So the volume ratio J enters nowhere here. All quantities live in the frame of U,
where F = R U is rotated back, and hence do not change with rotations of the body.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from multiscale.surrogate.recurrent.architecture import FASTEST_RATE, SLOWEST_RATE, STRAIN_SCALE

TINY = 1e-30
ROOT2, ROOT6 = 2.0**0.5, 6.0**0.5


class Increments(NamedTuple):
    """A batch of steps, time first.

    Attributes:
        features: Strain, direction, rate and size of a step, shape (steps, paths, 20).
        gradient: Isochoric velocity gradient times the step, U_new U_old^-1 - I, shape (steps, paths, 9).
        strain: What an elastic step adds to the isochoric elastic left Cauchy-Green deviator, over the strain
            scale, shape (steps, paths, 5).
        size: Norm of the deviatoric strain increment over the strain scale, shape (steps, paths, 1).
        dt: Time steps, us, shape (steps, paths, 1).
    """

    features: torch.Tensor
    gradient: torch.Tensor
    strain: torch.Tensor
    size: torch.Tensor
    dt: torch.Tensor


def increments(stretch: torch.Tensor, dt: torch.Tensor) -> Increments:
    """Return the steps of stretch histories.

    Args:
        stretch: Right stretch U, shape (samples, paths, 3, 3), float64: differences of samples are small.
        dt: Steps in time, us, shape (samples - 1, paths).
    """
    isochoric = unimodular(stretch)
    inverse = adjugate(isochoric)
    gradient = (isochoric[1:] - isochoric[:-1]) @ inverse[:-1]
    symmetric = gradient + gradient.mT
    driven = deviator5(symmetric + gradient @ gradient.mT)
    size = 0.5 * torch.linalg.vector_norm(driven, dim=-1, keepdim=True)
    steps = dt[..., None]
    rate = torch.log((size + SLOWEST_RATE * steps + TINY) / (steps + size / FASTEST_RATE + TINY))
    direction = 0.5 * driven / (size + SLOWEST_RATE * steps + TINY)
    features = torch.cat(
        [
            strain_features(isochoric[1:], inverse[1:]),
            direction,
            0.5 * rate,
            4.0 * size / (size + STRAIN_SCALE),
        ],
        -1,
    )
    single = (features, gradient.flatten(-2), driven / STRAIN_SCALE, size / STRAIN_SCALE, steps)
    return Increments(*(array.float() for array in single))


def strain_features(U: torch.Tensor, inverse: torch.Tensor) -> torch.Tensor:
    """Odd and even functions of the principal logarithmic strains, always bounded, shape (..., 13).

    (U - U^-1) / m and (U + U^-1) / m - 2 I with m = tr(U + U^-1) / 6 are hyperbolic sine and cosine of ln U
    over the mean of the cosines; ln m gives the size back.
    """
    mean = (U + inverse).diagonal(dim1=-2, dim2=-1).sum(-1, keepdim=True) / 6.0
    odd, even = mandel6(U - inverse) / mean, mandel6(U + inverse) / mean
    even = even - torch.tensor([2.0, 2.0, 2.0, 0.0, 0.0, 0.0], dtype=U.dtype)
    return torch.cat([odd, even, mean.log()], -1)


def unimodular(U: torch.Tensor) -> torch.Tensor:
    """Return U / det(U)^(1/3)."""
    return U * determinant(U)[..., None, None] ** (-1.0 / 3.0)


def determinant(A: torch.Tensor) -> torch.Tensor:
    """Return the determinants of symmetric tensors (..., 3, 3)."""
    return (A[..., 0, :] * adjugate(A)[..., :, 0]).sum(-1)


def adjugate(A: torch.Tensor) -> torch.Tensor:
    """Return det(A) A^-1 of symmetric tensors (..., 3, 3); torch.linalg.inv is ten times slower."""
    a, b, c, d, e, f = (A[..., i, j] for i, j in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)))
    rows = [b * c - d * d, d * e - c * f, d * f - b * e, a * c - e * e, e * f - a * d, a * b - f * f]
    return torch.stack([rows[k] for k in (0, 1, 2, 1, 3, 4, 2, 4, 5)], -1).reshape(A.shape)


def mandel6(A: torch.Tensor) -> torch.Tensor:
    """Mandel vectors (..., 6) of symmetric tensors (..., 3, 3), in the order of microscale.tensors."""
    diagonal = A.diagonal(dim1=-2, dim2=-1)
    return torch.cat([diagonal, ROOT2 * torch.stack([A[..., 1, 2], A[..., 0, 2], A[..., 0, 1]], -1)], -1)


def deviator5(A: torch.Tensor) -> torch.Tensor:
    """Symmetric deviatoric part of A (..., 3, 3) in the orthonormal basis of lanes.h, shape (..., 5)."""
    return torch.stack(
        [
            (2.0 * A[..., 2, 2] - A[..., 0, 0] - A[..., 1, 1]) / ROOT6,
            (A[..., 0, 0] - A[..., 1, 1]) / ROOT2,
            (A[..., 1, 2] + A[..., 2, 1]) / ROOT2,
            (A[..., 0, 2] + A[..., 2, 0]) / ROOT2,
            (A[..., 0, 1] + A[..., 1, 0]) / ROOT2,
        ],
        -1,
    )


def from_deviator5(s: torch.Tensor) -> torch.Tensor:
    """Symmetric deviators (..., 3, 3) of vectors (..., 5)."""
    a, b, yz, xz, xy = (s[..., k] for k in range(5))
    xx, yy, zz = b / ROOT2 - a / ROOT6, -b / ROOT2 - a / ROOT6, 2.0 * a / ROOT6
    rows = [xx, xy / ROOT2, xz / ROOT2, xy / ROOT2, yy, yz / ROOT2, xz / ROOT2, yz / ROOT2, zz]
    return torch.stack(rows, -1).reshape(*s.shape[:-1], 3, 3)


def deviator_of_mandel(features: torch.Tensor) -> torch.Tensor:
    """Deviator (..., 5) of a strain measure, which the features hold as a Mandel vector."""
    a, b, c = (features[..., k] for k in range(3))
    first = torch.stack([(2.0 * c - a - b) / ROOT6, (a - b) / ROOT2], -1)
    return torch.cat([first, features[..., 3:6]], -1)


def convected_maps(gradient: torch.Tensor) -> torch.Tensor:
    """Matrices (..., 5, 5) of s -> dev(f s f^T) - s on deviators, with f = I + gradient (..., 9)."""
    L = gradient.reshape(*gradient.shape[:-1], 1, 3, 3)
    basis = from_deviator5(torch.eye(5, dtype=gradient.dtype))
    half = L @ basis
    return deviator5(2.0 * half + half @ L.mT).mT
