"""Corner volumes of cells: whether a cell is right side out, and a spring that keeps it so.

An element's stress sees its integration points only, so a corner can fold while they deform little. A corner
volume is that of the tetrahedron of a corner and its three neighbours, at all eight corners of a hexahedron;
of a composite tetrahedron they are its twelve linear parts, on which its map is linear, so that it is right
side out everywhere exactly when they are positive.

A linear field changes all corner volumes v by one factor. What differs between them is the strain

    e = ln(v / V) - ln(sum v / sum V),   V in the reference shape,

zero in linear fields and under rotation. Where |e| exceeds a limit a spring of energy k V (|e| - limit)^2 / 2
resists: nothing is added in smooth flow, and no finite energy folds a corner, since e grows without bound.
Its force is the gradient of that energy, which is booked as hourglass energy.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microscale.errors import DeformationError, InputError
from microscale.tensors import FloatArray
from multiscale.dynamics.elements.natural_coordinates import REORDER

IntArray = NDArray[np.int32]

#: Vertices of the tetrahedra at a cell's corners, shape (corners, 4).
Corners = NDArray[np.int64]

# Corners within a factor of two of the mean are left alone; past it a tenth of the shear modulus resists.
DISTORTION_LIMIT = np.log(2.0)
DISTORTION_STIFFNESS = 0.1
FACTOR = np.exp(DISTORTION_LIMIT)


class InvertedCellError(DeformationError):
    """A deformation error with the local number of its cell."""

    def __init__(self, message: str, cell: int) -> None:
        super().__init__(message)
        self.cell = cell


class CornerVolumes:
    """The corner volumes of one rank's cells.

    Attributes:
        calm: Cells known to be within the limit, which :meth:`add_force` passes over, shape (cells,); an
            element with a cheap bound sets it before.
        stiffening: Bound on the squared frequency that the spring gives each cell, as :meth:`add_force` found
            it, times density, shape (cells,), GPa/mm^2.
    """

    def __init__(
        self, X: FloatArray, nodes: IntArray, corners: Corners, lumped: FloatArray, shear_modulus: float
    ) -> None:
        """Prepare the cells whose nodes are at ``X``.

        Args:
            X: Positions of the cells' nodes, shape (cells, nodes of a cell, 3), mm.
            nodes: Local node numbers of each cell, shape (cells, nodes of a cell).
            corners: Vertices of each corner's tetrahedron, positively oriented; the number after the last
                node's is the mean of the nodes from the fifth on.
            lumped: Volume each node carries, shape (cells, nodes of a cell), mm^3.
            shear_modulus: Shear modulus at rest, GPa.

        Raises:
            InputError: A corner is inside out in the reference shape.
        """
        self._X, self._nodes, self._corners = np.ascontiguousarray(X), nodes, np.ascontiguousarray(corners.T)
        self._volumes = _reference_volumes(self._X, corners)
        _require_positive(X, self._volumes)
        self._stiffness = (
            DISTORTION_STIFFNESS * shear_modulus * lumped.sum(axis=1) / self._volumes.sum(axis=1)
        )
        self._lightest = lumped.min(axis=1)
        self.calm = np.zeros(len(X), dtype=np.bool_)
        self.stiffening = np.zeros(len(X))

    def add_force(self, u: FloatArray, first: int, last: int, force: FloatArray) -> float:
        """Add the nodal force of the spring in the cells [first, last) and return its energy, J.

        Args:
            u: Nodal displacements, shape (nodes, 3), mm.
            first: First cell.
            last: One past the last cell.
            force: Internal nodal force, shape (nodes, 3), GPa mm^2; added to.

        Raises:
            InvertedCellError: A corner is inside out.
        """
        energy, folded, ratio = _add_force(
            self._X, u, self._nodes, self._corners, self._volumes, self._stiffness, self._lightest, self.calm,
            first, last, self.stiffening, force,
        )  # fmt: skip
        if folded >= 0:
            raise InvertedCellError(
                f"a corner of the cell is inside out, its volume {ratio:.3g} times that at rest, expected a "
                "positive one: refine the mesh there, choose another element, or end earlier",
                folded,
            )
        return float(energy)


def _reference_volumes(X: FloatArray, corners: Corners) -> FloatArray:
    """Determinants of the edges of each corner, shape (cells, corners)."""
    vertices = np.concatenate([X, X[:, 4:].mean(axis=1, keepdims=True)], axis=1)[:, corners]
    return np.ascontiguousarray(np.linalg.det(vertices[:, :, 1:] - vertices[:, :, :1]))


def _require_positive(X: FloatArray, volumes: FloatArray) -> None:
    if not (volumes > 0.0).all():
        cell = int((volumes.min(axis=1) <= 0.0).argmax())
        raise InputError(
            f"the cell around {X[cell].mean(axis=0).round(4)} mm has a corner of volume "
            f"{volumes[cell].min():.3g} mm^3, expected positive ones: mesh again"
        )


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _add_force(
    X: FloatArray,
    u: FloatArray,
    nodes: IntArray,
    corners: Corners,
    reference: FloatArray,
    stiffness: FloatArray,
    lightest: FloatArray,
    calm: NDArray[np.bool_],
    first: int,
    last: int,
    stiffening: FloatArray,
    force: FloatArray,
) -> tuple[float, int, float]:
    """Add the force of the cells [first, last); return energy, a folded cell or -1, its least ratio."""
    count, energy = nodes.shape[1], 0.0
    x, f = np.empty((3, count + 1)), np.empty((3, count + 1))
    volume, strain = np.empty(corners.shape[1]), np.empty(corners.shape[1])
    for cell in range(first, last):
        stiffening[cell] = 0.0
        if calm[cell]:
            continue
        _place(X[cell], u, nodes[cell], corners, x, volume)
        if _is_even(volume, reference[cell]):
            continue
        ratio = (volume / reference[cell]).min()
        if not ratio > 0.0:
            return energy, cell, ratio
        energy += _stretch(volume, reference[cell], stiffness[cell], strain)
        rate = _pull(x, corners, volume, reference[cell], stiffness[cell], strain, f)
        stiffening[cell] = rate / lightest[cell]
        for n in range(count):
            for i in range(3):
                tied = f[i, count] / (count - 4) if n >= 4 else 0.0
                force[nodes[cell, n], i] += f[i, n] + tied
    return energy, -1, 1.0


@njit(cache=True, fastmath=REORDER, error_model="numpy", forceinline=True)
def _place(
    X: FloatArray, u: FloatArray, nodes: IntArray, corners: Corners, x: FloatArray, volume: FloatArray
) -> None:
    """Write a cell's vertices at ``u``, shape (3, nodes + 1), and its corner volumes, shape (corners,)."""
    count = nodes.size
    for i in range(3):
        tied = 0.0
        for n in range(count):
            x[i, n] = X[n, i] + u[nodes[n], i]
        for n in range(4, count):
            tied += x[i, n]
        x[i, count] = tied / (count - 4)
    for c in range(volume.size):
        a, p, q, r = corners[0, c], corners[1, c], corners[2, c], corners[3, c]
        px, py, pz = x[0, p] - x[0, a], x[1, p] - x[1, a], x[2, p] - x[2, a]
        qx, qy, qz = x[0, q] - x[0, a], x[1, q] - x[1, a], x[2, q] - x[2, a]
        rx, ry, rz = x[0, r] - x[0, a], x[1, r] - x[1, a], x[2, r] - x[2, a]
        volume[c] = px * (qy * rz - qz * ry) + py * (qz * rx - qx * rz) + pz * (qx * ry - qy * rx)


