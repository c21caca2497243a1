"""Whether a mesh is the bar that an impact on a wall expects: its foot below, its axis at x = y = 0."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import multiscale.parallel.fenics  # noqa: F401
from meshes.impact_mesh import ImpactMesh
from microscale.errors import InputError
from microscale.tensors import FloatArray

from dolfinx.mesh import entities_to_geometry

#: Relative to the size of the body: round-off of a mesh file; how far the middle of a faceted circle may be
#: off its axis; how high, on average, the facets of the foot may be.
ROUND_OFF, OFF_AXIS, FOOT_HEIGHT = 1e-6, 0.05, 1.0 / 3.0


def foot_of_bar(body: ImpactMesh, planes: Mapping[str, int], place: bool) -> float:
    """Return z of the foot, mm, zero unless the wall is to be placed there. Collective.

    Args:
        body: A bar about the z axis, with a group ``foot``.
        planes: For each group that is a plane of symmetry the component of its normal.
        place: Whether the foot may be anywhere along the axis.

    Raises:
        InputError: The foot is not the lower end, or not at z = 0, a plane of symmetry is elsewhere, or the
            axis is not x = y = 0.
    """
    points = body.mesh.geometry.x
    low, high = _range(body, points)
    size = float((high - low).max())
    for group, component in planes.items():
        _require_plane(body, group, component, size)
    free = [component for component in (0, 1) if component not in planes.values()]
    axis = 0.5 * (low + high)
    if any(abs(axis[component]) > OFF_AXIS * (high - low)[component] for component in free):
        x, y = (axis[component] if component in free else 0.0 for component in (0, 1))
        raise InputError(
            f"the axis of the bar is at x = {x:.4g}, y = {y:.4g} mm, expected 0, 0: move the mesh in gmsh "
            "(radii and sections are measured from there), or give --model quarter for one with planes of "
            "symmetry"
        )
    _require_foot(body, float(low[2]), float(high[2]))
    if not place and abs(low[2]) > ROUND_OFF * size:
        raise InputError(
            f"the foot of the bar is at z = {low[2]:.4g} mm, expected 0, where the wall is: move the mesh, "
            f"or "
            "give --place to put the wall there"
        )
    return float(low[2]) if place else 0.0


def _require_plane(body: ImpactMesh, group: str, component: int, size: float) -> None:
    low, high = (values[component] for values in _range(body, _points_of(body, group)))
    if max(abs(low), abs(high)) > ROUND_OFF * size:
        axis = "xyz"[component]
        raise InputError(
            f"the group {group} reaches from {axis} = {low:.4g} to {high:.4g} mm, expected the plane {axis} "
            f"= 0: "
            "planes of symmetry meet at the axis, x = y = 0; move the mesh or rename its groups"
        )


def _require_foot(body: ImpactMesh, bottom: float, top: float) -> None:
    z = _points_of(body, "foot")[:, 2]
    comm, length = body.mesh.comm, top - bottom
    lowest = min(comm.allgather(z.min(initial=np.inf)))
    mean = sum(comm.allgather(z.sum())) / max(sum(comm.allgather(len(z))), 1)
    if lowest > bottom + ROUND_OFF * length or mean > bottom + FOOT_HEIGHT * length:
        raise InputError(
            f"the group foot has its lowest node at z = {lowest:.4g} mm and its middle at {mean:.4g}, the "
            f"body "
            f"reaches from {bottom:.4g} to {top:.4g}, expected the end that hits the wall, the lower one: "
            f"name "
            "that one foot, or turn the mesh"
        )


def _points_of(body: ImpactMesh, group: str) -> FloatArray:
    """Nodes of the facets of a group that are here, once for each facet, shape (n, 3), mm."""
    mesh, facets = body.mesh, body.facets(group)
    mesh.topology.create_connectivity(2, 3)
    return np.asarray(mesh.geometry.x[entities_to_geometry(mesh, 2, facets).ravel()])


def _range(body: ImpactMesh, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smallest and largest coordinates on any rank."""
    mine = points.min(axis=0, initial=np.inf), points.max(axis=0, initial=-np.inf)
    low, high = zip(*body.mesh.comm.allgather(mine), strict=True)
    return np.min(low, axis=0), np.max(high, axis=0)
