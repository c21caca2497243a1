"""A network inside a larger one that computes the same: to begin there is better than at random.

What the larger one reads beside is not looked at, its further hidden units count for nothing, and its further
terms of targets are zero, until training moves them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from multiscale.surrogate.recurrent.architecture import (
    OF_STEP,
    PLAIN,
    PRODUCTS,
    TEXTURE_SCALARS,
    Architecture,
)
from multiscale.surrogate.store import Weights

SAME = ("groups", "tensors", "scalars")
"""Sizes of the state, which say what the variables are."""


def require_wider(small: Architecture, large: Architecture, file: Path) -> None:
    """Raise an InputError, which names the file of the smaller one, unless the larger one holds it."""
    for name in SAME:
        mine, other = getattr(small, name), getattr(large, name)
        if mine != other:
            raise InputError(f"{file} has {name} = {mine}, asked is {other}: give --{name} {mine}")
    if small.hidden > large.hidden:
        raise InputError(
            f"{file} has hidden = {small.hidden}, expected at most the {large.hidden} asked: give --hidden "
            f"{small.hidden} or more"
        )
    for name, flag in (("texture", "--any-texture"), ("holds", "--holds")):
        if getattr(small, name) > getattr(large, name):
            raise InputError(f"{file} was trained with {flag}: give it here too")


def widened(weights: Weights, small: Architecture, large: Architecture, random: Weights) -> Weights:
    """Return the weights of a larger network that computes what a smaller one does.

    Args:
        weights: Of the smaller network.
        small: Its sizes.
        large: Sizes of the larger one; see :func:`require_wider`.
        random: Its first weights, which those of further hidden units keep where they harm nothing: in what
            they read.
    """
    hidden = np.arange(small.hidden)
    reads = _places(_inputs(small), _inputs(large))
    gives = _places(_targets(small), _targets(large))
    found = {name: array.copy() for name, array in random.items()}
    found["input"][:, hidden] = 0.0
    for name in ("between", "rates", "targets"):
        found[name][small.hidden :] = 0.0  # of further units nothing is heard
    found["between"][:, hidden] = 0.0
    found["targets"][:] = 0.0
    found["targets_bias"][:] = 0.0
    found["input"][np.ix_(reads, hidden)] = weights["input"]
    found["between"][np.ix_(hidden, hidden)] = weights["between"]
    found["rates"][hidden] = weights["rates"]
    found["targets"][np.ix_(hidden, gives)] = weights["targets"]
    for name in ("input_bias", "between_bias"):
        found[name][hidden] = weights[name]
    found["targets_bias"][gives] = weights["targets_bias"]
    return found | {name: weights[name].copy() for name in ("rates_bias", "shares")}


def _places(some: Sequence[Hashable], all_of: Sequence[Hashable]) -> NDArray[np.int64]:
    place = {label: k for k, label in enumerate(all_of)}
    return np.array([place[label] for label in some])


def _products(architecture: Architecture) -> list[Hashable]:
    """What each product is: the plain ones have the same names in all architectures."""
    return [p if p < PRODUCTS else ("textured", p) for p in range(architecture.products)]


def _deviators(architecture: Architecture) -> list[int]:
    return list(range(architecture.deviators))


def _inputs(architecture: Architecture) -> list[Hashable]:
    """Name what the network reads, in the order of recurrent_cell.h."""
    labels: list[Hashable] = [("scalar", l) for l in range(architecture.scalars)]
    for i in _deviators(architecture):
        unread = architecture.of_order_six if i >= architecture.groups else 0
        labels += [(i, "product", p) for p in _products(architecture)[: architecture.products - unread]]
        labels += [(i, "own", o) for o in range(architecture.own)]
    fixed = [*(f"step {k}" for k in range(OF_STEP)), *["texture"] * architecture.texture]
    read = [*_deviators(architecture), *fixed]
    labels += [(one, other) for k, one in enumerate(read) for other in read[k:]]
    labels += [("plain", k) for k in range(PLAIN)]
    return labels + [("of texture", k) for k in range(TEXTURE_SCALARS * architecture.texture)]


def _targets(architecture: Architecture) -> list[Hashable]:
    """Name what targets are made of, in the order of recurrent_cell.h."""
    basis: list[Hashable] = [*(f"step {k}" for k in range(OF_STEP)), "mean"]
    basis += [("product", p) for p in _products(architecture)]
    basis += [("state", i) for i in _deviators(architecture)] + ["texture"] * architecture.texture
    basis += [("own", o) for o in range(architecture.own)]
    labels: list[Hashable] = [(i, b) for i in _deviators(architecture) for b in basis]
    return labels + [("scalar", l) for l in range(architecture.scalars)]
