"""Central difference in time with half-step velocities, as compiled loops over the nodes a rank owns.

    v(n + 1/2) = v(n - 1/2) + (dt(n - 1/2) + dt(n + 1/2)) / 2  a(n)
    u(n + 1)   = u(n) + dt(n + 1/2) v(n + 1/2)

Energies are booked at whole steps, with the velocity v(n) halfway between its neighbours. (Booked at half
steps they would balance by algebra alone, however wrong the motion; here a step too large shows as an error.)
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@njit(cache=True)
def drift(u: FloatArray, v_half: FloatArray, dt: float, owned: int) -> None:
    """Advance the displacements of the first ``owned`` nodes by a step, shapes (nodes, 3)."""
    for node in range(owned):
        for i in range(3):
            u[node, i] += dt * v_half[node, i]


@njit(cache=True)
def kick(
    v_half: FloatArray,
    v_old: FloatArray,
    force: FloatArray,
    force_old: FloatArray,
    inverse_mass: FloatArray,
    dt_old: float,
    dt_mean: float,
    owned: int,
) -> float:
    """Advance the half-step velocities by the internal force; keep what they and the force were.

    Args:
        v_half: Velocities v(n - 1/2), overwritten with v(n + 1/2) before contact, shape (nodes, 3), mm/us.
        v_old: Overwritten with v(n - 1/2).
        force: Internal force at n, GPa mm^2.
        force_old: Internal force at n - 1; overwritten with that at n.
        inverse_mass: Inverse of the lumped mass, zero where supported, 1/mg.
        dt_old: The step from n - 1 to n, us.
        dt_mean: Mean of that step and the next, us.
        owned: Number of nodes this rank owns.

    Returns:
        Work of the internal force from n - 1 to n by the trapezoidal rule, J.
    """
    work = 0.0
    for node in range(owned):
        for i in range(3):
            v = v_half[node, i]
            work += 0.5 * dt_old * (force[node, i] + force_old[node, i]) * v
            v_old[node, i] = v
            force_old[node, i] = force[node, i]
            v_half[node, i] = v - dt_mean * inverse_mass[node, i] * force[node, i]
    return work


@njit(cache=True)
def centre(v: FloatArray, v_old: FloatArray, v_half: FloatArray, mass: FloatArray, owned: int) -> float:
    """Write v(n), the mean of its half-step neighbours, into ``v``; return the kinetic energy, J."""
    energy = 0.0
    for node in range(owned):
        for i in range(3):
            v[node, i] = 0.5 * (v_old[node, i] + v_half[node, i])
            energy += 0.5 * mass[node, i] * v[node, i] ** 2
    return energy
