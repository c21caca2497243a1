"""From histories to the paper's surrogate on disk, on one process or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.files.schema import validated
from microscale.inputs.memory import require_memory
from microscale.inputs.numbers import Count, OutFile, Positive, Seed, checked
from multiscale.surrogate.histories import Histories
from multiscale.surrogate.pca.architecture import PcaArchitecture
from multiscale.surrogate.pca.components import PrincipalComponents
from multiscale.surrogate.pca.learner import PcaLearner
from multiscale.surrogate.pca.network import PcaSurrogate, SeluNetwork
from multiscale.surrogate.plausible import require_known_pressure
from multiscale.surrogate.recurrent.fit import BYTES_A_WEIGHT, VALIDATION_SHARE
from multiscale.surrogate.sources import read_sources, require_one_texture, split, training_range
from multiscale.surrogate.store import (
    Card,
    read_surrogate,
    require_weights_name,
    write_surrogate,
)
from multiscale.surrogate.training.data_parallel import place_of, ranks_of_launcher
from multiscale.surrogate.training.log import draw_losses
from multiscale.surrogate.training.train import Training


@checked
def fit_pca(
    files: Sequence[Path],
    out: OutFile,
    modes: Count = 100,
    hidden: Count = 1000,
    epochs: Count = 200,
    rate: Positive = 1e-4,
    batch: Count = 64,
    seed: Seed = 0,
    exact_pressure: bool = False,
) -> None:
    """Train the paper's surrogate and write it; a run that was killed goes on where it was.

    Args:
        files: Data sets of one material.
        out: Weights file; checkpoint, log and picture go beside it.
        modes: Principal components of each tensor component.
        hidden: Width of the four hidden layers.
        epochs: Times to go through the data.
        rate: Peak learning rate.
        batch: Paths a batch.
        seed: Of the split, the first weights and the order of paths.
        exact_pressure: Compute the mean stress and learn the rest.

    Raises:
        InputError: Data, sizes or checkpoint cannot be used.
    """
    require_weights_name(out)
    require_memory(BYTES_A_WEIGHT * (3.0 * hidden**2 + 12.0 * modes * hidden), modes=modes, hidden=hidden)
    sources = read_sources(files, one_sampling=True)
    if exact_pressure:
        require_known_pressure(sources.histories, sources.material)
    require_one_texture(sources)
    samples = sources.histories.times.shape[1]
    if modes > samples:
        raise InputError(f"modes = {modes}, expected at most the {samples} samples of a path")
    architecture = PcaArchitecture(modes, hidden, exact_pressure=exact_pressure)
    training, validation = split(sources.histories, VALIDATION_SHARE, seed)
    limits = training_range(training, sources.material.shear_modulus)
    card = Card("pca", asdict(architecture), sources.material, limits, sources.records)
    fit_histories(training, validation, card, out, epochs, rate, batch, seed)


def fit_histories(
    training: Histories,
    validation: Histories,
    card: Card,
    out: Path,
    epochs: int,
    rate: float,
    batch: int,
    seed: int,
    decay: float = 0.0,
) -> None:
    """Train on histories and write weights and card; arguments as of :func:`fit_pca` and the learner."""
    architecture = validated(PcaArchitecture, card.architecture, "sizes of the network", "choose others")
    data = [record["sha256"] for record in card.datasets]
    settings: dict[str, Any] = {
        "kind": card.kind,
        **card.architecture,
        "batch": batch,
        "data": data,
        "paths": len(training),
    }
    settings |= {"decay": decay} if decay else {}
    with ranks_of_launcher() as ranks, place_of(ranks, out) as place:
        learner = PcaLearner(
            training, validation, architecture, seed, batch, ranks, card.computed_bulk_modulus, decay
        )
        fit = Training(learner, place, epochs, rate, seed, settings)
        progress = fit.run()
    if ranks.rank > 0:
        return
    schedule = {"epochs": epochs, "rate": rate, "batch": batch, "seed": seed, "processes": ranks.size}
    schedule |= {"decay": decay} if decay else {}
    errors = {"validation": {f"{learner.judged}_mean": progress.best_error}}
    card = replace(card, errors=errors, training=vars(progress) | schedule)
    write_surrogate(out, learner.surrogate.arrays(), card)
    print(f"weights: {printable(out)}")
    draw_losses(out.with_suffix(".csv"), out.with_suffix(".png"))
    fit.raise_if_diverged()


def read_pca(path: Path) -> PcaSurrogate:
    """Read the paper's surrogate.

    Raises:
        InputError: See :func:`multiscale.surrogate.store.read_surrogate`.
    """
    weights, card = read_surrogate(path, kind="pca")
    try:
        architecture = validated(PcaArchitecture, card.architecture, "sizes", "train it again")
        architecture.require_arrays(weights)
    except InputError as error:
        raise InputError(f"weights {path} do not fit the network of their card ({error})") from error
    network = SeluNetwork(architecture)
    network.load_state_dict({name: torch.from_numpy(weights[name]) for name in network.state_dict()})
    stretch = PrincipalComponents(weights["fractions"], weights["stretch_modes"])
    stress = PrincipalComponents(weights["fractions"], weights["stress_modes"])
    stress_scale, time_scale = (float(weights[name][0]) for name in ("stress_scale", "time_scale"))
    return PcaSurrogate(
        architecture, stretch, stress, stress_scale, time_scale, card.computed_bulk_modulus, network
    )
