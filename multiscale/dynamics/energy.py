"""The energy ledger: where the initial kinetic energy and the work of moving obstacles have gone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Energy:
    """Energies of the whole body at one time, J.

    Attributes:
        kinetic: Of the lumped masses.
        internal: Work of the stress: stored, and dissipated by plastic flow.
        contact: Lost in the plastic impacts of nodes on obstacles; never decreases.
        hourglass: Stored by hourglass control.
        viscous: Dissipated by bulk viscosity; never decreases.
        external: Work of moving obstacles on the body.
        initial: Kinetic energy at the start.
    """

    kinetic: float
    internal: float
    contact: float
    hourglass: float
    viscous: float
    external: float
    initial: float

    @property
    def total(self) -> float:
        """All energy in the body or lost by it, J; equals ``initial`` + ``external`` up to the error."""
        return self.kinetic + self.internal + self.contact + self.hourglass + self.viscous

    @property
    def error(self) -> float:
        """Imbalance relative to the energy put in, initial kinetic energy plus external work."""
        put_in = self.initial + self.external
        scale = self.initial + abs(self.external)
        return (self.total - put_in) / scale if scale > 0.0 else 0.0
