"""The identity of a run: inputs, law, element and mesh, in which a restart must agree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from microscale.errors import InputError
from multiscale.results.provenance import plain
from multiscale.results.recorded import Recorded

#: Inputs a restart may change, as it may where files lie: law and mesh are compared by what is in them.
FREE = {"output", "restart", "checkpoint_every", "max_wall", "steps_between_outputs", "end_time"}
FREE |= {"outputs", "until_rest", "longest_time"}
FREE |= {"weights", "mesh", "constants", "crystal", "microstructure", "max_energy_error"}


class Origin:
    """What a run is of.

    Attributes:
        content: As plain values: ``inputs``, ``law``, ``element``, ``mesh``, and of its case ``case``.
    """

    def __init__(
        self,
        simulation: Recorded,
        law: Mapping[str, str],
        inputs: Mapping[str, Any],
        case: Mapping[str, Any] | None = None,
    ) -> None:
        """Describe a run; collective.

        Args:
            simulation: Its simulation.
            law: Its law at the start, see :func:`multiscale.results.provenance.identity`.
            inputs: Everything the user chose.
            case: What of its case a restart may not change; None for a run without one.
        """
        self.content: dict[str, Any] = {
            "inputs": bound_inputs(inputs),
            "element": simulation.element.name,
            "law": f"{law['name']} {law['hash'][:16]}",
            "mesh": f"{simulation.n_cells_global} cells {mesh_fingerprint(simulation.mesh):016x}",
        }
        if case is not None:
            self.content["case"] = plain(case)

    def require(self, found: Mapping[str, Any], path: Path) -> None:
        """Raise an InputError that names the first difference of the run of the file ``path``."""
        # A run that flags began may go on as its case file, and the other way round: the cases are compared.
        mine, case = self.content.get("case"), found.get("case")
        flags, others = self.content["inputs"], found["inputs"]
        if mine is None or case is None or (case != mine and {*flags} == {*others}):
            require_inputs(flags, others, path)
        if mine is not None and case is not None:
            require_inputs(mine, case, path)
        for name in ("element", "law", "mesh"):
            if found[name] != self.content[name]:
                raise InputError(
                    f"{path} is of another {name} ({found[name]}) than this run ({self.content[name]}): "
                    f"restart with the {name} it was made with, or into another --output"
                )


def bound_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs a restart may not change, as plain values."""
    bound = {
        name: value for name, value in inputs.items() if name not in FREE and not isinstance(value, Path)
    }
    return dict(plain(bound))


def require_inputs(mine: Mapping[str, Any], found: Mapping[str, Any], path: Path) -> None:
    """Raise an InputError that names the first input that differs from that of the file ``path``."""
    for name in sorted({*mine, *found}):
        if mine.get(name) != found.get(name):
            raise InputError(
                f"{path} is of a run with {name.replace('_', '-')} = {found.get(name)}, this run has "
                f"{mine.get(name)}: give the inputs it was made with, or another --output without --restart"
            )


def mesh_fingerprint(mesh: Any) -> int:
    """Return 64 bits that tell meshes apart and do not depend on their distribution; collective."""
    nodes = mesh.geometry.index_map().size_local
    cells = mesh.topology.index_map(mesh.topology.dim).size_local
    numbers = mesh.geometry.input_global_indices
    points = np.ascontiguousarray(mesh.geometry.x[:nodes]) + 0.0  # no negative zeros
    corners = np.sort(numbers[mesh.geometry.dofmaps[0][:cells]], axis=1)
    local = _mixed(numbers[:nodes], points.view(np.uint64))
    local += _mixed(mesh.topology.original_cell_index[:cells], corners.astype(np.uint64))
    total = np.zeros(1, dtype=np.uint64)
    mesh.comm.Allreduce(local, total, op=MPI.SUM)
    return int(total[0])


def _mixed(labels: NDArray[np.int64], words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Sum modulo 2^64 of a hash of each row and its label (multiply and shift), shape (1,)."""
    state = labels.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    for column in words.T:
        state = (state ^ column) * np.uint64(0xBF58476D1CE4E5B9)
        state ^= state >> np.uint64(29)
    return np.array([state.sum(dtype=np.uint64)])
