"""The energy error past which a run ends."""

from __future__ import annotations

import math

from microscale.errors import ConvergenceError, InputError
from multiscale.dynamics.energy import Energy
from multiscale.parallel.ranks import RAISED_EVERYWHERE

#: Energy error past which a run ends unless it says otherwise, per cent; sound runs stay below some 0.3.
MAX_ENERGY_ERROR = 5.0


class EnergyLimit:
    """Ends a run whose energy does not balance."""

    def __init__(self, percent: float) -> None:
        """Set the limit, per cent; zero for none.

        Raises:
            InputError: It is negative or not finite.
        """
        if not (math.isfinite(percent) and percent >= 0.0):
            raise InputError(f"max_energy_error = {percent} %, expected a positive number, or 0 for no limit")
        self._limit = 0.01 * percent

    def require(self, energy: Energy, time: float, step_count: int) -> None:
        """End the run at ``time``, us, if its energies, the same on every rank, are off by more.

        Raises:
            ConvergenceError: They are; with what they are and what to do about it.
        """
        if self._limit == 0.0 or abs(energy.error) <= self._limit:
            return
        put_in = energy.initial + energy.external
        off = abs(energy.total - put_in)
        error = ConvergenceError(
            f"energy error of {100.0 * energy.error:+.3g} % at t = {time:.6g} us, step {step_count}, "
            f"expected at most {100.0 * self._limit:g} %: put in {put_in:.4g} J, found {energy.total:.4g} J "
            f"(kinetic {energy.kinetic:.4g}, internal {energy.internal:.4g}, hourglass "
            f"{energy.hourglass:.4g}, lost in contact {energy.contact:.4g}, viscous {energy.viscous:.4g}); "
            f"{_remedy(energy, off)}, or allow more (max_energy_error in per cent, --max-energy-error, 0 for "
            "no limit)"
        )
        setattr(error, RAISED_EVERYWHERE, True)
        raise error


def _remedy(energy: Energy, off: float) -> str:
    if energy.gained > 0.5 * off:
        return f"{energy.gained:.4g} J were gained in contact: keep the obstacles out of the body"
    return "take a smaller courant, or a finer mesh where cells distort most"