@njit(cache=True, fastmath=REORDER, error_model="numpy", forceinline=True)
def _is_even(volume: FloatArray, reference: FloatArray) -> bool:
    """Whether all corners are positive and within the limit of the mean."""
    total, at_rest = 0.0, 0.0
    for c in range(volume.size):
        total += volume[c]
        at_rest += reference[c]
    mean, uneven = total / at_rest, False
    for c in range(volume.size):
        scaled = mean * reference[c]
        uneven |= not (FACTOR * volume[c] >= scaled and volume[c] <= FACTOR * scaled)
    return mean > 0.0 and not uneven


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _stretch(volume: FloatArray, reference: FloatArray, stiffness: float, strain: FloatArray) -> float:
    """Write each corner's strain past the limit; return the energy of the cell."""
    mean, energy = volume.sum() / reference.sum(), 0.0
    for c in range(volume.size):
        e = np.log(volume[c] / (mean * reference[c]))
        strain[c] = max(e - DISTORTION_LIMIT, 0.0) + min(e + DISTORTION_LIMIT, 0.0)
        energy += 0.5 * stiffness * reference[c] * strain[c] ** 2
    return energy


@njit(cache=True, fastmath=REORDER, error_model="numpy")
def _pull(
    x: FloatArray,
    corners: Corners,
    volume: FloatArray,
    reference: FloatArray,
    stiffness: float,
    strain: FloatArray,
    f: FloatArray,
) -> float:
    """Write the force on a cell's vertices, shape (3, nodes + 1); return the bound on its Hessian.

    The gradient of ln v has the norm of the cofactors over v, on three vertices, and theirs together on the
    fourth: at most four times its square. The second derivative of ln v is bounded by the same.
    """
    mean_pressure, bound = stiffness * (reference * strain).sum() / volume.sum(), 0.0
    f[:] = 0.0
    for c in range(volume.size):
        pressure, square, a = stiffness * reference[c] * strain[c] / volume[c], 0.0, corners[0, c]
        for k in range(3):
            p, q, r = corners[1 + k, c], corners[1 + (k + 1) % 3, c], corners[1 + (k + 2) % 3, c]
            for i in range(3):
                j, m = (i + 1) % 3, (i + 2) % 3
                area = (x[j, q] - x[j, a]) * (x[m, r] - x[m, a]) - (x[m, q] - x[m, a]) * (x[j, r] - x[j, a])
                square += area * area
                f[i, p] += (pressure - mean_pressure) * area
                f[i, a] -= (pressure - mean_pressure) * area
        if strain[c] != 0.0:
            bound += 4.0 * stiffness * reference[c] * square / volume[c] ** 2 * (1.0 + abs(strain[c]))
    return bound
