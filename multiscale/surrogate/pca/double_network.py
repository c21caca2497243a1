"""The paper's network at material points in double precision: what differences of its stress are taken of.

In single precision a stress is rounded by 1e-7 of itself, and its difference over a change of F of 1e-6 by a
tenth. It is slow beside the kernel of updates.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numba import njit

from microscale.tensors import FloatArray
from multiscale.surrogate.pca.architecture import PcaArchitecture
from multiscale.surrogate.store import Weights, finite_array

SCALE, ALPHA = 1.0507009873554805, 1.6732632423543772
"""Of SELU (Klambauer et al. 2017)."""


class DoubleNetwork:
    """psi of eq. (26); it reads coefficients of U - I, and gives what it gives less what it gives to rest.

    Args:
        weights: Arrays of the surrogate by name.
        architecture: Sizes.
        at_rest: What the surrogate reads of a body at rest, shape (6 modes + 1,).
        points: Points it reads at once.

    Attributes:
        inputs: Coefficients of U - I to fill, shape (6, modes, points).
    """

    def __init__(
        self, weights: Weights, architecture: PcaArchitecture, at_rest: FloatArray, points: int
    ) -> None:
        widths = architecture.widths
        self._layers = []
        for layer, (n, m) in enumerate(pairwise(widths)):
            matrix = finite_array(weights, f"{2 * layer}.weight", (m, n)).astype(float)
            bias = finite_array(weights, f"{2 * layer}.bias", (m,)).astype(float)
            if layer == 0:
                matrix, bias = np.ascontiguousarray(matrix[:, :-1]), bias + matrix @ at_rest
            self._layers.append((matrix, bias, np.empty((m, points))))
        self.inputs = np.zeros((6, (len(at_rest) - 1) // 6, points))
        self._rest = np.zeros((1, 1))
        self._rest = self.run()[:, :1].copy()

    def run(self) -> FloatArray:
        """Return the outputs less those at rest, shape (6 modes, points); the next run overwrites them."""
        values = self.inputs.reshape(-1, self.inputs.shape[2])
        for layer, (matrix, bias, outputs) in enumerate(self._layers):
            _dense(matrix, bias, values, layer < len(self._layers) - 1, outputs)
            values = outputs
        values -= self._rest
        return values


@njit(cache=True)
def _dense(W: FloatArray, bias: FloatArray, x: FloatArray, activate: bool, y: FloatArray) -> None:
    """y = SELU(W x + bias), every point by the same operations: its result does not depend on its place."""
    for o in range(W.shape[0]):
        y[o] = bias[o]
        for i in range(W.shape[1]):
            y[o] += W[o, i] * x[i]
        if activate:
            for p in range(y.shape[1]):
                y[o, p] = SCALE * (y[o, p] if y[o, p] > 0.0 else ALPHA * np.expm1(y[o, p]))
