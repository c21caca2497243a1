"""From data-set files to a surrogate on disk, on one process or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.inputs.memory import require_memory
from microscale.inputs.numbers import Count, OutFile, Positive, Seed, checked
from multiscale.surrogate.plausible import require_known_pressure
from multiscale.surrogate.recurrent.architecture import Architecture
from multiscale.surrogate.recurrent.compiled import BLOCK
from multiscale.surrogate.recurrent.law import architecture_of
from multiscale.surrogate.recurrent.learner import COARSE, RecurrentLearner
from multiscale.surrogate.recurrent.network import RecurrentSurrogate
from multiscale.surrogate.recurrent.widen import require_wider, widened
from multiscale.surrogate.sources import read_sources, require_one_texture, split, training_range
from multiscale.surrogate.store import (
    Card,
    finite_array,
    read_surrogate,
    require_weights_name,
    write_surrogate,
)
from multiscale.surrogate.training.data_parallel import place_of, ranks_of_launcher
from multiscale.surrogate.training.log import draw_losses
from multiscale.surrogate.training.train import Training

VALIDATION_SHARE = 0.04
BYTES_A_WEIGHT = 16
"""The weight, its gradient, the optimiser's and the best one, in single precision, at least."""


@checked
def fit_recurrent(
    files: Sequence[Path],
    out: OutFile,
    groups: Count = 4,
    tensors: Count = 6,
    scalars: Count = 6,
    hidden: Count = 80,
    epochs: Count = 200,
    rate: Positive = 1.5e-3,
    batch: Count | None = None,
    seed: Seed = 0,
    start: Path | None = None,
    longest_step: Positive = COARSE,
    any_texture: bool = False,
    holds: bool = False,
) -> None:
    """Train the recurrent surrogate and write it; a run that was killed goes on where it was.

    Args:
        files: Data sets of one material.
        out: Weights file; checkpoint, log and picture go beside it.
        groups: Groups of grains with an elastic strain each.
        tensors: Number of other deviators of the state.
        scalars: Number of its scalars.
        hidden: Width of the hidden layers.
        epochs: Times to go through the data.
        rate: Peak learning rate.
        batch: Paths a batch, a multiple of 32 for each process; by default that.
        seed: Of the split, the first weights and the order of paths.
        start: Weights to start from, of the same sizes of the state, and no more hidden units; by default
            random ones.
        longest_step: Longest step in training, as the norm of the isochoric strain increment.
        any_texture: Whether the network is told the texture of each path.
        holds: Whether its steps are cut by the time under stress too.

    Raises:
        InputError: Data, sizes, first weights or checkpoint cannot be used.
    """
    architecture = Architecture(groups, tensors, scalars, hidden, int(any_texture), int(holds))
    require_weights_name(out)
    architecture.require_served()
    numbers = sum(inputs * outputs for inputs, outputs in architecture.layers.values())
    require_memory(BYTES_A_WEIGHT * numbers, **architecture.told)
    with ranks_of_launcher() as ranks:
        sources = read_sources(files)
        require_known_pressure(sources.histories, sources.material)
        if not any_texture:
            require_one_texture(sources)
        training, validation = split(sources.histories, VALIDATION_SHARE, seed)
        smallest = BLOCK * ranks.size
        batch = smallest if batch is None else batch
        most = -(-len(training) // smallest) * smallest
        if batch % smallest or batch > most:
            raise InputError(
                f"batch = {batch}, expected a multiple of {smallest} for the recurrent surrogate on "
                f"{ranks.size} process(es), and at most {most} for {len(training)} training paths"
            )
        learner = RecurrentLearner(
            training, validation, sources.material, architecture, seed, batch, ranks, longest_step
        )
        limits = training_range(training, sources.material.shear_modulus)
        card = Card("recurrent", architecture.told, sources.material, limits, sources.records)
        first = None if start is None else _start_from(start, learner.module, architecture)
        _fit(learner, out, card, epochs, rate, batch, seed, first, longest_step)


def _start_from(file: Path, module: nn.Module, architecture: Architecture) -> Card:
    """Load weights into a module, in a larger network if need be, and return their card."""
    weights, card = read_surrogate(file, kind="recurrent")
    there = architecture_of(card)
    require_wider(there, architecture, file)
    shapes = {name: tuple(tensor.shape) for name, tensor in RecurrentSurrogate(there).state_dict().items()}
    given = {name: finite_array(weights, name, shape) for name, shape in shapes.items()}
    first = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    found = widened(given, there, architecture, first)
    module.load_state_dict({name: torch.from_numpy(array) for name, array in found.items()})
    return card


def _fit(
    learner: RecurrentLearner,
    out: Path,
    card: Card,
    epochs: int,
    rate: float,
    batch: int,
    seed: int,
    first: Card | None,
    longest_step: float,
) -> None:
    settings: dict[str, Any] = {
        "kind": card.kind,
        **card.architecture,
        "batch": batch,
        "longest_step": longest_step,
        "data": [r["sha256"] for r in card.datasets],
    }
    if first is not None:
        settings["start"] = first.weights_sha256
    with place_of(learner.ranks, out) as place:
        training = Training(learner, place, epochs, rate, seed, settings)
        progress = training.run()
    if learner.ranks.rank > 0:
        return
    schedule: dict[str, Any] = {"epochs": epochs, "rate": rate, "batch": batch, "seed": seed}
    schedule |= {"processes": learner.ranks.size, "longest_step": longest_step}
    if first is not None:
        schedule["started_from"] = first.training
        seen_before = [data for data in first.datasets if data not in card.datasets]
        card = replace(card, datasets=[*card.datasets, *seen_before])
    errors = {"validation": {"deviatoric_mean": progress.best_error}}
    weights = {name: tensor.numpy() for name, tensor in learner.module.state_dict().items()}
    write_surrogate(out, weights, replace(card, errors=errors, training=vars(progress) | schedule))
    print(f"weights: {printable(out)}")
    draw_losses(out.with_suffix(".csv"), out.with_suffix(".png"))
    training.raise_if_diverged()
