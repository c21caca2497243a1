"""What a run was and what came out of it, in one JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING, Any

from mpi4py import MPI

from microscale.files.whole_file import write_whole
from multiscale.results.provenance import plain, versions
from multiscale.run.training_range import left_range, warnings_of

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation


def account(
    simulation: Simulation, law: Mapping[str, str], inputs: Mapping[str, Any], wall: Mapping[str, float]
) -> dict[str, Any]:
    """Return what a finished simulation says about itself; collective.

    Args:
        simulation: The simulation.
        law: Its law as it was at the start, see :func:`multiscale.results.provenance.identity`.
        inputs: Everything the user chose.
        wall: Wall time by stage on this rank, s; the slowest rank is reported. Stages "output", "ledger" and
            "progress" over "run" are the share of output.
    """
    comm, elements = simulation.mesh.comm, simulation.n_cells_global
    memory = {"arrays": simulation.array_bytes(), "process_peak": 1024 * getrusage(RUSAGE_SELF).ru_maxrss}
    traffic = simulation.traffic()
    sent = {"to neighbours": traffic.halo_bytes, "in sums and minima": traffic.reduced_bytes}
    if comm.size == 1:
        sent = dict.fromkeys(sent, 0.0)
    slowest = {stage: comm.allreduce(seconds, MPI.MAX) for stage, seconds in sorted(wall.items())}
    left = left_range(simulation)
    watching = sum(slowest[stage] for stage in ("output", "ledger", "progress"))
    return {
        "final_time_us": simulation.time,
        "energy_error_percent": 100.0 * simulation.energy.error,
        "touched": simulation.touched,
        "gained_in_contact_J": simulation.energy.gained,
        "initial_kinetic_energy_J": simulation.initial_energy,
        "steps": simulation.step_count,
        "elements": elements,
        "points": simulation.n_points_global,
        "ranks": comm.size,
        "wall_seconds": slowest,
        "output_share": watching / slowest["run"],
        "bytes_per_element": {name: comm.allreduce(size) / elements for name, size in memory.items()},
        "bytes_sent_per_step": {name: comm.allreduce(float(size)) for name, size in sent.items()},
        "law": dict(law),
        "warnings": warnings_of(simulation, left),
        "left_training_range": left,
        "versions": versions(),
        "inputs": plain(inputs),
    }


def write_summary(path: Path | str, content: Mapping[str, Any]) -> None:
    """Write ``content`` as indented JSON; the file appears whole or not at all."""
    write_whole(Path(path), (json.dumps(plain(content), indent=2) + "\n").encode())
