"""Training of the recurrent surrogate: truncated back-propagation through time, on steps of several sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from multiscale.surrogate.fused import BLOCK, FusedRecurrent, pack
from multiscale.surrogate.histories import FloatArray, Histories, RelativeErrors, relative_errors
from multiscale.surrogate.increments import STRAIN_SCALE, deviator5, from_deviator5, increments
from multiscale.surrogate.muon import Muon
from multiscale.surrogate.recurrent import Architecture, RecurrentSurrogate
from multiscale.surrogate.store import Material
from multiscale.surrogate.train import Schedule

WINDOW = 50
"""Samples between updates; the state is carried over, its gradient is not."""
CHUNK = 256
"""Paths whose steps are prepared at once."""


@dataclass(frozen=True)
class Sampling:
    """How paths are cut into steps.

    Attributes:
        stride: Only every stride-th sample is used.
        parts: Steps between two samples; the path is linear there.
        samples: Number of samples from the start, before thinning; none for all.
        share: Probability with which a batch is sampled this way.
    """

    stride: int = 1
    parts: int = 1
    samples: int | None = None
    share: float = 1.0


SAMPLINGS = (
    Sampling(share=0.55),
    Sampling(stride=2, share=0.2),
    Sampling(stride=4, share=0.15),
    Sampling(parts=4, samples=51, share=0.1),
)
"""The surrogate is to be the same law at any time step, so it sees coarser and finer ones."""


@dataclass(frozen=True)
class Prepared:
    """Paths as the kernel reads them, paths first.

    Attributes:
        steps: Shape (paths, steps, rows), float32.
        target: Deviator s over the strain scale at the samples, shape (paths, samples, 5).
        weight: From that to the Cauchy stress, 1 / det F, shape (paths, samples, 1).
    """

    steps: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor


def prepare(histories: Histories, sampling: Sampling, material: Material) -> Prepared:
    """Return histories as the kernel reads them."""
    chunks = [histories[start : start + CHUNK] for start in range(0, len(histories), CHUNK)]
    parts = [_prepare(chunk, sampling, material) for chunk in chunks]
    return Prepared(
        *(torch.cat([getattr(part, name) for part in parts]) for name in ("steps", "target", "weight"))
    )


def _prepare(histories: Histories, sampling: Sampling, material: Material) -> Prepared:
    kept = Histories(*(array[:, : sampling.samples] for array in vars(histories).values())).thinned(
        sampling.stride
    )
    times, stretch = kept.refined(sampling.parts)
    steps = increments(torch.from_numpy(stretch).transpose(0, 1), torch.from_numpy(np.diff(times, axis=1)).mT)
    weight = torch.from_numpy(1.0 / np.linalg.det(kept.stretch[:, 1:]))[..., None]
    target = deviator5(torch.from_numpy(kept.stress[:, 1:])) / (
        weight * material.shear_modulus * STRAIN_SCALE
    )
    return Prepared(pack(steps).permute(2, 0, 1).contiguous(), target.float(), weight.float())


class RecurrentLearner:
    """Learns the deviator of stress histories; see :class:`multiscale.surrogate.train.Learner`.

    Args:
        training: Histories to learn.
        validation: Histories to judge by.
        material: For the shear modulus, which makes a stress of the elastic strain.
        architecture: Size of the network.
        seed: Of the first weights.
        batch: Paths a batch, a multiple of 64.
        samplings: Ways paths are cut into steps, and how often.
    """

    def __init__(
        self,
        training: Histories,
        validation: Histories,
        material: Material,
        architecture: Architecture,
        seed: int = 0,
        batch: int = BLOCK,
        samplings: tuple[Sampling, ...] = SAMPLINGS,
    ) -> None:
        torch.manual_seed(seed)
        self.module: nn.Module = (surrogate := RecurrentSurrogate(architecture))
        self.optimiser = Muon(surrogate.parameters(), rate=0.0)
        self.batch, self.samplings, self.material, self.validation = batch, samplings, material, validation
        self.paths = len(training)
        self._follow = FusedRecurrent(surrogate)
        self._training = [prepare(training, sampling, material) for sampling in samplings]
        self._validation = prepare(validation, Sampling(), material)

    @property
    def updates_per_epoch(self) -> int:
        """Expected updates of an epoch: samplings differ in their number of windows."""
        windows = [-(-prepared.target.shape[1] // WINDOW) for prepared in self._training]
        mean = np.average(windows, weights=[sampling.share for sampling in self.samplings])
        return max(1, round(max(self.paths // self.batch, 1) * mean))

    def epoch(self, generator: np.random.Generator, schedule: Schedule) -> float:
        """Go through the paths once, in batches; return the mean relative L2 error of the deviator."""
        losses = [self._learn(*batch, schedule) for batch in self._batches(generator)]
        return float(np.mean(losses))

    def _batches(self, generator: np.random.Generator) -> Iterator[tuple[Sampling, tuple[torch.Tensor, ...]]]:
        order = generator.permutation(self.paths)
        if self.paths < self.batch:
            order = np.resize(order, self.batch)
        shares = np.array([sampling.share for sampling in self.samplings])
        for start in range(0, len(order) - self.batch + 1, self.batch):
            chosen = torch.from_numpy(order[start : start + self.batch])
            k = generator.choice(len(shares), p=shares / shares.sum())
            yield self.samplings[k], _paths_last(self._training[k], chosen)

    def _learn(self, sampling: Sampling, batch: tuple[torch.Tensor, ...], schedule: Schedule) -> float:
        steps, target, weight = batch
        scale = (target * weight).square().sum((0, 1))
        windows = target.shape[0] / WINDOW
        state, squares = None, torch.zeros(())
        for start in range(0, target.shape[0], WINDOW):
            part = slice(start, start + WINDOW)
            cut = steps[start * sampling.parts : (start + WINDOW) * sampling.parts]
            history, state = self._follow(cut, state)
            error = (history[sampling.parts - 1 :: sampling.parts] - target[part]) * weight[part]
            square = error.square().sum((0, 1)) / scale
            schedule.next()
            self.optimiser.zero_grad()
            torch.autograd.backward((square * windows + 1e-5).sqrt().mean())
            self.optimiser.step()
            squares = squares + square.detach()
        return float(squares.sqrt().mean())

    def validate(self) -> RelativeErrors:
        """Return the errors of the validation paths at their own steps."""
        count = -(-len(self.validation) // BLOCK) * BLOCK
        chosen = torch.from_numpy(np.resize(np.arange(len(self.validation)), count))
        with torch.no_grad():
            history, _ = self._follow(_paths_last(self._validation, chosen)[0])
        strain = history.permute(2, 0, 1)[: len(self.validation)].double()
        J = np.linalg.det(self.validation.stretch)
        stress = stress_from(strain.numpy(), J[:, 1:], self.material)
        exact, times = self.validation.stress, self.validation.times
        return relative_errors(np.concatenate([exact[:, :1], stress], axis=1), exact, times)


def _paths_last(prepared: Prepared, chosen: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Gather paths and put them last, where the kernel's lanes are."""
    return tuple(array[chosen].permute(1, 2, 0).contiguous() for array in vars(prepared).values())


def stress_from(strain: FloatArray, J: FloatArray, material: Material) -> FloatArray:
    """Cauchy stress (..., 3, 3), GPa, of deviators s over the strain scale (..., 5) and det F (...)."""
    tau = material.shear_modulus * STRAIN_SCALE * from_deviator5(torch.from_numpy(strain)).numpy()
    pressure_like = 2.0 * material.lambda_e * (J - 1.0)
    return np.asarray(tau / J[..., None, None] + pressure_like[..., None, None] * np.eye(3))
