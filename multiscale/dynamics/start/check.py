"""What is checked before the first step of a run, so that nothing impossible runs for hours."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from mpi4py import MPI

from microscale.law import ConstitutiveLaw
from microscale.tensors import FloatArray
from multiscale.dynamics.contact import Obstacle
from multiscale.dynamics.nodes import Nodes
from multiscale.dynamics.start import approach, units
from multiscale.dynamics.start.connected import require_one_piece


class NoContactWarning(UserWarning):
    """A body does not touch its obstacles."""


class StartCheck:
    """Checks a body and its obstacles as they stand at time zero.

    Attributes:
        obstacles: The obstacles, moved back where that was asked for.
        size: Largest extent of the body along x, y or z, mm.
        doubts: What was warned of so far.
    """

    def __init__(
        self, nodes: Nodes, obstacles: Sequence[Obstacle], law: ConstitutiveLaw, place: bool, comm: MPI.Comm
    ) -> None:
        """Check all that does not depend on how long the run is. Collective.

        Args:
            nodes: The nodes with their initial velocities.
            obstacles: The obstacles.
            law: The material.
            place: Whether an obstacle that reaches into the body is moved back until it touches.
            comm: The ranks.

        Raises:
            InputError: The mesh is in pieces, an obstacle is in the body or much thinner than the faces it
                meets, or a speed is impossible.
        """
        self._comm, self._wave_speed, self._nodes = comm, law.wave_speed(), nodes
        self.doubts: list[str] = []
        self._x, v = nodes.X[: nodes.owned], nodes.v_half[: nodes.owned]
        require_one_piece(
            nodes.cells, nodes.X[nodes.cells].mean(axis=1), nodes.global_numbers(), nodes.border(), comm
        )
        self.size = float(np.ptp(self._range(self._x), axis=0).max())
        self._doubt(units.unlikely_density(law.density))
        self._doubt(units.unlikely_size(self.size))
        self._doubt(units.unlikely_wave_speed(self._wave_speed))
        self._velocities = self._range(v)
        towards = np.array([each.velocity for each in obstacles])
        self._doubt(units.unlikely_speed(v, towards, self._wave_speed, comm))
        if place:
            obstacles = [approach.placed(each, self._x, self.size, comm) for each in obstacles]
        for obstacle in obstacles:
            approach.refuse_overlap(obstacle, self._x, self.size, comm)
        self.obstacles = tuple(obstacles)
        self._doubt_thin_ones()

    def _doubt_thin_ones(self) -> None:
        faces, nodes = self._nodes.surface_faces(), self._nodes
        for obstacle in self.obstacles:
            met, v = nodes.X[faces], nodes.v_half[faces].mean(axis=1)
            self._doubt(approach.thin_obstacle(obstacle, met, v, nodes.degree, self.size, self._comm))

    def _doubt(self, doubt: str | None, kind: type[Warning] = units.StartWarning) -> None:
        """Warn, once and not once a rank, and remember it for the end of the run."""
        if doubt is None:
            return
        self.doubts.append(doubt)
        if self._comm.rank == 0:
            warnings.warn(doubt, kind, stacklevel=4)

    def check_run(self, end_time: float, dt: float, thin: float, longest: float, where: str) -> None:
        """Check how long the run is, and whether anything can be touched in that time. Collective.

        Args:
            end_time: Its end, us.
            dt: Its first step, us.
            thin: Smallest extent of the cell that limits it, mm, about.
            longest: Largest distance of two nodes of that cell, mm.
            where: That cell and its place, for messages.

        Raises:
            InputError: The run is improbably long.
        """
        self._doubt(units.unlikely_duration(end_time, dt, self.size, self._wave_speed))
        self._doubt(units.unlikely_steps(end_time, dt, thin, longest, where))
        if not self.obstacles:
            return
        low, high = self._velocities
        flies = bool((low == high).all())  # straight on, since nothing strains it
        surface = self._nodes.X[self._nodes.surface]
        far = flies and approach.out_of_reach(self.obstacles, surface, low, self.size, end_time)
        if self._comm.allreduce(bool(far), op=MPI.LAND):
            self._doubt(
                f"the body will not touch {names(self.obstacles)} within the {end_time:.4g} us of this run: "
                f"check its velocity, ({low[0]:.4g}, {low[1]:.4g}, {low[2]:.4g}) mm/us, and where the "
                "obstacles are",
                NoContactWarning,
            )

    def _range(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Smallest and largest components on any rank of ``values`` here, shape (n, 3). Collective."""
        mine = values.min(axis=0, initial=np.inf), values.max(axis=0, initial=-np.inf)
        low, high = zip(*self._comm.allgather(mine), strict=True)
        return np.min(low, axis=0), np.max(high, axis=0)

    def check_end(self, touched: bool, time: float) -> None:
        """Warn at the end, at ``time``, us, of a run in which no obstacle has touched the body."""
        if self.obstacles and not touched:
            self._doubt(
                f"never touched: until {time:.4g} us the body has not met {names(self.obstacles)}; its "
                "velocity, the obstacles' places or the end time are not those of an impact",
                NoContactWarning,
            )


def names(obstacles: Sequence[Obstacle]) -> str:
    """The obstacles, for a message."""
    return " nor ".join(f"the {obstacle.name}" for obstacle in obstacles)
