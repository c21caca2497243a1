"""Frictionless unilateral contact of nodes with rigid obstacles: a kinematic predictor and corrector.

After the internal force has advanced the half-step velocities, each node is moved ahead by one step; where it
would enter an obstacle, an impulse along the obstacle's normal gives it the velocity that lets it just touch.
The impulse only pushes, so nodes separate as soon as they are pulled; a node at rest on the obstacle receives
the impulse that balances its force, so nothing bounces from step to step (no penalty stiffness, no chatter,
no limit on the time step). A node that hits is a perfectly plastic impact of its lumped mass: energy is
lost, in proportion to the mass of the layer of nodes at the surface, so it vanishes with the mesh size. A
node that is pushed out of an obstacle gains energy, which no contact may: that is booked apart, as an error.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import NamedTuple, Self, final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from microscale.errors import InputError
from microscale.inputs.numbers import checked, numbers_in
from microscale.tensors import FloatArray

IntArray = NDArray[np.int32]

#: What contact books, and where it stands in an array of shape (BOOK,): the impulse on the body, mg mm/us;
#: the work of the obstacles' motion, J; the energy lost in plastic impacts, and that gained by nodes pushed
#: out, J, neither negative; the sum of the impulses' magnitudes, mg mm/us.
IMPULSE, WORK, LOST, GAINED, PUSHED, BOOK = slice(0, 3), 3, 4, 5, 6, 7

#: Depth of what is drawn of an obstacle, and half the width of a plane's, relative to the body.
LAYER, WIDE = 0.03, 10.0

#: How far behind the face of a cylinder, relative to its radius, round-off may put a node that rests on it.
ON_FACE = 1e-9


class NodalMotion(NamedTuple):
    """What contact sees of the nodes, arrays of shape (nodes, 3).

    Attributes:
        X: Reference positions, mm.
        u: Displacements at the step's start, mm.
        v_old: Velocities of the step before, mm/us.
        v: Velocities of the step ahead, mm/us.
        inverse_mass: Inverse of the lumped mass of each component, 1/mg, zero where supported.
    """

    X: FloatArray
    u: FloatArray
    v_old: FloatArray
    v: FloatArray
    inverse_mass: FloatArray


class Obstacle(ABC):
    """A rigid body moving with constant velocity, infinitely heavy.

    Attributes:
        name: For messages and summaries.
        velocity: Its velocity, shape (3,), mm/us.
        facing: Unit vector from it to where the body may be, shape (3,); backwards it extends without end.
        width: Its smallest extent across that direction, mm; infinite for one without edges.
    """

    name: str
    velocity: FloatArray
    facing: FloatArray
    width: float

    @abstractmethod
    def gap(self, x: FloatArray) -> FloatArray:
        """Return the distances of positions from the surface at time zero, negative inside.

        Args:
            x: Positions, shape (n, 3), mm.

        Returns:
            Distances, shape (n,), mm; never more than the way to the surface.
        """

    def outline(self, size: float) -> FloatArray | None:
        """Return what a section y = 0 shows of it at time zero: a layer behind its surface.

        Args:
            size: Largest extent of the body, mm: a layer is :data:`LAYER` of it deep.

        Returns:
            Corners of a polygon, x and z, shape (k, 2), mm; None, as by default, for nothing to draw.
        """
        return None

    @abstractmethod
    def moved(self, shift: FloatArray) -> Self:
        """Return the same obstacle at another place, ``shift`` away, shape (3,), mm."""

    @abstractmethod
    def resist(
        self,
        motion: NodalMotion,
        nodes: IntArray,
        time: float,
        dt: float,
        book: FloatArray,
    ) -> None:
        """Correct the velocities of the nodes that would enter the obstacle within the step.

        Args:
            motion: The nodes; velocities of the step ahead are corrected in place.
            nodes: Candidate nodes.
            time: Time at the step's start, us.
            dt: The step, us.
            book: Added to, shape (BOOK,), see :data:`BOOK`.
        """


@final
class RigidPlane(Obstacle):
    """A rigid half-space bounded by a plane."""

    name = "plane"

    @checked
    def __init__(
        self,
        point: ArrayLike = (0.0, 0.0, 0.0),
        normal: ArrayLike = (0.0, 0.0, 1.0),
        velocity: ArrayLike = (0.0, 0.0, 0.0),
    ) -> None:
        """Place the plane.

        Args:
            point: A point of the plane at time zero, mm.
            normal: Normal pointing out of the half-space, towards the body; any length but zero.
            velocity: Velocity, mm/us.
        """
        self.point = _vector("point", point)
        self.normal = self.facing = _unit("normal", normal)
        self.velocity, self.width = _vector("velocity", velocity), np.inf

    def gap(self, x: FloatArray) -> FloatArray:
        """See :meth:`Obstacle.gap`."""
        return np.asarray((x - self.point) @ self.normal)

    def outline(self, size: float) -> FloatArray | None:
        """See :meth:`Obstacle.outline`."""
        inwards, along = self.normal[[0, 2]], np.array([-self.normal[2], self.normal[0]])
        square = float(inwards @ inwards)
        if square < ACROSS**2:
            return None
        middle = self.point[[0, 2]] + self.normal[1] * self.point[1] / square * inwards
        return _strip(middle, along / np.sqrt(square), inwards / np.sqrt(square), WIDE * size, LAYER * size)

    def moved(self, shift: FloatArray) -> Self:
        """See :meth:`Obstacle.moved`."""
        other = copy(self)
        other.point = self.point + shift
        return other

    def resist(
        self,
        motion: NodalMotion,
        nodes: IntArray,
        time: float,
        dt: float,
        book: FloatArray,
    ) -> None:
        """See :meth:`Obstacle.resist`."""
        _resist_plane(self.point, self.normal, self.velocity, motion, nodes, time, dt, book)


@final
class RigidCylinder(Obstacle):
    """A rigid cylinder with a flat face, extending from its face without end."""

    name = "cylinder"

    @checked
    def __init__(self, face: ArrayLike, direction: ArrayLike, radius: float, speed: float) -> None:
        """Place the cylinder.

        Args:
            face: Centre of its flat face at time zero, mm.
            direction: Direction it moves in, the outward normal of its face; any length but zero.
            radius: Radius, mm.
            speed: Speed along ``direction``, mm/us.
        """
        if radius <= 0.0:
            raise InputError(f"radius of the rigid cylinder = {radius} mm, expected a positive length")
        self.face = _vector("face", face)
        self.direction = self.facing = _unit("direction", direction)
        self.radius, self.width = radius, 2.0 * radius
        self.velocity = speed * self.direction

    def gap(self, x: FloatArray) -> FloatArray:
        """See :meth:`Obstacle.gap`."""
        above = (x - self.face) @ self.direction
        beside = np.linalg.norm(x - self.face - above[:, None] * self.direction, axis=1) - self.radius
        outside = np.hypot(np.maximum(above, 0.0), np.maximum(beside, 0.0))
        return np.asarray(outside + np.minimum(np.maximum(above, beside), 0.0))

    def outline(self, size: float) -> FloatArray | None:
        """See :meth:`Obstacle.outline`; one whose axis is not in or beside the section is not drawn."""
        inwards = self.direction[[0, 2]]
        if abs(self.direction[1]) > 1e-6 or abs(self.face[1]) >= self.radius:
            return None
        half = float(np.sqrt(self.radius**2 - self.face[1] ** 2))
        along = np.array([-inwards[1], inwards[0]])
        return _strip(self.face[[0, 2]], along, inwards, half, LAYER * size)

    def moved(self, shift: FloatArray) -> Self:
        """See :meth:`Obstacle.moved`."""
        other = copy(self)
        other.face = self.face + shift
        return other

    def resist(
        self,
        motion: NodalMotion,
        nodes: IntArray,
        time: float,
        dt: float,
        book: FloatArray,
    ) -> None:
        """See :meth:`Obstacle.resist`; a node leaves by where it came in, or the nearer of face and side."""
        _resist_cylinder(self.face, self.direction, self.radius, self.velocity, motion, nodes, time, dt, book)


#: Sine of the angle between a plane and the section below which it is not drawn.
ACROSS = 0.05


def _strip(
    middle: FloatArray, along: FloatArray, normal: FloatArray, half: float, depth: float
) -> FloatArray:
    """Return the corners of a strip behind a line through ``middle``, shape (4, 2)."""
    ends = np.array([middle - half * along, middle + half * along])
    return np.concatenate([ends, ends[::-1] - depth * normal])


def _vector(name: str, value: ArrayLike) -> FloatArray:
    vector = np.array(numbers_in(f"{name} of the obstacle", value, "three finite numbers"))
    if vector.shape != (3,) or not np.all(np.isfinite(vector)):
        raise InputError(f"{name} of the obstacle = {vector}, expected three finite numbers")
    return vector


def _unit(name: str, value: ArrayLike) -> FloatArray:
    vector = _vector(name, value)
    length = float(np.linalg.norm(vector))
    if length == 0.0:
        raise InputError(f"{name} of the obstacle = {vector}, expected a vector of non-zero length")
    return vector / length


@njit(cache=True)
def _push(
    motion: NodalMotion,
    node: int,
    gap: float,
    normal: FloatArray,
    velocity: FloatArray,
    dt: float,
    book: FloatArray,
) -> None:
    """Close a predicted gap < 0 by an impulse along the normal, booked as :meth:`Obstacle.resist` says.

    The work on the body is impulse times the mean of the velocities before and after, as in the central
    difference of the kinetic energy.
    """
    compliance = 0.0
    for i in range(3):
        compliance += normal[i] ** 2 * motion.inverse_mass[node, i]
    if compliance == 0.0:
        return
    magnitude = -gap / (dt * compliance)
    received, given = 0.0, 0.0
    for i in range(3):
        component = magnitude * normal[i]
        motion.v[node, i] += component * motion.inverse_mass[node, i]
        received += 0.5 * component * (motion.v_old[node, i] + motion.v[node, i])
        given += component * velocity[i]
        book[i] += component
    book[WORK] += given
    book[LOST] += max(given - received, 0.0)
    book[GAINED] += max(received - given, 0.0)
    book[PUSHED] += magnitude


@njit(cache=True)
def _resist_plane(
    point: FloatArray,
    normal: FloatArray,
    velocity: FloatArray,
    motion: NodalMotion,
    nodes: IntArray,
    time: float,
    dt: float,
    book: FloatArray,
) -> None:
    for node in nodes:
        gap = 0.0
        for i in range(3):
            ahead = motion.X[node, i] + motion.u[node, i] + dt * motion.v[node, i]
            gap += normal[i] * (ahead - point[i] - (time + dt) * velocity[i])
        if gap < 0.0:
            _push(motion, node, gap, normal, velocity, dt, book)


@njit(cache=True)
def _resist_cylinder(
    face: FloatArray,
    direction: FloatArray,
    radius: float,
    velocity: FloatArray,
    motion: NodalMotion,
    nodes: IntArray,
    time: float,
    dt: float,
    book: FloatArray,
) -> None:
    offset, side = np.empty(3), np.empty(3)
    for node in nodes:
        before, above = 0.0, 0.0
        for i in range(3):
            now = motion.X[node, i] + motion.u[node, i] - face[i] - time * velocity[i]
            offset[i] = now + dt * (motion.v[node, i] - velocity[i])
            before += direction[i] * now
            above += direction[i] * offset[i]
        if above >= 0.0:
            continue
        distance = 0.0
        for i in range(3):
            side[i] = offset[i] - above * direction[i]
            distance += side[i] ** 2
        distance = np.sqrt(distance)
        if distance >= radius:
            continue
        # A node that comes from before the face, or rests on it, enters there, however near the rim.
        if before > -ON_FACE * radius or above > distance - radius:
            _push(motion, node, above, direction, velocity, dt, book)
        else:
            side /= distance
            _push(motion, node, distance - radius, side, velocity, dt, book)
