"""What the laws of all surrogates share: their material, and the watch over their training range."""

from __future__ import annotations

from microscale.law import ConstitutiveLaw, State
from multiscale.surrogate.extrapolation import ExtrapolationWatch, OnExtrapolation, Worst
from multiscale.surrogate.store import Card


class SurrogateLaw(ConstitutiveLaw):
    """A surrogate at material points.

    Attributes:
        card: What it is.
    """

    name = "learned"

    def __init__(self, card: Card, on_extrapolation: OnExtrapolation) -> None:
        self.card = card
        self.density = card.material.density
        self._watch = ExtrapolationWatch(card.range, on_extrapolation)

    @property
    def extrapolating_points(self) -> int:
        """Number of points that have left the training range."""
        return self._watch.points

    def worst_extrapolation(self, state: State, time: float) -> list[Worst]:
        """Return the worst of each kind in which points have left the training range, by ``time``, us."""
        return self._watch.worst(state, time)

    def resume(self, state: State) -> None:
        """Count the points that are outside the training range already: they are not new."""
        self._watch.resume(state)

    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us: that of the material learnt."""
        return self.card.material.wave_speed(self.density)

    @property
    def material(self) -> str:
        """What it was trained on."""
        return self.card.material.name
