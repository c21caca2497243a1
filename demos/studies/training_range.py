"""Measure the far side of a surrogate's training range: how slowly its paths flow, how long they are held.

Surrogates trained by this version carry it in their card. One trained before does not, but its card names the
data sets, and their paths are drawn again from seeds, without the polycrystal: only the elastic limit needs
stress, and takes that of the surrogate itself. Paths that were recorded in simulations are not drawn again.

    python demos/studies/training_range.py                             what the shipped weights were trained
    on python demos/studies/training_range.py --every 20                  of every twentieth path: a minute
    python demos/studies/training_range.py --weights W.safetensors --write
"""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from microscale.data.origin import recorded_paths
from microscale.law import drive
from multiscale.laws import make_law
from multiscale.run.command import launch
from multiscale.surrogate.extrapolation import ExtrapolationWarning
from multiscale.surrogate.histories import Histories, joined
from multiscale.surrogate.slow_paths import elastic_limit, far_side
from multiscale.surrogate.store import SHIPPED, read_surrogate, write_surrogate

RECORDED = "recorded"


def training_range(*, weights: Path = SHIPPED, every: int = 1, write: bool = False) -> dict[str, float]:
    """Measure the far side of the range, print it, and return it.

    Args:
        weights: Weights whose card names the data sets.
        every: Take one path of so many.
        write: Write what was found into the card.
    """
    arrays, card = read_surrogate(weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        histories = joined(list(drawn(card.datasets, weights, every)))
    found = far_side(histories, elastic_limit(histories, card.material.shear_modulus))
    print(f"{len(histories)} paths")
    for name, value in found.items():
        print(f"{name:15s} {value:.4g}")
    if write:
        write_surrogate(weights, arrays, replace(card, range=replace(card.range, **found)))
    return found


def drawn(datasets: list[dict[str, Any]], weights: Path, every: int) -> Iterator[Histories]:
    """Draw the paths of data sets again, with the stress of the surrogate."""
    law = make_law("learned", weights=weights)
    for made in datasets:
        if made["protocol"] == RECORDED:
            print(f"{made['file']}: {made['count']} recorded paths are left out")
            continue
        paths = recorded_paths({"paths": made}, made["steps"])
        assert paths is not None
        times, stretch = paths.batch(range(0, made["count"], every))
        kept = slice(None, None, made.get("keep_every", 1))
        times, stretch = times[:, kept], stretch[:, kept]
        yield Histories(times, stretch, drive(law, stretch, times))


if __name__ == "__main__":
    launch(training_range)
