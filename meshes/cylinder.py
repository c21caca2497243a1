"""Mesh of a cylinder, an O-grid or tetrahedra: the projectile of a Taylor impact test, its foot on z = 0."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from mpi4py import MPI

from meshes.impact_mesh import ImpactMesh, build
from meshes.section import Section, cells_of, name_groups, require_room, require_shape
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Length, checked

# Side of the central square over the radius, and how far its corner stands out on the diagonal: they keep
# the smallest angle of the O-grid above 60 degrees and its cells near one size.
CORE, CORNER = 0.5, 0.42

# Height over width of a cell. The impact flattens the cells at the foot, and the thinnest one sets the time
# step.
TALL = 1.5

# Edge of a tetrahedron over the thickness of what it fills, at most; gmsh would make very many of a needle.
THIN = 5.0

# Volume of a tetrahedron of an unstructured mesh over that of a cube on its edge, about.
TETRAHEDRON = 0.13


@checked
def cylinder(
    height: Length = 5.0,
    diameter: Length = 1.0,
    elements: Count = 3000,
    model: str = "full",
    cell: str = "hexahedron",
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> ImpactMesh:
    """Mesh a cylinder about the z axis with about as many cells as asked for.

    Groups of facets: ``foot`` (z = 0), ``top`` (z = height), ``side``; the quarter model x, y >= 0 also has
    ``symmetry_x`` and ``symmetry_y``, the planes x = 0 and y = 0.

    Args:
        height: Height, mm.
        diameter: Diameter, mm.
        elements: Target number of cells of this model, full or quarter.
        model: "full" or "quarter".
        cell: "hexahedron" for an O-grid, or "tetrahedron" for ten-node tetrahedra of one size, unstructured.
        comm: Communicator the mesh is distributed over.

    Raises:
        InputError: A size is not positive, too few elements are asked for, or a name is unknown.
    """
    turns = turns_of(model)
    require_room(elements, elements=elements)
    radius = 0.5 * diameter
    record = {"geometry": "cylinder", "height_mm": height, "diameter_mm": diameter}
    record |= {"model": model, "cell": cell}
    numbers = {"height": height, "diameter": diameter, "elements": elements}
    if cells_of(cell) > 1:
        edge = _edge(radius, height, elements, turns)
        require_shape(min(height, diameter, edge), edge, THIN, **numbers)
        return build(lambda gmsh: _fill(gmsh, radius, height, elements, turns), record, comm)
    across, layers = _divisions(height, diameter, elements, turns)
    require_shape(height / layers, CORE * radius / across, **numbers)
    core, corner, rim = CORE * radius, CORNER * radius, radius / np.sqrt(2.0)

    def draw(gmsh: Any) -> None:
        section = Section(gmsh, turns)
        section.patch([(0.0, 0.0), (core, 0.0), (corner, corner), (0.0, core)], (across, across))
        section.patch([(core, 0.0), (radius, 0.0), (rim, rim), (corner, corner)], (across, across), arc=True)
        section.patch([(corner, corner), (rim, rim), (0.0, radius), (0.0, core)], (across, across), arc=True)
        section.extrude(height, layers, bottom="foot", top="top")

    return build(draw, record, comm)


def _divisions(height: float, diameter: float, elements: int, turns: int) -> tuple[int, int]:
    """Cells along a side of a patch and layers: near the target first, then cells of aspect ``TALL``."""
    if elements < 3 * turns:
        raise InputError(f"elements = {elements}, expected at least {3 * turns} for this O-grid")
    best, choice = np.inf, (1, 1)
    for across, up_or_down in product(range(1, 200), (0, 1)):
        section = 3 * turns * across**2
        layers = max(1, elements // section + up_or_down)
        miss = abs(np.log(section * layers / elements))
        aspect = abs(np.log((height / layers) / (TALL * 0.5 * CORE * diameter / across)))
        if 4.0 * miss + aspect < best:
            best, choice = 4.0 * miss + aspect, (across, layers)
    return choice


def _fill(gmsh: Any, radius: float, height: float, elements: int, turns: int) -> None:
    """Draw the cylinder full of tetrahedra of one size, which is corrected until their number fits.

    The cut of an O-grid's hexahedra into tetrahedra would have a favoured diagonal, and a foot that is not
    round after the impact.
    """
    if elements < 6 * turns:
        raise InputError(f"elements = {elements}, expected at least {6 * turns} tetrahedra")
    angle = 0.5 * np.pi * turns
    gmsh.model.occ.addCylinder(0, 0, 0, 0, 0, height, radius, angle=angle)
    gmsh.model.occ.synchronize()
    name_groups(gmsh.model, turns, height, bottom="foot", top="top")
    size = _edge(radius, height, elements, turns)
    for _ in range(6):
        gmsh.option.setNumber("Mesh.MeshSizeMin", size)
        gmsh.option.setNumber("Mesh.MeshSizeMax", size)
        gmsh.model.mesh.generate(3)
        ratio = len(gmsh.model.mesh.getElements(dim=3)[1][0]) / elements
        if abs(ratio - 1.0) < 0.05:
            break
        size *= ratio ** (1.0 / 3.0)
    gmsh.model.mesh.setOrder(2)  # mid-edge nodes lie on the curved side


def _edge(radius: float, height: float, elements: int, turns: int) -> float:
    """Edge, mm, of so many tetrahedra that fill the cylinder, about."""
    volume = 0.25 * np.pi * turns * radius**2 * height
    return float((volume / (TETRAHEDRON * elements)) ** (1.0 / 3.0))


def turns_of(model: str) -> int:
    """Quadrants of the model "full" or "quarter"."""
    turns = {"full": 4, "quarter": 1}
    if model not in turns:
        raise InputError(f"model = {model!r}, expected one of {', '.join(turns)}")
    return turns[model]
