"""Weights that come with this have names."""

from __future__ import annotations

from pathlib import Path

from multiscale.surrogate.store import SHIPPED


def weights_file(weights: str | Path) -> Path:
    """Return the file of weights, given by its path or by a name of shipped ones; a file goes first."""
    given = Path(weights)
    shipped = SHIPPED.parent / f"{given}{SHIPPED.suffix}"
    is_name = len(given.parts) == 1 and not given.exists()
    return shipped if is_name and shipped.is_file() else given
