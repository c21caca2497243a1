"""The Taylor anvil test of the paper, section 3.1: a bar hits a rigid, frictionless wall."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microscale.errors import InputError
from microscale.inputs.flat import flat
from microscale.inputs.numbers import Count, Length, OutFolder, Percent, Speed, Time
from microscale.inputs.options import defaults_of, options_for
from multiscale.cases.bodies import Body, Cylinder, LengthUnit, MeshFile, Model
from multiscale.cases.case import WHOLE, Case, Components
from multiscale.cases.flags import flags_of
from multiscale.cases.obstacles import Plane
from multiscale.dynamics.elements.names import DEFAULT_ELEMENT, ElementName
from multiscale.dynamics.energy_limit import MAX_ENERGY_ERROR
from multiscale.run.control import ControlOptions
from multiscale.run.material import LawOptions
from multiscale.run.record_options import RecordOptions

SYMMETRY: dict[str, Components] = {"symmetry_x": "x", "symmetry_y": "y"}
BODIES = {"cylinder": defaults_of(Cylinder), "of a file": {"length_unit": "mm"}}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar and its impact.

    Attributes:
        velocity: Impact velocity, m/s.
        height: Height of the cylinder, mm; 5 by default.
        diameter: Diameter of the cylinder, mm; 1 by default.
        elements: Number of elements of the model, about; 3000 by default.
        end_time: Simulated time, us.
        element: Hexahedron with mean dilatation and 8 points, with one point and hourglass control, or
            tetrahedron with 10 nodes and 4 points.
        model: The full cylinder, or a quarter with two planes of symmetry.
        mesh: A gmsh file of your own instead of the cylinder: hexahedra, or tetrahedra for tet10; axis along
            z, foot on z = 0.
        length_unit: Unit of the coordinates of your mesh; mm by default.
        place: Put the wall where the foot of your mesh is, instead of z = 0.
        max_energy_error: Error of the energy past which the run ends, per cent; 0 for none.
    """

    velocity: Speed = 200.0
    height: Length | None = None
    diameter: Length | None = None
    elements: Count | None = None
    end_time: Time = 1.0
    element: ElementName = DEFAULT_ELEMENT
    model: Model = "full"
    mesh: Path | None = None
    length_unit: LengthUnit | None = None
    place: bool = False
    max_energy_error: Percent = MAX_ENERGY_ERROR

    def sizes(self) -> dict[str, Any]:
        """Return the sizes of the cylinder, or the unit of the mesh.

        Raises:
            InputError: One was given that has no use beside the others.
        """
        if self.place and not self.mesh:
            raise InputError("place = True puts the wall under a mesh of your own: give --mesh too")
        given = {name: getattr(self, name) for name in ("height", "diameter", "elements", "length_unit")}
        kind = "of a file" if self.mesh else "cylinder"
        return options_for("mesh", kind, given, BODIES.__getitem__, BODIES)

    def body(self) -> Body:
        """Return the cylinder, or the mesh of a file."""
        sizes = self.sizes()
        return MeshFile(file=self.mesh, **sizes) if self.mesh else Cylinder(**sizes, model=self.model)


@flat
def anvil_case(*, bar: Bar, material: LawOptions, record: RecordOptions) -> Case:
    """Return the case of a bar that hits a wall; its keywords are those of :func:`anvil`.

    Raises:
        InputError: A value is out of its range, or an option has no use.
    """
    return Case(
        title=f"Taylor anvil, {bar.velocity:g} m/s, {material.law}",
        body=bar.body(),
        parts={WHOLE: material},
        element=bar.element,
        obstacles=(Plane(point=(0.0, 0.0, 0.0), normal=(0.0, 0.0, 1.0), place=bar.place),),
        supports=SYMMETRY if bar.model == "quarter" else {},
        initial_velocity=(0.0, 0.0, -bar.velocity),
        end_time=bar.end_time,
        max_energy_error=bar.max_energy_error,
        measure="bar",
        record=record,
    ).resolved()


@flat
def anvil(
    *,
    bar: Bar,
    material: LawOptions,
    record: RecordOptions,
    control: ControlOptions,
    output: OutFolder = Path("results/taylor_anvil"),
) -> dict[str, Any]:
    """Let a cylinder hit a rigid wall; leave fields, energies, picture, report, summary and case.

    Args:
        output: Folder for the results.

    Returns:
        The summary.

    Raises:
        InputError: A value is out of its range, an option has no use, or a file cannot be used.
    """
    from multiscale.cases.run_case import run_case

    case = anvil_case(**flags_of(bar, material, record))
    inputs = flags_of(bar, material, control) | material.resolved() | bar.sizes()
    return run_case(case, output, control, inputs | {"output": output})
