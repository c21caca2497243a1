"""Central difference in time with half-step velocities, as compiled loops over the nodes a rank owns.

    v(n + 1/2) = v(n - 1/2) + (dt(n - 1/2) + dt(n + 1/2)) / 2  a(n)
    u(n + 1)   = u(n) + dt(n + 1/2) v(n + 1/2)

Energies are booked at whole steps. With the velocity v(n) halfway between its neighbours, the kinetic energy
would be off by dt^2 f^2 / (8 m): it comes and goes with the force and is nothing the body gains. So each
half-step energy is brought to the whole step by the work that the trapezoidal rule books for that half of the
step, which balances by algebra alone, however wrong the motion. Therefore a force that has turned round since
the step before, as at the limit of stability it does in every step, is booked with - dt^2 f f_old / (8 m): a
step too large shows as an error.
"""

from __future__ import annotations

from numba import njit

from microscale.tensors import FloatArray
from multiscale.dynamics.elements.natural_coordinates import REORDER


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
    """Advance the half-step velocities by the internal force; keep what they were.

    Args:
        v_half: Velocities v(n - 1/2), overwritten with v(n + 1/2) before contact, shape (nodes, 3), mm/us.
        v_old: Overwritten with v(n - 1/2).
        force: Internal force at n, GPa mm^2.
        force_old: Internal force at n - 1.
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
            v_half[node, i] = v - dt_mean * inverse_mass[node, i] * force[node, i]
    return work


@njit(cache=True)
def centre(v: FloatArray, v_old: FloatArray, v_half: FloatArray, owned: int) -> None:
    """Write v(n), the mean of its half-step neighbours, into ``v``."""
    for node in range(owned):
        for i in range(3):
            v[node, i] = 0.5 * (v_old[node, i] + v_half[node, i])


@njit(cache=True, fastmath=REORDER)
def kinetic_energy(
    v_old: FloatArray,
    v_half: FloatArray,
    force: FloatArray,
    force_old: FloatArray,
    mass: FloatArray,
    inverse_mass: FloatArray,
    dt_old: float,
    dt: float,
    owned: int,
) -> float:
    """Kinetic energy at n, J, from the velocities behind and ahead; contact has acted between the two.

    Args:
        v_old: Velocities v(n - 1/2), shape (nodes, 3), mm/us.
        v_half: Velocities v(n + 1/2).
        force: Internal force at n, GPa mm^2.
        force_old: Internal force at n - 1.
        mass: Lumped mass, mg.
        inverse_mass: Its inverse, zero where supported, 1/mg.
        dt_old: The step from n - 1 to n, us.
        dt: The next, us.
        owned: Number of nodes this rank owns.
    """
    energy = 0.0
    for node in range(owned):
        for i in range(3):
            behind, ahead, f = v_old[node, i], v_half[node, i], force[node, i]
            energy += 0.25 * mass[node, i] * (behind**2 + ahead**2)
            energy += 0.25 * f * (dt * ahead - dt_old * behind)
            turned = min(f * force_old[node, i], 0.0)
            energy -= 0.125 * dt**2 * inverse_mass[node, i] * turned
    return energy
