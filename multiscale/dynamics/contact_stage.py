"""Contact as a stage of the step: the obstacles act on velocities and report what they did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from microscale.tensors import FloatArray
from multiscale.dynamics.contact import BOOK, Obstacle
from multiscale.dynamics.nodes import Nodes


class Contact:
    """The obstacles that act on the nodes of this rank.

    Attributes:
        done: What contact has done up to the last whole step, shape (BOOK,), see
            :data:`multiscale.dynamics.contact.BOOK`. Velocities at whole steps hold half of the present
            impulse, and so does this.
    """

    def __init__(self, obstacles: Sequence[Obstacle], nodes: Nodes) -> None:
        self._obstacles, self._nodes = obstacles, nodes
        self.done, self._present = np.zeros((2, BOOK))

    def act(self, time: float, dt: float) -> None:
        """Correct the velocities of the step of ``dt``, us, that begins at ``time``."""
        self.done += 0.5 * self._present
        self._present[:] = 0.0
        for obstacle in self._obstacles:
            obstacle.resist(self._nodes.motion, self._nodes.surface, time, dt, self._present)
        self.done += 0.5 * self._present

    def act_at_start(self, dt: float) -> None:
        """Act on the first step: there is no half step before, so its impulse is reported whole after it."""
        self.act(0.0, dt)
        self.done[:] = 0.0
        self._present *= 2.0

    def saved(self) -> tuple[float, ...]:
        """Return all that :meth:`resume` needs."""
        return *self.done, *self._present

    def resume(self, saved: FloatArray) -> None:
        """Go on from what :meth:`saved` returned."""
        self.done[:], self._present[:] = saved[:BOOK], saved[BOOK:]
