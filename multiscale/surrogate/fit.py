"""From data-set files to a surrogate on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from microscale.errors import InputError
from multiscale.surrogate.fused import BLOCK
from multiscale.surrogate.pca import PrincipalComponents
from multiscale.surrogate.pca_learner import PcaLearner
from multiscale.surrogate.pca_net import PcaArchitecture, PcaSurrogate, SeluNetwork
from multiscale.surrogate.recurrent import Architecture
from multiscale.surrogate.recurrent_learner import RecurrentLearner
from multiscale.surrogate.sources import read_sources, split, training_range
from multiscale.surrogate.store import Card, Weights, read_surrogate, write_surrogate
from multiscale.surrogate.train import Learner, Training

VALIDATION_SHARE = 0.04


def fit_recurrent(
    files: Sequence[Path],
    out: Path,
    internal: int,
    hidden: int,
    epochs: int,
    rate: float,
    batch: int,
    seed: int,
) -> None:
    """Train the recurrent surrogate and write it; a run that was killed goes on where it was.

    Args:
        files: Data sets of one material.
        out: Weights file; checkpoint, log and picture go beside it.
        internal: Number of internal variables.
        hidden: Width of the hidden layers.
        epochs: Times to go through the data.
        rate: Peak learning rate.
        batch: Paths a batch, a multiple of 64.
        seed: Of the split, the first weights and the order of paths.

    Raises:
        InputError: Data, sizes or checkpoint cannot be used.
    """
    _check_sizes(internal=internal, hidden=hidden, epochs=epochs, rate=rate, batch=batch)
    if batch % BLOCK:
        raise InputError(f"batch = {batch}, expected a multiple of {BLOCK} for the recurrent surrogate")
    sources = read_sources(files)
    architecture = Architecture(internal, hidden)
    training, validation = split(sources.histories, VALIDATION_SHARE, seed)
    learner = RecurrentLearner(training, validation, sources.material, architecture, seed, batch)
    card = Card(
        "recurrent", asdict(architecture), sources.material, training_range(training), sources.records
    )
    _fit(learner, out, card, epochs, rate, batch, seed, {})


def fit_pca(
    files: Sequence[Path], out: Path, modes: int, hidden: int, epochs: int, rate: float, batch: int, seed: int
) -> None:
    """Train the paper's surrogate and write it; see :func:`fit_recurrent`."""
    _check_sizes(modes=modes, hidden=hidden, epochs=epochs, rate=rate, batch=batch)
    sources = read_sources(files)
    samples = sources.histories.times.shape[1]
    if modes > samples:
        raise InputError(f"modes = {modes}, expected at most the {samples} samples of a path")
    architecture = PcaArchitecture(modes, hidden)
    training, validation = split(sources.histories, VALIDATION_SHARE, seed)
    learner = PcaLearner(training, validation, architecture, seed, batch)
    card = Card("pca", asdict(architecture), sources.material, training_range(training), sources.records)
    reduction = learner.surrogate
    arrays = {
        "fractions": reduction.stretch.fractions,
        "stretch_modes": reduction.stretch.modes,
        "stress_modes": reduction.stress.modes,
        "stress_scale": np.array([reduction.stress_scale]),
    }
    _fit(learner, out, card, epochs, rate, batch, seed, arrays)


def read_pca(path: Path) -> PcaSurrogate:
    """Read the paper's surrogate.

    Raises:
        InputError: See :func:`multiscale.surrogate.store.read_surrogate`.
    """
    weights, card = read_surrogate(path, kind="pca")
    architecture = PcaArchitecture(**card.architecture)
    network = SeluNetwork(architecture)
    try:
        network.load_state_dict({name: torch.from_numpy(weights[name]) for name in network.state_dict()})
        stretch = PrincipalComponents(weights["fractions"], weights["stretch_modes"])
        stress = PrincipalComponents(weights["fractions"], weights["stress_modes"])
        return PcaSurrogate(architecture, stretch, stress, float(weights["stress_scale"][0]), network)
    except (KeyError, RuntimeError) as error:
        raise InputError(
            f"weights {path} do not fit the network of their card ({error}); train it again"
        ) from error


def _fit(
    learner: Learner, out: Path, card: Card, epochs: int, rate: float, batch: int, seed: int, arrays: Weights
) -> None:
    settings = {
        "kind": card.kind,
        **card.architecture,
        "batch": batch,
        "data": [r["sha256"] for r in card.datasets],
    }
    progress = Training(learner, out, epochs, rate, seed, settings).run()
    schedule = {"epochs": epochs, "rate": rate, "batch": batch, "seed": seed}
    errors = {"validation": {"deviatoric_mean": progress.best_error}}
    weights = {name: tensor.numpy() for name, tensor in learner.module.state_dict().items()}
    write_surrogate(out, weights | arrays, replace(card, errors=errors, training=vars(progress) | schedule))


def _check_sizes(**sizes: float) -> None:
    for name, value in sizes.items():
        if not value > 0:
            raise InputError(f"{name} = {value}, expected a positive number")
