"""The element types by the names of the command line."""

from __future__ import annotations

from microscale.errors import InputError
from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray
from multiscale.dynamics.elements import hexahedron, tetrahedron
from multiscale.dynamics.elements.hex8_fbar import Hex8FBar
from multiscale.dynamics.elements.hex8_one_point import Hex8OnePoint
from multiscale.dynamics.elements.interface import Element, IntArray
from multiscale.dynamics.elements.tet10 import Tet10

ELEMENTS = (Hex8FBar.name, Hex8OnePoint.name, Tet10.name)

_TYPES: dict[str, type[Hex8FBar | Hex8OnePoint | Tet10]] = {
    Hex8FBar.name: Hex8FBar,
    Hex8OnePoint.name: Hex8OnePoint,
    Tet10.name: Tet10,
}

#: Shape of the cells, as the functions of :mod:`meshes` call it, by their number of nodes.
CELL_SHAPES = {8: "hexahedron", 10: "tetrahedron"}


def cell_shape(name: str) -> str:
    """Return the shape of cells, "hexahedron" or "tetrahedron", that the element type of that name needs.

    Raises:
        InputError: There is no element type of that name.
    """
    if name not in _TYPES:
        raise InputError(f"element = {name!r}, expected one of {', '.join(ELEMENTS)}")
    return "tetrahedron" if name == Tet10.name else "hexahedron"


def make_element(name: str, X: FloatArray, nodes: IntArray, law: ConstitutiveLaw) -> Element:
    """Return the element type of that name for one rank's cells with nodes at ``X``, (cells, nodes, 3).

    Raises:
        InputError: There is no element type of that name, or the cells are not of its shape.
    """
    needed, found = cell_shape(name), CELL_SHAPES[X.shape[1]]
    if found != needed:
        fitting = [other for other in ELEMENTS if cell_shape(other) == found]
        raise InputError(
            f"element = {name!r} needs a mesh of cells of shape {needed}, this one has the shape {found}: "
            f"choose {' or '.join(fitting)}"
        )
    return _TYPES[name](X, nodes, law.moduli().shear)


def lumped_volumes(X: FloatArray) -> FloatArray:
    """Volume each node carries, mm^3, shape (cells, nodes), of cells whose nodes are at ``X``."""
    geometry = tetrahedron if CELL_SHAPES[X.shape[1]] == "tetrahedron" else hexahedron
    return geometry.lumped_volumes(X)
