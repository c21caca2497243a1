"""The equations of the recurrent surrogate in torch: what compiled passes and the law must give."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional

from microscale.crystals.texture.tensors import harmonic_tensors
from multiscale.surrogate.recurrent.architecture import (
    DEVIATOR,
    DIRECTION,
    SHORTEST_MEMORY,
    STRAIN_SCALE,
    Architecture,
)
from multiscale.surrogate.recurrent.increments import (
    Increments,
    convected_maps,
    deviator5,
    deviator_of_mandel,
    from_deviator5,
)
from multiscale.surrogate.recurrent.network import RecurrentSurrogate

TINY = 1e-12
"""Square of the elastic strain, in strain scales, below which a norm is rounded off."""
SHAPE, RATE = DIRECTION - 1, DIRECTION + DEVIATOR
"""Where ln m is among the features, and where rate and size begin."""


class AutogradRecurrent(RecurrentSurrogate):
    """Follows paths step by step, with gradients by autograd, in the precision of its parameters."""

    def forward(
        self,
        steps: Increments,
        state: torch.Tensor | None = None,
        texture: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Follow paths from ``state`` (paths, states), or from rest, with the textures' numbers (paths, 27).

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
            state = self._step(state, *step, texture)
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
        texture: torch.Tensor | None = None,
    ) -> torch.Tensor:
        groups, deviators = self.architecture.groups, self.architecture.deviators
        elastic, others, scalars = self._parts(state)
        of_step = tensors_of_step(features)
        mean = bounded(elastic.mean(1))
        products = products_of(of_step, mean)
        own = torch.cat([bounded(elastic), others], 1)
        by = symmetric_product(own, of_step[:, :1])[:, :, None]
        fixed, plain = of_step, scalars_of_step(features)
        if texture is not None:
            T2, T4, T6 = tensors_of_texture(texture.to(features))
            more, of_texture = textured(T2, T4, T6, of_step, mean)
            products, fixed = torch.cat([products, more], 1), torch.cat([of_step, T2[:, None]], 1)
            by = torch.cat([by, *(x[:, :, None] for x in (symmetric_product(own, T2[:, None]), own @ T4))], 2)
            plain = torch.cat([plain, of_texture], 1)
        read = [scalars, invariants(own, fixed, products, by, self.architecture), plain]
        rates, coefficients, scalar_targets = self._network(torch.cat(read, 1))

        moved = elastic + (maps[:, None] * elastic[:, :, None, :]).sum(-1)
        basis = [of_step, moved.mean(1, keepdim=True), products, moved, others, fixed[:, of_step.shape[1] :]]
        of_basis, of_own = coefficients.split([self.architecture.basis, self.architecture.own], -1)
        targets = bounded(of_basis @ torch.cat(basis, 1) + (of_own[..., None] * by).sum(2))
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


def tensors_of_texture(numbers: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """A texture's tensors between deviators, of the norms of its coefficients.

    Returns:
        Those of order 2, 4 and 6, shapes (paths, 5), (paths, 5, 5) and (paths, 5, 5, 5).
    """
    units = (torch.from_numpy(harmonic_tensors(order, np.eye(2 * order + 1))) for order in (2, 4, 6))
    of_2, of_4, of_6 = (unit.to(numbers) for unit in units)
    C2, C4, C6 = numbers.split([5, 9, 13], 1)
    basis = from_deviator5(torch.eye(DEVIATOR, dtype=numbers.dtype))
    T4 = torch.einsum("pm,mijkl,aij,bkl->pab", C4, of_4, basis, basis)
    T6 = torch.einsum("pm,mijklno,aij,bkl,cno->pabc", C6, of_6, basis, basis, basis)
    return deviator5(torch.einsum("pm,mij->pij", C2, of_2)) / 7.5**0.5, T4 / 39.375**0.5, T6 / 187.6875**0.5


def textured(
    T2: torch.Tensor, T4: torch.Tensor, T6: torch.Tensor, of_step: torch.Tensor, mean: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Products with a texture, (paths, 24, 5), and scalars of step and texture, (paths, 22)."""
    A, E, _ = of_step.unbind(1)
    with_A, with_E, with_mean = (symmetric_product(T2, x) for x in (A, E, mean))
    AA, Am, mm = (symmetric_product(*pair) for pair in ((A, A), (A, mean), (mean, mean)))
    of_A, of_E, of_mean, of_T2, of_AA, of_Am, of_mm = (
        (T4 @ x[..., None])[..., 0] for x in (A, E, mean, T2, AA, Am, mm)
    )
    chained = [(A, of_A), (AA, of_A), (A, of_AA), (mean, of_A), (mean, of_mean), (T2, AA)]
    more = [symmetric_product(*pair) for pair in chained]
    by_six = [(A, A), (AA, A), (AA, AA), (mean, A), (mean, mean), (E, A)]
    six = [torch.einsum("pijk,pj,pk->pi", T6, *pair) for pair in by_six]
    six += [symmetric_product(A, six[0]), symmetric_product(A, six[1])]
    pairs = [(A, with_A), (A, with_E), (A, of_A), (A, of_E), (A, of_T2), (E, with_E), (E, of_E), (E, of_T2)]
    pairs += [(A, more[0]), (A, more[2]), (A, more[5]), (T2, with_A), (T2, with_E), (T2, of_T2)]
    pairs += [(A, six[0]), (A, six[1]), (A, six[2]), (A, six[5]), (E, six[5]), (T2, six[0])]
    scalars = [(a * b).sum(-1) for a, b in pairs]
    scalars += [T4.square().sum((1, 2)), T6.square().sum((1, 2, 3))]
    of_four = [with_A, with_E, with_mean, of_A, of_E, of_mean, of_T2, of_AA, of_Am, of_mm, *more]
    return torch.stack(of_four + six, 1), torch.stack(scalars, 1)


def invariants(
    own: torch.Tensor,
    of_step: torch.Tensor,
    products: torch.Tensor,
    by: torch.Tensor,
    sizes: Architecture,
) -> torch.Tensor:
    """Inner products of the state's deviators with products, then of those of state and step with each other.

    Args:
        own: Deviators of the state, shape (paths, deviators, 5).
        of_step: Those of step and texture, shape (paths, 3 or 4, 5).
        products: Shape (paths, products, 5).
        by: The state's deviators times the direction and the texture, shape (paths, deviators, own, 5).
        sizes: Of the network: the last tensors are not read with the last products, those of order 6.
    """
    read = torch.cat([own, of_step], 1)
    row, column = torch.triu_indices(read.shape[1], read.shape[1])
    with_products = torch.cat([own @ products.mT, (own[:, :, None] * by).sum(3)], 2)
    kept = torch.ones(with_products.shape[1:], dtype=torch.bool)
    kept[sizes.groups :, sizes.products - sizes.of_order_six : sizes.products] = False
    return torch.cat([with_products[:, kept], (read @ read.mT)[:, row, column]], 1)


def symmetric_product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return dev((A B + B A) / 2) of symmetric deviators, all as vectors (..., 5)."""
    return deviator5(from_deviator5(a) @ from_deviator5(b))


def mean_of_exponential(x: torch.Tensor) -> torch.Tensor:
    """Return (1 - exp(-x)) / x for x >= 0, one at zero."""
    safe = x.clamp(min=1e-3)  # the branch not taken must have a finite gradient too
    series = 1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0))
    return torch.where(x < 1e-3, series, -torch.expm1(-safe) / safe)
