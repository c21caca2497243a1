"""A learnt surrogate as a constitutive law."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.files.schema import validated
from microscale.law import State, StateVariable
from microscale.native.library import load_kernel
from microscale.tensors import FloatArray
from multiscale.surrogate.extrapolation import (
    EXTRAPOLATION,
    KINDS,
    WATCHED,
    OnExtrapolation,
)
from multiscale.surrogate.law import SurrogateLaw
from multiscale.surrogate.recurrent.architecture import DEVIATOR, OF_TEXTURE, Architecture, Precision
from multiscale.surrogate.store import REMEDY, SHIPPED, Card, Weights, finite_array, read_surrogate

SOURCE = Path(__file__).with_name("learned_kernel.c")
TANGENT_SOURCE = Path(__file__).with_name("learned_tangent.c")
ELASTIC_UNIT = "1/64"
BEFORE = ("stretch", "elastic_strain", "tensors", "internal", "texture")
"""What the kernels read of a point before a step, in their order; most laws know no texture."""
Constants = ctypes.Array[ctypes.c_char]
ALIGNMENT = 8
"""Bytes; the C struct ends at a multiple of it."""


class LearnedLaw(SurrogateLaw):
    """The recurrent surrogate at material points, in a compiled kernel.

    State of a point: ``stretch``, the isochoric right stretch at the last update (11, 22, 33, 23, 13, 12);
    ``elastic_strain``, the deviators of the elastic left Cauchy-Green tensors of the groups of grains;
    ``tensors``, other learnt deviators; ``internal``, learnt scalars; in a network of any texture
    ``texture``, the numbers of the point's, which stay; and what the watch over the training range keeps,
    see :mod:`multiscale.surrogate.extrapolation`.

    Args:
        weights: Arrays of the network by name.
        card: What they are.
        on_extrapolation: Outside the training range ``warn`` once, or ``stop`` with an error.
        precision: Of the products of the network. Objectivity holds to 1e-6 in ``single`` and 1e-10 in
            ``double``; steps of nothing, causality and batches to the bit in both.
        texture: Numbers of the texture of points at rest, shape (27,), see
            :mod:`microscale.crystals.texture.moments`; by default that of no texture. A state may have others
            at some points.

    Raises:
        InputError: Unknown precision, or the weights do not have the shapes the card promises, or are not
            finite; or a texture for a network that is not told any.
    """

    def __init__(
        self,
        weights: Weights,
        card: Card,
        on_extrapolation: OnExtrapolation = "warn",
        precision: Precision = "single",
        texture: FloatArray | None = None,
    ) -> None:
        if precision not in get_args(Precision):
            raise InputError(f"precision = '{precision}', expected one of: {', '.join(get_args(Precision))}")
        super().__init__(card, on_extrapolation)
        self._architecture = architecture_of(card)
        if texture is not None and not self._architecture.texture:
            raise InputError("texture of a surrogate that is not told any, expected none: leave it out")
        self.state_spec = state_of(self._architecture, texture)
        self._values = constants_of(weights, card)
        self._load(precision)

    def _load(self, precision: Precision) -> None:
        """Take the kernel of a precision."""
        single = precision == "single"
        self._constants = _packed(self._values, np.float32 if single else np.float64)
        library = load_kernel(SOURCE, self._architecture.defines | ({"SINGLE": 1} if single else {}))
        self._advance = library.learned_update
        self._advance.restype = None

    @property
    def smooth(self) -> Self:
        """The same with products in double precision: single ones would leave forces out of balance."""
        other = copy(self)
        other._load("double")
        return other

    @classmethod
    def from_file(cls, weights: Path | str | None = None, precision: Precision = "single") -> LearnedLaw:
        """Read a surrogate; by default the shipped one of magnesium.

        Raises:
            InputError: See :func:`multiscale.surrogate.store.read_surrogate`.
        """
        read = read_surrogate(SHIPPED if weights is None else Path(weights), kind="recurrent")
        return cls(*read, precision=precision)

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.ascontiguousarray(np.broadcast_to(dt, len(F)), dtype=float)
        newly = np.zeros(len(KINDS) + 1, dtype=np.int64)
        kept = (*BEFORE, *(variable.name for variable in (*WATCHED, EXTRAPOLATION)))
        arrays = (F, steps, *map(state.get, kept), out, newly)
        self._advance(ctypes.byref(self._constants), ctypes.c_long(len(F)), *map(_pointer, arrays))
        self._watch.report(newly, state)

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.ascontiguousarray(np.broadcast_to(dt, len(F)), dtype=float)
        arrays = (F, steps, *map(state.get, BEFORE), out)
        differentiate, constants = self._tangent_kernel
        if differentiate(ctypes.byref(constants), ctypes.c_long(len(F)), *map(_pointer, arrays)):
            raise InputError("no memory for the tangent of the learned law, expected a megabyte")

    @cached_property
    def _tangent_kernel(self) -> tuple[Callable[..., int], Constants]:
        """The kernel of the tangent, compiled when it is first asked for, and its constants.

        In double precision always: single products leave errors up to 1e-6 of a tangent.
        """
        kernel: Callable[..., int] = load_kernel(TANGENT_SOURCE, self._architecture.defines).learned_tangent
        return kernel, _packed(self._values, np.float64)


def _pointer(array: NDArray[Any] | None) -> ctypes.c_void_p:
    """Return where an array is. Not array.ctypes, which leaves a cycle of objects in each call."""
    return ctypes.c_void_p(None if array is None else array.__array_interface__["data"][0])


def state_of(architecture: Architecture, texture: FloatArray | None = None) -> tuple[StateVariable, ...]:
    """Return what a point keeps, in the order of the kernels and of exported sources.

    Args:
        architecture: Sizes.
        texture: Its numbers at rest, shape (27,), for a network that is told them; by default zeros.
    """
    numbers = np.zeros(OF_TEXTURE) if texture is None else np.asarray(texture, dtype=float)
    return (
        StateVariable("stretch", (6,), "-", [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
        StateVariable("elastic_strain", (DEVIATOR * architecture.groups,), ELASTIC_UNIT),
        StateVariable("tensors", (DEVIATOR * architecture.tensors,), "-"),
        StateVariable("internal", (architecture.scalars,), "-"),
        *([StateVariable("texture", (OF_TEXTURE,), "-", numbers)] if architecture.texture else []),
        *WATCHED,
        EXTRAPOLATION,
    )


def architecture_of(card: Card) -> Architecture:
    """Return the sizes that a card tells.

    Raises:
        InputError: It tells others.
    """
    return validated(Architecture, card.architecture, "sizes in the surrogate's card", REMEDY)


def constants_of(weights: Weights, card: Card) -> dict[str, FloatArray]:
    """Return the fields of the C struct ``Surrogate`` (learned_surrogate.h) in their order, then its layers.

    Raises:
        InputError: Weights are missing, not finite, or have other shapes than the card says.
    """
    architecture, limits, material = architecture_of(card), card.range, card.material
    elastic_limit, *longest = limits.clocks
    shares = np.exp(finite_array(weights, "shares", (architecture.groups,)))
    constants = {
        "shear_modulus": material.shear_modulus,
        "lambda_e": material.lambda_e,
        "largest_shape": limits.shape,
        "largest_rate": limits.strain_rate,
        "smallest_J": limits.smallest_volume,
        "largest_J": limits.largest_volume,
        "elastic_limit": elastic_limit,
        "longest": longest,
        "shares": shares / shares.sum(),
    }
    for layer, shape in architecture.layers.items():
        constants[layer] = finite_array(weights, layer, shape)
        constants[f"{layer}_bias"] = finite_array(weights, f"{layer}_bias", shape[1:])
    return {name: np.asarray(value, dtype=float) for name, value in constants.items()}


def _packed(constants: dict[str, FloatArray], precision: type[np.floating]) -> Constants:
    """Fill the struct; its layers are in the precision of the network."""
    first = list(constants).index("input")
    arrays = [array.ravel() for array in constants.values()]
    content = np.concatenate(arrays[:first]).tobytes()
    content += np.concatenate(arrays[first:]).astype(precision).tobytes()
    return ctypes.create_string_buffer(content, -(-len(content) // ALIGNMENT) * ALIGNMENT)
