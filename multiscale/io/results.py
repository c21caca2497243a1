"""The result file of a simulation: displacement, velocity and cell fields, step by step."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microscale.errors import InputError
from multiscale.dynamics.ranks import shared_errors
from multiscale.io import vtkhdf
from multiscale.io.gather import cell_gather, degree_of_freedom_gather, input_mesh, node_gather
from multiscale.io.origin import bound_inputs, require_inputs

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation


class ResultWriter:
    """Observer that appends the fields of a simulation to a temporal VTKHDF file each time it is called.

    Fields are gathered to rank 0 in the order of the input mesh, so the file does not depend on the number of
    ranks. Point fields: ``displacement_mm``, ``velocity_mm_per_us``; cell fields: whatever the simulation
    offers (``von_mises_GPa``, ``e_d``, ``e_v``, ...).

    Attributes:
        path: The file.
        seconds: Wall time spent in writing, s.
        last_time: Time of the last output, us; None before the first.
    """

    def __init__(self, path: Path | str, simulation: Simulation, attributes: Mapping[str, Any]) -> None:
        """Write the mesh, or go on with the file of a run that is restarted; collective.

        Args:
            path: File to write, usually with the suffix ``.vtkhdf``. An existing one is replaced; if the
                simulation has been restarted, its steps up to there are kept.
            simulation: Simulation to observe.
            attributes: Provenance to keep in the file, see :func:`multiscale.io.summary.provenance`.

        Raises:
            InputError: The file cannot be written, or is of another run; on every rank.
        """
        begin = time.perf_counter()
        self.path = Path(path)
        mesh = simulation.mesh
        self._root = mesh.comm.rank == 0
        self.last_time: float | None = None
        self._cells = cell_gather(mesh)
        self._dofs = degree_of_freedom_gather(simulation.u.function_space)
        points, cells, vtk_cell_type = input_mesh(mesh, self._cells, node_gather(mesh))
        with shared_errors(mesh.comm):
            if self._root and simulation.step_count > 0 and self.path.exists():
                self._go_on(simulation.time, attributes)
            elif self._root:
                vtkhdf.create(self.path, points, cells, vtk_cell_type, attributes)
        self.seconds = time.perf_counter() - begin

    def __call__(self, simulation: Simulation) -> None:
        """Append the present state; collective.

        Raises:
            InputError: The file cannot be extended, on every rank.
        """
        begin = time.perf_counter()
        owned = simulation.u.function_space.dofmap.index_map.size_local
        point_fields = {
            "displacement_mm": self._dofs(simulation.u.x.array.reshape(-1, 3)[:owned]),
            "velocity_mm_per_us": self._dofs(simulation.v.x.array.reshape(-1, 3)[:owned]),
        }
        cell_fields = {name: self._cells(values) for name, values in simulation.cell_fields().items()}
        with shared_errors(simulation.mesh.comm):
            if self._root:
                self._append(simulation.time, point_fields, cell_fields)
        self.last_time = simulation.time
        self.seconds += time.perf_counter() - begin

    def _go_on(self, now: float, attributes: Mapping[str, Any]) -> None:
        found = vtkhdf.Results(self.path).attributes
        mine, its = (bound_inputs(json.loads(made_by.get("inputs", "{}"))) for made_by in (attributes, found))
        require_inputs(mine, its, self.path)
        vtkhdf.keep_until(self.path, now)

    def _append(self, now: float, point_fields: dict[str, Any], cell_fields: dict[str, Any]) -> None:
        try:
            vtkhdf.append(self.path, now, point_fields, cell_fields)
        except OSError as error:
            raise InputError(
                f"result file {self.path} cannot be extended at t = {now:.6g} us ({error}): "
                "free space on the disk or choose another folder"
            ) from error
