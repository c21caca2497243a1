"""The paper's surrogate as a constitutive law: the whole history in, the stress of the present out.

As in the paper the network reads the stretch over all of (0, T), the time to come filled with the linear
continuation of the last step, and of the stress history it returns the present is taken. That this does not
depend on the continuation is learnt causality (docs/results/paper_network.md).
"""

from __future__ import annotations

import ctypes
from copy import copy
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Self

import numpy as np

from microscale.errors import InputError
from microscale.files.schema import validated
from microscale.law import State, StateVariable
from microscale.native.library import load_kernel
from microscale.paths.flow_clocks import LONGEST, FlowClocks
from microscale.tensors import FloatArray, polar_rotation
from multiscale.surrogate.extrapolation import (
    EXTRAPOLATION,
    FAST_SIDE,
    KINDS,
    WATCHED,
    ExtrapolationWatch,
    OnExtrapolation,
    mark,
)
from multiscale.surrogate.law import SurrogateLaw
from multiscale.surrogate.pca.architecture import PcaArchitecture
from multiscale.surrogate.pca.double_network import DoubleNetwork
from multiscale.surrogate.pca.history import SingleArray, Tables, follow, write_stress
from multiscale.surrogate.store import REMEDY, Card, Weights, finite_array

SOURCE = Path(__file__).with_name("network.c")
BLOCK, GROUP = 64, 8
"""Points the network reads at once, and outputs whose weights lie next to each other."""
ALIGNMENT = 16
"""Of the kernel's vectors, in floats."""
LATE = 1e-9
"""How far times may exceed T, over T: steps add up with rounding."""


