"""Probes and gauges: places of the body whose motion, stress and strain are looked at over time.

A probe is a point of the reference body. Position and velocity are interpolated there; stress and strain are
the averages of the cell that holds it. A gauge is a point of the surface, or a group of its facets; there all
are means over the reference area, with the stress and strain of the cells behind the facets. Besides, a gauge
has the velocity along the outward normal of the reference surface, as a VISAR or a PDV has it, and the normal
component of the first Piola-Kirchhoff stress: the force along that normal for each unit of reference area.

All of these are sums over nodes and cells with fixed weights, so the parts of the ranks add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI

from microscale.tensors import FloatArray
from multiscale.dynamics.fields import COMPONENTS, SIX, cauchy_components
from multiscale.results.places import Place

if TYPE_CHECKING:
    from multiscale.dynamics.simulation import Simulation


MOTION = (
    *(f"{axis}_mm" for axis in "xyz"),
    *(f"velocity_{axis}_mm_per_us" for axis in "xyz"),
    "normal_velocity_mm_per_us",
)
TENSORS = (
    *(f"stress_{component}_GPa" for component in COMPONENTS),
    *(f"elongation_{axis}" for axis in "xyz"),
    "normal_stress_GPa",
)
OF_SURFACE = ("normal_velocity_mm_per_us", "normal_stress_GPa")
"""Columns that a place within the body has not."""


class Sensors:
    """Several places, looked at together.

    Attributes:
        columns: Names of what is looked at, with units.
    """

    def __init__(self, simulation: Simulation, places: Sequence[Place]) -> None:
        """Prepare; collective."""
        self._places = places
        self._cells = np.unique(np.concatenate([place.cells for place in places]).astype(np.int64))
        self._rows = [np.searchsorted(self._cells, place.cells) for place in places]
        self._averages = tuple(simulation.cell_fields(cells=self._cells))
        self.columns = (*MOTION, *TENSORS, *self._averages)

    def look(self, simulation: Simulation) -> FloatArray:
        """Return the present values, shape (places, columns), on rank 0, zeros elsewhere. Collective."""
        values, total = np.zeros((2, len(self._places), len(self.columns)))
        tensors, P = self._of_cells(simulation)
        x = simulation.positions + simulation.u.x.array.reshape(-1, 3)
        v = simulation.v.x.array.reshape(-1, 3)
        for row, place, cells in zip(values, self._places, self._rows, strict=True):
            here = v[place.nodes]
            row[0:3], row[3:6] = place.weights @ x[place.nodes], place.weights @ here
            row[6] = np.sum(place.directed * here)
            normal = np.einsum("mi,mij,mj->m", place.normals, P[cells], place.normals)
            row[7:] = place.shares @ tensors[cells]
            row[len(MOTION) + len(TENSORS) - 1] = place.shares @ normal
        simulation.mesh.comm.Reduce(values, total, op=MPI.SUM, root=0)
        return total

    def _of_cells(self, simulation: Simulation) -> tuple[FloatArray, FloatArray]:
        """Return averages over cells, shape (cells, columns but motion), and P, shape (cells, 3, 3)."""
        F, P = simulation.points.F[self._cells], simulation.points.P[self._cells]
        weights = simulation.element.weights[self._cells]
        share = weights / weights.sum(axis=1, keepdims=True)
        elongation = np.linalg.norm(F, axis=-2) - 1.0
        lines = np.concatenate([cauchy_components(F, P), elongation], axis=-1)
        means = np.einsum("cp,cpk->ck", share, lines)
        fields = simulation.cell_fields(cells=self._cells)
        normal = np.zeros((len(self._cells), 1))
        columns = [means, normal, np.column_stack([fields[name] for name in self._averages])]
        return np.concatenate(columns, axis=1), np.einsum("cp,cpij->cij", share, P)


assert len(TENSORS) == len(SIX) + 4
