"""The tangent as implicit codes ask for it: that of the Jaumann rate of the Kirchhoff stress.

A law differentiates P by F. Codes that count in the present configuration, such as Abaqus/Standard for its
UMAT, ask for C in

    d(tau) - dW tau + tau dW = J C : dD,    dF F^-1 = dD + dW,    tau = P F^T,

as a matrix (6, 6) with engineering shear strains (Abaqus 2016, User Subroutines Reference, UMAT: DDSDDE).
"""

from __future__ import annotations

import numpy as np

from microscale.tensors import FloatArray

VOIGT = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
"""Order of components: 11, 22, 33, 12, 13, 23, as in Abaqus."""


def jaumann_moduli(tangent: FloatArray, P: FloatArray, F: FloatArray) -> FloatArray:
    """Return the Jaumann rate of the Kirchhoff stress over J by the rate of deformation.

    With dF = dD F, the change of tau = P F^T is that of the Jaumann rate: (dP/dF : dD F) F^T + tau dD.

    Args:
        tangent: dP_ij / dF_kl, shape (..., 3, 3, 3, 3), GPa.
        P: First Piola-Kirchhoff stress, shape (..., 3, 3), GPa.
        F: Deformation gradient, shape (..., 3, 3).

    Returns:
        C_ijkl, shape (..., 3, 3, 3, 3), GPa; symmetric in i and j of an objective law, and in k and l.
    """
    J = np.linalg.det(F)[..., None, None, None, None]
    moved = np.einsum("...iakb,...ja,...lb->...ijkl", tangent, F, F)
    moved += np.einsum("...il,jk->...ijkl", P @ np.swapaxes(F, -1, -2), np.eye(3))
    return 0.5 * (moved + np.swapaxes(moved, -1, -2)) / J


def voigt_matrix(C: FloatArray) -> FloatArray:
    """Return moduli (..., 3, 3, 3, 3), symmetric in both pairs, (..., 6, 6) for engineering shear strains.

    Stress components come in the order of ``VOIGT``; shear strains are doubled, so that no component is.
    """
    rows, columns = np.array(VOIGT).T
    return C[..., rows[:, None], columns[:, None], rows, columns]
