"""A body on one rank: its nodes, its cells with the law at their points, and where each cell is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from meshes.impact_mesh import ImpactMesh
from microscale.law import ConstitutiveLaw, State
from microscale.tensors import FloatArray
from multiscale.dynamics.bulk_viscosity import BulkViscosity, ViscousPressure
from multiscale.dynamics.elements.registry import make_element
from multiscale.dynamics.fields import cell_averages
from multiscale.dynamics.footprint import array_bytes
from multiscale.dynamics.nodes import Nodes
from multiscale.dynamics.quadrature import QuadraturePoints
from multiscale.dynamics.stable_step import StableStep
from multiscale.dynamics.start.symmetry_plane import refuse_turned_plane
from multiscale.parallel.ranks import shared_errors


class Body:
    """What a mesh, a law and supports make of this rank's share of a body; collective to make.

    Attributes:
        mesh: The mesh with its groups of facets.
        law: The constitutive law.
        nodes: The nodes.
        element: The cells.
        points: F, P and state at the quadrature points.
        centres: Reference centres of the cells, shape (cells, 3), mm.
        original_cell: Their numbers in the mesh as it was made, shape (cells,).
    """

    def __init__(
        self,
        mesh: ImpactMesh,
        law: ConstitutiveLaw,
        element: str,
        supports: Mapping[str, int | Sequence[int]],
        viscosity: BulkViscosity | None,
        timers: dict[str, float],
    ) -> None:
        """Make it at rest; arguments are those of :class:`multiscale.dynamics.simulation.Simulation`."""
        self.mesh, self.law = mesh, law
        self.nodes = Nodes(mesh.mesh, law.density)
        for group, components in supports.items():
            self.nodes.hold(mesh, group, components)
            refuse_turned_plane(mesh, group, components)
        X = self.nodes.X[self.nodes.cells]
        self.centres, self.original_cell = X.mean(axis=1), mesh.mesh.topology.original_cell_index
        with shared_errors(mesh.mesh.comm):
            self.element = make_element(element, X, self.nodes.cells, law)
            self._viscous = None if viscosity is None else ViscousPressure(viscosity, law, self.element)
            damping = None if self._viscous is None else self._viscous.damping
            self._stable = StableStep(self.element, law, damping)
            self.points = QuadraturePoints(self.element, law, self._viscous, timers)

    @property
    def dissipated(self) -> float:
        """Energy dissipated by bulk viscosity so far, J."""
        return 0.0 if self._viscous is None else self._viscous.dissipated

    def resume(self, dissipated: float) -> None:
        """Take up nodes and points that have been filled, and what viscosity had dissipated. Collective."""
        self.nodes.resume()
        if self._viscous is not None:
            self._viscous.dissipated = dissipated
        self.points.resume(self.nodes.displacement)

    def stable_step(self) -> tuple[float, int]:
        """Return the largest stable step of the cells here, us, and the cell that limits it."""
        return self._stable.bound(self.points.F)

    def place(self, cell: int) -> tuple[int, tuple[float, float, float]]:
        """Return the original number of a cell, and its reference centre, mm."""
        x, y, z = (float(component) for component in self.centres[cell])
        return int(self.original_cell[cell]), (x, y, z)

    def place_in_words(self, cell: int) -> str:
        """Return number and centre of a cell for a message."""
        original, (x, y, z) = self.place(cell)
        return f"cell {original} with reference centre ({x:.4g}, {y:.4g}, {z:.4g}) mm"

    def fields(self, extra: Sequence[str], cells: NDArray[np.int64] | None) -> dict[str, FloatArray]:
        """Return averages over cells, see :func:`multiscale.dynamics.fields.cell_averages`."""
        F, P, weights, state = self.points.F, self.points.P, self.element.weights, self.points.state
        if cells is not None:
            count = weights.shape[1]
            points = (count * cells[:, None] + np.arange(count)).ravel()
            F, P, weights = F[cells], P[cells], weights[cells]
            state = State({name: array[points] for name, array in state.items()})
        return cell_averages(F, P, weights, self.law, state, extra)

    def array_bytes(self) -> int:
        """Bytes of the arrays of nodes, cells and points; the mesh itself is not counted."""
        owners = (self, self.nodes, self.element, self.element.corners, self.points, self._stable)
        return array_bytes(owner for owner in (*owners, self._viscous) if owner is not None)
