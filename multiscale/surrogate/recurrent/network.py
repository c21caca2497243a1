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

Told a texture (size ``texture``), it reads the coefficients of order 2, 4 and 6 as a deviator T2, a map T4
of deviators, and a product T6 of two of them: T2 among the deviators, products with T2, what T4 makes of A,
E, <m>, T2 and products, what T6 makes of pairs of A, A A, E and <m>, and products of that among the P
(``made_of`` in recurrent_cell.h), T2 z and T4 z beside a deviator's own product with A, and scalars of step
and texture (recurrent_texture.h). Path and texture that turn together turn the stress.

No increment and no stress leave the state as it is, and rest is free of stress, both exactly. Steps are cut
to at most ``LARGEST_STEP`` of strain (:mod:`multiscale.surrogate.recurrent.substeps`); within it the network
sees the size of the step and learns what a finite step averages over; a limit exists as the step shrinks.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from multiscale.surrogate.recurrent.architecture import Architecture


class RecurrentSurrogate(nn.Module):
    """Parameters of two hidden layers that read invariants and give each variable a rate and a target.

    Passes through time are compiled (:mod:`multiscale.surrogate.recurrent.compiled`), and so is the law; the
    source of a step is recurrent_cell.h for both. Autograd of the same equations is the reference of the
    tests.
    """

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


def _first_rates(architecture: Architecture) -> torch.Tensor:
    """Logarithms of the first rates: soft to hard groups, and memories of one to 200 strain scales."""
    groups = torch.linspace(-1.0, 1.0, architecture.groups) if architecture.groups > 1 else torch.zeros(1)
    memories = [
        torch.linspace(math.log(0.005), 0.0, count) for count in (architecture.tensors, architecture.scalars)
    ]
    return torch.cat([groups, *memories])


def _weights(shape: tuple[int, int], gain: float = 1.0) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape) * (gain / math.sqrt(shape[0])))
