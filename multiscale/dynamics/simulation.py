"""Explicit dynamics of an impact: central difference in time, any law at the quadrature points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Annotated

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

from meshes.impact_mesh import ImpactMesh
from microscale.errors import DeformationError, InputError
from microscale.inputs.numbers import Count, Instance, Time, checked, numbers_in
from microscale.law import ConstitutiveLaw
from microscale.progress import task
from microscale.tensors import FloatArray
from multiscale.dynamics.agreed_step import AgreedStep
from multiscale.dynamics.body import Body
from multiscale.dynamics.bulk_viscosity import BulkViscosity
from multiscale.dynamics.contact import IMPULSE, PUSHED, Obstacle
from multiscale.dynamics.contact_stage import Contact
from multiscale.dynamics.elements.corner_volumes import InvertedCellError
from multiscale.dynamics.elements.names import DEFAULT_ELEMENT
from multiscale.dynamics.energy import Account, Ledger
from multiscale.dynamics.energy_limit import MAX_ENERGY_ERROR, EnergyLimit
from multiscale.dynamics.penetration import deepest_node
from multiscale.dynamics.saved_state import SavedState
from multiscale.dynamics.start.check import StartCheck
from multiscale.dynamics.step_size import StepSize
from multiscale.dynamics.step_sums import StepSums
from multiscale.dynamics.traffic import Traffic
from multiscale.parallel import ranks

Observer = Callable[["Simulation"], None]

STAGES = ("kinematics", "law", "force", "stable step", "communication", "update")

# Steps between two estimates of the stable step. A node crosses a few per cent of an element in that time;
# the Courant factor covers it.
ESTIMATE_EVERY = 4

# What a simulation is made of, in the words of its messages.
Law = Annotated[ConstitutiveLaw, Instance(ConstitutiveLaw, "a law, as make_law('learned') returns it")]
Obstacles = Sequence[Annotated[Obstacle, Instance(Obstacle, "an obstacle, as RigidPlane() is one")]]

# Steps a run may take: millions take days, and rounding adds up.
MOST_STEPS = 10_000_000


class Simulation:
    """A body of one material that hits rigid obstacles.

    Every method is collective: call it on all ranks. An error on one rank is raised on all of them.

    Attributes:
        body: The body: nodes, cells and points of this rank.
        mesh: The dolfinx mesh, lengths in mm.
        law: The constitutive law.
        obstacles: The obstacles, where they are at time zero.
        element: The cells of this rank.
        points: F, P and state at the quadrature points of this rank.
        positions: Reference positions of this rank's nodes, as ``u`` numbers them, shape (nodes, 3), mm.
        u: Displacement, mm.
        v: Velocity at the same time, mm/us; ghosts are not kept up to date.
        time: Time reached, us.
        dt: The step ahead, us.
        step_count: Steps taken.
        limiting_cell: Original global number of the cell that limits the step.
        limiting_position: Its reference centre, mm.
        energy: The ledger at ``time``.
        initial_energy: Kinetic energy at the start, J.
        contact_impulse: Impulse of all obstacles on the body so far, shape (3,), mg mm/us.
        touched: Whether an obstacle has pushed the body so far.
        poll: Asked on each rank, once a step, for a request: zero, or a number up to ``step_sums.REQUESTS``.
        request: The greatest request of all ranks at this step.
        timers: Seconds this rank spent by stage.
        n_cells_global: Number of cells.
        n_points_global: Number of quadrature points.
    """

    @checked
    def __init__(
        self,
        impact_mesh: ImpactMesh,
        law: Law,
        element: str = DEFAULT_ELEMENT,
        obstacles: Obstacles = (),
        supports: Mapping[str, int | Sequence[int]] | None = None,
        initial_velocity: ArrayLike | Callable[[FloatArray], FloatArray] = (0.0, 0.0, 0.0),
        courant: float = 0.9,
        viscosity: BulkViscosity | None = None,
        place: bool = False,
        max_energy_error: float = MAX_ENERGY_ERROR,
    ) -> None:
        """Set the body at rest in its reference shape, then give it its velocity.

        Args:
            impact_mesh: Mesh with named groups of facets.
            law: Any constitutive law; it gives the density too.
            element: "hex8-one-point" or "hex8-fbar" on hexahedra, "tet10" on ten-node tetrahedra.
            obstacles: Rigid obstacles; every node of the body's surface may touch each.
            supports: For a group of facets, the component (0, 1, 2), or components, of displacement held at
                zero.
            initial_velocity: One vector, or a function from positions (3, n) to velocities (3, n), mm/us.
            courant: Fraction of the estimated stable step that is taken.
            viscosity: Shock viscosity; none if not given.
            place: Whether an obstacle that reaches into the body is moved back, against its ``facing``, until
                it just touches; otherwise it is refused.
            max_energy_error: Error of the energy past which a run ends, per cent; zero for none.

        Raises:
            InputError: An argument is out of its range, a group is not in the mesh, or the start is not that
                of an impact; see :mod:`multiscale.dynamics.start.check`.
        """
        self.mesh, self.law, self._comm = impact_mesh.mesh, law, impact_mesh.mesh.comm
        self._step_size, self._agreed_step = StepSize(courant), AgreedStep(self._comm)
        self.timers = dict.fromkeys(STAGES, 0.0)
        self.time, self.dt, self.step_count = 0.0, 0.0, 0
        self._ledger, self._sums = Ledger(), StepSums(self._comm)
        self._energy_limit = EnergyLimit(max_energy_error)
        self._error: Exception | None = None
        self.poll: Callable[[], int] = int  # which returns zero
        self.body = Body(impact_mesh, law, element, supports or {}, viscosity, self.timers)
        self._nodes, self.element, self.points = self.body.nodes, self.body.element, self.body.points
        self.u, self.v, self.positions = self._nodes.u, self._nodes.v, self._nodes.X
        self.n_cells_global = self.mesh.topology.index_map(3).size_global
        self.n_points_global = self.n_cells_global * self.element.weights.shape[1]
        with ranks.shared_errors(self._comm):
            given = initial_velocity(self.positions.T) if callable(initial_velocity) else initial_velocity
            self._ledger.kinetic = self._nodes.start(numbers_in("initial velocity", given).T)
        momentum = float(self._nodes.total_mass() * law.wave_speed())
        self._slightest_push, self._negligible = 1e-12 * momentum, 0.5e-14 * momentum * law.wave_speed()
        self._start_check = StartCheck(self._nodes, obstacles, law, place, self._comm)
        self.obstacles = self._start_check.obstacles
        self._contact = Contact(self.obstacles, self._nodes)
        self._start()

    def _start(self) -> None:
        """Evaluate the force at time zero and take the first half step of the velocity."""
        self.initial_energy = float(self._comm.allreduce(self._ledger.kinetic, op=MPI.SUM))
        self._advance_force()
        self._reduce_ledger()
        self.dt = self._next_step()
        self._nodes.kick(0.0, 0.5 * self.dt)
        self._nodes.keep_force()
        self._contact.act_at_start(self.dt)

    def step(self) -> None:
        """Advance by one step.

        Raises:
            ConvergenceError: The energy error is past its limit.
            DeformationError: A cell is inside out, a node inside an obstacle or the stress not finite, on any
                rank.
            Exception: Whatever the law raised on any rank.
        """
        self._energy_limit.require(self.energy, self.time, self.step_count)
        start = perf_counter()
        self._nodes.drift(self.dt)
        self.timers["communication"] += perf_counter() - start
        self.time += self.dt
        self.step_count += 1
        self._advance_force()
        self._advance_velocity()

    @checked
    def run(
        self,
        end_time: Time,
        observers: Sequence[Observer] = (),
        every: Count = 100,
        until: Callable[[Simulation], bool] | None = None,
    ) -> None:
        """Step until ``end_time`` is reached; the last step is shortened to end there.

        Args:
            end_time: Time to end at, us.
            observers: Called with this simulation at its start (not where it resumes), every ``every`` steps,
                and at the end.
            every: Steps between calls.
            until: Asked after each step, on every rank alike, whether the run is over before that time.

        Raises:
            InputError: The time or ``every`` is not positive, or so long a time takes too many steps, see
                :meth:`require_reachable`.
        """
        self.require_reachable(end_time)
        self._step_size.end_time = end_time
        self.dt = min(self.dt, max(end_time - self.time, 0.0))
        if self.step_count == 0:
            self._start_check.check_run(end_time, self._step_size.first, *self._limiting())
            self._observe(observers)
        with task("time in us", end_time) as run:
            while end_time - self.time > 1e-12 * end_time:
                self.step()
                run.done = self.time
                if self.step_count % every == 0:
                    self._observe(observers)
                if until is not None and until(self):
                    break
        if self.step_count % every != 0:
            self._observe(observers)
        self._check_penetration()
        ranks.raise_shared(self._comm, self._error)
        self._energy_limit.require(self.energy, self.time, self.step_count)
        self._start_check.check_end(self.touched, self.time)

    def require_reachable(self, end_time: float) -> None:
        """Raise an InputError if a time, us, is more than :data:`MOST_STEPS` steps away."""
        latest = self.time + MOST_STEPS * self.first_dt
        if not end_time <= latest:
            raise InputError(
                f"end-time = {end_time} us, expected at most {latest:.3g} us: a step is "
                f"{self.first_dt:.3g} us, and a run takes at most {MOST_STEPS:_} of them"
            )

    @property
    def doubts(self) -> Sequence[str]:
        """What was warned of so far: improbable units, obstacles thin for their faces, nothing touched."""
        return self._start_check.doubts

    @property
    def first_dt(self) -> float:
        """The first step, us."""
        return self._step_size.first

    def fail(self, error: Exception) -> None:
        """Let every rank end with this rank's ``error`` when they next meet; for observers of one rank."""
        self._error = self._error or error

    def saved_state(self) -> SavedState:
        """Return all that is needed to go on from here, as views to save or to fill; see :meth:`resume`."""
        clock = {"time": self.time, "dt": self.dt, "step_count": self.step_count}
        clock |= {**self._step_size.clock(), "stable_step": self._agreed_step.value}
        clock |= {"limiting_cell": self.limiting_cell, "initial_energy": self.initial_energy}
        booked = np.array([*self._ledger.saved(), *self._contact.saved(), self.body.dissipated])
        return SavedState(clock, booked, self._nodes.saved_arrays(), self.points.saved_arrays())

    def resume(self, clock: Mapping[str, float], booked: FloatArray) -> None:
        """Go on from a state whose arrays have been written into those of :meth:`saved_state`.

        On as many ranks as the state was saved on, the steps to come have the same bits. Collective.

        Args:
            clock: As saved.
            booked: As saved, or on other ranks: anything with the same sum over the ranks.
        """
        self.time, self.dt, self.step_count = clock["time"], clock["dt"], int(clock["step_count"])
        self._step_size.resume(clock)
        self.initial_energy = clock["initial_energy"]
        self._ledger.resume(booked[:3])
        self._contact.resume(booked[3:-1])
        self.body.resume(float(booked[-1]))
        here = np.flatnonzero(self.body.original_cell == clock["limiting_cell"])
        self._agreed_step.offer(*((clock["stable_step"], int(here[0])) if here.size else (np.inf, -1)))
        self._agreed_step.agree()
        self._reduce_ledger()

    def array_bytes(self) -> int:
        """Bytes of this rank's arrays of nodes, cells and points; the mesh itself is not counted."""
        return self.body.array_bytes()

    def traffic(self) -> Traffic:
        """What this rank sends in a step; observers not counted. Collective."""
        reductions = (self._sums.nbytes, self._agreed_step.nbytes, 1.0 / ESTIMATE_EVERY)
        return Traffic(*self._nodes.shared(), *reductions)

    @property
    def size(self) -> float:
        """Largest extent of the reference body along x, y or z, mm."""
        return self._start_check.size

    @property
    def held(self) -> NDArray[np.bool_]:
        """Which components of this rank's nodes are held, shape (nodes, 3)."""
        return self._nodes.inverse_mass == 0.0

    def momentum(self) -> FloatArray:
        """Momentum of the body, shape (3,), mg mm/us."""
        return self._nodes.momentum()

    def angular_momentum(self) -> FloatArray:
        """Moment of momentum about the origin, shape (3,), mg mm^2/us."""
        return self._nodes.angular_momentum()

    def cell_fields(
        self, extra: Sequence[str] = (), cells: NDArray[np.int64] | None = None
    ) -> dict[str, FloatArray]:
        """Averages over this rank's cells; see :func:`multiscale.dynamics.fields.cell_averages`.

        Args:
            extra: Further fields.
            cells: Those of the cells that are wanted; None for all.
        """
        return self.body.fields(extra, cells)

    def _observe(self, observers: Sequence[Observer]) -> None:
        for observer in observers:
            observer(self)

    def _advance_force(self) -> None:
        """Bring strain, stress and force to the displacements; keep an error until the ranks next meet."""
        nodes = self._nodes
        nodes.force[:] = 0.0
        try:
            self._ledger.hourglass = self.points.add_internal_force(nodes.displacement, self.dt, nodes.force)
        except Exception as caught:
            self._error = self._located(caught)
        if self.step_count % ESTIMATE_EVERY == 0:
            self._check_penetration()
            self._estimate_step()
        start = perf_counter()
        nodes.sum_force()
        self.timers["communication"] += perf_counter() - start

    def _estimate_step(self) -> None:
        """Agree on the stable step; a rank that has failed repeats its last one."""
        start = perf_counter()
        if self._error is None:
            self._agreed_step.offer(*self.body.stable_step())
        estimated = perf_counter()
        self._agreed_step.agree()
        self.timers["stable step"] += estimated - start
        self.timers["communication"] += perf_counter() - estimated

    def _check_penetration(self) -> None:
        """Keep an error where a node is inside an obstacle; at the start there was no contact yet."""
        inside = deepest_node(self.obstacles, self._nodes, self.time) if self.step_count > 0 else ""
        if inside and self._error is None:
            when = f"t = {self.time:.6g} us, step {self.step_count}"
            self._error = DeformationError(f"{inside}, {when}: refine the mesh there or end earlier")

    def _located(self, error: Exception) -> Exception:
        """Add to an error of this rank which cell it is in, where, and when."""
        if not isinstance(error, InvertedCellError):
            return error
        return DeformationError(f"{self._place(error.cell)}: {error}")

    def _limiting(self) -> tuple[float, float, str]:
        """Smallest and largest extent of the cell that limits the step, mm, and where it is. Collective."""
        agreed, cells = self._agreed_step, self._nodes.cells
        x = self.positions[cells[agreed.cell] if agreed.is_here else cells[:0]].reshape(-1, 3)
        mine = float(np.linalg.norm(x[:, None] - x, axis=2).max(initial=0.0))
        place = ", ".join(f"{value:.4g}" for value in np.asarray(self.limiting_position).round(9) + 0.0)
        where = f"cell {self.limiting_cell} at ({place}) mm"
        return agreed.value * self.law.wave_speed(), self._comm.allreduce(mine, op=MPI.MAX), where

    def place(self, cell: int) -> tuple[int, tuple[float, float, float]]:
        """Return the original number of a cell of this rank, and its reference centre, mm."""
        return self.body.place(cell)

    def _place(self, cell: int) -> str:
        return f"{self.body.place_in_words(cell)}, t = {self.time:.6g} us, step {self.step_count}"

    def _advance_velocity(self) -> None:
        """Take the half-step velocities across the present time: internal force, contact, ledger."""
        start = perf_counter()
        dt_old, self.dt = self.dt, self._next_step()
        self._ledger.work += self._nodes.kick(dt_old, 0.5 * (dt_old + self.dt))
        self._contact.act(self.time, self.dt)
        self._nodes.centre()
        self._ledger.kinetic = self._nodes.kinetic_energy(dt_old, self.dt)
        self._nodes.keep_force()
        self.timers["update"] += perf_counter() - start
        self._reduce_ledger()

    def _next_step(self) -> float:
        return self._step_size.next(self._agreed_step.value, self.time, self.step_count, self.limiting_cell)

    def _reduce_ledger(self) -> None:
        """Sum what the ranks booked; the rank of the smallest step adds which cell it is.

        Raises:
            Exception: The error of a rank, on all of them.
        """
        start, step, sums = perf_counter(), self._agreed_step, self._sums
        limiting = self.body.place(step.cell) if step.is_here else None
        booked = Account(self._ledger.saved(), self.body.dissipated, self._contact.done)
        sums.reduce(booked, limiting, self._error is not None, self.poll())
        self.energy = sums.account.energy(self.initial_energy, self._negligible)
        self.contact_impulse = sums.account.contact[IMPULSE]
        self.touched = bool(sums.account.contact[PUSHED] > self._slightest_push)
        self.limiting_cell, self.limiting_position = sums.limiting_cell, sums.limiting_position
        self.request = sums.request
        self.timers["communication"] += perf_counter() - start
        if sums.failed:
            ranks.raise_shared(self._comm, self._error)
        if not np.isfinite(self.energy.internal):
            self._raise_not_finite()

    def _raise_not_finite(self) -> None:
        cell = self.points.first_cell_without_finite_stress()
        message = f"the law {self.law.name} gave a stress that is not finite"
        error = DeformationError(f"{self._place(cell)}: {message}") if cell >= 0 else None
        ranks.raise_shared(self._comm, error)
        raise DeformationError(f"velocities are not finite at t = {self.time:.6g} us, step {self.step_count}")
