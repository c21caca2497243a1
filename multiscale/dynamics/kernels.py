"""Compiled loops over elements shared by all element types.

An element enters as the gradients of its shape functions at its quadrature points, ``gradients[cell, node, j,
point]`` = dN_node/dX_j: constant in a total-Lagrangian setting, stored once, with the points innermost so
that the compiler fills its vector lanes with them. Measured against FFCx's kernels: tests/benchmarks.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]

# Lets sums be re-ordered for the vector units; unlike fastmath=True it keeps the meaning of NaN and infinity.
REORDER = {"reassoc", "contract", "arcp", "nsz"}


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def deformation_gradient(
    u: FloatArray, nodes: IntArray, gradients: FloatArray, first: int, last: int, F: FloatArray
) -> None:
    """Write F = I + grad(u) at the points of the cells [first, last) into ``F``, (cells, points, 3, 3)."""
    points = gradients.shape[3]
    sums = np.empty((3, 3, points))
    for cell in range(first, last):
        sums[:] = 0.0
        for node in range(gradients.shape[1]):
            dof = nodes[cell, node]
            for i in range(3):
                for j in range(3):
                    for q in range(points):
                        sums[i, j, q] += u[dof, i] * gradients[cell, node, j, q]
        for q in range(points):
            for i in range(3):
                for j in range(3):
                    F[cell, q, i, j] = sums[i, j, q]
                F[cell, q, i, i] += 1.0


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def add_internal_force(
    P: FloatArray,
    weights: FloatArray,
    nodes: IntArray,
    gradients: FloatArray,
    first: int,
    last: int,
    force: FloatArray,
) -> None:
    """Add int P : grad(v) over the cells [first, last) to the nodal ``force``, (nodes, 3).

    ``P`` holds the cells of this range only, shape (last - first, points, 3, 3).
    """
    points = gradients.shape[3]
    weighted = np.empty((3, 3, points))
    for cell in range(first, last):
        for q in range(points):
            for i in range(3):
                for j in range(3):
                    weighted[i, j, q] = P[cell - first, q, i, j] * weights[cell, q]
        for node in range(gradients.shape[1]):
            dof = nodes[cell, node]
            for i in range(3):
                component = 0.0
                for j in range(3):
                    for q in range(points):
                        component += weighted[i, j, q] * gradients[cell, node, j, q]
                force[dof, i] += component
