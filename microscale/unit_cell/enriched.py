"""The enriched derivative: displacements at half a voxel too, so that stress does not alternate unseen.

A voxel is 2^d subcells with displacements at all their corners, and has one deformation gradient, the mean
over them. With nodes at the corners of voxels alone, a stress that alternates from voxel to voxel makes no
force, and where crystals lock it grows into a checkerboard, as the pressure of one-point elements does in an
incompressible flow. With nodes in the middles of edges too it makes forces, as in the elements of such flows
that are stable (more displacements than pressures: Boffi, Brezzi and Fortin, Mixed Finite Element Methods
and Applications, 2013).

One wave on the voxels is 2^d waves a on the fine nodes. With amplitudes y_a, |y_a|^2 their squared strain in
the subcells, they give the mean gradient sum_a y_a n_a, where n_a has the direction of the wave and as its
square the share of its strain that is the voxel's. The rest is resisted, so that in equilibrium there is
only what the voxels' stress pulls at, y_a = w . n_a with a tensor w. Then, with the values s_m and principal
axes e_m of S = sum_a n_a n_a, the gradient is sum_m z_m s_m^(1/2) e_m and the squared strain sum_m |z_m|^2,
with amplitudes z_m = s_m^(1/2) w . e_m: each frequency has d directions s_m^(1/2) e_m instead of one, and of
the strain of each the voxel sees the share s_m. For long waves one is the wave's own, s = 1, and the others
fade.
"""

from __future__ import annotations

import itertools

import numpy as np

from microscale.tensors import FloatArray

UNSEEN = 1e-12
"""Value s below which a direction is none."""


def enriched_directions(angles: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return the directions of each frequency, each as long as the root of the share of strain it sees.

    Args:
        angles: Phase change over a voxel along each axis, radians, shape (axes, frequencies).
        shape: Voxels along each axis.

    Returns:
        Shape (frequencies, axes, axes): direction first, then component; zero where there is none.
    """
    axes = len(shape)
    voxels_per_length = np.array(shape).reshape(-1, 1)
    S = np.zeros((angles.shape[1], axes, axes))
    for turns in itertools.product((0.0, np.pi), repeat=axes):
        half = 0.25 * angles + 0.5 * np.array(turns).reshape(-1, 1)  # of the phase change over a subcell
        others = [np.prod(np.cos(np.delete(half, axis, axis=0)) ** 2, axis=0) for axis in range(axes)]
        seen = voxels_per_length * np.sin(2.0 * half) * np.stack(others)
        whole = (4.0 * (voxels_per_length * np.sin(half)) ** 2).sum(axis=0)
        n = seen / np.sqrt(np.where(whole > UNSEEN, whole, np.inf))
        S += np.einsum("if,jf->fij", n, n)
    values, vectors = np.linalg.eigh(S)
    return np.asarray(np.sqrt(np.where(values > UNSEEN, values, 0.0))[:, :, None] * vectors.swapaxes(1, 2))
