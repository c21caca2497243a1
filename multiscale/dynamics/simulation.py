"""Explicit dynamics of an impact: central difference in time, any law at the quadrature points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

import multiscale.fenics  # noqa: F401
from meshes.impact_mesh import ImpactMesh
from microscale.errors import DeformationError, InputError
from microscale.law import ConstitutiveLaw
from multiscale.dynamics import central_difference, ranks
from multiscale.dynamics.bulk_viscosity import BulkViscosity, ViscousPressure
from multiscale.dynamics.contact import NodalMotion, Obstacle
from multiscale.dynamics.element import Element
from multiscale.dynamics.energy import Energy
from multiscale.dynamics.fields import cell_averages
from multiscale.dynamics.hex8_fbar import Hex8FBar
from multiscale.dynamics.hex8_one_point import Hex8OnePoint
from multiscale.dynamics.mass import add_lumped_mass
from multiscale.dynamics.quadrature import InvertedCellError, QuadraturePoints
from multiscale.dynamics.stable_step import StableStep, elastic_moduli

from dolfinx import fem, la
from dolfinx import mesh as dolfinx_mesh

FloatArray = NDArray[np.float64]
ELEMENTS = (Hex8FBar.name, Hex8OnePoint.name)
Observer = Callable[["Simulation"], None]

STAGES = ("kinematics", "law", "force", "stable step", "communication", "update")

# A step this much smaller than the first one will not end: the run stops with an error.
SMALLEST_STEP = 1e-4

# Steps between two estimates of the stable step. A node crosses a few per cent of an element in that time;
# the Courant factor covers it.
ESTIMATE_EVERY = 4


class Simulation:
    """A body of one material that hits rigid obstacles.

    Every method is collective: call it on all ranks. An error on one rank is raised on all of them.

    Attributes:
        mesh: The dolfinx mesh, lengths in mm.
        law: The constitutive law.
        element: The cells of this rank.
        points: F, P and state at the quadrature points of this rank.
        positions: Reference positions of this rank's nodes, as ``u`` numbers them, shape (nodes, 3), mm.
        u: Displacement, mm.
        v: Velocity at the same time, mm/us.
        time: Time reached, us.
        dt: The step ahead, us.
        step_count: Steps taken.
        limiting_cell: Original global number of the cell that limits the step.
        limiting_position: Its reference centre, mm.
        energy: The ledger at ``time``.
        initial_energy: Kinetic energy at the start, J.
        contact_impulse: Impulse of all obstacles on the body so far, shape (3,), mg mm/us.
        timers: Seconds this rank spent by stage.
        n_cells_global: Number of cells.
        n_points_global: Number of quadrature points.
    """

    def __init__(
        self,
        impact_mesh: ImpactMesh,
        law: ConstitutiveLaw,
        element: str = "hex8-fbar",
        obstacles: Sequence[Obstacle] = (),
        supports: Mapping[str, int | Sequence[int]] | None = None,
        initial_velocity: ArrayLike | Callable[[FloatArray], FloatArray] = (0.0, 0.0, 0.0),
        courant: float = 0.9,
        viscosity: BulkViscosity | None = None,
    ) -> None:
        """Set the body at rest in its reference shape, then give it its velocity.

        Args:
            impact_mesh: Mesh with named groups of facets.
            law: Any constitutive law; it gives the density too.
            element: "hex8-fbar" or "hex8-one-point".
            obstacles: Rigid obstacles; every node of the body's surface may touch each.
            supports: For a group of facets, the component (0, 1, 2), or components, of displacement held at
                zero.
            initial_velocity: One vector, or a function from positions (3, n) to velocities (3, n), mm/us.
            courant: Fraction of the estimated stable step that is taken.
            viscosity: Shock viscosity; none if not given.

        Raises:
            InputError: An argument is out of its range or a group is not in the mesh.
        """
        if not 0.0 < courant <= 1.0:
            raise InputError(f"courant = {courant}, expected a factor above 0, at most 1")
        self.mesh = impact_mesh.mesh
        self.law = law
        self._comm = self.mesh.comm
        self._obstacles = tuple(obstacles)
        self._courant = courant
        self.time, self.step_count = 0.0, 0
        self.timers = dict.fromkeys(STAGES, 0.0)
        self._make_nodes()
        with ranks.shared_errors(self._comm):
            self._make_cells(element, viscosity)
        self._make_mass(impact_mesh, supports or {})
        self._surface = _owned_surface_nodes(self._space, self._owned)
        self._set_velocity(initial_velocity)
        self._start()

    # Set-up.

    def _make_nodes(self) -> None:
        self._space = fem.functionspace(self.mesh, ("Lagrange", 1, (3,)))
        self.u = fem.Function(self._space, name="displacement")
        self.v = fem.Function(self._space, name="velocity")
        index_map = self._space.dofmap.index_map
        self._owned = index_map.size_local
        self._force = la.vector(index_map, 3)
        self.positions = np.ascontiguousarray(self._space.tabulate_dof_coordinates())
        self._u, self._v = self.u.x.array.reshape(-1, 3), self.v.x.array.reshape(-1, 3)
        self._f = self._force.array.reshape(-1, 3)
        self._f_old = np.zeros_like(self._f)
        self._v_half, self._v_old = np.zeros_like(self._f), np.zeros_like(self._f)

    def _make_cells(self, name: str, viscosity: BulkViscosity | None) -> None:
        nodes = np.ascontiguousarray(self._space.dofmap.list)
        X = self.positions[nodes]
        self.element = make_element(name, X, nodes, self.law)
        self._stable = StableStep(self.element, X, self.law)
        self._viscous = (
            None if viscosity is None else ViscousPressure(viscosity, self.law, X, self.element.weights)
        )
        self.points = QuadraturePoints(self.element, self.law, self._viscous, self.timers)
        self._centres = X.mean(axis=1)
        self._original_cell = self.mesh.topology.original_cell_index
        self.n_cells_global = self.mesh.topology.index_map(3).size_global
        self.n_points_global = self.n_cells_global * self.element.weights.shape[1]

    def _make_mass(self, impact_mesh: ImpactMesh, supports: Mapping[str, int | Sequence[int]]) -> None:
        mass = la.vector(self._space.dofmap.index_map, 3)
        self._mass = mass.array.reshape(-1, 3)
        nodes = self.element.nodes
        add_lumped_mass(self.positions[nodes], nodes, self.law.density, self._mass)
        mass.scatter_reverse(la.InsertMode.add)
        mass.scatter_forward()
        self._inverse_mass = 1.0 / self._mass
        for group, components in supports.items():
            held = np.atleast_1d(components)
            if not np.isin(held, (0, 1, 2)).all():
                raise InputError(f"support of {group!r} = {components}, expected components among 0, 1, 2")
            for component in held:
                facets = impact_mesh.facets(group)
                dofs = fem.locate_dofs_topological(self._space, 2, facets, remote=True)
                self._inverse_mass[dofs, component] = 0.0

    def _set_velocity(self, velocity: ArrayLike | Callable[[FloatArray], FloatArray]) -> None:
        values = velocity(self.positions.T).T if callable(velocity) else np.asarray(velocity, dtype=float)
        if not np.all(np.isfinite(values)):
            raise InputError(f"initial velocity = {values} mm/us, expected finite numbers")
        self._v[:] = values
        self._v[self._inverse_mass == 0.0] = 0.0

    def _start(self) -> None:
        """Evaluate the force at time zero and take the first half step of the velocity."""
        self._work = self._hourglass = 0.0
        self._contact, self._contact_now, self._ledger = np.zeros(5), np.zeros(5), np.zeros(13)
        pair = np.dtype([("value", "f8"), ("rank", "i4")], align=True)
        self._local_step, self._global_step = np.zeros((), pair), np.zeros((), pair)
        self._local_step["rank"] = self._comm.rank
        self._local_cell, self._first_step, self._end_time = -1, 0.0, np.inf
        self._motion = NodalMotion(self.positions, self._u, self._v_old, self._v_half, self._inverse_mass)
        self._v_half[:] = self._v
        self.dt = 0.0
        self._v_old[:] = self._v
        kinetic = central_difference.centre(self._v, self._v_old, self._v_half, self._mass, self._owned)
        self.initial_energy = self._comm.allreduce(kinetic, op=MPI.SUM)
        self._advance_force()
        self._reduce_ledger(kinetic)
        self.dt = self._next_step()
        central_difference.kick(
            self._v_half,
            self._v_old,
            self._f,
            self._f_old,
            self._inverse_mass,
            0.0,
            0.5 * self.dt,
            self._owned,
        )
        self._book_contact()
        # There is no half step before the start: the first impulse acts as a whole after it.
        self._contact[:] = 0.0
        self._contact_now *= 2.0

    # Stepping.

    def step(self) -> None:
        """Advance by one step.

        Raises:
            DeformationError: An element inverted or the stress is not finite, on any rank.
            Exception: Whatever the law raised on any rank.
        """
        start = perf_counter()
        central_difference.drift(self._u, self._v_half, self.dt, self._owned)
        self.timers["update"] += perf_counter() - start
        self.time += self.dt
        self.step_count += 1
        self._advance_force()
        self._advance_velocity()

    def run(self, end_time: float, observers: Sequence[Observer] = (), every: int = 100) -> None:
        """Step until ``end_time`` is reached; the last step is shortened to end there.

        Args:
            end_time: Time to end at, us.
            observers: Called with this simulation at the start, every ``every`` steps, and at the end.
            every: Steps between calls.
        """
        self._end_time = end_time
        self.dt = min(self.dt, max(end_time - self.time, 0.0))
        self._observe(observers)
        while end_time - self.time > 1e-12 * end_time:
            self.step()
            if self.step_count % every == 0:
                self._observe(observers)
        if self.step_count % every != 0:
            self._observe(observers)

    def momentum(self) -> FloatArray:
        """Momentum of the body, shape (3,), mg mm/us."""
        return self._sum_over_nodes(self._v)

    def angular_momentum(self) -> FloatArray:
        """Moment of momentum about the origin, shape (3,), mg mm^2/us."""
        return self._sum_over_nodes(np.cross(self.positions + self._u, self._v))

    def _sum_over_nodes(self, values: FloatArray) -> FloatArray:
        local = np.sum((self._mass * values)[: self._owned], axis=0)
        return np.asarray(self._comm.allreduce(local, op=MPI.SUM))

    def cell_fields(self) -> dict[str, FloatArray]:
        """Averages over this rank's cells; see :func:`multiscale.dynamics.fields.cell_averages`."""
        points = self.points
        return cell_averages(points.F, points.P, self.element.weights, self.law, points.state)

    def _observe(self, observers: Sequence[Observer]) -> None:
        self.v.x.scatter_forward()
        for observer in observers:
            observer(self)

    def _advance_force(self) -> None:
        """Bring strain, stress and force to the displacements; agree on the stable step or the error."""
        start = perf_counter()
        self.u.x.scatter_forward()
        self.timers["communication"] += perf_counter() - start
        self._f[:] = 0.0
        error: Exception | None = None
        try:
            self._hourglass = self.points.add_internal_force(self._u, self.dt, self._f)
            self._estimate_step()
        except Exception as caught:
            error = self._located(caught)
        start = perf_counter()
        self._agree(error)
        self._force.scatter_reverse(la.InsertMode.add)
        self.timers["communication"] += perf_counter() - start

    def _estimate_step(self) -> None:
        if self.step_count % ESTIMATE_EVERY == 0:
            start = perf_counter()
            bound, self._local_cell = self._stable.bound(self.points.F)
            self._local_step["value"] = bound * (self._viscous.step_factor() if self._viscous else 1.0)
            self.timers["stable step"] += perf_counter() - start

    def _agree(self, error: Exception | None) -> None:
        """Agree on the smallest step and its rank; a rank that failed takes part with a step of -1."""
        mine = self._local_step.copy()
        if error is not None:
            mine["value"] = -1.0
        self._comm.Allreduce([mine, MPI.DOUBLE_INT], [self._global_step, MPI.DOUBLE_INT], op=MPI.MINLOC)
        if self._global_step["value"] < 0.0:
            ranks.raise_error_of(self._comm, int(self._global_step["rank"]), error)

    def _located(self, error: Exception) -> Exception:
        """Add to an error of this rank which cell it is in, where, and when."""
        if not isinstance(error, InvertedCellError):
            return error
        return DeformationError(f"{self._place(error.cell)}: {error}")

    def _place(self, cell: int) -> str:
        x, y, z = self._centres[cell]
        return (
            f"cell {self._original_cell[cell]} with reference centre ({x:.4g}, {y:.4g}, {z:.4g}) mm, "
            f"t = {self.time:.6g} us, step {self.step_count}"
        )

    def _advance_velocity(self) -> None:
        """Take the half-step velocities across the present time: internal force, contact, ledger."""
        start = perf_counter()
        dt_old, self.dt = self.dt, self._next_step()
        self._work += central_difference.kick(
            self._v_half, self._v_old, self._f, self._f_old, self._inverse_mass,
            dt_old, 0.5 * (dt_old + self.dt), self._owned,
        )  # fmt: skip
        self._book_contact()
        kinetic = central_difference.centre(self._v, self._v_old, self._v_half, self._mass, self._owned)
        self.timers["update"] += perf_counter() - start
        self._reduce_ledger(kinetic)

    def _book_contact(self) -> None:
        """Let the obstacles act; velocities at whole steps hold half the present impulse, as do the books."""
        self._contact += 0.5 * self._contact_now
        self._contact_now[:] = 0.0
        for obstacle in self._obstacles:
            obstacle.resist(self._motion, self._surface, self.time, self.dt, self._contact_now)
        self._contact += 0.5 * self._contact_now

    def _next_step(self) -> float:
        stable = self._courant * float(self._global_step["value"])
        self._first_step = self._first_step or stable
        if stable < SMALLEST_STEP * self._first_step:
            raise DeformationError(
                f"the stable step fell from {self._first_step:.4g} to {stable:.4g} us at {self.time:.6g} us: "
                f"cell {self.limiting_cell} is crushed; refine the mesh there or end earlier"
            )
        remaining = self._end_time - self.time
        if 0.0 < remaining <= 2.0 * stable:
            return remaining if remaining <= stable else 0.5 * remaining
        return stable

    def _reduce_ledger(self, kinetic: float) -> None:
        """Sum what the ranks booked; the rank of the smallest step says which cell it is."""
        start = perf_counter()
        local = self._ledger
        viscous = self._viscous.dissipated if self._viscous else 0.0
        local[:4] = kinetic, self._work, self._hourglass, viscous
        local[4:9] = self._contact
        local[9:] = 0.0
        if self._global_step["rank"] == self._comm.rank and self._local_cell >= 0:
            local[9] = self._original_cell[self._local_cell]
            local[10:] = self._centres[self._local_cell]
        total = np.empty_like(local)
        self._comm.Allreduce(local, total, op=MPI.SUM)
        self.contact_impulse = total[4:7]
        self.limiting_cell, self.limiting_position = int(total[9]), total[10:]
        kinetic, work, hourglass, viscous = (float(value) for value in total[:4])
        given, lost = float(total[7]), float(total[8])
        internal = work - hourglass - viscous
        self.energy = Energy(kinetic, internal, lost, hourglass, viscous, given, self.initial_energy)
        self.timers["communication"] += perf_counter() - start
        if not np.isfinite(work):
            self._raise_not_finite()

    def _raise_not_finite(self) -> None:
        cell = self.points.first_cell_without_finite_stress()
        error = None
        if cell >= 0:
            error = DeformationError(
                f"{self._place(cell)}: the law {self.law.name} gave a stress that is not finite"
            )
        ranks.raise_shared(self._comm, error)
        raise DeformationError(f"velocities are not finite at t = {self.time:.6g} us, step {self.step_count}")


def make_element(name: str, X: FloatArray, nodes: NDArray[np.int32], law: ConstitutiveLaw) -> Element:
    """Return the element type of that name for one rank's cells with nodes at ``X``, shape (cells, 8, 3)."""
    if name == Hex8FBar.name:
        return Hex8FBar(X, nodes)
    if name == Hex8OnePoint.name:
        return Hex8OnePoint(X, nodes, elastic_moduli(law)[1])
    raise InputError(f"element = {name!r}, expected one of {', '.join(ELEMENTS)}")


def _owned_surface_nodes(space: fem.FunctionSpace, owned: int) -> NDArray[np.int32]:
    topology = space.mesh.topology
    topology.create_connectivity(2, 3)
    facets = dolfinx_mesh.exterior_facet_indices(topology)
    nodes = fem.locate_dofs_topological(space, 2, facets, remote=True)
    return np.unique(nodes[nodes < owned]).astype(np.int32)
