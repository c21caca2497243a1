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

The elastic strain of a group relaxes at one rate, to a target that may follow the step, the mean elastic
strain and the strain (a learnt multiple of each), as if it were isotropic, and deviates from that. Targets
lie in a ball as large as the root mean square of the groups' elastic trial strains, and those of xi are at
most one: flow relaxes elastic strain or passes it from group to group, and no weights let a state run away.
The network reads products of the elastic strains with the step and the strain too, on which isotropic flow
depends: it need not learn in every direction what is alike in all.

No increment and no stress leave the state as it is, and rest is free of stress, both exactly. Steps are cut
to at most ``LARGEST_STEP`` of strain (:mod:`multiscale.surrogate.substeps`); within it the network sees the
size of the step and learns what a finite step averages over; a limit exists as the step shrinks.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from multiscale.surrogate.architecture import (
    DEVIATOR,
    DIRECTION,
    FOLLOWED,
    SHORTEST_MEMORY,
    STRAIN_SCALE,
    Architecture,
)
from multiscale.surrogate.increments import ROOT2, ROOT6, Increments, convected_maps

TINY = 1e-12
"""Square of the elastic strain, in strain scales, below which a norm is rounded off."""


class RecurrentSurrogate(nn.Module):
    """Two hidden layers that read a step and the state, and give each variable a rate and a target."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        layers = architecture.layers
        self.input = _weights(layers["input"])
        self.input_bias = nn.Parameter(torch.zeros(architecture.hidden))
        self.between = _weights(layers["between"], gain=1.5)
        self.between_bias = nn.Parameter(torch.zeros(architecture.hidden))
        self.rates = _weights(layers["rates"], gain=0.5)
        self.rates_bias = nn.Parameter(_first_rates(architecture))
        self.targets = _weights(layers["targets"], gain=0.1)
        self.targets_bias = nn.Parameter(torch.zeros(layers["targets"][1]))
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
        features, maps = steps.features, convected_maps(steps.gradient)
        if state is None:
            state = features.new_zeros(features.shape[1], self.architecture.states)
        history = []
        # unbind, not indexing: the gradient of an index is a full array of zeros.
        for step in zip(
            *(array.unbind(0) for array in (features, maps, steps.strain, steps.size, steps.dt)), strict=True
        ):
            state = self._step(state, *step)
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
        features: torch.Tensor,
        maps: torch.Tensor,
        strain: torch.Tensor,
        size: torch.Tensor,
        dt: torch.Tensor,
    ) -> torch.Tensor:
        architecture, along = self.architecture, features[:, DIRECTION : DIRECTION + DEVIATOR]
        elastic, internal = self._by_group(state), state[:, architecture.elastic :]
        stretched = odd_deviator(features)
        read = torch.cat([features, state, invariants(elastic, along, stretched)], 1)
        hidden = functional.silu(torch.addmm(self.input_bias, read, self.input))
        hidden = functional.silu(torch.addmm(self.between_bias, hidden, self.between))
        # 1 / (exp(-x) + shortest memory), in the form whose gradient cannot overflow
        rates = torch.sigmoid(torch.addmm(self.rates_bias, hidden, self.rates) + math.log(SHORTEST_MEMORY))
        targets = torch.addmm(self.targets_bias, hidden, self.targets)
        own, followed = targets[:, : architecture.states], targets[:, architecture.states :]

        moved = elastic + (maps[:, None] * elastic[:, :, None, :]).sum(-1)
        square = moved.square().sum(2)
        stress = square * (square + TINY).rsqrt()
        trial = (moved + strain[:, None]).square().sum((1, 2)) / architecture.groups
        tensors = torch.stack([along, moved.mean(1), stretched], 1)
        ball = self._by_group(own) + followed.reshape(-1, architecture.groups, FOLLOWED) @ tensors
        ball = ball * (
            (1.0 + ball.square().sum(2, keepdim=True)).rsqrt() * (trial + TINY).sqrt()[:, None, None]
        )
        others = own[:, architecture.elastic :]

        passed = size + dt * torch.cat([stress, stress.mean(1, keepdim=True).expand_as(internal)], 1)
        decay = passed * (rates / SHORTEST_MEMORY)
        left, mean = torch.exp(-decay), mean_of_exponential(decay[:, : architecture.groups, None])
        of_groups = left[:, : architecture.groups, None]
        elastic = moved * of_groups + ball * (1.0 - of_groups) + strain[:, None] * mean
        left = left[:, architecture.groups :]
        internal = internal * left + others * (1.0 + others.square()).rsqrt() * (1.0 - left)
        return torch.cat([elastic.flatten(1), internal], 1)


def odd_deviator(features: torch.Tensor) -> torch.Tensor:
    """Deviator (..., 5) of the odd strain measure, which the features hold as a Mandel vector."""
    a, b, c = (features[..., k] for k in range(3))
    first = torch.stack([(2.0 * c - a - b) / ROOT6, (a - b) / ROOT2], -1)
    return torch.cat([first, features[..., 3:6]], -1)


def invariants(elastic: torch.Tensor, along: torch.Tensor, stretched: torch.Tensor) -> torch.Tensor:
    """Products of elastic strains (paths, groups, 5), direction and strain (paths, 5), group by group.

    Sums of weighted inputs are slow to learn them. Those with s are over (1 + s.s)^(1/2): none grows faster
    than s.
    """
    square = elastic.square().sum(2)
    products = [(elastic * along[:, None]).sum(2), square, (elastic * stretched[:, None]).sum(2)]
    by_group = torch.stack(products, 2) * (1.0 + square).rsqrt()[..., None]
    return torch.cat([by_group.flatten(1), (along * stretched).sum(1, keepdim=True)], 1)


def _first_rates(architecture: Architecture) -> torch.Tensor:
    """Logarithms of the first rates: soft to hard groups, and memories of one to 200 strain scales."""
    groups = torch.linspace(-1.0, 1.0, architecture.groups) if architecture.groups > 1 else torch.zeros(1)
    memories = torch.linspace(math.log(0.005), 0.0, architecture.internal)
    return torch.cat([groups, memories])


def mean_of_exponential(x: torch.Tensor) -> torch.Tensor:
    """Return (1 - exp(-x)) / x for x >= 0, one at zero."""
    safe = x.clamp(min=1e-3)  # the branch not taken must have a finite gradient too
    series = 1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0))
    return torch.where(x < 1e-3, series, -torch.expm1(-safe) / safe)


def _weights(shape: tuple[int, int], gain: float = 1.0) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape) * (gain / math.sqrt(shape[0])))
