"""Names of the element types, for command lines and case files, which load no finite elements."""

from typing import Literal

ElementName = Literal["hex8-fbar", "hex8-one-point", "tet10"]

#: The cheapest that holds on impacts; flags, case files and Python have the same default.
DEFAULT_ELEMENT: ElementName = "hex8-one-point"
