"""What a unit cell is at rest: its stiffness tensor, measured, and what follows for waves."""

from __future__ import annotations

import math
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from microscale.law import ConstitutiveLaw, Moduli
from microscale.tensors import FloatArray, from_mandel, to_mandel

STRAIN = 1e-5
"""By which stiffness is measured, to and fro: what is not linear is of order 1e-10."""
TOLERANCE = 1e-6
"""Of equilibrium while it is measured."""
DIRECTIONS = 2000
"""Of waves that are tried, even over a sphere: 2 degrees apart, so that the fastest is missed by 1e-3."""


@dataclass(frozen=True)
class Elasticity:
    """Linear elasticity of any symmetry.

    Attributes:
        stiffness: C in Mandel components 11, 22, 33, 23, 13, 12 (off-diagonal ones times the square root of
            2), so that the matrix acts on strains as the tensor does; shape (6, 6), symmetric, GPa.
    """

    stiffness: FloatArray

    @classmethod
    def measured(cls, law: ConstitutiveLaw) -> Elasticity:
        """Measure the elasticity of a law: its stress after instantaneous strains from rest, both ways.

        Args:
            law: Any law; one that iterates, as a cell, does so to a finer tolerance.
        """
        fine = copy(law)
        if hasattr(fine, "tolerance"):
            fine.tolerance = TOLERANCE
        C, P = np.empty((6, 6)), np.empty((1, 3, 3))
        for column, strain in enumerate(STRAIN * np.eye(6)):
            stress = []
            for sign in (1.0, -1.0):
                F = np.eye(3) + sign * from_mandel(strain)
                fine.update(F[None], 0.0, fine.init_state(1), P)
                stress.append(to_mandel(0.5 * (P[0] + P[0].T)))
            C[:, column] = (stress[0] - stress[1]) / (2.0 * STRAIN)
        return cls(0.5 * (C + C.T))

    @classmethod
    def of_constants(cls, constants: ArrayLike) -> Elasticity:
        """Return the elasticity of 21 constants, in the order of :attr:`constants`."""
        C = np.zeros((6, 6))
        C[np.triu_indices(6)] = constants
        return cls(C + np.triu(C, 1).T)

    @property
    def moduli(self) -> Moduli:
        """The isotropic moduli nearest to it (Voigt's mean over all orientations), GPa."""
        bulk = float(self.stiffness[:3, :3].sum()) / 9.0
        shear = (float(np.trace(self.stiffness)) - 3.0 * bulk) / 10.0
        return Moduli(shear, bulk)

    @property
    def constants(self) -> list[float]:
        """Its 21 constants: the upper triangle, row by row, GPa."""
        return [float(c) for c in self.stiffness[np.triu_indices(6)]]

    @property
    def anisotropy(self) -> float:
        """Distance from the nearest isotropic stiffness, relative (Frobenius norm)."""
        shear, bulk = self.moduli
        nearest = 2.0 * shear * np.eye(6)
        nearest[:3, :3] += bulk - 2.0 / 3.0 * shear
        return float(np.linalg.norm(self.stiffness - nearest) / np.linalg.norm(self.stiffness))

    def wave_modulus(self) -> float:
        """Return density times squared speed of its fastest plane wave, of any direction, GPa."""
        n = _directions(DIRECTIONS)
        C = _tensor(self.stiffness)
        acoustic = np.einsum("ijkl,nj,nl->nik", C, n, n)
        return float(np.linalg.eigvalsh(acoustic)[:, -1].max())


def _tensor(mandel: FloatArray) -> FloatArray:
    """Return the tensor (3, 3, 3, 3) of a matrix (6, 6) in Mandel components."""
    basis = np.stack([from_mandel(e) for e in np.eye(6)])
    return np.einsum("ab,aij,bkl->ijkl", mandel, basis, basis)


def _directions(count: int) -> FloatArray:
    """Unit vectors evenly over a half sphere (Fibonacci lattice), and the axes; shape (count + 3, 3)."""
    k = np.arange(count) + 0.5
    z, angle = k / count, math.pi * (1.0 + math.sqrt(5.0)) * k
    r = np.sqrt(1.0 - z**2)
    return np.concatenate([np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1), np.eye(3)])
