"""The result file of a simulation: displacement, velocity and cell fields, output by output."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microscale.errors import InputError
from multiscale.parallel.gather import cell_gather, degree_of_freedom_gather, input_mesh, node_gather
from multiscale.parallel.ranks import shared_errors
from multiscale.results import vtkhdf, vtu

if TYPE_CHECKING:
    from multiscale.results.recorded import Recorded


#: Outputs that follow each other within so many seconds are written together, up to so many bytes.
HOLD_SECONDS, HOLD_BYTES = 1.0, 2**26

#: Attribute of the file: outputs before its first, where a run was restarted into a folder of its own.
BEFORE = "outputs_before"

#: Numbers that a checkpoint keeps, see :meth:`ResultWriter.numbers`.
OUTPUTS, LAST_OUTPUT = "outputs", "last_output_time"


class ResultWriter:
    """Appends the fields of a simulation to a temporal VTKHDF file, or to a series of .vtu files.

    Fields are gathered to rank 0 in the order of the input mesh, so the file does not depend on the number of
    ranks. Point fields: ``displacement_mm``, ``velocity_mm_per_us``; cell fields: whatever the simulation
    offers (``von_mises_GPa``, ``e_d``, ``e_v``, ...), see :mod:`multiscale.dynamics.fields`.

    To extend the file costs more than to gather the fields of a small mesh, so it is done once a second at
    most. Who needs all outputs on the disk, as a checkpoint does, calls :meth:`flush`.

    Attributes:
        path: The file.
        seconds: Wall time spent in outputs since then, s.
        last_time: Time of the last output in the file, us; None if this run has written none.
    """

    def __init__(
        self,
        path: Path | str,
        simulation: Recorded,
        attributes: Mapping[str, Any],
        record: Mapping[str, float] | None = None,
        kept: int | None = None,
        extra: Sequence[str] = (),
    ) -> None:
        """Write the mesh and the initial state, or go on with the file of a restarted run; collective.

        Args:
            path: File to write, with the suffix ``.vtkhdf``, or ``.pvd`` for a series of .vtu files; an
                existing one is replaced, or cut.
            simulation: Recorded to observe.
            attributes: Provenance to keep in the file, see :func:`multiscale.run.summary.provenance`.
            record: Numbers of the checkpoint of a restarted run, with those of :meth:`numbers`.
            kept: Steps to keep of an existing file; None to replace it.
            extra: Further fields, see :func:`multiscale.dynamics.fields.cell_averages`.

        Raises:
            InputError: The file cannot be written; on every rank.
        """
        self.path = Path(path)
        self._format: Any = vtu if self.path.suffix == ".pvd" else vtkhdf
        self._extra = extra
        mesh = simulation.mesh
        self._comm = mesh.comm
        self.last_time: float | None = None
        self.seconds = 0.0
        self._numbers = {name: (record or {}).get(name, 0) for name in (OUTPUTS, LAST_OUTPUT)}
        self._held: list[vtkhdf.Step] = []
        self._cells = cell_gather(mesh)
        self._dofs = degree_of_freedom_gather(simulation.u.function_space)
        points, cells, vtk_cell_type = input_mesh(mesh, self._cells, node_gather(mesh))
        now, attributes = self.state(simulation), {**attributes, BEFORE: self._numbers[OUTPUTS]}
        with shared_errors(mesh.comm):
            if self._comm.rank == 0 and kept is not None:
                self._format.keep(self.path, kept)
            elif self._comm.rank == 0:
                self._format.create(self.path, points, cells, vtk_cell_type, attributes, now)
        self._written, self.seconds = time.perf_counter(), 0.0
        if simulation.step_count == 0:
            self.add(now)
            self.flush()
            self.seconds = 0.0  # start-up: code was loaded and data sets were made

    def add(self, output: vtkhdf.Step) -> None:
        """Take an output; collective.

        Raises:
            InputError: The file cannot be extended, on every rank.
        """
        begin = time.perf_counter()
        self._held.append(output)
        self._numbers = {OUTPUTS: self._numbers[OUTPUTS] + 1, LAST_OUTPUT: output.time}
        # Rank 0 decides: it has the bytes, and clocks differ.
        size, age = sum(step.nbytes for step in self._held), begin - self._written
        due = self._comm.bcast(size > HOLD_BYTES or age > HOLD_SECONDS)
        self.seconds += time.perf_counter() - begin
        if due:
            self.flush()

    def finish(self, simulation: Recorded) -> None:
        """Take the present state unless it is the last output already, and write all; collective.

        Raises:
            InputError: The file cannot be extended, on every rank.
        """
        if self._numbers[LAST_OUTPUT] < simulation.time:
            self.add(self.state(simulation))
        self.flush()

    def state(self, simulation: Recorded) -> vtkhdf.Step:
        """Gather the present fields on rank 0; collective."""
        begin = time.perf_counter()
        owned = simulation.u.function_space.dofmap.index_map.size_local
        point_fields = {
            "displacement_mm": self._dofs(simulation.u.x.array.reshape(-1, 3)[:owned]),
            "velocity_mm_per_us": self._dofs(simulation.v.x.array.reshape(-1, 3)[:owned]),
        }
        fields = simulation.cell_fields(self._extra)
        cell_fields = {name: self._cells(values) for name, values in fields.items()}
        self.seconds += time.perf_counter() - begin
        return vtkhdf.Step(simulation.time, point_fields, cell_fields)

    def numbers(self) -> dict[str, float]:
        """What a checkpoint keeps: outputs since the start, in any file, and the time of the last, us."""
        return dict(self._numbers)

    def flush(self) -> None:
        """Write all outputs so far, to the disk; collective.

        Raises:
            InputError: The file cannot be extended, on every rank.
        """
        begin = time.perf_counter()
        held, self._held = self._held, []
        if not held:
            return
        try:
            with shared_errors(self._comm):
                if self._comm.rank == 0:
                    self._append(held)
        finally:
            self.last_time = self._comm.bcast(self.last_time)
        self._written = time.perf_counter()
        self.seconds += self._written - begin

    def rescue(self) -> None:
        """Write what is left of a run that has failed, if it can be; not collective, as ranks may be gone."""
        held, self._held = self._held, []
        if held and self._comm.rank > 0:
            self.last_time = held[-1].time
        elif held:
            with suppress(InputError):
                self._append(held)

    def _append(self, steps: Sequence[vtkhdf.Step]) -> None:
        """Write ``steps``, at once; where that cannot be, as many as fit."""
        try:
            self._format.append(self.path, steps)
            self.last_time = steps[-1].time
        except OSError as error:
            if len(steps) > 1:
                for step in steps:
                    self._append([step])
                return
            raise InputError(
                f"result file {self.path} cannot be extended at t = {steps[0].time:.6g} us ({error}): "
                "free space on the disk or choose another folder"
            ) from error
