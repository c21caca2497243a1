"""Plate, fine under the zone of impact at its centre and coarser outwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI

from meshes.cylinder import turns_of
from meshes.impact_mesh import ImpactMesh, build
from meshes.section import Point, Section, cells_of, growth_ratio, require_room, require_shape
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Length, checked


@checked
def plate(
    width: Length = 18.0,
    thickness: Length = 1.0,
    impact_radius: Length = 2.0,
    layers: Count = 8,
    shape: str = "square",
    model: str = "quarter",
    cell_size: Length | None = None,
    growth: float = 1.08,
    cell: str = "hexahedron",
    comm: MPI.Comm = MPI.COMM_WORLD,
) -> ImpactMesh:
    """Mesh a plate in 0 <= z <= thickness, its centre on the z axis.

    The defaults are the paper's plate: 11,552 cells, 38 x 38 x 8 for a quarter.

    Groups of facets: ``top`` (z = thickness, the impact face), ``bottom`` (z = 0), ``side`` (the outer
    edge); the quarter model x, y >= 0 also has ``symmetry_x`` and ``symmetry_y``, the planes x = 0 and y =
    0.

    Args:
        width: Diameter, or side of a square plate, mm.
        thickness: Thickness, mm.
        impact_radius: Radius of the zone of uniform cells, mm; a square zone's half side.
        layers: Cells through the thickness.
        shape: "circle" or "square".
        model: "full" or "quarter".
        cell_size: Size of the cells of the impact zone, mm; one layer's thickness if not given.
        growth: Target ratio of successive cell sizes outside the zone.
        cell: "hexahedron", or "tetrahedron" for six ten-node tetrahedra in place of each.
        comm: Communicator the mesh is distributed over.

    Raises:
        InputError: A size is not positive, the zone does not fit in the plate, or a name is unknown.
    """
    turns, _ = turns_of(model), cells_of(cell)
    sizes = {"width": width, "thickness": thickness, "impact_radius": impact_radius}
    if growth < 1.0:
        raise InputError(f"growth = {growth}, expected at least 1")
    if shape not in ("circle", "square"):
        raise InputError(f"shape = {shape!r}, expected circle or square")
    if impact_radius >= 0.5 * width:
        raise InputError(f"impact-radius = {impact_radius} mm, expected less than half the width, {width} mm")
    size = cell_size or thickness / layers
    layered = {"thickness": thickness, "layers": layers}
    inner = max(1, round(impact_radius / size))
    require_shape(thickness / layers, impact_radius / inner, impact_radius=impact_radius, **layered)
    outer, ratio = _grading(impact_radius / inner, 0.5 * width - impact_radius, growth)
    require_room(turns * (inner + outer) ** 2 * layers, layers=layers, cells_of_a_side=inner + outer)

    def draw(gmsh: Any) -> None:
        section = Section(gmsh, turns, cell)
        if shape == "circle":
            _draw_disc(section, impact_radius, 0.5 * width, inner, outer, ratio)
        else:
            _draw_square(section, impact_radius, 0.5 * width, inner, outer, ratio)
        section.extrude(thickness, layers, bottom="bottom", top="top")

    record = {f"{name}_mm": value for name, value in sizes.items()}
    return build(
        draw, {"geometry": f"{shape} plate", "model": model, "layers": layers, "cell": cell} | record, comm
    )


def _grading(first: float, length: float, growth: float) -> tuple[int, float]:
    """Number of cells over ``length`` that start near size ``first`` and grow, and the exact ratio."""
    if growth == 1.0:
        return max(1, round(length / first)), 1.0
    cells = max(1, round(np.log1p(length / first * (growth - 1.0)) / np.log(growth)))
    return cells, growth_ratio(first * growth, length, cells)


def _draw_disc(section: Section, core: float, rim: float, inner: int, outer: int, ratio: float) -> None:
    """Draw an O-grid: the impact zone is a square of rounded sides inside the graded ring."""
    corner: Point = (0.8 * core, 0.8 * core)
    edge: Point = (rim / np.sqrt(2.0), rim / np.sqrt(2.0))
    section.patch([(0.0, 0.0), (core, 0.0), corner, (0.0, core)], (inner, inner))
    for patch in ([(core, 0.0), (rim, 0.0), edge, corner], [corner, edge, (0.0, rim), (0.0, core)]):
        section.patch(patch, (outer, inner), arc=True, growth=(ratio, 1.0))


def _draw_square(section: Section, core: float, rim: float, inner: int, outer: int, ratio: float) -> None:
    """Draw the impact zone as a square, graded strips beside it and a graded corner."""
    section.patch([(0.0, 0.0), (core, 0.0), (core, core), (0.0, core)], (inner, inner))
    along_x = [(core, 0.0), (rim, 0.0), (rim, core), (core, core)]
    along_y = [(core, core), (core, rim), (0.0, rim), (0.0, core)]
    corner = [(core, core), (rim, core), (rim, rim), (core, rim)]
    for strip in (along_x, along_y):
        section.patch(strip, (outer, inner), growth=(ratio, 1.0))
    section.patch(corner, (outer, outer), growth=(ratio, ratio))
