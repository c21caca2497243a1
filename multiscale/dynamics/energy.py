"""The energy ledger: where the initial kinetic energy and the work of moving obstacles have gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from multiscale.dynamics.contact import BOOK, Obstacle
from multiscale.dynamics.nodes import Nodes

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Energy:
    """Energies of the whole body at one time, J.

    Attributes:
        kinetic: Of the lumped masses.
        internal: Work of the stress: stored, and dissipated by plastic flow.
        contact: Lost in the plastic impacts of nodes on obstacles; never decreases.
        gained: Gained by nodes pushed out of obstacles, which no contact may; never decreases. It is not in
            ``total`` and so counts as an error.
        hourglass: Stored by hourglass control.
        viscous: Dissipated by bulk viscosity; never decreases.
        external: Work of moving obstacles on the body.
        initial: Kinetic energy at the start.
        negligible: What is no energy to speak of: that of a body at rest, but for round-off.
    """

    kinetic: float
    internal: float
    contact: float
    gained: float
    hourglass: float
    viscous: float
    external: float
    initial: float
    negligible: float = 0.0

    @property
    def total(self) -> float:
        """All energy in the body or lost by it, J; equals ``initial`` + ``external`` up to the error."""
        return self.kinetic + self.internal + self.contact + self.hourglass + self.viscous

    @property
    def error(self) -> float:
        """Imbalance relative to the energy put in, initial kinetic energy plus external work.

        Where next to none was put in, relative to ``negligible``: energy that comes from nowhere is an error.
        """
        imbalance = self.total - self.initial - self.external
        scale = max(self.initial + abs(self.external), self.negligible)
        return imbalance / scale if scale > 0.0 else 0.0


class Ledger:
    """What one rank has booked so far.

    Attributes:
        kinetic: Kinetic energy now, J.
        work: Work of the internal force so far, J.
        hourglass: Energy stored by hourglass control now, J.
        contact: What the obstacles have booked, see :meth:`multiscale.dynamics.contact.Obstacle.resist`.
    """

    def __init__(self) -> None:
        self.kinetic = self.work = self.hourglass = 0.0
        self.contact, self._present = np.zeros((2, BOOK))

    def book_contact(self, obstacles: Sequence[Obstacle], nodes: Nodes, time: float, dt: float) -> None:
        """Let the obstacles act on the velocities of the step ahead.

        Velocities at whole steps hold half of the present impulse, and so do the books.
        """
        self.contact += 0.5 * self._present
        self._present[:] = 0.0
        for obstacle in obstacles:
            obstacle.resist(nodes.motion, nodes.surface, time, dt, self._present)
        self.contact += 0.5 * self._present

    def defer_contact(self) -> None:
        """Book the impulse at the start as a whole after it: there is no half step before."""
        self.contact[:] = 0.0
        self._present *= 2.0

    def booked(self) -> tuple[float, ...]:
        """All this rank has booked, for :meth:`resume`."""
        return self.kinetic, self.work, self.hourglass, *self.contact, *self._present

    def resume(self, booked: FloatArray) -> None:
        """Go on from what :meth:`booked` said."""
        self.kinetic, self.work, self.hourglass = (float(value) for value in booked[:3])
        self.contact[:], self._present[:] = booked[3 : 3 + BOOK], booked[3 + BOOK :]

    def values(self, viscous: float) -> tuple[float, ...]:
        """The numbers to sum over the ranks, in the order :func:`summed` expects."""
        return self.kinetic, self.work, self.hourglass, viscous, *self.contact


LEDGER_SIZE = 4 + BOOK


def summed(values: FloatArray, initial: float, negligible: float) -> tuple[Energy, FloatArray, float]:
    """Energies, contact impulse and sum of its magnitudes, from the ranks' :meth:`Ledger.values` in sum."""
    kinetic, work, hourglass, viscous = (float(value) for value in values[:4])
    external, lost, gained, pushed = (float(value) for value in values[7:])
    internal = work - hourglass - viscous
    energy = Energy(kinetic, internal, lost, gained, hourglass, viscous, external, initial, negligible)
    return energy, values[4:7], pushed
