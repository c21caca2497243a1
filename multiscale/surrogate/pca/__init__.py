"""The paper's surrogate, principal components and a SELU network: network, training, law."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from microscale.law import ConstitutiveLaw
from multiscale.surrogate.kinds import Kind

if TYPE_CHECKING:
    from multiscale.surrogate.evaluate import Predict


class Pca(Kind):
    """Principal components of whole histories, and a network between them."""

    name, format = "pca", 1

    def fit(self) -> Callable[..., None]:
        """See :meth:`Kind.fit`."""
        from multiscale.surrogate.pca.fit import fit_pca

        return fit_pca

    def law(self) -> Callable[..., ConstitutiveLaw]:
        """See :meth:`Kind.law`."""
        from multiscale.surrogate.pca.law import PcaLaw

        return PcaLaw

    def predict(self, weights: Path, law: ConstitutiveLaw) -> Predict:
        """Return the map of the network itself: the law reads the past alone."""
        from multiscale.surrogate.pca.fit import read_pca

        return read_pca(weights).predict


KIND = Pca()
