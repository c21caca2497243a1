"""Training of the recurrent surrogate: truncated back-propagation through time, on short steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import nn

from microscale.errors import InputError
from microscale.progress import tracked
from microscale.tensors import FloatArray
from multiscale.surrogate.histories import Histories, RelativeErrors, relative_errors
from multiscale.surrogate.recurrent.architecture import DEVIATOR, LARGEST_STEP, STRAIN_SCALE, Architecture
from multiscale.surrogate.recurrent.compiled import BLOCK, FusedRecurrent, pack
from multiscale.surrogate.recurrent.increments import deviator5, from_deviator5, increments
from multiscale.surrogate.recurrent.network import RecurrentSurrogate
from multiscale.surrogate.recurrent.substeps import cut
from multiscale.surrogate.store import Material
from multiscale.surrogate.training.data_parallel import Ranks
from multiscale.surrogate.training.muon import Muon
from multiscale.surrogate.training.train import Schedule

WINDOW = 320
"""About how many short steps there are between updates; the state is carried over, its gradient is not."""
COARSE, FINE, EVERY = 2.0 * LARGEST_STEP, LARGEST_STEP / 2.0, 8
"""Longest steps in training: one path in eight is followed in finer ones, so that the law is the same in any.
Steps twice as long as the law's are as good and cost less; the last epochs may have the law's."""
POOL = 16
"""Batches whose paths are sorted by length together, so that a batch holds paths of about one length."""
DECAY = 0.3
"""Weight decay: matrices stay below a spectral norm of about ten. Without it, trainings ran away."""
DEFAULT = Architecture()
CHUNK = 128
"""Paths prepared at once."""


@dataclass(frozen=True)
class Prepared:
    """Paths as the kernel reads them, one after another, and last a step of zero size that fills batches.

    Attributes:
        steps: Shape (steps of all paths + 1, rows), float32.
        target: Deviator s over the strain scale, shape (steps of all paths + 1, 5).
        weight: From that to the Cauchy stress, 1 / det F, and zero between samples, shape (..., 1).
        start: First step of each path, and the end of the last, shape (paths + 1,).
        ends: Step of a path that ends at each sample but the first, shape (paths, samples - 1).
    """

    steps: torch.Tensor
    target: torch.Tensor
    weight: torch.Tensor
    start: torch.Tensor
    ends: torch.Tensor

    @property
    def length(self) -> torch.Tensor:
        """Steps of each path, shape (paths,)."""
        return self.start.diff()

    def batch(self, paths: torch.Tensor, longest: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return steps, targets and weights of some paths, shapes (steps, rows, paths): lanes are last."""
        length = self.length[paths]
        step = torch.arange(longest)[:, None]
        index = torch.where(step < length, self.start[paths] + step, len(self.steps) - 1)
        steps, target, weight = (
            array[index].mT.contiguous() for array in (self.steps, self.target, self.weight)
        )
        return steps, target, weight

    def longest(self, paths: torch.Tensor) -> int:
        """Return the largest number of steps of some paths."""
        return int(self.length[paths].max())


def prepare(
    histories: Histories,
    material: Material,
    fine_every: int | None = None,
    longest_step: float = COARSE,
    architecture: Architecture = DEFAULT,
) -> Prepared:
    """Return histories as the kernel reads them, in the steps of the law.

    Args:
        histories: Paths.
        material: Whose stress it is.
        fine_every: For training: steps are longer, and finer on every so-and-so-many-th path.
        longest_step: Longest step of the others.
        architecture: Whether it is told the textures of the paths, and knows holds.
    """
    parts: list[list[torch.Tensor]] = [[] for _ in range(5)]
    for first in range(0, len(histories), CHUNK):
        chunk = np.arange(first, min(first + CHUNK, len(histories)))
        limit = LARGEST_STEP if fine_every is None else np.where(chunk % fine_every == 0, FINE, longest_step)
        for arrays, array in zip(
            parts, _prepare(histories[chunk], limit, material, architecture), strict=True
        ):
            arrays.append(array)
    steps, target, weight, lengths, ends = parts
    start = torch.cat([torch.zeros(1, dtype=torch.int64), torch.cat(lengths).cumsum(0)])
    for arrays in (steps, target, weight):
        arrays.append(torch.zeros(1, arrays[0].shape[1]))
    return Prepared(_moved(steps), _moved(target), _moved(weight), start, torch.cat(ends))


