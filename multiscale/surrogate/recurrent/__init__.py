"""The recurrent surrogate: network, training, law."""

from __future__ import annotations

from collections.abc import Callable

from microscale.law import ConstitutiveLaw
from multiscale.surrogate.kinds import Kind


class Recurrent(Kind):
    """Elastic strains of groups of grains and learnt internal variables, step by step."""

    name, format = "recurrent", 3

    def fit(self) -> Callable[..., None]:
        """See :meth:`Kind.fit`."""
        from multiscale.surrogate.recurrent.fit import fit_recurrent

        return fit_recurrent

    def law(self) -> Callable[..., ConstitutiveLaw]:
        """See :meth:`Kind.law`."""
        from multiscale.surrogate.recurrent.law import LearnedLaw

        return LearnedLaw


KIND = Recurrent()
