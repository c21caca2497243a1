"""Geometry of the composite ten-node tetrahedron (Thoutireddy et al. 2002; Ostien, Foulk et al. 2016).

The quadratic tetrahedron is divided into twelve linear ones: one at each corner, and eight in the octahedron
that is left, around a centre tied to the mean of the six mid-edge nodes. Shape functions are linear on each
of them, hence positive: the row sum gives every node a positive mass (1/32 of the volume to a corner, 7/48
to a mid-edge node, where plain quadratic shape functions give -1/20 and 1/5), and a pressure on a face
pushes all of its six nodes (1/12 and 1/4 of the face, where they give 0 and 1/3), as contact needs.

Gradients that jump between the twelve would make the element as stiff as a linear one. Instead their least
squares fit by a linear field is taken, at four integration points, weighted so that linear fields are
integrated exactly. So the volume average of a gradient is kept, and patch tests pass, on curved cells too.

Nodes follow dolfinx: corners 0..3, then the middles of the edges 23, 13, 12, 03, 02, 01.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.tensors import FloatArray

EDGES = ((2, 3), (1, 3), (1, 2), (0, 3), (0, 2), (0, 1))
MIDDLES = range(4, 10)
CENTRE = 10


def _subdivision() -> NDArray[np.int64]:
    """Vertices of the twelve tetrahedra, positively oriented, shape (12, 4)."""
    middle = {frozenset(edge): node for node, edge in zip(MIDDLES, EDGES, strict=True)}
    parts = []
    for corner in range(4):
        others = [other for other in range(4) if other != corner]
        near = [middle[frozenset((corner, other))] for other in others]
        opposite = [middle[frozenset((others[i], others[i - 1]))] for i in range(3)]
        parts += [[corner, *near], [CENTRE, *near], [CENTRE, *opposite]]
    nodes = _parent_nodes()[:, 1:]
    for part in parts:
        if np.linalg.det(nodes[part[1:]] - nodes[part[0]]) < 0.0:
            part[1], part[2] = part[2], part[1]
    return np.array(parts)


def _parent_nodes() -> FloatArray:
    """Barycentric coordinates of the ten nodes and the centre, shape (11, 4)."""
    corners = np.eye(4)
    middles = [0.5 * (corners[a] + corners[b]) for a, b in EDGES]
    return np.array([*corners, *middles, np.full(4, 0.25)])


# The tie of the centre to the mid-edge nodes: values at the eleven nodes of the ten shape functions.
TIE = np.vstack([np.eye(10), [0.0] * 4 + [1.0 / 6.0] * 6])
PARTS = _subdivision()

# Integration points, where a linear field's values weigh a quarter each on a straight-sided tetrahedron.
_OWN = (5.0 + 3.0 * np.sqrt(5.0)) / 20.0
POINTS = np.full((4, 4), (1.0 - _OWN) / 3.0) + (_OWN - (1.0 - _OWN) / 3.0) * np.eye(4)

_VERTICES = _parent_nodes()[PARTS]
# Averages over each part of the barycentric coordinates and of their products.
MEANS = _VERTICES.mean(axis=1)
PRODUCTS = (
    np.einsum("pai,paj->pij", _VERTICES, _VERTICES) + 16.0 * np.einsum("pi,pj->pij", MEANS, MEANS)
) / 20.0


def _parts(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradients of the shape functions on the parts, (cells, 12, 10, 3), per mm, and volumes, (cells, 12)."""
    x = np.einsum("en,cni->cei", TIE, X)[:, PARTS]
    edges = x[:, :, 1:] - x[:, :, :1]
    volumes = np.linalg.det(edges) / 6.0
    if not (volumes > 0.0).all():
        cell = int((volumes.min(axis=1) <= 0.0).argmax())
        raise InputError(
            f"the tetrahedron around {X[cell].mean(axis=0).round(4)} mm has a part of volume "
            f"{volumes[cell].min():.3g} mm^3, expected positive ones: its edges are curved too "
            "much; mesh again"
        )
    inverse = np.linalg.inv(edges)
    corner = np.concatenate([-inverse.sum(axis=3)[..., None], inverse], axis=3)
    return np.einsum("cpia,pan->cpni", corner, TIE[PARTS]), volumes


def gradients(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gradients of the shape functions at the integration points, and the points' volumes.

    Args:
        X: Reference positions of the cells' nodes, shape (cells, 10, 3), mm.

    Returns:
        Shapes (cells, 10, 3, points), per mm, and (cells, points), mm^3.

    Raises:
        InputError: A cell is inverted, or curved too much.
    """
    on_parts, volumes = _parts(X)
    moments = np.einsum("cp,pi->ci", volumes, MEANS)
    matrix = np.einsum("cp,pij->cij", volumes, PRODUCTS)
    integrals = np.einsum("cp,pi,cpnj->cinj", volumes, MEANS, on_parts)
    coefficients = np.linalg.solve(matrix, integrals.reshape(len(X), 4, 30)).reshape(integrals.shape)
    weights = moments @ np.linalg.inv(POINTS)
    return np.ascontiguousarray(np.einsum("qi,cinj->cnjq", POINTS, coefficients)), weights


def lumped_volumes(X: FloatArray) -> FloatArray:
    """Volume each node carries, the integral of its shape function (row sum), shape (cells, 10), mm^3."""
    _, volumes = _parts(X)
    share = np.zeros((len(PARTS), 10))
    for part, nodes in enumerate(PARTS):
        share[part] = 0.25 * TIE[nodes].sum(axis=0)
    return volumes @ share