def _moved(parts: list[torch.Tensor]) -> torch.Tensor:
    """Join parts and empty their list on the way: joined beside them they would need twice the memory."""
    joined = torch.empty(sum(len(part) for part in parts), *parts[0].shape[1:])
    ends = np.cumsum([len(part) for part in parts])
    for end in reversed(ends.tolist()):
        part = parts.pop()
        joined[end - len(part) : end] = part
    return joined


def _prepare(
    histories: Histories, largest: FloatArray | float, material: Material, architecture: Architecture
) -> tuple[torch.Tensor, ...]:
    strain = _elastic_strain(histories, material)
    norm = torch.linalg.vector_norm(strain, dim=-1).numpy() if architecture.holds else None
    paths = cut(histories.times, histories.stretch, largest, norm)
    found = increments(torch.from_numpy(paths.stretch).transpose(0, 1), torch.from_numpy(paths.dt).mT)
    texture = histories.texture if architecture.texture else None
    steps = pack(found, None if texture is None else torch.from_numpy(texture)).permute(2, 0, 1)
    ends, path = torch.from_numpy(paths.ends), torch.arange(len(histories))[:, None]
    inverse_volume = torch.from_numpy(1.0 / np.linalg.det(histories.stretch[:, 1:]))[..., None]
    target, weight = torch.zeros(*steps.shape[:2], DEVIATOR), torch.zeros(*steps.shape[:2], 1)
    target[path, ends] = strain[:, 1:].float()
    passing = torch.from_numpy(np.diff(histories.times, axis=1) > 0.0)  # not where a path has ended
    weight[path, ends] = (inverse_volume * passing[..., None]).float()
    length = (ends * passing).amax(1) + 1
    used = torch.arange(steps.shape[1]) < length[:, None]
    return steps[used], target[used], weight[used], length, torch.minimum(ends, length[:, None] - 1)


def _elastic_strain(histories: Histories, material: Material) -> torch.Tensor:
    """Deviator s over the strain scale at the samples, shape (paths, samples, 5)."""
    inverse_volume = torch.from_numpy(1.0 / np.linalg.det(histories.stretch))[..., None]
    strain = deviator5(torch.from_numpy(histories.stress)) / inverse_volume
    return strain / (material.shear_modulus * STRAIN_SCALE)


