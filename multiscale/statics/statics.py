"""Quasi-static equilibrium of a body under loads over time, with any law at the quadrature points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from meshes.impact_mesh import ImpactMesh
from microscale.errors import InputError
from microscale.inputs.numbers import Time, checked
from microscale.law import ConstitutiveLaw
from microscale.progress import task
from microscale.tensors import FloatArray
from multiscale.dynamics.fields import cell_averages
from multiscale.dynamics.saved_state import SavedState
from multiscale.parallel.ranks import raise_shared, shared_errors
from multiscale.statics.equilibrium import Equilibrium
from multiscale.statics.law_points import LawPoints
from multiscale.statics.load_steps import LoadSteps
from multiscale.statics.loads import Loads
from multiscale.statics.newton import Converged, Newton, NotConvergedError, UnfinishedError
from multiscale.statics.over_time import Given
from multiscale.statics.petsc_options import Options
from multiscale.statics.prescribed import Prescribed
from multiscale.statics.virtual_work import VirtualWork

from dolfinx import fem

Observer = Callable[["Statics"], None]

#: Load steps of a run if none is cut and none is grown, and how many of them the longest one replaces.
STEPS, LONGEST = 20, 2

#: Round-off of the forces at the nodes over the bulk modulus times the area of a face of the body.
ROUND_OFF = 1e-15


class Statics:
    """A body in equilibrium at every time.

    Every method is collective: call it on all ranks. An error on one rank is raised on all of them.

    Attributes:
        mesh: The dolfinx mesh, lengths in mm.
        law: The constitutive law.
        element: The cells: name, weights of the points.
        points: F, P and state at the quadrature points of this rank.
        u: Displacement, mm.
        v: Its change over the last step divided by the step, mm/us.
        time: Time reached, us.
        dt: The last step, us.
        step_count: Steps taken.
        last: How the last step converged.
        iterations: Newton iterations of all steps so far.
        most_iterations: Those of the step that took most.
        timers: Seconds this rank spent by stage; the rest is the linear equations.
        cuts: How often a step was cut so far.
        poll: Asked on each rank, once a step, for a request: zero, or a number.
        request: The greatest request of all ranks at this step.
        work: Work of the stress on the body so far, J, by the trapezoidal rule.
        n_cells_global: Number of cells.
        n_points_global: Number of quadrature points.
    """

    @checked
    def __init__(
        self,
        impact_mesh: ImpactMesh,
        law: ConstitutiveLaw,
        *,
        supports: Mapping[str, int | Sequence[int]] | None = None,
        displacements: Mapping[str, Mapping[str, Given]] | None = None,
        forces: Mapping[str, Given] | None = None,
        pressures: Mapping[str, Given] | None = None,
        petsc_options: Options | None = None,
    ) -> None:
        """Set the body at rest in its reference shape.

        Args:
            impact_mesh: Mesh with named groups of facets.
            law: Any constitutive law.
            supports: For a group of facets, the component (0, 1, 2), or components, of displacement held at
                zero.
            displacements: For a group of facets, components "x", "y", "z" of displacement, mm, over time: a
                table with rows of time, us, and displacement, or a function of time and the reference
                positions (3, n).
            forces: For a group of facets, its total force, x, y and z, kN: a vector for all times, a table
                with rows of time and force, or a function of time. It keeps its direction.
            pressures: For a group of facets, the pressure on it, GPa: a number, a table, or a function of
                time. It follows the surface.
            petsc_options: PETSc's options of the solvers, without dash, such as ``{"snes_rtol": 1e-10}``.

        Raises:
            InputError: A group is not in the mesh, or something is not over time as said.
        """
        self.mesh, self.law, self._comm = impact_mesh.mesh, law, impact_mesh.mesh.comm
        self._work = VirtualWork(self.mesh)
        self.u, self.v = self._work.u, fem.Function(self._work.space, name="velocity")
        self.element = self._work
        self.points = LawPoints(law.smooth, self._work.stress, self._work.moduli)
        self._loads = Loads(impact_mesh, forces or {}, pressures or {})
        self._prescribed = Prescribed(impact_mesh, self._work.space, supports or {}, displacements or {})
        volume = self._comm.allreduce(float(self._work.weights.sum()), op=MPI.SUM)
        self.n_cells_global = self.mesh.topology.index_map(3).size_global
        self.n_points_global = self.n_cells_global * self._work.weights.shape[1]
        shear, bulk = law.moduli()
        stiffness = shear * np.cbrt(volume / self.n_cells_global)
        self._equations = Equilibrium(self._work, self.points, self._loads, self._prescribed, stiffness)
        round_off = ROUND_OFF * bulk * volume ** (2.0 / 3.0)
        self._newton = Newton(self._equations, self._displacement, petsc_options or {}, round_off)
        self._groups = self._nodes_of(impact_mesh, [*self._prescribed.groups, *self._loads.groups])
        self._error: Exception | None = None
        self.poll: Callable[[], int] = int  # which returns zero
        self.time, self.dt, self.step_count, self.request, self.cuts = 0.0, 0.0, 0, 0, 0
        self.work, self._size, self.last = 0.0, 0.0, Converged(0, ())
        self.iterations, self.most_iterations, self.timers = 0, 0, self._equations.timers
        self._force_before = np.zeros_like(self._displacement)
        self._foreseen = self._rate  # as it went on in the last step

    def _nodes_of(self, body: ImpactMesh, groups: Sequence[str]) -> dict[str, NDArray[np.int32]]:
        """Return the nodes of groups that this rank owns."""
        found = {}
        for group in dict.fromkeys(groups):
            nodes = fem.locate_dofs_topological(self._work.space, 2, body.facets(group), remote=True)
            found[group] = nodes[nodes < self._equations.owned]
        return found

    @property
    def _displacement(self) -> FloatArray:
        nodal: FloatArray = self.u.x.array.reshape(-1, 3)
        return nodal

    @property
    def _rate(self) -> FloatArray:
        nodal: FloatArray = self.v.x.array.reshape(-1, 3)
        return nodal

    def step(self, dt: float) -> None:
        """Go on to equilibrium ``dt`` us later; where none is found all is as it was.

        The next attempt then begins with its share of what this one had found.

        Raises:
            NotConvergedError: It is not found.
            Exception: What the law raised on any rank, or a load.
        """
        before = self._displacement.copy()
        self._displacement[:] += dt * self._foreseen
        try:
            self.last = self._newton.solve(self.time + dt, dt)
        except BaseException as why:
            # Where flow gives way to unloading a shorter step is no easier. What was found of a longer one
            # says how the body goes on.
            found = (self._displacement - before) / dt
            self._foreseen = found if isinstance(why, UnfinishedError) else self._rate
            self._displacement[:] = before
            raise
        self._accept(dt, before)

    def _accept(self, dt: float, before: FloatArray) -> None:
        """Let the displacements found be those reached."""
        self.u.x.scatter_forward()
        with shared_errors(self._comm):
            self.points.accept(dt)
        moved, force = self._displacement - before, self._equations.internal
        self._rate[:] = moved / dt
        self._foreseen = self._rate
        owned = slice(self._equations.owned)
        done = float(np.sum((0.5 * (self._force_before + force) * moved)[owned]))
        self.work += float(self._comm.allreduce(done, op=MPI.SUM))
        self._force_before[:] = force
        self.iterations += self.last.iterations
        self.most_iterations = max(self.most_iterations, self.last.iterations)
        self.time, self.dt, self.step_count = self.time + dt, dt, self.step_count + 1

    @checked
    def run(
        self,
        end_time: Time,
        observers: Sequence[Observer] = (),
        *,
        first_step: Time | None = None,
        longest_step: Time | None = None,
    ) -> None:
        """Go on step by step until ``end_time``; a step that fails is cut, after easy ones steps grow.

        A step that takes more than six iterations has failed, unless PETSc was given another ``snes_max_it``.

        Args:
            end_time: Time to end at, us.
            observers: Called with this at its start (not where it resumes), and after every step.
            first_step: The first load step, us; a twentieth of the time by default.
            longest_step: The longest one, us; twice the first by default.

        Raises:
            InputError: A table does not reach so far, or the first step is longer than the longest.
            ConvergenceError: Steps had to be cut too often.
        """
        steps = self._load_steps(end_time, first_step, longest_step)
        if self.step_count == 0:
            self._observe(observers)
        with task("time in us", end_time) as part:
            while end_time - self.time > 1e-12 * end_time:
                dt = steps.ahead(self.time)
                try:
                    self.step(dt)
                except NotConvergedError as why:
                    steps.failed(dt, self.time, str(why))
                    continue
                steps.accepted(dt, self.last.iterations)
                self.cuts, self._size = steps.cuts, steps.size
                part.done = self.time
                self._observe(observers)
        raise_shared(self._comm, self._error)

    def _load_steps(self, end_time: float, first: float | None, longest: float | None) -> LoadSteps:
        first = end_time / STEPS if first is None else first
        longest = LONGEST * first if longest is None else longest
        if first > longest:
            raise InputError(f"first-step = {first:g} us, expected at most the longest-step = {longest:g} us")
        given = [*self._prescribed.over_time, *self._loads.over_time]
        for quantity in given:
            quantity.require_until(self.time, end_time)
        corners = [time for quantity in given for time in quantity.corners]
        return LoadSteps(end_time, first, longest, corners, self._size, self.cuts)

    def _observe(self, observers: Sequence[Observer]) -> None:
        self.request = self._comm.allreduce(self.poll(), op=MPI.MAX)
        for observer in observers:
            observer(self)
        raise_shared(self._comm, self._error)

    def fail(self, error: Exception) -> None:
        """Let every rank end with this rank's ``error`` when they next meet; for observers of one rank."""
        self._error = self._error or error

    def place(self, cell: int) -> tuple[int, tuple[float, float, float]]:
        """Return the original number of a cell of this rank, and its reference centre, mm."""
        return self._equations.place(cell)

    def account(self) -> dict[str, float]:
        """Return what there is to say of the present step, by names with units. Collective.

        Besides time, convergence and work: of each group that is held, moved or loaded its mean displacement
        over nodes, and what holds it or what load it bears.
        """
        last = [0.0, 0.0, 0.0, *self.last.residuals][-3:]
        told = {"time_us": self.time, "dt_us": self.dt, "iterations": self.last.iterations, "cuts": self.cuts}
        told |= dict(zip(("residual_third_last", "residual_second_last", "residual_last"), last, strict=True))
        told["work_J"] = self.work
        for group, nodes in self._groups.items():
            mean = self._mean_displacement(nodes)
            told |= {f"u_{axis}_{group}_mm": float(mean[k]) for k, axis in enumerate("xyz")}
        for group, force in self.reactions.items():
            told |= {f"reaction_{axis}_{group}_kN": float(force[k]) for k, axis in enumerate("xyz")}
        return told | self._loads.told()

    def _mean_displacement(self, nodes: NDArray[np.int32]) -> FloatArray:
        total = np.append(self._displacement[nodes].sum(axis=0), len(nodes))
        total = np.asarray(self._comm.allreduce(total, op=MPI.SUM))
        return np.asarray(total[:3] / max(total[3], 1.0))

    @property
    def reactions(self) -> dict[str, FloatArray]:
        """Force that holds each group with prescribed displacements, shape (3,), kN. Collective."""
        force = self._equations.internal - self._equations.external
        return dict(zip(self._prescribed.groups, self._prescribed.reactions(force), strict=True))

    def cell_fields(self, extra: Sequence[str] = ()) -> dict[str, FloatArray]:
        """Averages over this rank's cells; see :func:`multiscale.dynamics.fields.cell_averages`."""
        points = self.points
        return cell_averages(points.F, points.P, self._work.weights, self.law, points.state, extra)

    def saved_state(self) -> SavedState:
        """Return all that is needed to go on from here, as views to save or to fill; see :meth:`resume`."""
        clock = {"time": self.time, "dt": self.dt, "step_count": self.step_count}
        clock |= {"step_ahead": self._size, "cuts": self.cuts}
        clock |= {"iterations": self.iterations, "most_iterations": self.most_iterations}
        owned = slice(self._equations.owned)
        nodes = {"displacement": self._displacement[owned], "velocity": self.v.x.array.reshape(-1, 3)[owned]}
        booked = np.array([self.work if self._comm.rank == 0 else 0.0])
        return SavedState(clock, booked, nodes, self.points.saved_arrays())

    def resume(self, clock: Mapping[str, float], booked: FloatArray) -> None:
        """Go on from a state whose arrays have been written into those of :meth:`saved_state`. Collective.

        Args:
            clock: As saved.
            booked: As saved, or on other ranks: anything with the same sum over the ranks.
        """
        self.time, self.dt, self.step_count = clock["time"], clock["dt"], int(clock["step_count"])
        self._size, self.cuts = clock["step_ahead"], int(clock["cuts"])
        self.iterations, self.most_iterations = int(clock["iterations"]), int(clock["most_iterations"])
        self.work = float(self._comm.allreduce(float(booked[0]), op=MPI.SUM))
        self.u.x.scatter_forward()
        self.v.x.scatter_forward()
        self.points.resume()
        self._equations.resume(self.time)
        self._force_before[:] = self._equations.internal
