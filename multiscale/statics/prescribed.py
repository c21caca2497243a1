"""Components of displacement that are held or moved, by group of facets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.impact_mesh import ImpactMesh
from microscale.errors import InputError
from microscale.tensors import FloatArray
from multiscale.dynamics.start.symmetry_plane import refuse_turned_plane
from multiscale.parallel.ranks import shared_errors
from multiscale.statics.over_time import Given, OverTime

from dolfinx import fem

#: Two groups may prescribe the same component of a node if they agree up to this share of the body's size.
ROUND_OFF = 1e-12


AXES = "xyz"


class _Entry(NamedTuple):
    """One component of a group: its degrees of freedom, and where its nodes are, shape (3, n), mm."""

    group: str
    dofs: NDArray[np.int64]
    value: OverTime
    X: FloatArray


class Prescribed:
    """What is prescribed of the displacements of a body.

    Attributes:
        dofs: Degrees of freedom on this rank, 3 node + component, ghosts included, ascending.
        owned: How many of them this rank owns; they come first.
        values: What was prescribed at a time.
    """

    def __init__(
        self,
        body: ImpactMesh,
        space: fem.FunctionSpace,
        supports: Mapping[str, int | Sequence[int]],
        displacements: Mapping[str, Mapping[str, Given]],
    ) -> None:
        """Find the nodes; collective.

        Args:
            body: The mesh.
            space: The displacements.
            supports: For a group of facets, the component (0, 1, 2), or components, held at zero.
            displacements: For a group of facets, the components that are moved, and how: functions get the
                time, us, and the reference positions of the nodes, shape (3, n), mm.

        Raises:
            InputError: A group is not in the mesh, or a component is none.
        """
        for group, components in supports.items():
            refuse_turned_plane(body, group, components)
        held = {group: {_axis(group, k): 0.0 for k in np.atleast_1d(c)} for group, c in supports.items()}
        self._X = space.tabulate_dof_coordinates()
        self._comm, self._owned_nodes = body.mesh.comm, space.dofmap.index_map.size_local
        self._tolerance = ROUND_OFF * float(np.ptp(body.mesh.geometry.x, axis=0).max(initial=0.0))
        given = [*held.items(), *displacements.items()]
        self._entries = [entry for group, c in given for entry in self._of_group(body, space, group, c)]
        every = [np.zeros(0, dtype=np.int64), *(entry.dofs for entry in self._entries)]
        self.dofs = np.unique(np.concatenate(every)).astype(np.int32)
        self.owned = int(np.searchsorted(self.dofs, 3 * self._owned_nodes))
        self.groups = tuple(dict.fromkeys(entry.group for entry in self._entries))

    def _of_group(
        self, body: ImpactMesh, space: fem.FunctionSpace, group: str, components: Mapping[str, Given]
    ) -> list[_Entry]:
        if not components or not {*components} <= {*AXES}:
            raise InputError(f"displacement of {group!r} = {list(components)}, expected components x, y or z")
        nodes = fem.locate_dofs_topological(space, 2, body.facets(group), remote=True).astype(np.int64)
        X = np.ascontiguousarray(self._X[nodes].T)
        return [
            _Entry(group, 3 * nodes + AXES.index(c), OverTime(f"displacement {c} of {group}", value), X)
            for c, value in components.items()
        ]

    @property
    def over_time(self) -> list[OverTime]:
        """All that is prescribed."""
        return [entry.value for entry in self._entries]

    def at(self, time: float) -> FloatArray:
        """Return the displacements of ``dofs`` at a time, us; shape (n,), mm. Collective.

        Raises:
            InputError: Groups that share a node disagree, or a function returned something else.
        """
        values = np.full(len(self.dofs), np.nan)
        with shared_errors(self._comm):
            for entry in self._entries:
                self._put(entry, time, values)
        return values

    def _put(self, entry: _Entry, time: float, values: FloatArray) -> None:
        """Write what one group says, where no other has said something else."""
        where = np.searchsorted(self.dofs, entry.dofs)
        found = entry.value.at(time, entry.X)
        if found.shape not in ((), (len(where),)):
            raise InputError(
                f"{entry.value.name} has shape {found.shape}, expected a number, or one of each node: "
                f"({len(where)},)"
            )
        mine = np.broadcast_to(found, where.shape)
        differs = np.abs(values[where] - mine) > self._tolerance  # not where there is no value yet
        if differs.any():
            x, y, z = entry.X[:, differs.argmax()]
            raise InputError(
                f"{entry.value.name} is {mine[differs][0]:.6g} mm at ({x:.4g}, {y:.4g}, {z:.4g}) mm; "
                f"another group that has it says {values[where][differs][0]:.6g} mm: make them agree"
            )
        values[where] = mine

    def reactions(self, force: FloatArray) -> FloatArray:
        """Return the sums of what holds each group in its place, shape (groups, 3), kN. Collective.

        A component of a node that several groups prescribe counts for the first of them.

        Args:
            force: Force of the supports on the nodes, shape (nodes, 3), kN.
        """
        mine, counted = np.zeros((len(self.groups), 3)), np.zeros(force.size, dtype=bool)
        counted[3 * self._owned_nodes :] = True  # by their owners
        for entry in self._entries:
            own = entry.dofs[~counted[entry.dofs]]
            counted[own] = True
            mine[self.groups.index(entry.group), entry.dofs[:1] % 3] += force.ravel()[own].sum()
        return np.asarray(self._comm.allreduce(mine, op=MPI.SUM))


def _axis(group: str, component: int) -> str:
    """Return the axis of a component that is held."""
    if component not in (0, 1, 2):
        raise InputError(f"support of {group!r} = {component}, expected components among 0, 1, 2")
    return AXES[component]