class RecurrentLearner:
    """Learns the deviator of stress histories; see :class:`multiscale.surrogate.training.train.Learner`.

    Args:
        training: Histories to learn.
        validation: Histories to judge by.
        material: For the shear modulus, which makes a stress of the elastic strain.
        architecture: Size of the network.
        seed: Of the first weights.
        batch: Paths a batch, a multiple of 32 for each process.
        ranks: Processes among which a batch is divided.
        longest_step: Longest step in training, as the norm of the isochoric strain increment.

    Raises:
        InputError: The network is to be told textures, and those of the data are not known.
    """

    judged: Final = "deviatoric"

    def __init__(
        self,
        training: Histories,
        validation: Histories,
        material: Material,
        architecture: Architecture,
        seed: int = 0,
        batch: int = BLOCK,
        ranks: Ranks | None = None,
        longest_step: float = COARSE,
    ) -> None:
        torch.manual_seed(seed)
        self.ranks = ranks or Ranks()
        self.module: nn.Module = (surrogate := RecurrentSurrogate(architecture))
        self.optimiser = Muon(surrogate.parameters(), rate=0.0, decay=DECAY)
        self.batch, self.material, self.validation = batch, material, validation
        self._follow = FusedRecurrent(surrogate)
        if architecture.texture and (training.texture is None or validation.texture is None):
            raise InputError("data of which no texture is known, expected data of taylor, or of --textures")
        self._training = prepare(training, material, EVERY, longest_step, architecture)
        self._validation = prepare(validation, material, architecture=architecture)

    @property
    def updates_per_epoch(self) -> int:
        """Updates of an epoch; another order of the paths may have a few more or less."""
        batches = self._batches(np.random.default_rng(0))
        return sum(_windows(self._training.longest(paths)) for paths in batches)

    def epoch(self, generator: np.random.Generator, schedule: Schedule) -> float:
        """Go through the paths once, in batches; return the mean relative L2 error of the deviator."""
        batches = tracked(list(self._batches(generator)), "batches")
        loss = float(np.mean([self._learn(paths, schedule) for paths in batches]))
        return self.ranks.total(loss) / self.ranks.size

    def _batches(self, generator: np.random.Generator) -> Iterator[torch.Tensor]:
        paths = len(self._training.ends)
        order = generator.permutation(paths)
        if paths < self.batch:
            order = np.resize(order, self.batch)
        order = order[: len(order) // self.batch * self.batch]
        length = self._training.length.numpy()
        pools = [order[k : k + POOL * self.batch] for k in range(0, len(order), POOL * self.batch)]
        sorted_pools = [pool[np.argsort(length[pool], kind="stable")] for pool in pools]
        batches = np.concatenate(sorted_pools).reshape(-1, self.batch)
        return (torch.from_numpy(batch) for batch in generator.permutation(batches))

    def _learn(self, paths: torch.Tensor, schedule: Schedule) -> float:
        longest = self._training.longest(paths)  # of all processes: each goes through as many windows
        steps, target, weight = self._training.batch(self.ranks.share(paths), longest)
        scale = (target * weight).square().sum((0, 1))
        windows = _windows(len(steps))
        parts = zip(*(array.tensor_split(windows) for array in (steps, target, weight)), strict=True)
        state, squares = None, torch.zeros(())
        for part, goal, share in parts:
            history, state = self._follow(part, state)
            square = ((history - goal) * share).square().sum((0, 1)) / scale
            schedule.next()
            self.optimiser.zero_grad()
            torch.autograd.backward((square * windows + 1e-5).sqrt().mean() / self.ranks.size)
            self.ranks.add_gradients(self.module)
            self.optimiser.step()
            squares = squares + square.detach()
        return float(squares.sqrt().mean())

    def validate(self) -> RelativeErrors:
        """Return the errors of the validation paths."""
        blocks = torch.split(torch.arange(len(self.validation)), BLOCK)
        strain = torch.cat([self._strain(paths) for paths in blocks])
        J = np.linalg.det(self.validation.stretch)
        stress = stress_from(strain.double().numpy(), J[:, 1:], self.material)
        exact, times = self.validation.stress, self.validation.times
        return relative_errors(np.concatenate([exact[:, :1], stress], axis=1), exact, times)

    def _strain(self, paths: torch.Tensor) -> torch.Tensor:
        """Deviator s over the strain scale at the samples of validation paths, (paths, samples - 1, 5)."""
        block = torch.cat([paths, paths[:1].expand(BLOCK - len(paths))])
        with torch.no_grad():
            history, _ = self._follow(self._validation.batch(block, self._validation.longest(block))[0])
        lane = torch.arange(len(paths))[:, None]
        return history.permute(2, 0, 1)[lane, self._validation.ends[paths]]


def _windows(steps: int) -> int:
    """Return the number of windows of a batch of so many steps."""
    return max(1, round(steps / WINDOW))


def stress_from(strain: FloatArray, J: FloatArray, material: Material) -> FloatArray:
    """Cauchy stress (..., 3, 3), GPa, of deviators s over the strain scale (..., 5) and det F (...)."""
    tau = material.shear_modulus * STRAIN_SCALE * from_deviator5(torch.from_numpy(strain)).numpy()
    pressure_like = 2.0 * material.lambda_e * (J - 1.0)
    return np.asarray(tau / J[..., None, None] + pressure_like[..., None, None] * np.eye(3))
