"""Training: a cosine schedule, checkpoints that a kill cannot harm, early stopping, a log and its picture.

A learner (recurrent_learner.py, pca_learner.py) knows its model, data and loss; this file knows the rest.
Random choices of an epoch depend on the seed and the epoch alone, so that a resumed run ends with the same
weights.
"""

from __future__ import annotations

import csv
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from microscale.errors import ConvergenceError, InputError
from multiscale.surrogate.histories import RelativeErrors
from multiscale.surrogate.store import replace_file

SECONDS_BETWEEN_CHECKPOINTS = 30.0
WARM_UP, LONGEST_WARM_UP = 0.05, 500
"""The rate rises over this share of the updates, or over this many: faster, some trainings diverge."""
DIVERGED = 1e3
"""Relative error from which on a training has diverged; no stress at all makes an error of one."""
COLUMNS = ("epoch", "rate", "train", "validation_deviatoric", "validation_total", "seconds")


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


@dataclass
class Progress:
    """Where a training is: what a checkpoint holds besides tensors."""

    epoch: int = 0
    updates: int = 0
    best_error: float = math.inf
    best_epoch: int = 0
    seconds: float = 0.0


class Training:
    """One training run that writes ``<out>.checkpoint``, ``<out>.csv`` and ``<out>.png`` beside its weights.

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
        self._resume()
        started, last_saved = time.perf_counter() - self.progress.seconds, time.perf_counter()
        progress = self.progress
        while progress.epoch < self.epochs and progress.epoch - progress.best_epoch < self.patience:
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
        draw_losses(self.out.with_suffix(".csv"), self.out.with_suffix(".png"))
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
        with self.out.with_suffix(".csv").open("a", newline="") as file:
            writer = csv.writer(file)
            if progress.epoch == 1:
                writer.writerow(COLUMNS)
            writer.writerow([f"{value:.6g}" for value in values])
        left = progress.seconds / progress.epoch * (self.epochs - progress.epoch)
        print(
            f"epoch {progress.epoch}/{self.epochs}  loss {loss:.4f}  validation: "
            f"deviatoric {100 * means['deviatoric']:.2f} %, total {100 * means['total']:.3f} %  "
            f"{progress.seconds:.0f} s, {left:.0f} s left",
            flush=True,
        )

    def _save(self) -> None:
        tensors = {f"now.{name}": tensor for name, tensor in _tensors(self.learner.module).items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for index, state in self.learner.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": torch.as_tensor(value) for name, value in state.items()}
        metadata = {name: repr(value) for name, value in vars(self.progress).items()} | {
            "settings": self.settings
        }
        replace_file(self.checkpoint, save(tensors, metadata))

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self.out.with_suffix(".csv").unlink(missing_ok=True)
            return
        tensors, metadata = _read_checkpoint(self.checkpoint)
        if metadata["settings"] != self.settings:
            raise InputError(
                f"{self.checkpoint} belongs to a training with other data or settings; remove it to start "
                "afresh, or repeat the command it was made with"
            )
        for name, kind in (
            ("epoch", int),
            ("updates", int),
            ("best_epoch", int),
            ("best_error", float),
            ("seconds", float),
        ):
            setattr(self.progress, name, kind(metadata[name]))
        self.schedule.done = self.progress.updates
        self.learner.module.load_state_dict(_with_prefix(tensors, "now."))
        self.best = _with_prefix(tensors, "best.")
        _restore_optimiser(self.learner.optimiser, _with_prefix(tensors, "optimiser."))
        _truncate_log(self.out.with_suffix(".csv"), self.progress.epoch)


def _restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".")
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def _with_prefix(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _read_checkpoint(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    try:
        with safe_open(str(path), framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(f"checkpoint {path} is damaged ({error}); remove it to start afresh") from error


def _truncate_log(path: Path, epochs: int) -> None:
    """Drop the lines of epochs after the checkpoint: they will be run again."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[: epochs + 1]))


def draw_losses(log: Path, picture: Path) -> None:
    """Draw the errors of a log over epochs."""
    from matplotlib.figure import Figure

    table = np.atleast_2d(np.loadtxt(log, delimiter=",", skiprows=1))
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="epoch", ylabel="relative L2 error", yscale="log")
    for column, label in ((2, "training loss"), (3, "validation, deviatoric"), (4, "validation, total")):
        axes.plot(table[:, 0], table[:, column], label=label)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")
    figure.savefig(picture, dpi=120)
