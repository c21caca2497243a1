"""Where obstacles are when a run starts, and what they are going to meet.

Before anything has touched, the body flies straight and so do the obstacles. A place that is some distance
from an obstacle cannot touch it before it has flown that far; steps of that length lead to the touch.
"""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from microscale.errors import InputError
from microscale.tensors import FloatArray
from multiscale.dynamics.contact import Obstacle

#: A node this far inside an obstacle, relative to the size of the body, touches it: round-off of mesh files.
TOUCHING = 1e-6

#: An obstacle thinner than this part of the diagonal of a face meets a single node at most, mostly none.
TOO_THIN = 0.5

#: Advances of :func:`first_touch`; who has not arrived by then grazes the obstacle, and may touch it.
ADVANCES = 200


def refuse_overlap(obstacle: Obstacle, x: FloatArray, size: float, comm: MPI.Comm) -> None:
    """Refuse an obstacle that reaches into the body at the start. Collective.

    Args:
        obstacle: The obstacle.
        x: Positions of this rank's nodes, shape (n, 3), mm.
        size: Largest extent of the body, mm.
        comm: The ranks.

    Raises:
        InputError: It does; on every rank, with the deepest node.
    """
    gap = obstacle.gap(x)
    deepest = int(gap.argmin()) if gap.size else -1
    mine = (float(gap[deepest]), x[deepest]) if gap.size else (np.inf, np.zeros(3))
    depth, place = min(comm.allgather(mine), key=lambda found: found[0])
    if depth < -TOUCHING * size:
        raise InputError(
            f"the {obstacle.name} reaches {-depth:.4g} mm into the body at the start, at the node at "
            f"({_place(place)}) mm, expected it outside: move it (or the mesh) so that they at most touch, "
            "or ask for it to be moved back (place=True, --place)"
        )


def placed(obstacle: Obstacle, x: FloatArray, size: float, comm: MPI.Comm) -> Obstacle:
    """Return an obstacle that reached into the body moved back, against ``facing``, until it just touches.

    An obstacle outside stays where it is. Collective; arguments as for :func:`refuse_overlap`.
    """

    def overlaps(back: float) -> bool:
        here = obstacle.moved(-back * obstacle.facing).gap(x).min(initial=np.inf)
        return bool(comm.allreduce(float(here), op=MPI.MIN) < 0.0)

    if not overlaps(0.0):
        return obstacle
    inside, outside = 0.0, size
    while overlaps(outside):  # one far inside a body; backwards it has an end to leave by
        inside, outside = outside, 2.0 * outside
    while outside - inside > 1e-3 * TOUCHING * size:
        middle = 0.5 * (inside + outside)
        inside, outside = (middle, outside) if overlaps(middle) else (inside, middle)
    return obstacle.moved(-outside * obstacle.facing)


def first_touch(
    obstacle: Obstacle, x: FloatArray, velocity: FloatArray, radius: FloatArray | float, end_time: float
) -> FloatArray:
    """Times at which balls in straight flight touch an obstacle; never later than they do.

    Args:
        obstacle: The obstacle.
        x: Centres at time zero, shape (n, 3), mm.
        velocity: Their velocities, shape (3,) or (n, 3), mm/us.
        radius: Their radii, shape (n,), mm; a negative one asks for a centre that deep inside.
        end_time: Time after which none matters, us.

    Returns:
        Times, shape (n,), us; infinite for those that do not touch until ``end_time``.
    """
    relative = np.broadcast_to(velocity - obstacle.velocity, x.shape)
    speed = np.linalg.norm(relative, axis=1)
    time = np.zeros(len(x))
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(ADVANCES):
            distance = obstacle.gap(x + np.where(np.isfinite(time), time, 0.0)[:, None] * relative) - radius
            wait = np.where(distance <= 0.0, 0.0, distance / speed)
            time = np.where(time + wait > end_time, np.inf, time + wait)
            if not np.any(np.isfinite(time) & (wait > 1e-9 * time)):
                break
    return time


def thin_obstacle(
    obstacle: Obstacle, faces: FloatArray, velocity: FloatArray, degree: int, size: float, comm: MPI.Comm
) -> str | None:
    """Return the doubt about an obstacle thinner than the faces it is going to meet, or None. Collective.

    Args:
        obstacle: The obstacle.
        faces: Nodes of the faces of the body's surface that are here, shape (n, nodes, 3), mm.
        velocity: Velocities of their middles, shape (n, 3), mm/us.
        degree: Number of distances between nodes along an edge of a face.
        size: Largest extent of the body, mm.
        comm: The ranks.

    Raises:
        InputError: It is thinner than :data:`TOO_THIN` of the finest of them.
    """
    if not np.isfinite(obstacle.width):
        return None
    middle = faces.mean(axis=1)
    radius = np.linalg.norm(faces - middle[:, None], axis=2).max(axis=1, initial=0.0)
    way = obstacle.gap(middle).max(initial=0.0) + 2.0 * size  # past the body
    speed = np.linalg.norm(velocity - obstacle.velocity, axis=1).max(initial=0.0)
    met = np.isfinite(first_touch(obstacle, middle, velocity, radius, way / speed if speed else 0.0))
    across = np.where(met, 2.0 * radius / degree, 0.0)
    mine = (float(across.max()), middle[across.argmax()]) if len(across) else (0.0, np.zeros(3))
    widest, place = max(comm.allgather(mine), key=lambda found: found[0])
    if obstacle.width >= widest:
        return None
    message = (
        f"the {obstacle.name} is {obstacle.width:.4g} mm across and meets faces whose nodes are "
        f"{widest:.4g} mm apart along the diagonal, as at ({_place(place)}) mm: contact is at nodes, between "
        f"which it would pass; mesh the faces it meets with sides of at most "
        f"{obstacle.width / np.sqrt(2.0):.3g} mm, better a quarter of that, or take a wider one"
    )
    finest = min(comm.allgather(float(across[met].min(initial=np.inf))))
    if obstacle.width < TOO_THIN * finest:
        raise InputError(message)
    return message


def out_of_reach(
    obstacles: tuple[Obstacle, ...], x: FloatArray, velocity: FloatArray, size: float, end_time: float
) -> bool:
    """Whether no node of this rank, all at one velocity, shape (3,), lies on an obstacle or will enter it."""
    near = TOUCHING * size
    for obstacle in obstacles:
        if np.array_equal(velocity, obstacle.velocity):
            reached = obstacle.gap(x) <= near
        else:
            reached = np.isfinite(first_touch(obstacle, x, velocity, -near, end_time))
        if reached.any():
            return False
    return True


def _place(x: FloatArray) -> str:
    return ", ".join(f"{round(value, 12) + 0.0:.4g}" for value in x)
