"""Histories of points as coefficients of modes: kept up to date step by step, never stored.

With quadrature weights w_s and modes phi_k at the instants t_s of the training samples, U linear in time
between updates and continued at its last rate V, the coefficients of a history over (0, T) are

    sum_s w_s phi_k(t_s) U(t_s) = sum_{t_s < t} w_s phi_k(t_s) U(t_s)
        + (U - t V) sum_{t_s >= t} w_s phi_k(t_s) + V sum_{t_s >= t} t_s w_s phi_k(t_s)

The first sum is the state of a point, advanced as instants go by; the other two are tables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from microscale.point_tensors import (
    Tensor,
    cofactor,
    combine,
    congruence,
    dot,
    load,
    squared_norm,
    store,
    times_transposed,
    transpose,
)
from microscale.tensors import FloatArray
from multiscale.surrogate.pca.components import quadrature_weights
from multiscale.surrogate.store import Weights, finite_array

SingleArray = NDArray[np.float32]

ROOT2 = 2.0**0.5
IDENTITY: Tensor = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
ROUNDING = 1e-12
"""Strain increments below are rounding and have no rate."""
TINY = 1e-30
"""Keeps the rate of an instantaneous step finite, and that of no step zero."""


class Tables(NamedTuple):
    """What projecting and lifting need, instant by instant.

    Attributes:
        instants: Times t_s of the training samples, us, shape (samples,).
        weighted: w_s phi_k(t_s) of the stretch modes, shape (samples, 6, modes).
        value_left: Sum of these from an instant to the last, shape (samples + 1, 6, modes).
        moment_left: Sum of these times t_s, us, same shape.
        stress: Stress modes, GPa a unit of the network's output, shape (samples, 6, modes).
    """

    instants: FloatArray
    weighted: FloatArray
    value_left: FloatArray
    moment_left: FloatArray
    stress: FloatArray

    @classmethod
    def of(cls, weights: Weights, modes: int, duration: float) -> Tables:
        """Read the modes of a surrogate for histories of ``duration``, us.

        Raises:
            InputError: An array is missing, of another shape or not finite.
        """
        samples = len(weights.get("fractions", ()))
        fractions = finite_array(weights, "fractions", (samples,))
        stretch, stress = (
            finite_array(weights, name, (6, modes, samples)) for name in ("stretch_modes", "stress_modes")
        )
        stress = finite_array(weights, "stress_scale", (1,)) * stress
        instants = duration * fractions
        weighted = np.ascontiguousarray(np.moveaxis(stretch * quadrature_weights(fractions), 2, 0))
        moments = instants[:, None, None] * weighted
        return cls(
            instants,
            weighted,
            _left(weighted),
            _left(moments),
            np.ascontiguousarray(np.moveaxis(stress, 2, 0)),
        )

    def at_rest(self) -> FloatArray:
        """Coefficients of U = I, shape (6 modes,)."""
        coefficients = self.value_left[0].copy()
        coefficients[3:] = 0.0
        return coefficients.ravel()


def _left(terms: FloatArray) -> FloatArray:
    """Sums from each instant to the last, and zero after it."""
    return np.concatenate([np.cumsum(terms[::-1], axis=0)[::-1], np.zeros((1, *terms.shape[1:]))])


@njit(cache=True, error_model="numpy")
def follow(
    F: FloatArray,
    R: FloatArray,
    dt: FloatArray,
    limits: FloatArray,
    tables: Tables,
    stretch: FloatArray,
    rate: FloatArray,
    time: FloatArray,
    history: FloatArray,
    excess: FloatArray,
    inputs: SingleArray,
) -> None:
    """Advance the state of points (n,) to F = R U after ``dt`` and write the coefficients of U - I.

    Args:
        F: Deformation gradients, shape (n, 3, 3).
        R: Their rotations, same shape.
        dt: Time steps, us, shape (n,).
        limits: Training range, in the order of its attributes.
        tables: Of the surrogate.
        stretch: U (11, 22, 33, 23, 13, 12), shape (n, 6); advanced, as what follows.
        rate: Rate of its Mandel vector, 1/us, shape (n, 6); kept over an instantaneous step.
        time: us, shape (n,).
        history: Coefficients of the instants gone by, shape (n, 6, modes).
        excess: Distance beyond the training range in shape, rate and volume, shape (n, at least 3).
        inputs: Coefficients of the whole history, shape (6, modes, at least n).
    """
    for point in range(F.shape[0]):
        A = load(F, point)
        U, last = _stretch(A, load(R, point)), _tensor(stretch, point)
        beyond = _beyond(U, last, dot(A[0], cofactor(A)[0]), dt[point], limits)
        excess[point, 0], excess[point, 1], excess[point, 2] = beyond
        start, end = time[point], time[point] + dt[point]
        new, old = _strain(U), _strain(last)
        for c in range(6):
            if dt[point] > 0.0:
                rate[point, c] = (new[c] - old[c]) / dt[point]
            V, at_zero = rate[point, c], old[c] - start * rate[point, c]
            instant = np.searchsorted(tables.instants, start)
            while instant < tables.instants.size and tables.instants[instant] < end:
                passed = at_zero + tables.instants[instant] * V
                history[point, c] += passed * tables.weighted[instant, c]
                instant += 1
            value, moment = tables.value_left[instant, c], tables.moment_left[instant, c]
            at_zero = new[c] - end * V
            for k in range(history.shape[2]):
                inputs[c, k, point] = history[point, c, k] + at_zero * value[k] + V * moment[k]
        _pack(U, stretch, point)
        time[point] = end


@njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def write_stress(
    outputs: SingleArray,
    time: FloatArray,
    tables: Tables,
    bulk: float,
    R: FloatArray,
    F: FloatArray,
    out: FloatArray,
) -> None:
    """Write P = R sigma R^T cof F of the present Cauchy stress sigma in the outputs (6 modes, at least n).

    Args:
        outputs: Coefficients of the stress history.
        time: Present of each point, us, shape (n,).
        tables: Of the surrogate.
        bulk: 2 lambda_e, GPa, if the mean stress bulk (J - 1) is to be added.
        R: Rotations of F, shape (n, 3, 3).
        F: Deformation gradients, shape (n, 3, 3).
        out: First Piola-Kirchhoff stress, GPa, shape (n, 3, 3).
    """
    instants, modes = tables.instants, tables.stress.shape[2]
    sigma = np.empty((1, 6))
    for point in range(F.shape[0]):
        last = min(max(np.searchsorted(instants, time[point]), 1), instants.size - 1)
        part = (time[point] - instants[last - 1]) / (instants[last] - instants[last - 1])
        for c in range(6):
            before, after = tables.stress[last - 1, c], tables.stress[last, c]
            total = 0.0
            for k in range(modes):
                total += outputs[c * modes + k, point] * (before[k] + part * (after[k] - before[k]))
            sigma[0, c] = total if c < 3 else total / ROOT2
        A = load(F, point)
        cof = cofactor(A)
        turned = congruence(load(R, point), _tensor(sigma, 0))
        whole = combine(1.0, turned, bulk * (dot(A[0], cof[0]) - 1.0), IDENTITY)
        store(times_transposed(whole, transpose(cof)), 1.0, out, point)


@njit(cache=True, forceinline=True)
def _stretch(F: Tensor, R: Tensor) -> Tensor:
    """Symmetric part of R^T F."""
    A, B = transpose(F), transpose(R)
    U = times_transposed(A, B)
    return combine(0.5, U, 0.5, transpose(U))


@njit(cache=True, forceinline=True)
def _strain(U: Tensor) -> tuple[float, float, float, float, float, float]:
    """Mandel vector of U - I."""
    return U[0][0] - 1.0, U[1][1] - 1.0, U[2][2] - 1.0, ROOT2 * U[1][2], ROOT2 * U[0][2], ROOT2 * U[0][1]


@njit(cache=True, forceinline=True)
def _pack(A: Tensor, out: FloatArray, point: int) -> None:
    out[point, 0], out[point, 1], out[point, 2] = A[0][0], A[1][1], A[2][2]
    out[point, 3], out[point, 4], out[point, 5] = A[1][2], A[0][2], A[0][1]


@njit(cache=True, forceinline=True)
def _tensor(a: FloatArray, point: int) -> Tensor:
    """Symmetric tensor of components 11, 22, 33, 23, 13, 12, row ``point`` of (n, 6)."""
    yz, xz, xy = a[point, 3], a[point, 4], a[point, 5]
    return (a[point, 0], xy, xz), (xy, a[point, 1], yz), (xz, yz, a[point, 2])


@njit(cache=True, forceinline=True, error_model="numpy")
def _beyond(U: Tensor, last: Tensor, J: float, dt: float, limits: FloatArray) -> tuple[float, float, float]:
    """How far a step from ``last`` to U is beyond the training range, relative to it; zero inside.

    The measures are those of multiscale.surrogate.sources.training_range: the isochoric shape, half the norm
    of the deviatoric change of the isochoric left Cauchy-Green tensor over the time step, and det F.
    """
    new, old = _isochoric(U), _isochoric(last)
    adjugate = cofactor(new)  # symmetric, and the inverse, as det = 1
    trace = new[0][0] + new[1][1] + new[2][2] + adjugate[0][0] + adjugate[1][1] + adjugate[2][2]
    gradient = times_transposed(combine(1.0, new, -1.0, old), cofactor(old))
    change = combine(
        1.0, combine(1.0, gradient, 1.0, transpose(gradient)), 1.0, times_transposed(gradient, gradient)
    )
    mean = (change[0][0] + change[1][1] + change[2][2]) / 3.0
    size = 0.5 * np.sqrt(squared_norm(combine(1.0, change, -mean, IDENTITY)))
    rate = size / (dt + TINY) if size > ROUNDING else 0.0
    shape, volume = np.log(trace / 6.0) / limits[0], max(J / limits[3], limits[2] / J)
    return max(shape - 1.0, 0.0), max(rate / limits[1] - 1.0, 0.0), max(volume - 1.0, 0.0)


@njit(cache=True, forceinline=True)
def _isochoric(U: Tensor) -> Tensor:
    scale = dot(U[0], cofactor(U)[0]) ** (-1.0 / 3.0)
    return combine(scale, U, 0.0, U)
