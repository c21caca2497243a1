"""Which recurrent cell? The shipped surrogate's beside those of the literature, on the same data and inputs.

    multiscale generate --protocol R --max-strain 0.1 --duration 0.5 --longest-duration 5 \
        --paths 4000 --seed 301 --out train.h5
    multiscale generate ... --paths 300 --seed 2007 --out test.h5
    python demos/studies/recurrent_cells.py train.h5 --test test.h5 --output results/recurrent_cells

All read the features of a step (:mod:`multiscale.surrogate.recurrent.increments`) and give the deviator;
sizes are chosen for about as many weights each. The cells of the literature are plain torch; ours is the
compiled one, in its own training.
"""

import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from microscale.inputs.numbers import Count, OutFolder, Seed, checked
from microscale.progress import tracked
from multiscale.run.command import launch
from multiscale.surrogate.recurrent.architecture import DEVIATOR, FEATURES, STRAIN_SCALE, Architecture
from multiscale.surrogate.recurrent.increments import deviator_of_mandel
from multiscale.surrogate.recurrent.learner import Prepared, RecurrentLearner, prepare
from multiscale.surrogate.sources import read_sources, split
from multiscale.surrogate.training.train import Schedule

BATCH = 32
SIZE = -2  # row of the strain increment in the data of a step


class Gated(nn.Module):
    """Gated recurrent units (Cho et al. 2014), and a linear read-out."""

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.cell, self.out = nn.GRU(FEATURES, width), nn.Linear(width, DEVIATOR)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """Return the deviator (steps, paths, 5) of steps (steps, rows, paths)."""
        return self.out(self.cell(steps[:, :FEATURES].mT)[0])


