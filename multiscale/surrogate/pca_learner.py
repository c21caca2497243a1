"""Training of the paper's surrogate, on the decoded relative L2 error of the stress."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from microscale.tensors import to_mandel
from multiscale.surrogate.histories import Histories, RelativeErrors, relative_errors
from multiscale.surrogate.pca import PrincipalComponents
from multiscale.surrogate.pca_net import PcaArchitecture, PcaSurrogate, SeluNetwork, fractions_of
from multiscale.surrogate.train import Schedule


class PcaLearner:
    """Adam on batches of coefficients; see :class:`multiscale.surrogate.train.Learner`.

    Modes are orthonormal, so the decoded L2 error is that of the coefficients and of what the modes leave
    out.

    Args:
        training: Histories to learn; their modes reduce stretch and stress.
        validation: Histories to judge by.
        architecture: Sizes.
        seed: Of the first weights.
        batch: Paths a batch.
    """

    def __init__(
        self,
        training: Histories,
        validation: Histories,
        architecture: PcaArchitecture,
        seed: int = 0,
        batch: int = 16,
    ) -> None:
        torch.manual_seed(seed)
        self.module: nn.Module = (network := SeluNetwork(architecture))
        self.optimiser = torch.optim.Adam(network.parameters(), lr=0.0)
        self.batch, self.validation = batch, validation
        fractions = fractions_of(training.times)
        stretch, stress = to_mandel(training.stretch), to_mandel(training.stress)
        modes = PrincipalComponents.of(stretch, fractions, architecture.modes)
        stress_modes = PrincipalComponents.of(stress, fractions, architecture.modes)
        scale = float(np.sqrt(np.mean(stress**2)))
        self.surrogate = PcaSurrogate(architecture, modes, stress_modes, scale, network)
        coefficients = stress_modes.project(stress, fractions) / scale
        squares = np.trapezoid((stress**2).sum(axis=2), fractions, axis=1) / scale**2
        self._inputs = torch.from_numpy(self.surrogate.inputs(training.times, training.stretch)).float()
        self._targets = torch.from_numpy(coefficients.reshape(len(training), -1)).float()
        self._squares = torch.from_numpy(squares).float()
        self._left_out = (self._squares - self._targets.square().sum(1)).clamp(min=0.0)

    @property
    def updates_per_epoch(self) -> int:
        """Batches of an epoch."""
        return -(-len(self._inputs) // self.batch)

    def epoch(self, generator: np.random.Generator, schedule: Schedule) -> float:
        """Go through the paths once; return the mean decoded relative L2 error of the stress."""
        losses = []
        for chosen in torch.split(torch.from_numpy(generator.permutation(len(self._inputs))), self.batch):
            error = (self.module(self._inputs[chosen]) - self._targets[chosen]).square().sum(1)
            relative = ((error + self._left_out[chosen]) / self._squares[chosen]).sqrt()
            schedule.next()
            self.optimiser.zero_grad()
            torch.autograd.backward(relative.mean())
            self.optimiser.step()
            losses.append(float(relative.mean().detach()))
        return float(np.mean(losses))

    def validate(self) -> RelativeErrors:
        """Return the errors of the validation paths."""
        data = self.validation
        return relative_errors(self.surrogate.predict(data.times, data.stretch), data.stress, data.times)
