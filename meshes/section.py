"""Structured cross-sections of four-sided patches, extruded into cells, with named boundary groups."""

from __future__ import annotations

from typing import Any

import numpy as np

from microscale.errors import InputError
from microscale.inputs.memory import require_memory

Point = tuple[float, float]
Growth = tuple[float, float]
MOST_ASPECT = 5e4
"""Height over width of a cell, or the reverse: beyond it one of two lengths is in another unit."""
BYTES_A_CELL = 1000
"""While gmsh meshes and DOLFINx reads the mesh, at least."""


class Section:
    """A plane cross-section of four-sided patches in gmsh; shared points and curves are made once."""

    def __init__(self, gmsh: Any, turns: int, cell: str = "hexahedron") -> None:
        """Start an empty section.

        Args:
            gmsh: The initialised gmsh module.
            turns: Copies of every patch about the origin, a quarter turn apart: 1 a quarter, 4 a full
                section.
            cell: "hexahedron", or "tetrahedron" for each of them cut into six ten-node tetrahedra.
        """
        self._recombine = cells_of(cell) == 1
        self._geo = gmsh.model.geo
        self._model = gmsh.model
        self._turns = turns
        self._points: dict[Point, int] = {}
        self._curves: dict[tuple[int, int], int] = {}
        self._surfaces: list[tuple[int, int]] = []
        self._centre = self._point((0.0, 0.0))

    def patch(
        self, corners: list[Point], cells: tuple[int, int], arc: bool = False, growth: Growth = (1.0, 1.0)
    ) -> None:
        """Add a patch, and its copies.

        Args:
            corners: Its four corners a, b, c, d, counterclockwise, mm.
            cells: Number of cells along ab (and dc), and along bc (and ad).
            arc: The side bc is an arc about the origin.
            growth: Ratio of successive cell sizes along ab, and along bc.
        """
        for turn in range(self._turns):
            a, b, c, d = (self._point(_turned(corner, turn)) for corner in corners)
            loop = [
                self._curve(a, b, cells[0], growth=growth[0]),
                self._curve(b, c, cells[1], growth=growth[1], arc=arc),
                -self._curve(d, c, cells[0], growth=growth[0]),
                -self._curve(a, d, cells[1], growth=growth[1]),
            ]
            surface = self._geo.addPlaneSurface([self._geo.addCurveLoop(loop, reorient=True)])
            self._geo.mesh.setTransfiniteSurface(surface, cornerTags=[a, b, c, d])
            if self._recombine:
                self._geo.mesh.setRecombine(2, surface)
            self._surfaces.append((2, surface))

    def extrude(self, height: float, layers: int, bottom: str, top: str) -> None:
        """Extrude the section along z into ``layers`` layers of cells and name what bounds the body.

        The groups are ``body``, the names given for z = 0 and z = height, ``side``, and, where less than a
        full section was drawn, ``symmetry_x`` (the plane x = 0) and ``symmetry_y`` (the plane y = 0).
        """
        self._geo.extrude(self._surfaces, 0.0, 0.0, height, numElements=[layers], recombine=self._recombine)
        self._geo.synchronize()
        name_groups(self._model, self._turns, height, bottom, top)
        self._model.mesh.generate(3)
        if not self._recombine:
            self._model.mesh.setOrder(2)  # mid-edge nodes lie on the curved boundary

    def _point(self, at: Point) -> int:
        key = (round(at[0], 12) + 0.0, round(at[1], 12) + 0.0)
        if key not in self._points:
            self._points[key] = self._geo.addPoint(*key, 0.0)
        return self._points[key]

    def _curve(self, a: int, b: int, cells: int, arc: bool = False, growth: float = 1.0) -> int:
        if (b, a) in self._curves:
            return -self._curves[b, a]
        if (a, b) not in self._curves:
            curve = self._geo.addCircleArc(a, self._centre, b) if arc else self._geo.addLine(a, b)
            self._geo.mesh.setTransfiniteCurve(curve, cells + 1, "Progression", growth)
            self._curves[a, b] = curve
        return self._curves[a, b]


def name_groups(model: Any, turns: int, height: float, bottom: str, top: str) -> None:
    """Name the volume and the outer surfaces of a body drawn; see :meth:`Section.extrude`."""
    groups: dict[str, list[int]] = {}
    for _, surface in model.getEntities(2):
        if len(model.getAdjacencies(2, surface)[0]) == 1:
            groups.setdefault(_name(model, surface, turns, height, bottom, top), []).append(surface)
    for name, surfaces in sorted(groups.items()):
        model.addPhysicalGroup(2, surfaces, name=name)
    model.addPhysicalGroup(3, [tag for _, tag in model.getEntities(3)], name="body")


def _name(model: Any, surface: int, turns: int, height: float, bottom: str, top: str) -> str:
    x0, y0, z0, x1, y1, z1 = model.getBoundingBox(2, surface)
    small = 1e-4 * max(x1 - x0, y1 - y0, z1 - z0)
    flat = min(small, 0.25 * height)  # a body thinner than that has sides, too
    if max(abs(z0), abs(z1)) < flat:
        return bottom
    if max(abs(z0 - height), abs(z1 - height)) < flat:
        return top
    if turns < 4 and max(abs(x0), abs(x1)) < small:
        return "symmetry_x"
    if turns < 4 and max(abs(y0), abs(y1)) < small:
        return "symmetry_y"
    return "side"


def require_room(cells: float, /, **numbers: float) -> None:
    """Refuse numbers, by the names the user knows, that make more cells than fit into memory."""
    require_memory(BYTES_A_CELL * cells, **numbers)


def require_shape(high: float, wide: float, most: float = MOST_ASPECT, /, **numbers: float) -> None:
    """Refuse numbers, by the names the user knows, that make cells of another height, mm, than width, mm.

    Raises:
        InputError: One is more than ``most`` times the other.
    """
    if max(high / wide, wide / high) > most:
        given = ", ".join(f"{name.replace('_', '-')} = {value:g}" for name, value in numbers.items())
        raise InputError(
            f"{given}: make cells {high:.3g} mm high and {wide:.3g} mm wide, expected one at most "
            f"{most:g} times the other; lengths are mm"
        )


def cells_of(cell: str) -> int:
    """Cells that stand for a hexahedron: itself, or the tetrahedra it is cut into."""
    counts = {"hexahedron": 1, "tetrahedron": 6}
    if cell not in counts:
        raise InputError(f"cell = {cell!r}, expected one of {', '.join(counts)}")
    return counts[cell]


def _turned(point: Point, quarters: int) -> Point:
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters]
    return cos * point[0] - sin * point[1], sin * point[0] + cos * point[1]


def growth_ratio(first: float, length: float, cells: int) -> float:
    """Ratio g with first (1 + g + ... + g^(cells-1)) = length, by bisection."""
    low, high = 1e-3, 1e3
    for _ in range(200):
        ratio = float(np.sqrt(low * high))
        total = first * float(np.sum(ratio ** np.arange(cells)))
        low, high = (ratio, high) if total < length else (low, ratio)
    return ratio
