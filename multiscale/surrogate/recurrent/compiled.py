"""The recurrent surrogate's passes through time, compiled: some ten times faster than autograd."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import torch

from microscale.native.library import default_threads, load_kernel
from multiscale.surrogate.recurrent.architecture import DEVIATOR
from multiscale.surrogate.recurrent.increments import Increments, convected_maps
from multiscale.surrogate.recurrent.network import RecurrentSurrogate

SOURCE = Path(__file__).with_name("recurrent_training.c")
BLOCK = 32
"""Paths are followed in blocks of this many; batches are multiples of it."""
PARAMETERS = (
    "input",
    "input_bias",
    "between",
    "between_bias",
    "rates",
    "rates_bias",
    "targets",
    "targets_bias",
)
ALIGNMENT = 64


def pack(steps: Increments, texture: torch.Tensor | None = None) -> torch.Tensor:
    """Return what the kernel reads of each step, shape (steps, rows, paths), float32.

    Args:
        steps: A batch of them.
        texture: Numbers of each path's texture, shape (paths, 27), for a surrogate that is told them.
    """
    maps = convected_maps(steps.gradient).flatten(-2)
    rows = [steps.features, maps, steps.strain, steps.size, steps.dt]
    if texture is not None:
        rows.append(texture.float().expand(len(maps), -1, -1))
    return torch.cat(rows, -1).mT.contiguous()


class FusedRecurrent:
    """Follows batches of paths with the parameters of a surrogate, on the CPU in single precision.

    Args:
        surrogate: Its parameters are read, and receive gradients, as usual.
        threads: Threads over blocks of paths; results do not depend on it.
    """

    def __init__(self, surrogate: RecurrentSurrogate, threads: int | None = None) -> None:
        architecture = surrogate.architecture
        self.surrogate = surrogate
        self.groups, self.states = architecture.groups, architecture.states
        self.threads = default_threads() if threads is None else threads
        self.library = load_kernel(SOURCE, architecture.defines)
        self.library.tape_bytes.restype = ctypes.c_long
        self._tape = np.empty(0, np.uint8)

    def __call__(
        self, packed: torch.Tensor, state: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Follow paths from ``state`` (states, paths), or from rest; one call is on its way at a time.

        Returns:
            The mean deviator s after each step, shape (steps, 5, paths), over the strain scale, and the last
            state. Gradients flow from the former to the parameters, not to the state the paths came with.
        """
        if state is None:
            state = torch.zeros(self.states, packed.shape[2])
        parameters = [getattr(self.surrogate, name) for name in PARAMETERS]
        last = state.clone()
        strains = _Follow.apply(self, packed, last, *parameters).unflatten(1, (self.groups, DEVIATOR))
        return torch.einsum("tgkp,g->tkp", strains, self.surrogate.weights()), last

    def follow(self, flat: torch.Tensor, packed: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
        """Run forward: elastic strains (steps, 5 groups, paths); ``state`` is advanced in place."""
        steps, _, paths = packed.shape
        if paths % BLOCK:
            raise ValueError(f"a batch has {paths} paths, expected a multiple of {BLOCK}")
        history = torch.empty(steps, DEVIATOR * self.groups, paths)
        arrays = (packed, state, history)
        self.library.follow(
            _pointer(flat),
            *_longs(steps, paths),
            *map(_pointer, arrays),
            self._tape_for(packed),
            self.threads,
        )
        return history

    def follow_back(self, flat: torch.Tensor, packed: torch.Tensor, dhistory: torch.Tensor) -> torch.Tensor:
        """Return the gradient of all parameters, as one vector; follows :meth:`follow` of the same batch."""
        steps, _, paths = packed.shape
        gradient, dhistory = torch.empty_like(flat), dhistory.contiguous()  # held by name while C reads it
        self.library.follow_back(
            _pointer(flat),
            *_longs(steps, paths),
            _pointer(packed),
            self._tape_for(packed),
            _pointer(dhistory),
            _pointer(gradient),
            self.threads,
        )
        return gradient

    def _tape_for(self, packed: torch.Tensor) -> ctypes.c_void_p:
        needed = int(self.library.tape_bytes(*_longs(packed.shape[0], packed.shape[2]))) + ALIGNMENT
        if self._tape.size < needed:
            self._tape = np.empty(needed, np.uint8)
        return ctypes.c_void_p(-(-self._tape.ctypes.data // ALIGNMENT) * ALIGNMENT)


class _Follow(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, fused: FusedRecurrent, packed: torch.Tensor, state: torch.Tensor, *parameters: Any
    ) -> torch.Tensor:
        ctx.fused, ctx.packed, ctx.shapes = fused, packed, [p.shape for p in parameters]
        ctx.flat = torch.cat([parameter.detach().flatten() for parameter in parameters])
        return fused.follow(ctx.flat, packed, state)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        flat = ctx.fused.follow_back(ctx.flat, ctx.packed, gradients[0])
        parts = flat.split([shape.numel() for shape in ctx.shapes])
        return (None, None, None, *(part.view(shape) for part, shape in zip(parts, ctx.shapes, strict=True)))


def _pointer(array: torch.Tensor) -> ctypes.c_void_p:
    if array.dtype != torch.float32 or not array.is_contiguous():
        raise ValueError("kernel arrays must be contiguous float32")
    return ctypes.c_void_p(array.data_ptr())


def _longs(*sizes: int) -> tuple[ctypes.c_long, ...]:
    return tuple(ctypes.c_long(size) for size in sizes)
