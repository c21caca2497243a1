"""The mean pressure of a periodic cell, taken out of the stress that must be in equilibrium.

In a continuous field a uniform pressure makes no forces and its mean stress is that of the mean deformation,
by two identities: div cof F = 0 (Piola's) and <cof F> = cof <F>, from which follows <det F> = det <F>. A
discrete derivative breaks them where F varies from voxel to voxel: the product of three waves makes others,
which the grid takes for longer ones; and with several subcells to a voxel the cofactor of their mean is not
the mean of their cofactors. Then the pressure p of a compressed cell does work on volume that is lost between
voxels. Where p is 20 times the strength this drives a collapse: voxels strain by hundreds of per cent, and
have the volume of a cell that nobody compressed. So the part p cof F of the stress is taken out of what must
be in equilibrium, and stands in the mean as p cof <F>. What is left is the deviatoric stress and the
pressure's own variation.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from microscale.tensors import FloatArray, cofactor, determinant


@njit(cache=True)
def take_out_pressure(F: FloatArray, P: FloatArray) -> float:
    """Subtract from a stress field that of its mean pressure, p cof F.

    Args:
        F: Deformation gradients of the voxels, shape (voxels, 3, 3).
        P: Their first Piola-Kirchhoff stress, GPa, same shape; changed in place.

    Returns:
        Mean over the voxels of a third of the trace of the Cauchy stress, GPa (positive in tension).
    """
    p, cof = 0.0, np.empty((3, 3))
    for v in range(len(F)):
        work = 0.0
        for i in range(3):
            for j in range(3):
                work += P[v, i, j] * F[v, i, j]
        p += work / (3.0 * determinant(F[v]))
    p /= len(F)
    for v in range(len(F)):
        cofactor(F[v], cof)
        for i in range(3):
            for j in range(3):
                P[v, i, j] -= p * cof[i, j]
    return p


def uniform_stress(pressure: float, F: FloatArray) -> FloatArray:
    """Return the first Piola-Kirchhoff stress (3, 3) of a Cauchy stress ``pressure`` I, GPa, at F (3, 3)."""
    cof = np.empty((3, 3))
    cofactor(F, cof)
    return pressure * cof


@njit(cache=True)
def cofactors(F: FloatArray) -> FloatArray:
    """Return the cofactor matrices of F (voxels, 3, 3)."""
    found = np.empty_like(F)
    for v in range(len(F)):
        cofactor(F[v], found[v])
    return found


@njit(cache=True)
def less_uniform_pressure(p: float, F: FloatArray, C: FloatArray) -> None:
    """Subtract from tangents what :func:`take_out_pressure` takes out at a given p: p d(cof F)/dF.

    Args:
        p: Mean pressure, GPa.
        F: Deformation gradients of the voxels, shape (voxels, 3, 3).
        C: Their tangents, GPa, shape (voxels, 3, 3, 3, 3); changed in place.
    """
    for v in range(len(C)):
        for i in range(3):
            for j in range(3):
                i1, i2, j1, j2 = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
                C[v, i, j, i1, j1] -= p * F[v, i2, j2]
                C[v, i, j, i2, j2] -= p * F[v, i1, j1]
                C[v, i, j, i1, j2] += p * F[v, i2, j1]
                C[v, i, j, i2, j1] += p * F[v, i1, j2]


def pressure_slope(F: FloatArray, P: FloatArray, C: FloatArray, cof: FloatArray) -> FloatArray:
    """Return the change of the mean pressure with the F of each voxel, GPa, shape (voxels, 3, 3).

    What :func:`take_out_pressure` leaves has no mean pressure, <P : F / J> = 0, whatever F is.

    Args:
        F: Deformation gradients of the voxels, shape (voxels, 3, 3).
        P: The stress that is left, GPa, same shape.
        C: Tangents of the voxels, as :func:`less_uniform_pressure` leaves them.
        cof: Cofactors of F.
    """
    J = np.linalg.det(F)[:, None, None]
    of_stress = (F.reshape(-1, 1, 9) @ C.reshape(-1, 9, 9)).reshape(F.shape)
    work = (P * F).sum(axis=(1, 2))[:, None, None]
    return np.asarray((of_stress + P - work / J * cof) / (3.0 * J) / len(F))
