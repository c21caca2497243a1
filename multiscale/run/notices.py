"""What a user should not miss, said again at the end of a run and kept in its summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from multiscale.run.training_range import left_range, told

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation

#: Share of the energy above which a body is far from rest.
STILL_KINETIC = 0.1

#: Mean error of the deviator on a test set above which a card is a poor one.
POOR = 0.1


def notices(simulation: Simulation, arrested_at: float | None = None, waited: bool = False) -> list[str]:
    """Return one line each; none where there is nothing to say. Collective.

    Args:
        simulation: The simulation at its end.
        arrested_at: When the body had come to rest, us; None where it had not.
        waited: Whether the run was to go on until then.
    """
    lines = (
        []
        if simulation.touched or not simulation.obstacles
        else ["NEVER TOUCHED: the body has met no obstacle"]
    )
    lines += told(left_range(simulation), simulation.n_points_global).splitlines()
    lines += _of_energy(simulation, arrested_at, waited)
    card = getattr(simulation.law, "card", None)
    return lines + ([] if card is None else list(_of_card(card.errors)))


def _of_energy(simulation: Simulation, arrested_at: float | None, waited: bool) -> Iterator[str]:
    energy = simulation.energy
    put_in = energy.initial + abs(energy.external)
    share = energy.kinetic / put_in if put_in > 0.0 else 0.0
    still = f"at {simulation.time:.4g} us {100.0 * share:.0f} % of the energy is still kinetic"
    if waited and arrested_at is None:
        yield f"warning: not at rest: {still}; give a longer --longest-time"
    elif share > STILL_KINETIC and not waited:
        flying = simulation.initial_energy > 0.0
        yield f"note: {still}" + ("; --until-rest goes on until the body has stopped" if flying else "")


def _of_card(errors: Mapping[str, Any]) -> Iterator[str]:
    """Say so where the errors of a surrogate are large or were never measured."""
    sets = errors.get("sets") or {}
    if not sets:
        yield "warning: the errors of these weights were never measured: multiscale evaluate --record"
    for name, found in sets.items():
        error = found.get("deviatoric_mean")
        if error is not None and error > POOR:
            yield f"warning: these weights are {100.0 * error:.0f} % off in the deviator on test set {name}"
