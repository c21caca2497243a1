"""A case becomes a simulation, and a simulation a record in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from meshes.impact_mesh import ImpactMesh
from microscale.progress import doing
from multiscale.cases.case import Case, same_run
from multiscale.cases.case_file import case_text, plain_case
from multiscale.cases.obstacles import MM_PER_US, Plane, RigidBody
from multiscale.dynamics.contact import Obstacle
from multiscale.dynamics.elements.registry import cell_shape
from multiscale.dynamics.simulation import Simulation
from multiscale.results.dimensions import bar_shape, body_shape, plate_shape
from multiscale.results.run_folder import CASE
from multiscale.results.vtkhdf import Results
from multiscale.run.bar import foot_of_bar
from multiscale.run.control import ControlOptions
from multiscale.run.inputs import require_apart
from multiscale.run.recording import CHECKPOINT, run_and_record
from multiscale.run.written_case import WrittenCase

MEASURES: dict[str | None, Callable[[Results], dict[str, float]]] = {
    "bar": bar_shape,
    "plate": plate_shape,
    None: body_shape,
}


def run_case(
    case: Case,
    output: Path | str,
    control: ControlOptions | None = None,
    inputs: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run a case and leave its record in a folder, with the case itself as ``case.toml``. Collective.

    Args:
        case: What is run.
        output: Folder of the record; made if need be.
        control: Checkpoints, restart and early end; by default none.
        inputs: What the user chose, for the summary; by default the case.

    Returns:
        The summary, on every rank.

    Raises:
        InputError: A value of the case cannot be used, or see
            :func:`multiscale.run.recording.run_and_record`, which says what else is raised.
    """
    require_apart([Path(output) / CASE, Path(output) / CHECKPOINT], case.files())
    started = (control or ControlOptions()).start()
    with doing("making the mesh"):
        body = case.body.mesh(cell_shape(case.element))
        obstacles = obstacles_of(case, body)
    with doing("preparing the law, compiling on the first run"):
        simulation = simulation_of(case, body, obstacles)
    folder = Path(output)
    document = plain_case(case, folder)
    picture = {} if case.shown_within is None else {"within": case.shown_within}
    return run_and_record(
        simulation,
        case.end_time,
        folder,
        document if inputs is None else inputs,
        case.record,
        measure=MEASURES[case.measure],
        control=started,
        title=case.title_of_run(),
        case=WrittenCase(case_text(case, folder), same_run(document)),
        **picture,
    )


def simulation_of(case: Case, body: ImpactMesh, obstacles: list[Obstacle]) -> Simulation:
    """Return the simulation of a case at its start, with its obstacles where they are. Collective."""
    return Simulation(
        body,
        case.law.make(case.end_time),
        case.element,
        obstacles=obstacles,
        supports=case.components(),
        initial_velocity=[MM_PER_US * v for v in case.initial_velocity],
        courant=case.courant,
        viscosity=case.viscosity,
        max_energy_error=case.max_energy_error,
    )


def obstacles_of(case: Case, body: ImpactMesh) -> list[Obstacle]:
    """Return the obstacles of a case, moved to the body where they are to be. Collective.

    Raises:
        InputError: The body is no bar that stands on its foot, where the case measures one.
    """
    body.require([*(["foot"] if case.measure == "bar" else []), *case.supports])
    if case.measure == "bar":
        planes = {f"symmetry_{axis}": k for k, axis in enumerate("xy") if f"symmetry_{axis}" in case.supports}
        at_origin = any(
            o.point == (0.0, 0.0, 0.0) and not o.place for o in case.obstacles if isinstance(o, Plane)
        )
        foot_of_bar(body, planes, place=not at_origin)
    return [_placed(found, body) for found in case.obstacles]


def _placed(described: RigidBody, body: ImpactMesh) -> Obstacle:
    """Return an obstacle, moved along where it faces until it just touches, if it is to be placed."""
    obstacle = described.obstacle()
    if not (isinstance(described, Plane) and described.place):
        return obstacle
    nearest = obstacle.gap(body.mesh.geometry.x).min(initial=np.inf)
    gap = body.mesh.comm.allreduce(float(nearest), op=MPI.MIN)
    return obstacle.moved(gap * obstacle.facing)