class MinimalState(nn.Module):
    """A linearised minimal state cell (Bonatti and Mohr 2022): few states relax as strain passes."""

    def __init__(self, states: int = 40, width: int = 112) -> None:
        super().__init__()
        self.states, read = states, FEATURES + states
        self.hidden = nn.Sequential(nn.Linear(read, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.rates, self.targets = nn.Linear(width, states), nn.Linear(width, states)
        self.out = nn.Linear(states, DEVIATOR)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """Return the deviator (steps, paths, 5) of steps (steps, rows, paths)."""
        state, history = steps.new_zeros(steps.shape[2], self.states), []
        for features, size in zip(steps[:, :FEATURES].mT.unbind(0), steps[:, SIZE].unbind(0), strict=True):
            hidden = self.hidden(torch.cat([features, state], 1))
            left = torch.exp(-size[:, None] * functional.softplus(self.rates(hidden)))
            target = torch.tanh(self.targets(hidden)) * 4.0
            state = target + (state - target) * left
            history.append(state)
        return self.out(torch.stack(history))


class Attention(nn.Module):
    """A causal transformer (Vaswani et al. 2017): every step looks back at all before it."""

    def __init__(self, width: int = 48, layers: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.embed, self.out = nn.Linear(FEATURES + 1, width), nn.Linear(width, DEVIATOR)
        layer = nn.TransformerEncoderLayer(width, heads, 2 * width, dropout=0.0, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """Return the deviator (steps, paths, 5) of steps (steps, rows, paths)."""
        passed = 0.02 * steps[:, SIZE].cumsum(0)[..., None]  # where on the path: strain so far
        causal = nn.Transformer.generate_square_subsequent_mask(len(steps))
        embedded = self.embed(torch.cat([steps[:, :FEATURES].mT, passed], -1))
        return self.out(self.layers(embedded, mask=causal, is_causal=True))


class Scan(nn.Module):
    """Diagonal linear recurrences between networks (Orvieto et al. 2023), fit for a parallel scan."""

    def __init__(self, width: int = 52, layers: int = 2) -> None:
        super().__init__()
        self.embed, self.out = nn.Linear(FEATURES, width), nn.Linear(width, DEVIATOR)
        self.memory = nn.ParameterList([torch.linspace(-4.0, 2.0, width) for _ in range(layers)])
        self.mix = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width))
            for _ in range(layers)
        )

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """Return the deviator (steps, paths, 5) of steps (steps, rows, paths)."""
        passed, x = steps[:, SIZE, :, None], self.embed(steps[:, :FEATURES].mT)
        for memory, mix in zip(self.memory, self.mix, strict=True):
            left = torch.exp(-passed * functional.softplus(memory))
            state, history = torch.zeros_like(x[0]), []
            for keep, new in zip(left.unbind(0), x.unbind(0), strict=True):
                state = keep * state + (1.0 - keep) * new
                history.append(state)
            x = x + mix(torch.cat([x, torch.stack(history)], -1))
        return self.out(x)


class Energetic(nn.Module):
    """A generalised standard material (Halphen and Nguyen 1975) whose functions are networks.

    The energy is half the sum of (a - a(strain))^2 over internal variables a with learnt a(strain): stress is
    its derivative by strain, and each a falls along its force at a learnt, positive rate. No weights can give
    a negative dissipation, and rest is free of stress.
    """

    def __init__(self, variables: int = 40, width: int = 136, inner: int = 64) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(DEVIATOR, inner), nn.Linear(inner, variables, bias=False)
        self.rates = nn.Sequential(
            *(nn.Linear(FEATURES + variables, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()),
            nn.Linear(width, variables),
        )

    def forward(self, steps: torch.Tensor) -> torch.Tensor:
        """Return the deviator (steps, paths, 5) of steps (steps, rows, paths)."""
        features, size = steps[:, :FEATURES].mT, steps[:, SIZE, :, None]
        bent = torch.tanh(self.inner(deviator_of_mandel(features) / STRAIN_SCALE**0.5))
        rest = self.outer(bent)
        last = self.outer(torch.tanh(self.inner.bias)).expand_as(rest[0])  # of no strain
        force, history = torch.zeros_like(rest[0]), []
        for step, passed, here in zip(features.unbind(0), size.unbind(0), rest.unbind(0), strict=True):
            force, last = force + here - last, here
            rates = functional.softplus(self.rates(torch.cat([step, force], 1)))
            force = force * torch.exp(-passed * rates)
            history.append(force)
        slope = 1.0 - bent.square()
        return (torch.stack(history) @ self.outer.weight * slope) @ self.inner.weight


CELLS = {
    "gated": Gated,
    "minimal state": MinimalState,
    "attention": Attention,
    "linear scan": Scan,
    "energetic": Energetic,
}


@checked
def recurrent_cells(
    *datasets: Path,
    test: Path,
    output: OutFolder = Path("results/recurrent_cells"),
    epochs: Count = 20,
    seed: Seed = 0,
) -> dict[str, dict[str, float]]:
    """Train every cell and write its error, weights and seconds to ``recurrent_cells.json``.

    Args:
        datasets: Training data.
        test: Test data of the same law.
        output: Folder of the figures.
        epochs: Times to go through the data.
        seed: Of first weights and orders.
    """
    sources, judged = read_sources(datasets), read_sources([test]).histories
    training, _ = split(sources.histories, 0.03, seed)
    learner = RecurrentLearner(training, judged, sources.material, Architecture(), seed)
    found = {"ours": _of_ours(learner, epochs)}
    print("ours", found["ours"], flush=True)
    data, judge = prepare(training, sources.material), prepare(judged, sources.material)
    for name, cell in CELLS.items():
        torch.manual_seed(seed)
        found[name] = _of_cell(cell(), data, judge, epochs)
        print(name, found[name], flush=True)
    output.mkdir(parents=True, exist_ok=True)
    (output / "recurrent_cells.json").write_text(json.dumps(found, indent=2) + "\n")
    return found


def _of_ours(learner: RecurrentLearner, epochs: int) -> dict[str, float]:
    schedule = Schedule(learner.optimiser, 3e-3, epochs * learner.updates_per_epoch)
    start = time.process_time()
    for epoch in tracked(range(epochs), "epochs"):
        learner.epoch(np.random.default_rng([0, epoch]), schedule)
    return _figures(learner.module, float(learner.validate().deviatoric.mean()), start)


def _of_cell(cell: nn.Module, data: Prepared, judge: Prepared, epochs: int) -> dict[str, float]:
    """Train one cell by Adam, on whole paths."""
    batches = len(data.ends) // BATCH
    optimiser = torch.optim.AdamW(cell.parameters(), weight_decay=1e-3)
    schedule, start = Schedule(optimiser, 3e-3, epochs * batches), time.process_time()
    for epoch in tracked(range(epochs), "epochs"):
        order = torch.from_numpy(np.random.default_rng([0, epoch]).permutation(len(data.ends)))
        for paths in order[: batches * BATCH].split(BATCH):
            schedule.next()
            optimiser.zero_grad()
            _relative_error(cell, data, paths).mean().backward()
            nn.utils.clip_grad_norm_(cell.parameters(), 1.0)
            optimiser.step()
    with torch.no_grad():
        errors = [_relative_error(cell, judge, paths) for paths in torch.arange(len(judge.ends)).split(100)]
    return _figures(cell, float(torch.cat(errors).mean()), start)


def _relative_error(cell: nn.Module, data: Prepared, paths: torch.Tensor) -> torch.Tensor:
    """Relative L2 error of the deviator of each path."""
    steps, target, weight = data.batch(paths, data.longest(paths))
    error = (cell(steps).mT - target) * weight
    return (error.square().sum((0, 1)) / (target * weight).square().sum((0, 1)) + 1e-8).sqrt()


def _figures(module: nn.Module, error: float, start: float) -> dict[str, float]:
    weights = sum(parameter.numel() for parameter in module.parameters())
    return {"deviatoric_mean": error, "weights": weights, "cpu_seconds": round(time.process_time() - start)}


if __name__ == "__main__":
    launch(recurrent_cells)
