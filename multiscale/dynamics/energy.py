"""The energy ledger: where the initial kinetic energy and the work of moving obstacles have gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from microscale.tensors import FloatArray
from multiscale.dynamics.contact import BOOK, GAINED, LOST, WORK


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
    """What one rank has booked so far of its nodes and points; stages of the step write, this only keeps.

    Attributes:
        kinetic: Kinetic energy now, J.
        work: Work of the internal force so far, J.
        hourglass: Energy stored by hourglass control now, J.
    """

    def __init__(self) -> None:
        self.kinetic = self.work = self.hourglass = 0.0

    def saved(self) -> tuple[float, ...]:
        """Return all that :meth:`resume` needs."""
        return self.kinetic, self.work, self.hourglass

    def resume(self, saved: FloatArray) -> None:
        """Go on from what :meth:`saved` returned."""
        self.kinetic, self.work, self.hourglass = (float(value) for value in saved)


class Account(NamedTuple):
    """What a rank has booked, or all ranks in sum: the ledger's numbers, then the damping's and contact's.

    Attributes:
        ledger: Kinetic energy, work of the internal force and energy of hourglass control, J.
        viscous: Dissipated by bulk viscosity, J.
        contact: See :data:`multiscale.dynamics.contact.BOOK`.
    """

    ledger: tuple[float, ...]
    viscous: float
    contact: FloatArray

    def numbers(self) -> tuple[float, ...]:
        """Return all as numbers to sum over ranks."""
        return *self.ledger, self.viscous, *self.contact

    @classmethod
    def of(cls, numbers: FloatArray) -> Account:
        """Return the account of such numbers."""
        return cls(tuple(float(value) for value in numbers[:3]), float(numbers[3]), numbers[4:])

    def energy(self, initial: float, negligible: float) -> Energy:
        """Return the energies of the body; the two others as in :class:`Energy`, J."""
        kinetic, work, hourglass = self.ledger
        internal = work - hourglass - self.viscous
        external, lost, gained = (float(self.contact[where]) for where in (WORK, LOST, GAINED))
        return Energy(kinetic, internal, lost, gained, hourglass, self.viscous, external, initial, negligible)


ACCOUNT_SIZE = 4 + BOOK
