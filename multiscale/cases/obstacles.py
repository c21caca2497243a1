"""Obstacles of a case: what a file says of a rigid body, and the obstacle it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

from microscale.files.quantities import Point, Velocity
from microscale.files.schema import STRICT
from microscale.inputs.numbers import Length, Range
from multiscale.cases.kinds import Kinds

if TYPE_CHECKING:
    from multiscale.dynamics.contact import Obstacle

#: From the unit of files and flags, m/s, to ours, mm/us.
MM_PER_US = 1e-3

AnySpeed = Annotated[float, Range(-1e5, 1e5, unit="m/s")]
Direction = tuple[float, float, float]


class Described(Protocol):
    """What an obstacle of a case is: a frozen dataclass, its keys those of the file, ``kind`` its name."""

    def obstacle(self) -> Obstacle:
        """Return the obstacle."""


@dataclass(frozen=True, kw_only=True)
class Plane:
    """A rigid half-space; see :class:`multiscale.dynamics.contact.RigidPlane`.

    Attributes:
        point: A point of the plane at time zero, mm.
        normal: Its normal, towards the body.
        velocity: Its velocity, m/s.
        place: Move it along its normal, at the start, to where it just touches the body.
    """

    __pydantic_config__ = STRICT

    kind: Literal["plane"] = "plane"
    point: Point = (0.0, 0.0, 0.0)
    normal: Direction = (0.0, 0.0, 1.0)
    velocity: Velocity = (0.0, 0.0, 0.0)
    place: bool = False

    def obstacle(self) -> Obstacle:
        """Return the obstacle, not yet moved."""
        from multiscale.dynamics.contact import RigidPlane

        return RigidPlane(self.point, self.normal, [MM_PER_US * v for v in self.velocity])


@dataclass(frozen=True, kw_only=True)
class FlatCylinder:
    """A rigid cylinder with a flat face; see :class:`multiscale.dynamics.contact.RigidCylinder`.

    Attributes:
        face: Centre of its face at time zero, mm.
        direction: Direction it moves in, the outward normal of its face.
        radius: Radius, mm.
        speed: Speed along its direction, m/s.
    """

    __pydantic_config__ = STRICT

    kind: Literal["cylinder"] = "cylinder"
    face: Point = (0.0, 0.0, 0.0)
    direction: Direction = (0.0, 0.0, -1.0)
    radius: Length
    speed: AnySpeed

    def obstacle(self) -> Obstacle:
        """Return the obstacle."""
        from multiscale.dynamics.contact import RigidCylinder

        return RigidCylinder(self.face, self.direction, self.radius, MM_PER_US * self.speed)


OBSTACLES = Kinds("kind", "multiscale.obstacles", Plane, FlatCylinder)
RigidBody = Annotated[Described, OBSTACLES]
"""A rigid body of any kind that is known, see :meth:`multiscale.cases.kinds.Kinds.register`."""
