"""The foot of a bar that hit a wall: its outline, how wide it is, and how oval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import ConvexHull

from microscale.errors import InputError
from microscale.tensors import FloatArray
from multiscale.results.vtkhdf import Results

#: How far from the lowest point a node of the foot is in the reference body, relative to its length.
ROUND_OFF = 1e-6


@dataclass(frozen=True)
class Outline:
    """A closed convex line in a plane.

    Attributes:
        corners: Its corners, shape (n, 2), mm, counterclockwise.
        long: Half of its extent along the axis of its area that is longer, mm.
        short: The same along the other axis, mm.
        angle: Of the longer axis to x, degrees, in (-90, 90].
        ovality: Long over short, less one.
        ovality_of_area: The same of the ellipse that has its second moments of area: every corner counts, and
            where they are few it matters less where they are.
    """

    corners: FloatArray
    long: float
    short: float
    angle: float
    ovality: float
    ovality_of_area: float


def foot_outline(results: Results, step: int = -1) -> Outline:
    """Return the outline of the nodes that stand lowest in the reference body, seen along z.

    Args:
        results: Result file of a whole bar along z whose foot is its lower end.
        step: Output to measure.

    Raises:
        InputError: The lower end is no face.
    """
    z = results.points[:, 2]
    lowest = z < z.min() + ROUND_OFF * np.ptp(z)
    return outline_of((results.points + results.field("displacement_mm", step))[lowest, :2])


def outline_of(points: FloatArray) -> Outline:
    """Return the convex outline of points, shape (n, 2), mm.

    Raises:
        InputError: They do not span an area.
    """
    if len(points) < 3 or np.linalg.matrix_rank(points - points[0]) < 2:
        raise InputError(f"{len(points)} points of a foot, expected three or more that are not on a line")
    corners = points[ConvexHull(points).vertices]
    moments, axes = np.linalg.eigh(second_moments(corners))  # the smaller comes first
    short, long = 0.5 * np.ptp(corners @ axes, axis=0)
    turn = np.degrees(np.arctan2(*axes[::-1, 1]))
    return Outline(
        corners=corners,
        long=float(long),
        short=float(short),
        angle=float(90.0 - (90.0 - turn) % 180.0),
        ovality=float(long / short - 1.0),
        ovality_of_area=float(np.sqrt(moments[1] / moments[0]) - 1.0),
    )


def second_moments(corners: FloatArray) -> FloatArray:
    """Return the mean of x x^T, about its centre, over the area of a polygon (n, 2), shape (2, 2).

    The polygon is cut into triangles from its first corner; a triangle has the moments of the middles of its
    sides, a third of its area each.
    """
    first, second = corners[1:-1] - corners[0], corners[2:] - corners[0]
    area = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    middles = 0.5 * np.stack([first, second, first + second], axis=1)
    weights = area / area.sum()
    centre = np.einsum("t,tmi->i", weights, middles) / 3.0
    return np.einsum("t,tmi,tmj->ij", weights, middles - centre, middles - centre) / 3.0
