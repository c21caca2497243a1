"""Principal components of functions of time, component by component of a tensor: the paper's model reduction.

As in the paper the mean is not subtracted. Modes are functions on (0, T), kept at reference instants and
linear between them, so that a history sampled at any instants can be projected and lifted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from microscale.tensors import FloatArray


@dataclass(frozen=True)
class PrincipalComponents:
    """Orthonormal modes in L2(0, 1).

    Attributes:
        fractions: Reference instants, fractions of T, shape (samples,).
        modes: Shape (components, modes, samples).
    """

    fractions: FloatArray
    modes: FloatArray

    @classmethod
    def of(cls, histories: FloatArray, fractions: FloatArray, count: int) -> PrincipalComponents:
        """Return the ``count`` leading modes of each component.

        Args:
            histories: Shape (paths, samples, components).
            fractions: Increasing from 0 to 1, shape (samples,).
            count: At most the number of samples.
        """
        root = np.sqrt(quadrature_weights(fractions))
        modes = [
            _right_singular_vectors(histories[..., c] * root, count) / root for c in range(histories.shape[2])
        ]
        return cls(fractions, np.stack(modes))

    @property
    def count(self) -> int:
        """Number of modes of a component."""
        return int(self.modes.shape[1])

    def project(self, histories: FloatArray, fractions: FloatArray) -> FloatArray:
        """Return coefficients (paths, components, modes) of histories (paths, samples, components).

        Histories are read at the reference instants, linear between their samples: fewer samples than modes
        would else not tell the modes apart.
        """
        if not np.array_equal(fractions, self.fractions):
            histories = _linear(fractions, histories, self.fractions)
        weighted = self.modes * quadrature_weights(self.fractions)
        return np.einsum("psc,cks->pck", histories, weighted, optimize=True)

    def lift(self, coefficients: FloatArray, fractions: FloatArray) -> FloatArray:
        """Return histories (paths, samples, components) of coefficients (paths, components, modes)."""
        return np.einsum("pck,cks->psc", coefficients, self._modes_at(fractions), optimize=True)

    def error(self, histories: FloatArray, fractions: FloatArray) -> FloatArray:
        """Return the relative L2 error of projecting and lifting, one a path."""
        weights = quadrature_weights(fractions)
        rest = histories - self.lift(self.project(histories, fractions), fractions)
        squares = [np.einsum("psc,s->p", array**2, weights) for array in (rest, histories)]
        return np.asarray(np.sqrt(squares[0] / squares[1]))

    def _modes_at(self, fractions: FloatArray) -> FloatArray:
        if np.array_equal(fractions, self.fractions):
            return self.modes
        flat = self.modes.reshape(-1, self.modes.shape[2])
        return np.stack([np.interp(fractions, self.fractions, mode) for mode in flat]).reshape(
            *self.modes.shape[:2], -1
        )


def _linear(fractions: FloatArray, histories: FloatArray, at: FloatArray) -> FloatArray:
    """Interpolate histories (paths, samples, components) between their samples."""
    after = np.clip(np.searchsorted(fractions, at), 1, len(fractions) - 1)
    part = ((at - fractions[after - 1]) / (fractions[after] - fractions[after - 1]))[:, None]
    return np.asarray((1.0 - part) * histories[:, after - 1] + part * histories[:, after])


def _right_singular_vectors(A: FloatArray, count: int) -> FloatArray:
    """Leading right singular vectors (count, samples) of A (paths, samples): of A^T A, as paths are many."""
    if len(A) < 4 * A.shape[1]:
        return np.asarray(np.linalg.svd(A, full_matrices=False)[2][:count])
    return np.asarray(np.linalg.eigh(A.T @ A)[1][:, ::-1].T[:count])


def quadrature_weights(fractions: FloatArray) -> FloatArray:
    """Return the weights of the trapezoidal rule on increasing instants."""
    weights = np.zeros(len(fractions))
    steps = np.diff(fractions)
    weights[:-1] += 0.5 * steps
    weights[1:] += 0.5 * steps
    return weights
