"""What a user should not miss, said again at the end of a run and kept in its summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation
    from multiscale.run.arrest import Arrest

#: Share of the energy above which a body is far from rest.
STILL_KINETIC = 0.1

#: Mean error of the deviator on a test set above which a card is a poor one.
POOR = 0.1


def warnings_at_end(simulation: Simulation, arrest: Arrest | None) -> list[str]:
    """Return one line for each thing that is wrong at the end of a run, besides what was warned of before.

    Args:
        simulation: The simulation at its end.
        arrest: What a run waited for that was to go on until the body is at rest.
    """
    lines = []
    if arrest is not None and arrest.at is None:
        lines.append(f"not at rest: {_still_kinetic(simulation)}; give a longer --longest-time")
    card = getattr(simulation.law, "card", None)
    return lines + ([] if card is None else list(_of_card(card.errors)))


def notes_at_end(simulation: Simulation, arrest: Arrest | None) -> list[str]:
    """Return one line for each thing that is worth knowing of a run that ended well."""
    energy = simulation.energy
    if arrest is not None or energy.kinetic <= STILL_KINETIC * (energy.initial + abs(energy.external)):
        return []
    flying = simulation.initial_energy > 0.0
    remedy = "; --until-rest goes on until the body has stopped" if flying else ""
    return [_still_kinetic(simulation) + remedy]


def _still_kinetic(simulation: Simulation) -> str:
    energy = simulation.energy
    put_in = energy.initial + abs(energy.external)
    share = 100.0 * energy.kinetic / put_in if put_in > 0.0 else 0.0
    return f"at {simulation.time:.4g} us {share:.0f} % of the energy is still kinetic"


def _of_card(errors: Mapping[str, Any]) -> Iterator[str]:
    """Say so where the errors of a surrogate are large or were never measured."""
    sets = errors.get("sets") or {}
    if not sets:
        yield (
            "the errors of these weights were never measured on a test set: "
            "'multiscale evaluate WEIGHTS TEST.h5 --record' does"
        )
    watched = {"the paths that watched the training": errors.get("validation") or {}}
    measured = {f"test set {name}": found for name, found in sets.items()} or watched
    for where, found in measured.items():
        error = found.get("deviatoric_mean")
        if error is not None and error > POOR:
            yield f"these weights are {100.0 * error:.0f} % off in the deviator on {where}"
