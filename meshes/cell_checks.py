"""What is checked of a mesh before it is distributed: finite nodes, cells right side out, faces of cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import multiscale.parallel.fenics  # noqa: F401
from meshes.blocks import shown
from meshes.cell_mesh import CORNERS, CellMesh, element_of
from meshes.msh_numbers import IntArray
from microscale.errors import InputError
from microscale.tensors import FloatArray

import basix

#: Degree of the lattice on which Jacobian determinants are sampled: that of these polynomials, in each
#: coordinate of a hexahedron and in those of a tetrahedron.
LATTICE = {"hexahedron": 2, "tetrahedron": 3}

#: A determinant below this part of the cube of a cell's extent is zero up to rounding.
DEGENERATE = 1e-12

#: Cells whose determinants are held at once.
CHUNK = 10_000


def checked(mesh: CellMesh) -> CellMesh:
    """Check a mesh and return it.

    Raises:
        InputError: A node is not finite, a cell inverted, folded, flat or there twice, a face of a group is
            none of a cell, or three cells share one.
    """
    finite = np.isfinite(mesh.points).all(axis=1)
    if not finite.all():
        raise InputError(
            f"the mesh has a node at {mesh.points[~finite][0].tolist()} mm, expected finite numbers"
        )
    _require_right_side_out(mesh)
    _require_faces(mesh)
    return mesh


def _require_right_side_out(mesh: CellMesh) -> None:
    lowest = np.concatenate(
        [_lowest_jacobian(mesh, slice(first, first + CHUNK)) for first in range(0, len(mesh.cells), CHUNK)]
    )
    worst = int(lowest.argmin())
    if not lowest[worst] > 0.0:
        raise InputError(
            f"{mesh.shape} {mesh.numbers[worst]} of the mesh has a smallest Jacobian determinant of "
            f"{lowest[worst]:.3g} mm^3, expected a positive one: it is inverted, folded or flat; re-order "
            "its nodes or mesh again"
        )


def _lowest_jacobian(mesh: CellMesh, part: slice) -> FloatArray:
    """Return the least Jacobian determinant of cells, mm^3; of flat cells none above zero."""
    cell = basix.CellType[mesh.shape]
    lattice = basix.create_lattice(cell, LATTICE[mesh.shape], basix.LatticeType.equispaced, True)
    gradients = element_of(mesh.shape)[0].tabulate(1, lattice)[1:]  # (axis, sample, node)
    X = mesh.points[mesh.cells[part]]
    with np.errstate(over="ignore", invalid="ignore"):
        along = gradients @ (X - X[:, :1])[:, None]  # (cell, axis, sample, component)
        det = (along[:, 0] * np.cross(along[:, 1], along[:, 2])).sum(axis=-1).min(axis=1)
        flat = ~(det > DEGENERATE * np.ptp(X, axis=1).max(axis=1) ** 3)
    return np.where(flat, np.fmin(det, 0.0), det)


def _require_faces(mesh: CellMesh) -> None:
    """Raise an InputError where more than two cells share a face, or a face of a group is none of a cell."""
    of_cells = mesh.cells.astype(np.int32)[:, basix.topology(basix.CellType[mesh.shape])[2]]
    of_cells = of_cells.reshape(-1, CORNERS[mesh.shape])
    key = _keys(np.concatenate([of_cells, *mesh.facets.values()]), len(mesh.points))
    count = np.bincount(key[: len(of_cells)], minlength=int(key.max()) + 1)
    if count.max() > 2:
        x, y, z = mesh.points[of_cells[count[key[: len(of_cells)]].argmax()]].mean(axis=0)
        raise InputError(
            f"the mesh has a face at ({x:.4g}, {y:.4g}, {z:.4g}) mm that {count.max()} cells share, expected "
            "at most two: cells are there twice or overlap; remove them"
        )
    at = len(of_cells)
    for name, faces in mesh.facets.items():
        alone = count[key[at : at + len(faces)]] == 0
        if alone.any():
            x, y, z = mesh.points[faces[alone][0]].mean(axis=0)
            raise InputError(
                f"{alone.sum()} of the {len(faces)} faces in the group {shown(name)} are faces of no cell, "
                f"one at ({x:.4g}, {y:.4g}, {z:.4g}) mm: save the cells beside them too"
            )
        at += len(faces)


def _keys(faces: NDArray[np.integer[Any]], points: int) -> IntArray:
    """Return one number for each face, the same for faces of the same corners."""
    first, *others = np.sort(faces, axis=1).T.astype(np.int64)
    key: IntArray = first
    for corner in others:
        key = np.unique(key * points + corner, return_inverse=True)[1]
    return key
