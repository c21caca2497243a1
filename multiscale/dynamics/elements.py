"""The element types by the names of the command line."""

from __future__ import annotations

from microscale.errors import InputError
from microscale.law import ConstitutiveLaw
from multiscale.dynamics.element import Element, FloatArray, IntArray
from multiscale.dynamics.hex8_fbar import Hex8FBar
from multiscale.dynamics.hex8_one_point import Hex8OnePoint
from multiscale.dynamics.stable_step import elastic_moduli

ELEMENTS = (Hex8FBar.name, Hex8OnePoint.name)


def make_element(name: str, X: FloatArray, nodes: IntArray, law: ConstitutiveLaw) -> Element:
    """Return the element type of that name for one rank's cells with nodes at ``X``, shape (cells, 8, 3).

    Raises:
        InputError: There is no element type of that name.
    """
    if name == Hex8FBar.name:
        return Hex8FBar(X, nodes, elastic_moduli(law)[1])
    if name == Hex8OnePoint.name:
        return Hex8OnePoint(X, nodes, elastic_moduli(law)[1])
    raise InputError(f"element = {name!r}, expected one of {', '.join(ELEMENTS)}")
