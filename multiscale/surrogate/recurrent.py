"""The recurrent surrogate: elastic strains of a few groups of grains and learnt variables, step by step.

The state of a point is, for each group g of grains, the average of the isochoric elastic left Cauchy-Green
tensor, taken as I + s_g with a deviator s_g (its trace differs from three by the square of elastic strains of
a few per cent), and learnt variables xi. Under the Taylor assumption with isotropic elasticity two things
hold whatever the grains do, and are not learnt:

    J dev(sigma) = G sum_g w_g s_g                (stress; w_g learnt, their sum is one)
    s_g -> dev(f (I + s_g) f^T)                   (an elastic step by the isochoric gradient f)

Inelastic flow is learnt. All variables z = (s_1, ..., xi) obey dz = d + g (c - z) da along a step, with the
elastic driving d, learnt rates g > 0 and targets c, and a = the strain passed plus the time spent under
stress. With g and c held over the step the solution is exponential:

    z_new = c + (z - c) exp(-g a) + d (1 - exp(-g a)) / (g a)

The targets of a group's strain lie in a ball as large as the root mean square of the groups' elastic trial
strains, and those of xi are at most one: flow relaxes elastic strain or passes it from group to group, and no
weights let a state run away. No increment and no stress leave the state as it is, and rest is free of stress,
both exactly. Steps are cut to at most ``LARGEST_STEP`` of strain (:mod:`multiscale.surrogate.substeps`);
within it the network sees the size of the step and learns what a finite step averages over; a limit exists
as the step shrinks.
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
TINY = 1e-12
"""Square of the elastic strain, in strain scales, below which a norm is rounded off."""


@dataclass(frozen=True)
class Architecture:
    """Size of a recurrent surrogate.

    Attributes:
        groups: Groups of grains with an elastic strain each.
        internal: Number of other learnt internal variables.
        hidden: Width of the two hidden layers.
    """

    groups: int = 4
    internal: int = 36
    hidden: int = 112

    @property
    def elastic(self) -> int:
        """Components of the elastic strains."""
        return DEVIATOR * self.groups

    @property
    def states(self) -> int:
        """Variables the network advances: the elastic strains and the internal ones."""
        return self.elastic + self.internal


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
        self.rates_bias = nn.Parameter(_first_rates(architecture))
        self.targets = _weights(hidden, states, gain=0.5)
        self.targets_bias = nn.Parameter(torch.zeros(states))
        self.shares = nn.Parameter(torch.zeros(architecture.groups))

    def weights(self) -> torch.Tensor:
        """Return the weights w of the groups, shape (groups,)."""
        return torch.softmax(self.shares, 0)

    def forward(
        self, steps: Increments, state: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Follow paths from ``state`` (paths, states), or from rest.

        Returns:
            The mean deviator s after each step, shape (steps, paths, 5), and the last state.
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
            history.append(self._by_group(state))
        mean = torch.einsum("tpgk,g->tpk", torch.stack(history), self.weights())
        return mean * STRAIN_SCALE, state

    def _by_group(self, state: torch.Tensor) -> torch.Tensor:
        """Elastic strains of a state, shape (paths, groups, 5)."""
        elastic = state[:, : self.architecture.elastic]
        return elastic.reshape(len(state), self.architecture.groups, DEVIATOR)

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

        elastic, internal = self._by_group(state), state[:, self.architecture.elastic :]
        moved = elastic + (maps[:, None] * elastic[:, :, None, :]).sum(-1)
        square = moved.square().sum(2)
        stress = square * (square + TINY).rsqrt()
        stress = torch.cat(
            [stress.repeat_interleave(DEVIATOR, 1), stress.mean(1, keepdim=True).expand_as(internal)], 1
        )
        trial = (moved + strain[:, None]).square().sum((1, 2)) / self.architecture.groups
        ball = self._by_group(targets)
        ball = ball * (
            (1.0 + ball.square().sum(2, keepdim=True)).rsqrt() * (trial + TINY).sqrt()[:, None, None]
        )
        others = targets[:, self.architecture.elastic :]
        targets = torch.cat([ball.flatten(1), others * (1.0 + others.square()).rsqrt()], 1)

        decay = (size + dt * stress) * (rates / SHORTEST_MEMORY)
        left = torch.exp(-decay)
        driven = strain.repeat(1, self.architecture.groups) * mean_of_exponential(
            decay[:, : self.architecture.elastic]
        )
        state = torch.cat([moved.flatten(1), internal], 1)
        return state * left + targets * (1.0 - left) + functional.pad(driven, (0, internal.shape[1]))


def _first_rates(architecture: Architecture) -> torch.Tensor:
    """Logarithms of the first rates: soft to hard groups, and memories of one to 200 strain scales."""
    groups = torch.linspace(-1.0, 1.0, architecture.groups) if architecture.groups > 1 else torch.zeros(1)
    memories = torch.linspace(math.log(0.005), 0.0, architecture.internal)
    return torch.cat([groups.repeat_interleave(DEVIATOR), memories])


def mean_of_exponential(x: torch.Tensor) -> torch.Tensor:
    """Return (1 - exp(-x)) / x for x >= 0, one at zero."""
    safe = x.clamp(min=1e-4)  # the branch not taken must have a finite gradient too
    return torch.where(x < 1e-4, 1.0 - 0.5 * x, -torch.expm1(-safe) / safe)


def _weights(inputs: int, outputs: int, gain: float = 1.0) -> nn.Parameter:
    return nn.Parameter(torch.randn(inputs, outputs) * (gain / math.sqrt(inputs)))
