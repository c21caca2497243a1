"""Kinds of loads that no surrogate is trained on: cycles, jumps of the rate, long shear, turning bodies.

Each is drawn in as many directions as asked, and has the form F = exp(L t) F_before, in some 400 samples.
"""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

from microscale.tensors import FloatArray

SAMPLES = 400
"""Of a path, about."""
Loads = tuple[FloatArray, FloatArray]
"""Times (samples,), us, and deformation gradients (paths, samples, 3, 3)."""


def directions(paths: int, seed: int) -> FloatArray:
    """Return deviators (paths, 3, 3) of the equivalent strain one, of any direction alike."""
    A = np.random.default_rng(seed).normal(size=(paths, 3, 3))
    D = A + np.swapaxes(A, 1, 2)
    D -= np.trace(D, axis1=1, axis2=2)[:, None, None] / 3.0 * np.eye(3)
    return np.asarray(np.sqrt(1.5) * D / np.linalg.norm(D, axis=(1, 2), keepdims=True))


def frames(paths: int, seed: int) -> FloatArray:
    """Return random rotations (paths, 3, 3)."""
    return np.asarray(Rotation.random(paths, rng=np.random.default_rng(seed)).as_matrix())


def along(D: FloatArray, amplitude: FloatArray, start: FloatArray | None = None) -> FloatArray:
    """Return exp(a D) start of gradients D (paths, 3, 3) and amplitudes (samples,), all paths and samples."""
    F = expm(amplitude[None, :, None, None] * D[:, None])
    return np.asarray(F if start is None else F @ start[:, None])


def cycles(amplitude: float, T: float, paths: int, seed: int, count: int = 4) -> Loads:
    """Return triangular cycles about zero."""
    t = np.linspace(0.0, 1.0, SAMPLES + 1)
    wave = 4.0 * np.abs((count * t + 0.75) % 1.0 - 0.5) - 1.0
    return T * t, along(directions(paths, seed), amplitude * wave)


def jumps(factor: float, T: float, paths: int, seed: int, strain: float = 0.04) -> Loads:
    """Return three equal strains in one direction, the first and the last of them faster by a factor."""
    shares = np.array([1.0, factor, 1.0]) / (2.0 + factor)
    nodes = np.concatenate([[0.0], np.cumsum(shares)])
    parts = np.linspace(0.0, 3.0, SAMPLES // 3 * 3 + 1)
    return T * np.interp(parts, np.arange(4.0), nodes), along(directions(paths, seed), strain * parts)


def shear(T: float, paths: int, seed: int, largest: float = 1.5) -> Loads:
    """Return simple shear in a random frame."""
    t, Q = np.linspace(0.0, 1.0, SAMPLES + 1), frames(paths, seed)
    return T * t, along(np.einsum("pi,pj->pij", Q[:, :, 0], Q[:, :, 1]), largest * t)


def turning(T: float, paths: int, seed: int, strain: float = 0.3, turns: float = 1.0) -> Loads:
    """Return bodies that turn while they are strained along axes that rest in space."""
    t, D = np.linspace(0.0, 1.0, SAMPLES + 1), directions(paths, seed)
    axes = frames(paths, seed + 1)[:, :, 0]
    W = np.cross(np.eye(3), 2.0 * np.pi * turns * axes[:, None, :])  # W v = 2 pi turns axis x v
    return T * t, along(strain * D + W, t)


def shear_then_tension(T: float, paths: int, seed: int) -> Loads:
    """Return simple shear by a half, then isochoric tension by 30 % along a random axis."""
    t = np.linspace(0.0, 1.0, SAMPLES // 2 + 1)
    _, sheared = shear(0.5, paths, seed, 0.5)
    first = sheared[:, :: SAMPLES // (len(t) - 1)]
    n = frames(paths, seed + 1)[:, :, 0]
    tension = 1.5 * (np.einsum("pi,pj->pij", n, n) - np.eye(3) / 3.0)
    second = along(tension, 0.3 * t[1:], first[:, -1])
    return 0.5 * T * np.concatenate([t, 1.0 + t[1:]]), np.concatenate([first, second], axis=1)


KINDS: Mapping[str, Callable[[int, int], Loads]] = {
    **{
        f"cycles of {a:g} %, {T:g} us": lambda paths, seed, a=a, T=T: cycles(0.01 * a, T, paths, seed)
        for T in (1.0, 5.0)
        for a in (0.2, 0.5, 1.0, 2.0, 5.0)
    },
    **{
        f"rates x{factor:g}, x1, x{factor:g}, {T:g} us": lambda paths, seed, f=factor, T=T: jumps(
            f, T, paths, seed
        )
        for T in (1.0, 5.0)
        for factor in (100.0, 10_000.0)
    },
    "simple shear to 1.5, 1 us": lambda paths, seed: shear(1.0, paths, seed),
    "turning bodies, 1 us": lambda paths, seed: turning(1.0, paths, seed),
    "shear then tension, 1 us": lambda paths, seed: shear_then_tension(1.0, paths, seed),
}
"""By name: loads of so many paths, of a seed."""
