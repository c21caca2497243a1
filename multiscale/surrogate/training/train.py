"""Training: a cosine schedule, checkpoints that a kill cannot harm, early stopping, a log and its picture.

A learner (recurrent_learner.py, pca_learner.py) knows its model, data and loss; this file knows the rest.
Random choices of an epoch depend on the seed and the epoch alone, so that a resumed run ends with the same
weights.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import nn

from microscale.errors import ConvergenceError
from microscale.progress import Task, said, task
from multiscale.surrogate.histories import RelativeErrors
from multiscale.surrogate.training.checkpoint import (
    Progress,
    Tensors,
    part_of,
    read_checkpoint,
    restore_optimiser,
    weights_of,
    write_checkpoint,
)
from multiscale.surrogate.training.log import append_line, truncate_log

SECONDS_BETWEEN_CHECKPOINTS = 30.0
WARM_UP, LONGEST_WARM_UP = 0.05, 500
"""The rate rises over this share of the updates, or over this many: faster, some trainings diverge."""
DIVERGED = 1e3
"""Relative error from which on a training has diverged; no stress at all makes an error of one."""


class Learner(Protocol):
    """A model with its data and loss."""

    @property
    def judged(self) -> Literal["total", "deviatoric"]:
        """Which validation error tells the best epoch: that of what is learnt."""

    @property
    def module(self) -> nn.Module:
        """What is trained."""

    @property
    def optimiser(self) -> torch.optim.Optimizer:
        """What moves its weights; the schedule sets its rate."""

    @property
    def updates_per_epoch(self) -> int:
        """How often an epoch moves the weights, about; sets the schedule."""

    def epoch(self, generator: np.random.Generator, schedule: Schedule) -> float:
        """Go through the data once, with ``schedule.next()`` before each update; return the mean loss."""

    def validate(self) -> RelativeErrors:
        """Return the errors of the validation paths."""


@dataclass
class Schedule:
    """Learning rate: a linear rise, then half a cosine down to a last fraction of the peak.

    Attributes:
        optimiser: Whose rate is set.
        peak: Largest learning rate.
        updates: Number of updates of the whole training.
        last: Final rate over the peak.
        done: Updates so far.
    """

    optimiser: torch.optim.Optimizer
    peak: float
    updates: int
    last: float = 0.01
    done: int = 0

    @property
    def rate(self) -> float:
        """Learning rate of the next update."""
        cosine = 0.5 * (1.0 + math.cos(math.pi * min(self.done / self.updates, 1.0)))
        rising = min(WARM_UP * self.updates, LONGEST_WARM_UP)
        return self.peak * min(1.0, (self.done + 1) / (rising + 1)) * (self.last + (1.0 - self.last) * cosine)

    def next(self) -> None:
        """Set the rate of the next update."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.done += 1


