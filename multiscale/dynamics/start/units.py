"""Check of units: sizes, speeds and times that no impact has are refused where certain, else warned of."""

from __future__ import annotations

import numpy as np
from mpi4py import MPI

from microscale.errors import InputError
from microscale.files.quantities import LIKELY_DENSITY
from microscale.tensors import FloatArray

#: Extents of a body, mm, and wave speeds, mm/us, outside which a unit is more likely to be wrong than right.
LIKELY_SIZE, LIKELY_WAVE_SPEED = (0.1, 1e4), (0.3, 20.0)

#: An impact this many times faster than the elastic waves is refused; one faster than they are is doubted.
IMPOSSIBLE_SPEED = 5.0

#: An impact is over after some crossings of a wave; a body below the likely size with so many is refused.
MANY_CROSSINGS = 100.0

#: A cell this many times longer than thin is refused: a sliver, or one of two lengths is in another unit.
IMPOSSIBLE_ASPECT = 1e3

#: Steps of a run that are doubted.
MANY_STEPS = 300_000


class StartWarning(UserWarning):
    """Something about a run is improbable, as it stands before its first step."""


def unlikely_size(size: float) -> str | None:
    """Return the doubt about a size, mm, that no body of an impact test has; None where it is likely."""
    low, high = LIKELY_SIZE
    if low <= size <= high:
        return None
    unit, factor = ("metres", "1000") if size < low else ("micrometres", "0.001")
    return (
        f"the body is {size:.4g} mm long, expected {low:g} to {high:g} mm: lengths are mm; a mesh in {unit} "
        f"must be scaled by {factor}"
    )


def unlikely_wave_speed(wave_speed: float) -> str | None:
    """Return the doubt about an elastic wave speed, mm/us, that no solid has."""
    low, high = LIKELY_WAVE_SPEED
    if low <= wave_speed <= high:
        return None
    return (
        f"elastic waves run at {wave_speed:.4g} mm/us, expected {low:g} to {high:g}: moduli are GPa, "
        "densities g/cm^3 (steel: 210 GPa, 7.85 g/cm^3, 5.9 mm/us)"
    )


def unlikely_density(density: float) -> str | None:
    """Return the doubt about a density, g/cm^3, that no solid has."""
    low, high = LIKELY_DENSITY
    if low <= density <= high:
        return None
    return (
        f"the density is {density:.4g} g/cm^3, expected {low:g} to {high:g}: densities are g/cm^3, "
        "7850 kg/m^3 is 7.85"
    )


def unlikely_speed(
    velocity: FloatArray, obstacle_velocity: FloatArray, wave_speed: float, comm: MPI.Comm
) -> str | None:
    """Refuse speeds that are no impact's; return the doubt about those faster than waves. Collective.

    Args:
        velocity: Of this rank's nodes, shape (n, 3), mm/us.
        obstacle_velocity: Of the obstacles, shape (m, 3), mm/us.
        wave_speed: Of elastic waves, mm/us.
        comm: The ranks.

    Raises:
        InputError: A node moves faster than :data:`IMPOSSIBLE_SPEED` times that, or so past an obstacle.
    """
    frames = np.vstack([np.zeros(3), obstacle_velocity.reshape(-1, 3)])
    here = max(np.linalg.norm(velocity - frame, axis=1).max(initial=0.0) for frame in frames)
    fastest = float(comm.allreduce(here, op=MPI.MAX))
    if fastest <= wave_speed:
        return None
    message = (
        f"a speed of {fastest:.4g} mm/us ({1e3 * fastest:.4g} m/s) is {fastest / wave_speed:.3g} times that "
        f"of elastic waves, {wave_speed:.3g} mm/us: velocities are mm/us, 200 m/s is 0.2"
    )
    if fastest > IMPOSSIBLE_SPEED * wave_speed:
        raise InputError(f"{message}; expected less than {IMPOSSIBLE_SPEED:g} times")
    return message


def unlikely_duration(end_time: float, dt: float, size: float, wave_speed: float) -> str | None:
    """Refuse a run that a small body cannot need; return the doubt about one shorter than its first step.

    Args:
        end_time: Of the run, us.
        dt: The first step, us.
        size: Extent of the body, mm.
        wave_speed: Of elastic waves, mm/us.

    Raises:
        InputError: A wave would cross the small body :data:`MANY_CROSSINGS` times.
    """
    crossings = end_time * wave_speed / size
    if size < LIKELY_SIZE[0] and crossings > MANY_CROSSINGS:
        raise InputError(
            f"{end_time:.4g} us of a body {size:.4g} mm long are some {end_time / dt:.0f} steps, in which a "
            f"wave crosses it {crossings:.0f} times, expected at most {MANY_CROSSINGS:g}: lengths are mm; "
            "scale a mesh in metres by 1000, or end earlier"
        )
    if end_time >= 0.1 * dt:
        return None
    return (
        f"the run ends at {end_time:.4g} us, a fraction of its first step, {dt:.4g} us: times are us and "
        "lengths mm; end later, or scale the mesh"
    )


def unlikely_steps(end_time: float, dt: float, thin: float, longest: float, where: str) -> str | None:
    """Refuse a run whose step is that of a sliver; return the doubt about one of very many steps.

    Args:
        end_time: Of the run, us.
        dt: The first step, us.
        thin: Way of an elastic wave in the stable step, mm: about the smallest extent of the cell that
            limits it.
        longest: Largest distance of two nodes of that cell, mm.
        where: The cell and its place, for the message.

    Raises:
        InputError: The cell is :data:`IMPOSSIBLE_ASPECT` times longer than thin.
    """
    steps = end_time / dt
    if longest > IMPOSSIBLE_ASPECT * thin:
        raise InputError(
            f"{where} is about {thin:.3g} mm thin and {longest:.3g} mm long, which makes {steps:.3g} steps "
            f"of {end_time:.4g} us: lengths are mm, are all of them? Else mesh it without slivers"
        )
    if steps <= MANY_STEPS:
        return None
    return (
        f"the run will take some {steps:.3g} steps to {end_time:.4g} us, limited by {where}, about "
        f"{thin:.3g} mm thin: end earlier, or mesh it coarser there"
    )
