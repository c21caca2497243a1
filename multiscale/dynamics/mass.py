"""Lumped mass: a node carries the mass its shape function weighs (row sum); positive on valid hexahedra."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from multiscale.dynamics import hexahedron

FloatArray = NDArray[np.float64]


def add_lumped_mass(X: FloatArray, nodes: NDArray[np.int32], density: float, mass: FloatArray) -> None:
    """Add the lumped mass of one rank's cells to its nodes.

    Args:
        X: Reference positions of the cells' nodes, shape (cells, 8, 3), mm.
        nodes: Local node numbers of each cell, shape (cells, 8).
        density: Referential density, g/cm^3; times mm^3 it gives the unit of mass, mg.
        mass: Mass of each component of each node, shape (nodes, 3), mg; added to.
    """
    np.add.at(mass, nodes, (density * hexahedron.lumped_volumes(X))[:, :, None])
