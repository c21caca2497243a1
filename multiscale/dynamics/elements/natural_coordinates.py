"""Compiled kinematics of one hexahedron in natural coordinates: eight nodes to eight Gauss points and back.

Nodal values are taken apart into the eight trilinear patterns 1, xi, eta, zeta, xi eta, ... by additions
alone (a Walsh-Hadamard transform); a gradient at a Gauss point then is a sum of four of them. Arrays have
the points innermost, so that the compiler fills its vector lanes with them. An element costs 24 doubles of
loads from the nodes and 72 of its own (the inverse Jacobians) instead of 192 gradients of shape functions.
FFCx's kernels for F and the force, with the fast flags, take 0.34 us an element; ours 0.42 us with the mean
dilatation and its adjoint, for which FFCx would need two more passes (tests/benchmarks).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microscale.tensors import FloatArray

IntArray = NDArray[np.int32]

# Lets sums be re-ordered for the vector units; unlike fastmath=True it keeps the meaning of NaN and infinity.
REORDER = {"reassoc", "contract", "arcp", "nsz"}

POINTS = 8
ABSCISSA = 1.0 / np.sqrt(3.0)


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def natural_gradient(u: FloatArray, nodes: IntArray, out: FloatArray) -> None:
    """Write the derivatives of ``u``, (nodes, 3), by xi, eta, zeta into ``out``, (component, axis, point)."""
    for i in range(3):
        sum0, diff0 = u[nodes[0], i] + u[nodes[1], i], u[nodes[1], i] - u[nodes[0], i]
        sum1, diff1 = u[nodes[2], i] + u[nodes[3], i], u[nodes[3], i] - u[nodes[2], i]
        sum2, diff2 = u[nodes[4], i] + u[nodes[5], i], u[nodes[5], i] - u[nodes[4], i]
        sum3, diff3 = u[nodes[6], i] + u[nodes[7], i], u[nodes[7], i] - u[nodes[6], i]
        x = 0.125 * (diff0 + diff1 + diff2 + diff3)
        y = 0.125 * (sum1 - sum0 + sum3 - sum2)
        z = 0.125 * (sum2 + sum3 - sum0 - sum1)
        xy = 0.125 * ABSCISSA * (diff1 - diff0 + diff3 - diff2)
        xz = 0.125 * ABSCISSA * (diff2 + diff3 - diff0 - diff1)
        yz = 0.125 * ABSCISSA * (sum3 - sum2 - sum1 + sum0)
        xyz = 0.125 * ABSCISSA**2 * (diff3 - diff2 - diff1 + diff0)
        for q in range(POINTS):
            xi, eta, zeta = 2.0 * (q & 1) - 1.0, 2.0 * ((q >> 1) & 1) - 1.0, 2.0 * ((q >> 2) & 1) - 1.0
            out[i, 0, q] = x + eta * xy + zeta * xz + eta * zeta * xyz
            out[i, 1, q] = y + xi * xy + zeta * yz + xi * zeta * xyz
            out[i, 2, q] = z + xi * xz + eta * yz + xi * eta * xyz


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def add_natural_force(stress: FloatArray, nodes: IntArray, force: FloatArray) -> None:
    """Add to ``force``, (nodes, 3), the adjoint of :func:`natural_gradient` applied to ``stress``."""
    for i in range(3):
        x, y, z, xy, xz, yz, xyz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for q in range(POINTS):
            xi, eta, zeta = 2.0 * (q & 1) - 1.0, 2.0 * ((q >> 1) & 1) - 1.0, 2.0 * ((q >> 2) & 1) - 1.0
            a, b, c = stress[i, 0, q], stress[i, 1, q], stress[i, 2, q]
            x += a
            y += b
            z += c
            xy += eta * a + xi * b
            xz += zeta * a + xi * c
            yz += zeta * b + eta * c
            xyz += eta * zeta * a + xi * zeta * b + xi * eta * c
        x, y, z = 0.125 * x, 0.125 * y, 0.125 * z
        xy, xz, yz = 0.125 * ABSCISSA * xy, 0.125 * ABSCISSA * xz, 0.125 * ABSCISSA * yz
        xyz *= 0.125 * ABSCISSA**2
        force[nodes[0], i] += -x - y - z + xy + xz + yz - xyz
        force[nodes[1], i] += x - y - z - xy - xz + yz + xyz
        force[nodes[2], i] += -x + y - z - xy + xz - yz + xyz
        force[nodes[3], i] += x + y - z + xy - xz - yz - xyz
        force[nodes[4], i] += -x - y + z + xy - xz - yz + xyz
        force[nodes[5], i] += x - y + z - xy + xz - yz - xyz
        force[nodes[6], i] += -x + y + z - xy - xz + yz - xyz
        force[nodes[7], i] += x + y + z + xy + xz + yz + xyz
