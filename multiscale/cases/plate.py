"""The plate impact of the paper, section 3.2: a rigid cylinder with a flat face hits a plate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microscale.inputs.flat import flat
from microscale.inputs.numbers import Count, Length, OutFolder, Percent, Speed, Time
from multiscale.cases import bodies
from multiscale.cases.case import WHOLE, Case, Components
from multiscale.cases.flags import flags_of
from multiscale.cases.obstacles import FlatCylinder
from multiscale.dynamics.elements.names import DEFAULT_ELEMENT, ElementName
from multiscale.dynamics.energy_limit import MAX_ENERGY_ERROR
from multiscale.run.control import ControlOptions
from multiscale.run.material import LawOptions
from multiscale.run.record_options import RecordOptions

#: The edge is held in the direction of impact only and may turn: simply supported.
SUPPORTS: dict[str, Components] = {"side": "z", "symmetry_x": "x", "symmetry_y": "y"}

#: Radii of the projectile around the axis that pictures show.
SHOWN_RADII = 2.5


@dataclass(frozen=True, kw_only=True)
class Target:
    """A quarter of a square plate, and the projectile that hits it.

    Attributes:
        velocity: Impact velocity, m/s; the projectile keeps it.
        radius: Radius of the projectile, mm.
        thickness: Thickness of the plate, mm.
        width: Side of the square plate, mm.
        layers: Elements through the thickness; those under the projectile are cubes, which tet10 cuts in six.
        end_time: Simulated time, us.
        element: Hexahedron with mean dilatation and 8 points, with one point and hourglass control, or
            tetrahedron with 10 nodes and 4 points.
        max_energy_error: Error of the energy past which the run ends, per cent; 0 for none.
    """

    velocity: Speed = 200.0
    radius: Length = 2.0
    thickness: Length = 1.0
    width: Length = 18.0
    layers: Count = 8
    end_time: Time = 1.0
    element: ElementName = DEFAULT_ELEMENT
    max_energy_error: Percent = MAX_ENERGY_ERROR

    def body(self) -> bodies.Plate:
        """Return the plate."""
        return bodies.Plate(
            width=self.width, thickness=self.thickness, impact_radius=self.radius, layers=self.layers
        )


@flat
def plate_case(*, target: Target, material: LawOptions, record: RecordOptions) -> Case:
    """Return the case of a plate that is hit; its keywords are those of :func:`plate`.

    Raises:
        InputError: A value is out of its range, or an option has no use.
    """
    face = (0.0, 0.0, target.thickness)
    projectile = FlatCylinder(
        face=face, direction=(0.0, 0.0, -1.0), radius=target.radius, speed=target.velocity
    )
    return Case(
        title=f"Plate impact, {target.velocity:g} m/s, {material.law}",
        body=target.body(),
        parts={WHOLE: material},
        element=target.element,
        obstacles=(projectile,),
        supports=SUPPORTS,
        end_time=target.end_time,
        max_energy_error=target.max_energy_error,
        measure="plate",
        shown_within=SHOWN_RADII * target.radius,
        record=record,
    ).resolved()


@flat
def plate(
    *,
    target: Target,
    material: LawOptions,
    record: RecordOptions,
    control: ControlOptions,
    output: OutFolder = Path("results/plate_impact"),
) -> dict[str, Any]:
    """Drive a rigid cylinder into a plate; leave fields, energies, picture, report, summary and case.

    Args:
        output: Folder for the results.

    Returns:
        The summary.

    Raises:
        InputError: A value is out of its range, an option has no use, or a file cannot be used.
    """
    from microscale.inputs.options import named
    from multiscale.cases.run_case import run_case

    case = plate_case(**flags_of(target, material, record))
    inputs = flags_of(target, material, control) | material.resolved()
    with named(impact_radius="radius"):
        return run_case(case, output, control, inputs | {"output": output})
