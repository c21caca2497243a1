"""Harmonic coefficients of a texture: what is left of it when only its slow variation counts.

Of each order l a crystal symmetry leaves M(l) functions on the sphere unchanged: k^mu, mu = 1..M(l), here an
orthonormal set of them, as vectors of 2 l + 1 coefficients of real spherical harmonics in the crystal frame.
A crystal of orientation Q carries them into the sample frame, and a texture has their mean,

    C_l^mu = sum_g w_g D_l(Q_g) k^mu,

vectors of 2 l + 1 numbers that turn with the sample. Of a single crystal each has the norm one, of a uniform
texture zero, and 1 + sum (2 l + 1) |C_l^mu|^2 is the texture index (Bunge 1982, section 4). Of hexagonal
crystals orders 2, 4 and 6 have 5, 9 and 26 numbers; the first function of each order is Legendre's of the
angle to c, so C_l^1 are the moments of the c axes.

Real harmonics are in the order m = -l .. l: sines of |m| phi for m < 0, cosines for m > 0, with the sign
(-1)^m of Condon and Shortley, orthonormal with the mean over the sphere as scalar product.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.spatial.transform import Rotation
from scipy.special import assoc_legendre_p

from microscale.progress import tracked
from microscale.tensors import FloatArray

BLOCK = 20_000
"""Orientations at a time."""
ALIKE = 1e-9


def harmonics(order: int, directions: FloatArray) -> FloatArray:
    """Return the real spherical harmonics of an order at unit vectors (n, 3), shape (n, 2 order + 1)."""
    phi = np.arctan2(directions[:, 1], directions[:, 0])
    values = np.empty((len(directions), 2 * order + 1))
    for m in range(order + 1):
        legendre = np.asarray(assoc_legendre_p(order, m, directions[:, 2], norm=True))[0]
        if m == 0:
            values[:, order] = np.sqrt(2.0) * legendre
        else:
            values[:, order + m] = 2.0 * legendre * np.cos(m * phi)
            values[:, order - m] = 2.0 * legendre * np.sin(m * phi)
    return values


@cache
def _sphere(degree: int) -> tuple[FloatArray, FloatArray]:
    """Directions (n, 3) and weights, adding up to one, that integrate polynomials of a degree exactly."""
    z, weights = np.polynomial.legendre.leggauss(degree // 2 + 1)
    phi = 2.0 * np.pi * np.arange(degree + 1) / (degree + 1)
    rim = np.sqrt(1.0 - z**2)[:, None]
    x, y = rim * np.cos(phi), rim * np.sin(phi)
    directions = np.stack([x, y, np.broadcast_to(z[:, None], x.shape)], axis=-1).reshape(-1, 3)
    return directions, np.repeat(weights / weights.sum() / len(phi), len(phi))


def rotation_matrix(order: int, R: FloatArray) -> FloatArray:
    """Return D_l(R), (2 order + 1)^2, which turns coefficients as R (3, 3) turns what they are of."""
    directions, weights = _sphere(2 * order)
    return np.asarray((harmonics(order, directions).T * weights) @ harmonics(order, directions @ R))


@cache
def crystal_functions(order: int, group: bytes) -> FloatArray:
    """Return the functions k of an order that a point group leaves unchanged, shape (M, 2 order + 1).

    The order of functions and their signs are settled: each is the first harmonic, in the order of m = 0, 1,
    -1, 2, ..., that is not yet in the span, projected onto it.

    Args:
        order: l.
        group: Quaternions of the rotations, shape (n, 4), as bytes; see :func:`key_of`.
    """
    rotations = Rotation.from_quat(np.frombuffer(group).reshape(-1, 4)).as_matrix()
    projection = np.mean([rotation_matrix(order, R) for R in rotations], axis=0)
    found: list[FloatArray] = []
    for m in sorted(range(-order, order + 1), key=lambda m: (abs(m), m < 0)):
        rest = projection[:, order + m].copy()
        for _ in range(2):  # twice is enough
            for k in found:
                rest -= (k @ rest) * k
        if (length := np.linalg.norm(rest)) > 1e-3:
            found.append(rest / length)
    return np.array(found).reshape(-1, 2 * order + 1)


def key_of(group: Rotation) -> bytes:
    """Return a point group as a key of :func:`crystal_functions`."""
    return np.ascontiguousarray(group.as_quat()).tobytes()


def carried(order: int, group: Rotation, orientations: FloatArray) -> FloatArray:
    """Return D_l(Q) k of each orientation Q (n, 3, 3), shape (n, M, 2 order + 1)."""
    k = crystal_functions(order, key_of(group))
    alpha, beta, gamma = _zyz(orientations)
    aside = _quarter_turn(order)
    c = _about_z(np.broadcast_to(k, (len(orientations), *k.shape)), gamma) @ aside
    return _about_z(_about_z(c, beta) @ aside.T, alpha)


def coefficients(
    orders: tuple[int, ...], group: Rotation, orientations: FloatArray, weights: FloatArray
) -> dict[int, FloatArray]:
    """Return C_l of a texture for each order, shape (M, 2 order + 1).

    Args:
        orders: Orders l.
        group: Rotations of the crystal's symmetry.
        orientations: Crystal axes as columns, shape (n, 3, 3).
        weights: Shares of the volume, shape (n,).
    """
    found = {}
    for order in orders:
        total = np.zeros(crystal_functions(order, key_of(group)).shape)
        for first in tracked(range(0, len(weights), BLOCK), f"blocks of orientations, order {order},"):
            b = slice(first, first + BLOCK)
            # einsum adds in one order, whatever the number of threads: a descent would make a difference grow
            total += np.einsum("n,nuk->uk", weights[b], carried(order, group, orientations[b]))
        found[order] = total
    return found


@cache
def generators(order: int) -> FloatArray:
    """Return the derivatives of D_l(exp(w)) by w = 0, a rotation vector, shape (3, 2 l + 1, 2 l + 1)."""
    m = np.arange(-order, order + 1)
    about_z = np.diag(-m.astype(float))[:, ::-1]
    to_x, to_y = (
        rotation_matrix(order, _quarter(axis, angle)) for axis, angle in (("y", 90.0), ("x", -90.0))
    )
    return np.stack([to_x @ about_z @ to_x.T, to_y @ about_z @ to_y.T, about_z])


def _about_z(c: FloatArray, angle: FloatArray) -> FloatArray:
    """Turn coefficients c (n, M, 2 l + 1) about z by angles (n,)."""
    m = np.arange(c.shape[-1]) - c.shape[-1] // 2
    turn = angle[:, None, None] * m
    return np.asarray(np.cos(turn) * c - np.sin(turn) * c[..., ::-1])


@cache
def _quarter_turn(order: int) -> FloatArray:
    """D_l of a quarter turn about -x, which brings z to y: Ry = Rx(-90) Rz Rx(90)."""
    return rotation_matrix(order, _quarter("x", -90.0))


def _quarter(axis: str, degrees: float) -> FloatArray:
    return np.asarray(Rotation.from_euler(axis, degrees, degrees=True).as_matrix())


def _zyz(Q: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Angles (n,) of Q = Rz(alpha) Ry(beta) Rz(gamma), radians."""
    sine = np.hypot(Q[:, 0, 2], Q[:, 1, 2])
    regular, side = sine > ALIKE, np.sign(Q[:, 2, 2])
    pole = np.arctan2(side * Q[:, 1, 0], side * Q[:, 0, 0])
    alpha = np.where(regular, np.arctan2(Q[:, 1, 2], Q[:, 0, 2]), pole)
    gamma = np.where(regular, np.arctan2(Q[:, 2, 1], -Q[:, 2, 0]), 0.0)
    return alpha, np.arctan2(sine, Q[:, 2, 2]), gamma
