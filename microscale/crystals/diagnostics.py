"""What the crystals of a material point have been doing: slip activity, twins, texture."""

from __future__ import annotations

import numpy as np

from microscale.crystals.crystal import Crystal
from microscale.tensors import FloatArray, polar_decomposition


def family_activity(crystal: Crystal, slip: FloatArray, weights: FloatArray) -> dict[str, FloatArray]:
    """Return the accumulated slip of each family, averaged over grains.

    Args:
        crystal: Its families name the result.
        slip: Accumulated activity e of eq. (27), shape (n, systems, grains).
        weights: Volume fractions of the grains, shape (grains,).

    Returns:
        Sum over the systems of a family, shape (n,), by family name.
    """
    return {name: slip[:, where].sum(axis=1) @ weights for name, where in crystal.family_slices().items()}


def twin_volume(twin_fraction: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the twinned volume fraction, shape (n,), of fractions (n, twins, grains)."""
    return twin_fraction.sum(axis=1) @ weights


def lattice_orientations(F: FloatArray, orientations: FloatArray, plastic_inverse: FloatArray) -> FloatArray:
    """Return the current crystal axes of the parents, as columns in the sample frame.

    The lattice is carried by the elastic deformation F Q F_in^-1; its rotation is what a diffractometer sees.

    Args:
        F: Deformation gradient of the points, shape (n, 3, 3).
        orientations: Initial crystal axes Q, shape (grains, 3, 3).
        plastic_inverse: F_in^-1 in crystal axes, shape (n, 9, grains).

    Returns:
        Rotations, shape (n, grains, 3, 3).
    """
    return polar_decomposition(elastic_deformation(F, orientations, plastic_inverse))[0]


def elastic_deformation(F: FloatArray, orientations: FloatArray, plastic_inverse: FloatArray) -> FloatArray:
    """Return F Q F_in^-1, shape (n, grains, 3, 3); arguments are those of :func:`lattice_orientations`."""
    inverse = np.moveaxis(plastic_inverse, -1, 1).reshape(len(F), -1, 3, 3)
    return np.asarray(F[:, None] @ orientations @ inverse)


def twin_orientations(lattice: FloatArray, crystal: Crystal) -> FloatArray:
    """Return the crystal axes of every system's twins: the parent's after half a turn about the normal.

    A twin is the mirror image of the parent about its plane; as the crystal has a centre of symmetry, the
    half turn about the plane's normal gives the same lattice and is a rotation.

    Args:
        lattice: Crystal axes of the parents, shape (..., 3, 3).
        crystal: Its twin systems.

    Returns:
        Rotations, shape (..., twins, 3, 3).
    """
    normals = crystal.twinning.normals
    half_turn = 2.0 * np.einsum("bi,bj->bij", normals, normals) - np.eye(3)
    return np.asarray(lattice[..., None, :, :] @ half_turn)
