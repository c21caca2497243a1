"""Isotropic finite-strain plasticity in the logarithmic strain: the mechanism J2 and Johnson-Cook share.

F = F_e F_p with the elastic left Cauchy-Green tensor b = F_e F_e^T = F Cp^-1 F^T and the Kirchhoff stress
dev tau = 2 G dev(ln b / 2). Plastic flow by the exponential map keeps the principal directions of the trial
b, so the return is radial in logarithmic strain, as at small strain (Weber & Anand 1990; Simo 1992). Only
the inverse plastic right Cauchy-Green tensor Cp^-1 is carried: a tensor of the reference configuration,
untouched by superposed rotations, which makes the law exactly frame indifferent, and with det Cp = 1.

With b = mean (I + X), X free of trace, an isotropic function of b is c0 I + c1 X + c2 X^2 with coefficients
that depend on X by j2 = tr(X^2) / 2 and j3 = det X only (Cayley-Hamilton): no eigenvectors, no trouble with
repeated principal values, and small strains keep their digits. Small X, the elastic strains of a time step,
take power series; large X, as in a single large step, interpolation at the principal values. All of it is
compiled, eight points at a time, in radial_return.h.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from microscale.law import StateVariable
from microscale.native.library import load_kernel
from microscale.tensors import FloatArray

PLASTIC_STATE = (
    StateVariable("inverse_plastic_metric", (3, 3), "-", np.eye(3)),
    StateVariable("equivalent_plastic_strain", (), "-"),
    StateVariable("dissipation", (), "GPa"),
)


@cache
def kernels(law: str) -> ctypes.CDLL:
    """Return the compiled functions of a law in this folder, such as "j2"."""
    return load_kernel(Path(__file__).with_name(f"{law}.c"), {})


def c_doubles(values: Sequence[float]) -> ctypes.Array[ctypes.c_double]:
    """Return values as a C array, or as a struct of doubles."""
    return (ctypes.c_double * len(values))(*values)


def c_pointers(arrays: Iterable[FloatArray]) -> list[ctypes.c_void_p]:
    """Return where the C-contiguous arrays begin."""
    return [ctypes.c_void_p(array.ctypes.data) for array in arrays]
