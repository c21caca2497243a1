"""Whether a body that hit something has come to rest, and how far it is on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI

from microscale.errors import InputError

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation

#: Steps from one look to the next.
EVERY = 8

#: Lengths of its own that a body would fly in the longest time of a run.
LENGTHS = 2.0


class Arrest:
    """The end of an impact: the centre of mass moves no longer in the direction in which the body came.

    A body that bounces off has stopped between; what is left then are elastic waves.

    Attributes:
        longest_time: When a run ends at the latest, us.
        at: When the body had come to rest, us; None before.
        share: Part of its momentum that it has lost.
    """

    def __init__(self, simulation: Simulation, end_time: float, longest_time: float | None) -> None:
        """Look at a body at its start; collective.

        Args:
            simulation: The simulation, before its first step or the state of a checkpoint.
            end_time: Time before which a run does not end, us.
            longest_time: Time at which it ends at the latest, us; None for that in which the body would fly
                :data:`LENGTHS` of its own.

        Raises:
            InputError: The body has no momentum, or the longest time is before the end time.
        """
        momentum = simulation.momentum()
        self._momentum = float(np.linalg.norm(momentum))
        if simulation.initial_energy <= 0.0 or self._momentum == 0.0:
            raise InputError(
                "until-rest is of a body that comes flying, this one is at rest at the start: give --end-time"
            )
        self._direction = momentum / self._momentum
        along, comm = simulation.positions @ self._direction, simulation.mesh.comm
        low = comm.allreduce(float(along.min(initial=np.inf)), MPI.MIN)
        length = comm.allreduce(float(along.max(initial=-np.inf)), MPI.MAX) - low
        speed = 2.0 * simulation.initial_energy / self._momentum
        latest = max(end_time, LENGTHS * length / speed)
        self.longest_time = latest if longest_time is None else longest_time
        if self.longest_time < end_time:
            raise InputError(f"longest-time = {longest_time} us, expected at least end-time = {end_time} us")
        self._end_time, self.share = end_time, 0.0
        self.at: float | None = None

    def __call__(self, simulation: Simulation) -> bool:
        """Return whether the run is over; collective."""
        if simulation.step_count % EVERY == 0:
            left = float(simulation.momentum() @ self._direction) / self._momentum
            self.share = max(0.0, 1.0 - left)
            if left <= 0.0 and self.at is None:
                self.at = simulation.time
        return self.at is not None and simulation.time >= self._end_time

    def progress(self, simulation: Simulation) -> float:
        """Return which part of the run is behind, 0 to 1."""
        done = min(self.share, simulation.time / self._end_time)
        return min(1.0, max(done, simulation.time / self.longest_time))