class Training:
    """One training run that writes ``<out>.checkpoint`` and ``<out>.csv`` beside its weights.

    Args:
        learner: What is trained.
        out: The weights file it is for.
        epochs: Length of the schedule.
        rate: Peak learning rate.
        last_rate: Final learning rate, over the peak.
        seed: Of the random choices.
        patience: Epochs without a better validation error after which training stops early; by default half
            of the schedule and at least 100, since errors fall when the rate does.
        settings: Whatever else determines the run; a checkpoint of other settings is refused.
    """

    def __init__(
        self,
        learner: Learner,
        out: Path,
        epochs: int,
        rate: float,
        seed: int,
        settings: dict[str, Any],
        last_rate: float = 0.01,
        patience: int | None = None,
    ) -> None:
        self.learner, self.out, self.epochs, self.seed = learner, Path(out), epochs, seed
        self.patience = max(100, epochs // 2) if patience is None else patience
        updates = epochs * learner.updates_per_epoch
        self.schedule = Schedule(learner.optimiser, rate, updates, last_rate)
        self.settings = repr(sorted((settings | {"epochs": epochs, "rate": rate, "seed": seed}).items()))
        self.progress = Progress()
        self._diverged: ConvergenceError | None = None
        self.best = _tensors(learner.module)

    @property
    def checkpoint(self) -> Path:
        """The file a killed run resumes from."""
        return self.out.with_suffix(".checkpoint")

    def run(self) -> Progress:
        """Train to the end, from the checkpoint if there is one, and leave the best weights in the module.

        Raises:
            ConvergenceError: It diverged in its first epoch; later see :meth:`raise_if_diverged`.
        """
        with task("epochs", self.epochs) as epochs:
            return self._run(epochs)

    def _run(self, epochs: Task) -> Progress:
        self._resume()
        started, last_saved = time.perf_counter() - self.progress.seconds, time.perf_counter()
        progress = self.progress
        while progress.epoch < self.epochs and progress.epoch - progress.best_epoch < self.patience:
            epochs.done = progress.epoch
            generator = np.random.default_rng([self.seed, progress.epoch])
            loss = self.learner.epoch(generator, self.schedule)
            progress.epoch, progress.updates = progress.epoch + 1, self.schedule.done
            progress.seconds = time.perf_counter() - started
            errors = self.learner.validate()
            if not self._is_sound(loss, errors):
                return self._end_at_best(loss)
            self._record(loss, errors)
            if time.perf_counter() - last_saved > SECONDS_BETWEEN_CHECKPOINTS:
                self._save()
                last_saved = time.perf_counter()
        self._save()
        if progress.best_error > 1.0:
            print(
                f"warning: the validation error is {100.0 * progress.best_error:.0f} % at best, more than "
                "that of no stress at all: give more --epochs, another --rate or more data"
            )
        self.learner.module.load_state_dict(self.best)
        return progress

    def raise_if_diverged(self) -> None:
        """Raise a ConvergenceError if the training diverged; call it once its best weights are written."""
        if self._diverged is not None:
            raise self._diverged

    def _is_sound(self, loss: float, errors: RelativeErrors) -> bool:
        finite = all(bool(tensor.isfinite().all()) for tensor in self.learner.module.state_dict().values())
        judged = float(getattr(errors, self.learner.judged).mean())
        return finite and loss < DIVERGED and judged < DIVERGED

    def _end_at_best(self, loss: float) -> Progress:
        """End a training that diverged; its checkpoint stays that of a good epoch."""
        progress = self.progress
        kept = f"the best weights, of epoch {progress.best_epoch}, are in {self.out}"
        self._diverged = ConvergenceError(
            f"the training diverged in epoch {progress.epoch} of {self.epochs} (loss {loss:.3g}) at --rate "
            f"{self.schedule.peak:g}: choose a smaller --rate and another --out; "
            + (kept if progress.best_epoch else "no weights were written")
        )
        if not progress.best_epoch:
            raise self._diverged
        self.learner.module.load_state_dict(self.best)
        return progress

    def _record(self, loss: float, errors: RelativeErrors) -> None:
        progress = self.progress
        means = {kind: float(values.mean()) for kind, values in vars(errors).items()}
        if means[self.learner.judged] < progress.best_error:
            progress.best_error, progress.best_epoch = means[self.learner.judged], progress.epoch
            self.best = _tensors(self.learner.module)
        values = (
            progress.epoch,
            self.schedule.rate,
            loss,
            means["deviatoric"],
            means["total"],
            progress.seconds,
        )
        append_line(self.out.with_suffix(".csv"), values)
        left = progress.seconds / progress.epoch * (self.epochs - progress.epoch)
        print(
            f"epoch {progress.epoch}/{self.epochs}  loss {loss:.4f}  validation: "
            f"deviatoric {100 * means['deviatoric']:.2f} %, total {100 * means['total']:.3f} %  "
            f"{progress.seconds:.0f} s, {left:.0f} s left",
            flush=True,
        )
        said()

    def _save(self) -> None:
        tensors = {f"now.{name}": tensor for name, tensor in _tensors(self.learner.module).items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for index, state in self.learner.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
        write_checkpoint(self.checkpoint, tensors, self.progress, self.settings)

    def _resume(self) -> None:
        log, path, module = self.out.with_suffix(".csv"), self.checkpoint, self.learner.module
        if not path.exists():
            self.out.parent.mkdir(parents=True, exist_ok=True)
            log.unlink(missing_ok=True)
            return
        tensors, self.progress = read_checkpoint(path, self.settings)
        self.schedule.done = self.progress.updates
        module.load_state_dict(weights_of(part_of(tensors, "now."), module, path))
        self.best = weights_of(part_of(tensors, "best."), module, path)
        restore_optimiser(self.learner.optimiser, part_of(tensors, "optimiser."), path)
        truncate_log(log, self.progress.epoch)


def _tensors(module: nn.Module) -> Tensors:
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
