"""Check of symmetry planes: one that is held along an axis must be normal to that axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import multiscale.parallel.fenics  # noqa: F401
from meshes.impact_mesh import ImpactMesh
from microscale.errors import InputError
from microscale.tensors import FloatArray

from dolfinx.mesh import entities_to_geometry

#: How the names of such groups begin, as those of our own meshes do.
NAME = "symmetry"

#: Relative to the size of the body: round-off of a mesh file.
ROUND_OFF = 1e-6


def refuse_turned_plane(body: ImpactMesh, group: str, components: int | Sequence[int]) -> None:
    """Refuse a group called a symmetry, held in one component, that is no plane across it. Collective.

    Displacements are held along x, y or z only: on a plane that is turned, such a support is wrong.

    Args:
        body: The mesh.
        group: Name of the group of facets.
        components: The components of displacement that are held.

    Raises:
        InputError: It is; with where the group reaches.
    """
    held = np.atleast_1d(components)
    if not group.startswith(NAME) or len(held) != 1:
        return
    mesh, facets = body.mesh, body.facets(group)
    mesh.topology.create_connectivity(2, 3)
    across = int(held[0])
    low, high = _range(body, mesh.geometry.x[entities_to_geometry(mesh, 2, facets).ravel()])
    least, most = _range(body, mesh.geometry.x)
    if (high - low)[across] > ROUND_OFF * (most - least).max():
        axis = "xyz"[across]
        raise InputError(
            f"the group {group} is held along {axis} and reaches from {axis} = {low[across]:.4g} to "
            f"{high[across]:.4g} mm, expected a plane of symmetry across that axis: turn the mesh in "
            "gmsh, or hold another component"
        )


def _range(body: ImpactMesh, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest coordinates on any rank."""
    mine = points.min(axis=0, initial=np.inf), points.max(axis=0, initial=-np.inf)
    low, high = zip(*body.mesh.comm.allgather(mine), strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)
