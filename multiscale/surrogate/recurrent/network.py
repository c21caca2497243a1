"""The recurrent surrogate: elastic strains of a few groups of grains and learnt variables, step by step.

Without texture a polycrystal is isotropic (that of 128 evenly spread orientations to 1 %), and so is the
surrogate, by construction: the state holds deviators and scalars, the network reads invariants alone and
gives scalars and coefficients of tensors. To turn a path in front of it turns its stress.

The state of a point is, for each group g of grains, the average of the isochoric elastic left Cauchy-Green
tensor, taken as I + s_g with a deviator s_g (its trace differs from three by the square of elastic strains
of a few per cent), other learnt deviators q_k, and learnt scalars xi_l. Under the Taylor assumption with
isotropic elasticity two things hold whatever the grains do, and are not learnt:

    J dev(sigma) = G sum_g w_g s_g                (stress; w_g learnt, their sum is one)
    s_g -> dev(f (I + s_g) f^T)                   (an elastic step by the isochoric gradient f)

Inelastic flow is learnt. All variables z, be it s_g, q_k or xi_l, obey dz = d + r (c - z) da along a step,
with the elastic driving d (zero but for s_g), a learnt rate r > 0 and target c for each, and a = the strain
passed plus the time spent under stress. With r and c held over the step the solution is exponential:

    z_new = c + (z - c) exp(-r a) + d (1 - exp(-r a)) / (r a)

Let A be the direction of the step, E and E2 the deviators of its odd and even strain (increments.py), m the
mean of the s_g, and <x> = x / (1 + x.x)^(1/2). Products P are the symmetric deviatoric ones of A E, A <m>,
<m> E, <m> <m> and A A. The network reads

    the inner products of <s_g>, q_k, A, E and E2 with each other, and of <s_g> and q_k with the P and
    with their own product with A, the xi_l, and of the step ln m, rate, size and the traces of the odd and
    even strain.

The target of a deviator is <t>, with t a learnt combination of A, E, E2, m, the P, the s_g and the q_k,
where m and s_g are those the step has carried along, and of its own product with A: flow turns and stretches
what has a direction. Targets of elastic strains are <t> times the root mean
square of the groups' elastic trial strains: flow relaxes elastic strain or passes it from group to group.
Those of q_k and xi_l are at most one, and no weights let a state run away.

No increment and no stress leave the state as it is, and rest is free of stress, both exactly. Steps are cut
to at most ``LARGEST_STEP`` of strain (:mod:`multiscale.surrogate.recurrent.substeps`); within it the network
sees the size of the step and learns what a finite step averages over; a limit exists as the step shrinks.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from multiscale.surrogate.recurrent.architecture import (
    DEVIATOR,
    DIRECTION,
    SHORTEST_MEMORY,
    STRAIN_SCALE,
    Architecture,
)
from multiscale.surrogate.recurrent.increments import (
    ROOT2,
    ROOT6,
    Increments,
    convected_maps,
    symmetric_product,
)

TINY = 1e-12
"""Square of the elastic strain, in strain scales, below which a norm is rounded off."""
SHAPE, RATE = DIRECTION - 1, DIRECTION + DEVIATOR
"""Where ln m is among the features, and where rate and size begin."""


class RecurrentSurrogate(nn.Module):
    """Two hidden layers that read invariants and give each variable a rate and a target."""

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
            history.append(self._parts(state)[0])
        mean = torch.einsum("tpgk,g->tpk", torch.stack(history), self.weights())
        return mean * STRAIN_SCALE, state

    def _parts(self, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Elastic strains (paths, groups, 5), other deviators (paths, tensors, 5) and scalars of a state."""
        sizes = self.architecture
        deviators = state[:, : DEVIATOR * sizes.deviators].reshape(len(state), sizes.deviators, DEVIATOR)
        elastic, others = deviators[:, : sizes.groups], deviators[:, sizes.groups :]
        return elastic, others, state[:, DEVIATOR * sizes.deviators :]

    def _step(
        self,
        state: torch.Tensor,
        features: torch.Tensor,
        maps: torch.Tensor,
        strain: torch.Tensor,
        size: torch.Tensor,
        dt: torch.Tensor,
    ) -> torch.Tensor:
        groups, deviators = self.architecture.groups, self.architecture.deviators
        elastic, others, scalars = self._parts(state)
        of_step = tensors_of_step(features)
        products = products_of(of_step, bounded(elastic.mean(1)))
        own = torch.cat([bounded(elastic), others], 1)
        along = symmetric_product(own, of_step[:, :1])
        read = [scalars, invariants(own, of_step, products, along), scalars_of_step(features)]
        rates, coefficients, scalar_targets = self._network(torch.cat(read, 1))

        moved = elastic + (maps[:, None] * elastic[:, :, None, :]).sum(-1)
        basis = torch.cat([of_step, moved.mean(1, keepdim=True), products, moved, others], 1)
        targets = bounded(coefficients[..., :-1] @ basis + coefficients[..., -1:] * along)
        trial = (moved + strain[:, None]).square().sum((1, 2)) / groups
        radius = (trial + TINY).sqrt()[:, None, None]

        square = moved.square().sum(2)
        stress = square * (square + TINY).rsqrt()
        mean_stress = stress.mean(1, keepdim=True).expand(-1, rates.shape[1] - groups)
        decay = (size + dt * torch.cat([stress, mean_stress], 1)) * rates
        left = torch.exp(-decay)
        of_groups, of_others, of_scalars = (
            left[:, :groups, None],
            left[:, groups:deviators, None],
            left[:, deviators:],
        )
        driven = strain[:, None] * mean_of_exponential(decay[:, :groups, None])
        elastic = moved * of_groups + targets[:, :groups] * radius * (1.0 - of_groups) + driven
        others = others * of_others + targets[:, groups:] * (1.0 - of_others)
        scalars = scalars * of_scalars + scalar_targets * (1.0 - of_scalars)
        return torch.cat([elastic.flatten(1), others.flatten(1), scalars], 1)

    def _network(self, read: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Rates (paths, rates), coefficients (paths, deviators, coefficients) and targets of scalars."""
        sizes = self.architecture
        hidden = functional.silu(torch.addmm(self.input_bias, read, self.input))
        hidden = functional.silu(torch.addmm(self.between_bias, hidden, self.between))
        # 1 / (exp(-x) + shortest memory), in the form whose gradient cannot overflow
        rates = torch.sigmoid(torch.addmm(self.rates_bias, hidden, self.rates) + math.log(SHORTEST_MEMORY))
        targets = torch.addmm(self.targets_bias, hidden, self.targets)
        count = sizes.deviators * sizes.coefficients
        coefficients = targets[:, :count].reshape(len(read), sizes.deviators, sizes.coefficients)
        scalars = targets[:, count:]
        return rates / SHORTEST_MEMORY, coefficients, scalars * (1.0 + scalars.square()).rsqrt()


def bounded(deviators: torch.Tensor) -> torch.Tensor:
    """Return x / (1 + x.x)^(1/2) of deviators (..., 5)."""
    return deviators * (1.0 + deviators.square().sum(-1, keepdim=True)).rsqrt()


def tensors_of_step(features: torch.Tensor) -> torch.Tensor:
    """Direction of a step, and deviators of its odd and even strain, shape (paths, 3, 5)."""
    along = features[:, DIRECTION : DIRECTION + DEVIATOR]
    return torch.stack([along, deviator_of_mandel(features), deviator_of_mandel(features[:, 6:])], 1)


def scalars_of_step(features: torch.Tensor) -> torch.Tensor:
    """Logarithm of m, rate, size, and the traces of the odd and even strain, shape (paths, 5)."""
    traces = [features[:, k : k + 3].sum(1, keepdim=True) for k in (0, 6)]
    return torch.cat([features[:, SHAPE : SHAPE + 1], features[:, RATE:], *traces], 1)


def products_of(of_step: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """Products of the direction A, the strain E and the mean elastic strain (paths, 5): (paths, 5, 5)."""
    A, E, _ = of_step.unbind(1)
    return symmetric_product(torch.stack([A, A, mean, mean, A], 1), torch.stack([E, mean, E, mean, A], 1))


def invariants(
    own: torch.Tensor, of_step: torch.Tensor, products: torch.Tensor, along: torch.Tensor
) -> torch.Tensor:
    """Inner products of the state's deviators with products, then of those of state and step with each other.

    Args:
        own: Deviators of the state, shape (paths, deviators, 5).
        of_step: Those of the step, shape (paths, 3, 5).
        products: Shape (paths, products, 5).
        along: Those of the state's deviators with the direction, shape (paths, deviators, 5).
    """
    read = torch.cat([own, of_step], 1)
    row, column = torch.triu_indices(read.shape[1], read.shape[1])
    with_products = torch.cat([own @ products.mT, (own * along).sum(2, keepdim=True)], 2)
    return torch.cat([with_products.flatten(1), (read @ read.mT)[:, row, column]], 1)


def deviator_of_mandel(features: torch.Tensor) -> torch.Tensor:
    """Deviator (..., 5) of a strain measure, which the features hold as a Mandel vector."""
    a, b, c = (features[..., k] for k in range(3))
    first = torch.stack([(2.0 * c - a - b) / ROOT6, (a - b) / ROOT2], -1)
    return torch.cat([first, features[..., 3:6]], -1)


def _first_rates(architecture: Architecture) -> torch.Tensor:
    """Logarithms of the first rates: soft to hard groups, and memories of one to 200 strain scales."""
    groups = torch.linspace(-1.0, 1.0, architecture.groups) if architecture.groups > 1 else torch.zeros(1)
    memories = [
        torch.linspace(math.log(0.005), 0.0, count) for count in (architecture.tensors, architecture.scalars)
    ]
    return torch.cat([groups, *memories])


def mean_of_exponential(x: torch.Tensor) -> torch.Tensor:
    """Return (1 - exp(-x)) / x for x >= 0, one at zero."""
    safe = x.clamp(min=1e-3)  # the branch not taken must have a finite gradient too
    series = 1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0))
    return torch.where(x < 1e-3, series, -torch.expm1(-safe) / safe)


def _weights(shape: tuple[int, int], gain: float = 1.0) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape) * (gain / math.sqrt(shape[0])))
