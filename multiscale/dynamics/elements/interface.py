"""What the explicit step asks of an element type."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from microscale.tensors import FloatArray
from multiscale.dynamics.elements.corner_volumes import CornerVolumes

IntArray = NDArray[np.int32]


class Element(ABC):
    """All cells of one rank, of one element type, in the total-Lagrangian setting.

    Attributes:
        name: Name on the command line.
        nodes: Local node numbers of each cell, shape (cells, nodes of a cell).
        weights: Reference volume of each point, shape (cells, points), mm^3.
        metric: See :func:`multiscale.dynamics.elements.laplacian.metric`, shape (cells, 3, 3), per mm^2.
        spread: See :func:`multiscale.dynamics.elements.laplacian.spread`, shape (cells,).
        corners: The corner volumes of the cells, which keep them right side out.
        scale: F as the law sees it over F of the nodal displacements, shape (cells, points).
    """

    name: str
    nodes: IntArray
    weights: FloatArray
    metric: FloatArray
    spread: FloatArray
    corners: CornerVolumes
    scale: FloatArray

    @abstractmethod
    def deformation(self, u: FloatArray, first: int, last: int, F: FloatArray) -> None:
        """Write the deformation gradient the law sees at the points of the cells [first, last).

        Args:
            u: Nodal displacements, shape (nodes, 3), mm.
            first: First cell.
            last: One past the last cell.
            F: All cells' deformation gradients, shape (cells, points, 3, 3); the range is written.
        """

    @abstractmethod
    def add_force(
        self, u: FloatArray, F: FloatArray, P: FloatArray, first: int, last: int, force: FloatArray
    ) -> float:
        """Add the nodal forces that do the work of ``P`` on ``F``, for the cells [first, last).

        Args:
            u: Nodal displacements, shape (nodes, 3), mm.
            F: As :meth:`deformation` wrote it, all cells.
            P: First Piola-Kirchhoff stress, all cells, shape (cells, points, 3, 3), GPa; left as it is.
            first: First cell.
            last: One past the last cell.
            force: Internal nodal force, shape (nodes, 3), GPa mm^2; added to.

        Returns:
            Energy stored in the range by hourglass control and by the spring on corner volumes, J.

        Raises:
            InvertedCellError: A corner of a cell is inside out.
        """
