"""The recurrent surrogate: an elastic strain and a few learnt internal variables, advanced step by step.

The state of a point is the grain average of the isochoric elastic left Cauchy-Green tensor, taken as I + s
with a deviator s (its trace differs from three by the square of elastic strains of a few per cent), and
learnt variables xi. Under the Taylor assumption with isotropic elasticity two things hold whatever the grains
do, and are not learnt:

    J dev(sigma) = G s                      (stress)
    s -> dev(f (I + s) f^T)                 (an elastic step by the isochoric gradient f)

Inelastic flow is learnt. All variables z = (s, xi) obey dz = d + g (c - z) da along a step, with the elastic
driving d, learnt rates g > 0 and targets c, and a = the strain passed plus the time spent under stress.
With g and c held over the step the solution is exponential, and c is bounded, so that no step or history is
unstable:

    z_new = c + (z - c) exp(-g a) + d (1 - exp(-g a)) / (g a)

No increment and no stress leave the state as it is, and rest is free of stress, both exactly. The network
sees the size of the step; it learns what a finite step averages over, and a limit exists as the step
shrinks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from multiscale.surrogate.increments import FEATURES, STRAIN_SCALE, Increments, convected_maps

DEVIATOR = 5
SHORTEST_MEMORY = 1e-3
"""Shortest memory, in strain scales: its inverse bounds the rates, which are else exponentials."""

LARGEST_TARGET = 16.0
"""Bound of the targets, so that no history, however far from the training data, lets the state run away."""


@dataclass(frozen=True)
class Architecture:
    """Size of a recurrent surrogate.

    Attributes:
        internal: Number of learnt internal variables.
        hidden: Width of the two hidden layers.
    """

    internal: int = 16
    hidden: int = 64

    @property
    def states(self) -> int:
        """Variables the network advances: the elastic deviator and the internal ones."""
        return DEVIATOR + self.internal


class RecurrentSurrogate(nn.Module):
    """Two hidden layers that read a step and the state, and give each variable a rate and a target."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        hidden, states = architecture.hidden, architecture.states
        self.input = _weights(FEATURES + states, hidden)
        self.input_bias = nn.Parameter(torch.zeros(hidden))
        self.between = _weights(hidden, hidden, gain=1.5)
        self.between_bias = nn.Parameter(torch.zeros(hidden))
        self.rates = _weights(hidden, states, gain=0.5)
        # Internal variables start with memories between one and fifty strain scales long.
        memories = torch.linspace(math.log(0.02), 0.0, architecture.internal)
        self.rates_bias = nn.Parameter(torch.cat([torch.zeros(DEVIATOR), memories]))
        self.targets = _weights(hidden, states, gain=0.5)
        self.targets_bias = nn.Parameter(torch.zeros(states))

    def forward(
        self, steps: Increments, state: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Follow paths from ``state`` (paths, states), or from rest.

        Returns:
            The deviator s after each step, shape (steps, paths, 5), and the last state.
        """
        read = torch.matmul(steps.features, self.input[:FEATURES]) + self.input_bias
        maps = convected_maps(steps.gradient)
        if state is None:
            state = read.new_zeros(read.shape[1], self.architecture.states)
        history, from_state = [], self.input[FEATURES:]
        # unbind, not indexing: the gradient of an index is a full array of zeros.
        for step in zip(
            *(array.unbind(0) for array in (read, maps, steps.strain, steps.size, steps.dt)), strict=True
        ):
            state = self._step(state, from_state, *step)
            history.append(state[:, :DEVIATOR])
        return torch.stack(history) * STRAIN_SCALE, state

    def _step(
        self,
        state: torch.Tensor,
        from_state: torch.Tensor,
        read: torch.Tensor,
        maps: torch.Tensor,
        strain: torch.Tensor,
        size: torch.Tensor,
        dt: torch.Tensor,
    ) -> torch.Tensor:
        hidden = functional.silu(torch.addmm(read, state, from_state))
        hidden = functional.silu(torch.addmm(self.between_bias, hidden, self.between))
        # 1 / (exp(-x) + shortest memory), in the form whose gradient cannot overflow
        rates = torch.sigmoid(torch.addmm(self.rates_bias, hidden, self.rates) + math.log(SHORTEST_MEMORY))
        targets = torch.addmm(self.targets_bias, hidden, self.targets)
        targets = targets * (1.0 + (targets / LARGEST_TARGET).square()).rsqrt()

        elastic, internal = state[:, :DEVIATOR], state[:, DEVIATOR:]
        moved = elastic + (maps * elastic[:, None, :]).sum(-1)
        square = moved.square().sum(1, keepdim=True)
        stress = square * (square + 1e-12).rsqrt()
        decay = (size + dt * stress) * (rates / SHORTEST_MEMORY)
        left = torch.exp(-decay)
        driven = strain * mean_of_exponential(decay[:, :DEVIATOR])
        state = torch.cat([moved, internal], 1)
        return state * left + targets * (1.0 - left) + functional.pad(driven, (0, self.architecture.internal))


def mean_of_exponential(x: torch.Tensor) -> torch.Tensor:
    """Return (1 - exp(-x)) / x for x >= 0, one at zero."""
    safe = x.clamp(min=1e-4)  # the branch not taken must have a finite gradient too
    return torch.where(x < 1e-4, 1.0 - 0.5 * x, -torch.expm1(-safe) / safe)


def _weights(inputs: int, outputs: int, gain: float = 1.0) -> nn.Parameter:
    return nn.Parameter(torch.randn(inputs, outputs) * (gain / math.sqrt(inputs)))
