"""Bodies of a case: what a file says of a geometry, and the mesh it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from microscale.files.quantities import Point
from microscale.files.schema import STRICT
from microscale.inputs.numbers import Count, Length
from multiscale.cases.kinds import Kinds

if TYPE_CHECKING:
    from meshes.impact_mesh import ImpactMesh

Model = Literal["full", "quarter"]


class Geometry(Protocol):
    """What a body of a case is: a frozen dataclass, its keys those of the file.

    Attributes:
        geometry: The name of its kind.
    """

    @property
    def geometry(self) -> str:
        """The name of its kind."""

    def mesh(self, cell: str) -> ImpactMesh:
        """Return the mesh of cells of a shape, "hexahedron" or "tetrahedron". Collective."""


LengthUnit = Literal["nm", "um", "mm", "cm", "m", "inch"]

# gmsh and dolfinx take a second to load: the functions of meshes are imported where a mesh is made.


@dataclass(frozen=True, kw_only=True)
class Cylinder:
    """A cylinder about the z axis, its foot on z = 0; see :func:`meshes.cylinder.cylinder`.

    Attributes:
        height: Height, mm.
        diameter: Diameter, mm.
        elements: Number of elements of the model, about.
        model: The full cylinder, or a quarter with the groups ``symmetry_x`` and ``symmetry_y``.
    """

    __pydantic_config__ = STRICT

    geometry: Literal["cylinder"] = "cylinder"
    height: Length = 5.0
    diameter: Length = 1.0
    elements: Count = 3000
    model: Model = "full"

    def mesh(self, cell: str) -> ImpactMesh:
        """Return the mesh of cells of a shape, "hexahedron" or "tetrahedron". Collective."""
        from meshes.cylinder import cylinder

        return cylinder(self.height, self.diameter, self.elements, self.model, cell)


@dataclass(frozen=True, kw_only=True)
class Plate:
    """A plate in 0 <= z <= thickness, fine under its centre; see :func:`meshes.plate.plate`.

    Attributes:
        width: Diameter, or side of a square plate, mm.
        thickness: Thickness, mm.
        impact_radius: Radius of the zone of uniform cells, mm.
        layers: Elements through the thickness.
        shape: Circle or square.
        model: The full plate, or a quarter with the groups ``symmetry_x`` and ``symmetry_y``.
    """

    __pydantic_config__ = STRICT

    geometry: Literal["plate"] = "plate"
    width: Length = 18.0
    thickness: Length = 1.0
    impact_radius: Length = 2.0
    layers: Count = 8
    shape: Literal["circle", "square"] = "square"
    model: Model = "quarter"

    def mesh(self, cell: str) -> ImpactMesh:
        """Return the mesh; see :meth:`Cylinder.mesh`."""
        from meshes.plate import plate

        sizes = self.width, self.thickness, self.impact_radius, self.layers
        return plate(*sizes, self.shape, self.model, cell=cell)


@dataclass(frozen=True, kw_only=True)
class Box:
    """The box from the origin to ``size``; see :func:`meshes.box.box`.

    Attributes:
        size: Lengths along x, y and z, mm.
        cells: Number of cells along x, y and z.
    """

    __pydantic_config__ = STRICT

    geometry: Literal["box"] = "box"
    size: Point
    cells: tuple[Count, Count, Count]

    def mesh(self, cell: str) -> ImpactMesh:
        """Return the mesh; see :meth:`Cylinder.mesh`."""
        from meshes.box import box

        return box(self.size, self.cells, cell)


@dataclass(frozen=True, kw_only=True)
class MeshFile:
    """A mesh made by gmsh; see :func:`meshes.impact_mesh.load`.

    Attributes:
        file: The .msh file; in a case file relative to it.
        length_unit: Unit of its coordinates.
    """

    __pydantic_config__ = STRICT

    geometry: Literal["mesh"] = "mesh"
    file: Path
    length_unit: LengthUnit

    def mesh(self, cell: str) -> ImpactMesh:
        """Return the mesh, whose cells are as the file has them. Collective."""
        from meshes.impact_mesh import load

        return load(self.file, length_unit=self.length_unit)


BODIES = Kinds("geometry", "multiscale.bodies", Cylinder, Plate, Box, MeshFile)
Body = Annotated[Geometry, BODIES]
"""A body of any kind that is known, see :meth:`multiscale.cases.kinds.Kinds.register`."""
