"""Training of the paper's surrogate, on the decoded relative L2 error of the stress."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from microscale.errors import InputError
from microscale.progress import tracked
from multiscale.surrogate.histories import Histories, RelativeErrors, relative_errors
from multiscale.surrogate.pca.architecture import PcaArchitecture
from multiscale.surrogate.pca.components import PrincipalComponents
from multiscale.surrogate.pca.network import PcaSurrogate, SeluNetwork, fractions_of, mean_stress, packed
from multiscale.surrogate.training.data_parallel import Ranks, device_of, has_fast_bfloat16
from multiscale.surrogate.training.train import Schedule


class PcaLearner:
    """AdamW on batches of coefficients; see :class:`multiscale.surrogate.training.train.Learner`.

    Modes are orthonormal, so the decoded L2 error is that of the coefficients and of what the modes leave
    out. Where the processor has instructions for them, products are computed in bfloat16, sums and weights in
    single precision: three times as fast, and the error is the same (docs/notebook/paper_network.md).

    Args:
        training: Histories to learn, of tensors (3, 3), or (2, 2) in the plane; their modes reduce stretch
            and stress.
        validation: Histories to judge by.
        architecture: Sizes.
        seed: Of the first weights.
        batch: Paths a batch.
        ranks: Processes among which a batch is divided.
        bulk: 2 lambda_e of the material, GPa, if the mean stress is not to be learnt, else zero.
        decay: Weight decay; the paper has none.

    Raises:
        InputError: There are fewer training paths than modes.
    """

    def __init__(
        self,
        training: Histories,
        validation: Histories,
        architecture: PcaArchitecture,
        seed: int = 0,
        batch: int = 128,
        ranks: Ranks | None = None,
        bulk: float = 0.0,
        decay: float = 0.0,
    ) -> None:
        if len(training) < architecture.modes:
            raise InputError(
                f"modes = {architecture.modes}, expected at most the {len(training)} training paths"
            )
        torch.manual_seed(seed)
        self.judged: Literal["total", "deviatoric"] = "deviatoric" if bulk else "total"
        self.ranks = ranks or Ranks()
        self._device = device_of(self.ranks.rank)
        self._mixed = has_fast_bfloat16(self._device)
        self.module: nn.Module = (network := SeluNetwork(architecture).to(self._device))
        self.optimiser = torch.optim.AdamW(network.parameters(), lr=0.0, weight_decay=decay, fused=True)
        self.batch, self.validation = batch, validation
        fractions = fractions_of(training.times)
        learnt = training.stress - mean_stress(training.stretch, bulk) if bulk else training.stress
        stretch, stress = packed(training.stretch), packed(learnt)
        modes = PrincipalComponents.of(stretch, fractions, architecture.modes)
        stress_modes = PrincipalComponents.of(stress, fractions, architecture.modes)
        scale = float(np.sqrt(np.mean(stress**2)))
        time_scale = float(np.exp(np.log(training.times[:, -1]).mean()))
        self.surrogate = PcaSurrogate(architecture, modes, stress_modes, scale, time_scale, bulk, network)
        coefficients = stress_modes.project(stress, fractions) / scale
        squares = np.trapezoid((stress**2).sum(axis=2), fractions, axis=1) / scale**2
        self._inputs = self._single(self.surrogate.inputs(training.times, training.stretch))
        self._targets = self._single(coefficients.reshape(len(training), -1))
        self._squares = self._single(squares)
        self._left_out = (self._squares - self._targets.square().sum(1)).clamp(min=0.0)

    def _single(self, array: Any) -> torch.Tensor:
        return torch.from_numpy(array).float().to(self._device)

    @property
    def updates_per_epoch(self) -> int:
        """Batches of an epoch."""
        return -(-len(self._inputs) // self.batch)

    def epoch(self, generator: np.random.Generator, schedule: Schedule) -> float:
        """Go through the paths once; return the mean decoded relative L2 error of the stress."""
        total = 0.0
        order = torch.from_numpy(generator.permutation(len(self._inputs)))
        for chosen in tracked(torch.split(order, self.batch), "batches"):
            errors = self._errors(self.ranks.share(chosen))
            schedule.next()
            self.optimiser.zero_grad()
            torch.autograd.backward(errors.sum() / len(chosen))
            self.ranks.add_gradients(self.module)
            self.optimiser.step()
            total += float(errors.detach().sum())
        return self.ranks.total(total) / len(self._inputs)

    def _errors(self, chosen: torch.Tensor) -> torch.Tensor:
        """Return the decoded relative L2 errors of some paths."""
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._mixed):
            found = self.module(self._inputs[chosen])
        error = (found.float() - self._targets[chosen]).square().sum(1)
        return ((error + self._left_out[chosen]) / self._squares[chosen]).sqrt()

    def validate(self) -> RelativeErrors:
        """Return the errors of the validation paths."""
        data = self.validation
        return relative_errors(self.surrogate.predict(data.times, data.stretch), data.stress, data.times)
