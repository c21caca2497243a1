"""How slowly strain paths flow, how long they are held, how far they go to and fro; see flow_clocks.h.

A point flows where its isochoric strain leaves a ball of the radius of the elastic range and drags it along.
While it flows by one diameter of that ball, three clocks run: the time in which it flows, the time in which
it does not, and the strain path it travels without flowing. Rest before the first flow does not count;
elastic waves after it add what they travel.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from microscale.native.library import load_kernel
from microscale.tensors import FloatArray

CLOCKS, LONGEST = 9, 3
"""Numbers of a point: elastic strain (5), strain flowed, time of flow, time of rest, path; the last three."""


class FlowClocks:
    """The clocks for an elastic range.

    Args:
        elastic_limit: Its radius, as the norm of a deviatoric strain.
    """

    def __init__(self, elastic_limit: float) -> None:
        self._limit = ctypes.c_double(elastic_limit)
        self._advance = load_kernel(Path(__file__).with_name("flow_clocks.c"), {}).flow_clocks_advance

    def advance(
        self, before: FloatArray, after: FloatArray, dt: FloatArray, clocks: FloatArray, longest: FloatArray
    ) -> None:
        """Advance points by a step.

        Args:
            before: Stretches before it (11, 22, 33, 23, 13, 12), shape (n, 6), C-contiguous as all others.
            after: Stretches after it, same shape.
            dt: Time steps, us, shape (n,).
            clocks: State of the clocks, shape (n, CLOCKS), zero at rest; advanced in place.
            longest: Overwritten with how long the time of flow, the time of rest (us) and the path without
                flow were at most within the step, shape (n, LONGEST).
        """
        arrays = (before, after, dt, clocks, longest)
        # Not array.ctypes, which leaves a cycle of objects in each call.
        pointers = (ctypes.c_void_p(array.__array_interface__["data"][0]) for array in arrays)
        self._advance(self._limit, ctypes.c_long(len(before)), *pointers)
