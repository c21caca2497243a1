"""Where a run left the training range of its law, said at its end: by kind, the worst, and its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from multiscale.dynamics.simulation import Simulation
from multiscale.results.recorded import Recorded


def left_range(simulation: Recorded) -> list[dict[str, Any]]:
    """Return how a run left the training range, one entry a kind; none for laws without one. Collective.

    Each says ``kind``, what of it was trained (``limit``), the number of ``points``, and of the worst of them
    how far it was beyond relative to the range (``excess``), its original ``cell``, the reference centre of
    that (``position_mm``), and when it first left the range in whatever way (``left_at_us``).
    """
    comm = simulation.mesh.comm
    found_by: list[list[dict[str, Any]]] = comm.allgather(_left_here(simulation))
    kinds = dict.fromkeys(entry["kind"] for found in found_by for entry in found)
    worst = []
    for kind in kinds:
        entries = [entry for found in found_by for entry in found if entry["kind"] == kind]
        points = sum(entry["points"] for entry in entries)
        worst.append(max(entries, key=lambda entry: entry["excess"]) | {"points": points})
    return worst


def _left_here(simulation: Recorded) -> list[dict[str, Any]]:
    """Return the same of this rank's points."""
    law = simulation.law
    if not hasattr(law, "worst_extrapolation"):
        return []
    points = simulation.element.weights.shape[1]
    found = []
    for worst in law.worst_extrapolation(simulation.points.state, simulation.time):
        cell, position = simulation.place(worst.point // points)
        entry = {"kind": worst.kind, "limit": worst.limit, "points": worst.points, "excess": worst.excess}
        place = {"cell": cell, "position_mm": list(position), "left_at_us": worst.left_at}
        found.append(entry | place)
    return found


def warnings_of(simulation: Simulation, left: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return all that a run has warned of: doubts about its start, and where it left the training range."""
    return [*simulation.doubts, *told(left, simulation.n_points_global)]


def told(left: Sequence[Mapping[str, Any]], points: int) -> list[str]:
    """Return the lines a user should not miss; none where nothing left the range."""
    lines = []
    for worst in left:
        place = "({:.4g}, {:.4g}, {:.4g}) mm".format(*worst["position_mm"])
        lines.append(
            f"{worst['points']} of {points} points left the training range of the surrogate "
            f"({worst['kind']}: {worst['limit']}), the worst by {100.0 * worst['excess']:.3g} % in cell "
            f"{worst['cell']} at {place}, which left it at t = {worst['left_at_us']:.4g} us"
        )
    return lines