class PcaLaw(SurrogateLaw):
    """The paper's principal components and SELU network at material points.

    State of a point: ``stretch``, U at the last update (11, 22, 33, 23, 13, 12); ``stretch_rate``, that of
    its Mandel vector in the last step; ``time``; ``history``, coefficients of U - I before the present;
    and what the watch over the training range keeps, as in the other law.

    The network alone gives a body at rest some stress; the law subtracts the stress history it gives to rest.

    Args:
        weights: Arrays of the surrogate by name.
        card: What they are.
        duration: Time the whole simulation lasts, us; T is this, or the shortest of the training data if that
            is longer. By default the longest of the training data.
        on_extrapolation: Outside the training range ``warn`` once, or ``stop`` with an error.

    Attributes:
        duration: T, us.

    Raises:
        InputError: The weights do not have the shapes the card promises or are not finite, or the simulation
            lasts longer than the training data.
    """

    def __init__(
        self,
        weights: Weights,
        card: Card,
        duration: float | None = None,
        on_extrapolation: OnExtrapolation = "warn",
    ) -> None:
        super().__init__(card, on_extrapolation)
        self.duration = _known_duration(card, duration)
        architecture = validated(PcaArchitecture, card.architecture, "sizes in the surrogate's card", REMEDY)
        if architecture.components != 6:
            raise InputError("the surrogate is of plane histories, expected components = 6 for a simulation")
        architecture.require_arrays(weights)
        modes = architecture.modes
        self.state_spec = (
            StateVariable("stretch", (6,), "-", [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
            StateVariable("stretch_rate", (6,), "1/us"),
            StateVariable("time", (), "us"),
            StateVariable("history", (6, modes), "-"),
            *WATCHED,
            EXTRAPOLATION,
        )
        limits = card.range
        self._limits = np.array(
            [limits.shape, limits.strain_rate, limits.smallest_volume, limits.largest_volume]
        )
        self._clocks, self._longest = FlowClocks(limits.clocks[0]), np.array(limits.clocks[1:])
        self._tables = Tables.of(weights, modes, self.duration)
        self._bulk = card.computed_bulk_modulus
        relative = self.duration / finite_array(weights, "time_scale", (1,))
        at_rest = np.append(self._tables.at_rest(), np.log(relative))
        self._network: Network | DoubleNetwork = Network(weights, architecture, at_rest)
        self._read = weights, architecture, at_rest
        # Work space of a block: rotation, stretch before the step, excess by kind, what the clocks show.
        self._scratch = [np.empty((BLOCK, *row)) for row in ((3, 3), (6,), (len(KINDS),), (LONGEST,))]

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        steps = np.ascontiguousarray(np.broadcast_to(dt, len(F)), dtype=float)
        self._check_end(state["time"], steps)
        network, tables, newly = self._network, self._tables, np.zeros(len(KINDS) + 1, dtype=np.int64)
        for first in range(0, len(F), BLOCK):
            here = slice(first, min(first + BLOCK, len(F)))
            R, before, excess, shown = (array[: here.stop - first] for array in self._scratch)
            polar_rotation(F[here], R)
            part = state.points(here)
            before[:], excess[:] = part["stretch"], 0.0
            arrays = (part[name] for name in ("stretch", "stretch_rate", "time", "history"))
            follow(F[here], R, steps[here], self._limits, tables, *arrays, excess, network.inputs)
            self._clocks.advance(before, part["stretch"], steps[here], part["flow_clocks"], shown)
            far_side = excess[:, FAST_SIDE:]
            np.divide(shown, self._longest, out=far_side)
            far_side -= 1.0
            np.maximum(far_side, 0.0, out=far_side)
            newly += mark(excess, steps[here], part)
            write_stress(network.run(), state["time"][here], tables, self._bulk, R, F[here], out[here])
        self._watch.report(newly, state)

    @cached_property
    def smooth(self) -> Self:
        """The same with its network in double precision, and nobody who watches."""
        other = copy(self)
        other._network = DoubleNetwork(*self._read, BLOCK)
        other._watch = ExtrapolationWatch.silent(self.card.range)
        return other

    def _check_end(self, time: FloatArray, steps: FloatArray) -> None:
        latest = float((time + steps).max(initial=0.0))
        if latest > (1.0 + LATE) * self.duration:
            raise InputError(
                f"time is {latest:.6g} us, expected at most T = {self.duration:.6g} us: the paper's network "
                "knows histories of one length; end the run there, or train on longer ones"
            )

    def fields(self, state: State) -> dict[str, FloatArray]:
        """Return how far points have been beyond the training range, (n,)."""
        return {EXTRAPOLATION.name: state[EXTRAPOLATION.name]}

    def _bulk_modulus(self) -> float:
        """Bulk modulus at rest, GPa, of the material learnt: at time zero all stress modes are zero."""
        return 2.0 * self.card.material.lambda_e


def _known_duration(card: Card, duration: float | None) -> float:
    durations = [time for made in card.datasets for time in made.get("duration_us", [])]
    if not durations:
        raise InputError("the surrogate's card does not say how long its training paths last (duration_us)")
    shortest, longest = min(durations), max(durations)
    if duration is None:
        return float(longest)
    if not 0.0 < duration <= (1.0 + LATE) * longest:
        raise InputError(
            f"the run lasts {duration:.6g} us, expected at most {longest:.6g} us: the paper's network knows "
            "no longer histories than its training data; end earlier or train on longer ones"
        )
    return float(max(duration, shortest))


class Network:
    """psi of eq. (26) in single precision, without allocation; compiled, see pca_network.c.

    It reads coefficients of U - I: those of I and ln T are constants, and go into the first biases. So rest
    is the input zero, to the bit.

    Args:
        weights: Arrays of the surrogate by name.
        architecture: Sizes.
        at_rest: What the surrogate reads of a body at rest, shape (6 modes + 1,).

    Attributes:
        inputs: Coefficients of U - I to fill, shape (6, modes, BLOCK).
    """

    def __init__(self, weights: Weights, architecture: PcaArchitecture, at_rest: FloatArray) -> None:
        outputs, widths = len(at_rest) - 1, architecture.widths
        self.inputs = _aligned(6, outputs // 6, BLOCK)
        values, self._calls, self._kept = self.inputs.reshape(outputs, BLOCK), [], []
        for layer, (n, m) in enumerate(pairwise(widths)):
            matrix = finite_array(weights, f"{2 * layer}.weight", (m, n))
            bias = finite_array(weights, f"{2 * layer}.bias", (m,))
            if layer == 0:
                matrix, bias = matrix[:, :-1], bias + matrix @ at_rest
            arrays = (_grouped(matrix), bias.astype(np.float32), values, _aligned(m, BLOCK))
            pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
            sizes = (ctypes.c_long(matrix.shape[1]), ctypes.c_long(m), ctypes.c_int(layer < len(widths) - 2))
            self._calls.append((*pointers[:3], *sizes, pointers[3]))
            self._kept.append(arrays)
            values = arrays[3]
        self._outputs = values
        self._layer = load_kernel(SOURCE, {"BLOCK": BLOCK}).pca_layer
        self._rest = np.zeros((outputs, 1), np.float32)
        self._rest = self.run()[:, :1].copy()

    def run(self) -> SingleArray:
        """Return the outputs less those at rest, shape (6 modes, BLOCK); the next run overwrites them."""
        for arguments in self._calls:
            self._layer(*arguments)
        self._outputs -= self._rest
        return self._outputs


def _grouped(matrix: FloatArray) -> SingleArray:
    """Return weights (outputs, inputs) as the kernel reads them, shape (groups, inputs, GROUP)."""
    outputs, inputs = matrix.shape
    padded = np.zeros((-(-outputs // GROUP) * GROUP, inputs), np.float32)
    padded[:outputs] = matrix
    return np.ascontiguousarray(np.swapaxes(padded.reshape(-1, GROUP, inputs), 1, 2))


def _aligned(*shape: int) -> SingleArray:
    """Return zeros at an address the vector units can read."""
    count = int(np.prod(shape))
    buffer = np.zeros(count + ALIGNMENT, np.float32)
    first = -buffer.ctypes.data // 4 % ALIGNMENT
    return buffer[first : first + count].reshape(shape)
