"""Equilibrium of a body at a time: what of the forces is out of balance, and the stiffness matrix."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
from mpi4py import MPI

import multiscale.parallel.fenics as fenics
from microscale.errors import ConvergenceError
from microscale.tensors import FloatArray
from multiscale.parallel.ranks import raise_shared, shared_errors
from multiscale.statics.law_points import LawPoints, UnreachableError
from multiscale.statics.loads import Loads
from multiscale.statics.prescribed import Prescribed
from multiscale.statics.virtual_work import VirtualWork

import dolfinx.fem.petsc as fem_petsc
import ufl
from dolfinx import fem, la
from petsc4py import PETSc


class Equilibrium:
    """Forces at the nodes of one rank, arrays of shape (nodes, 3), the owned nodes first, then the ghosts.

    Every method is collective.

    Attributes:
        internal: Internal force, kN.
        external: Force of the loads, kN.
        timers: Seconds this rank spent by stage.
        failure: Why there is no stress at the present displacements; empty where there is.
    """

    def __init__(
        self, work: VirtualWork, points: LawPoints, loads: Loads, prescribed: Prescribed, stiffness: float
    ) -> None:
        """Compile the forms of the loads and lay out the matrix.

        Args:
            work: Virtual work of the stress.
            points: The law at the points.
            loads: The loads.
            prescribed: What is prescribed of the displacements.
            stiffness: Of a held degree of freedom, kN/mm: of the order of the others.
        """
        self._diagonal = stiffness
        self.timers = dict.fromkeys(("law", "tangent", "forces", "stiffness"), 0.0)
        self._work, self._points, self._loads, self.prescribed = work, points, loads, prescribed
        self._mesh = mesh = work.space.mesh
        self._comm = mesh.comm
        self.owned = work.space.dofmap.index_map.size_local
        self._internal, self._external = (la.vector(work.space.dofmap.index_map, 3) for _ in range(2))
        self.internal: FloatArray = self._internal.array.reshape(-1, 3)
        self.external: FloatArray = self._external.array.reshape(-1, 3)
        of_loads = loads.work(work.F, work.test)
        linearised, self._of_loads = work.linearised, None
        if of_loads != 0:
            self._of_loads = fem.form(of_loads, jit_options=fenics.JIT_OPTIONS)
            followed = ufl.derivative(of_loads, work.u, ufl.TrialFunction(work.space))
            linearised = linearised - followed if loads.follows else linearised
        self._stiffness = fem.form(linearised, jit_options=fenics.JIT_OPTIONS)
        self.matrix = fem_petsc.create_matrix(self._stiffness)
        self.matrix.setOption(PETSc.Mat.Option.KEEP_NONZERO_PATTERN, True)
        self.matrix.setNearNullSpace(self._rigid_motions())
        self._dt, self.failure = 0.0, ""

    def _rigid_motions(self) -> PETSc.NullSpace:
        """Return translations and rotations, which multigrid must know."""
        positions = self.matrix.createVecRight()
        positions.setBlockSize(3)
        positions.array = self._work.space.tabulate_dof_coordinates()[: self.owned].ravel()
        return PETSc.NullSpace().createRigidBody(positions)

    def at(self, time: float, dt: float) -> FloatArray:
        """Let loads be those of a time, ``dt`` us after the last accepted step.

        Returns:
            Displacements of the degrees of freedom that are prescribed, mm.
        """
        self._dt = dt
        self._loads.at(time)
        return self.prescribed.at(time)

    def evaluate(self) -> bool:
        """Find the forces at the displacements; return whether the law has a stress there.

        Raises:
            Exception: Of a law, other than that it cannot follow or has not converged; on every rank.
        """
        start = perf_counter()
        self._work.u.x.scatter_forward()
        self._work.deform(self._points.F)
        deformed = perf_counter()
        self.failure, error = "", None
        try:
            self._points.try_step(self._dt)
        except UnreachableError as caught:
            self.failure = f"{self._place(caught.cell)}: {caught}"
        except ConvergenceError as caught:
            self.failure = str(caught)
        except Exception as caught:
            error = caught
        found = perf_counter()
        words = self._comm.allgather((self.failure, error is not None))
        if any(failed for _, failed in words):
            raise_shared(self._comm, error)
        self.failure = next((failure for failure, _ in words if failure), "")
        if self.failure:
            return False
        self._sum_forces()
        self.timers["law"] += found - deformed
        self.timers["forces"] += perf_counter() - found + deformed - start
        return True

    def place(self, cell: int) -> tuple[int, tuple[float, float, float]]:
        """Return the original number of a cell of this rank, and its reference centre, mm."""
        geometry = self._mesh.geometry
        x, y, z = (float(c) for c in geometry.x[geometry.dofmaps[0][cell]].mean(axis=0))
        return int(self._mesh.topology.original_cell_index[cell]), (x, y, z)

    def _place(self, cell: int) -> str:
        original, (x, y, z) = self.place(cell)
        return f"cell {original} with reference centre ({x:.4g}, {y:.4g}, {z:.4g}) mm"

    def _sum_forces(self) -> None:
        """Bring the forces to the stress at the points."""
        self._work.balance()
        self._assemble(self._internal, self._work.internal)
        if self._of_loads is not None:
            self._assemble(self._external, self._of_loads)

    def resume(self, time: float) -> None:
        """Find the forces at displacements and stresses that have been filled, at a time, us."""
        self._loads.at(time)
        self._work.deform(self._points.F)
        self._sum_forces()

    def _assemble(self, vector: la.Vector, form: fem.Form) -> None:
        vector.array[:] = 0.0
        fem.assemble_vector(vector.array, form)
        vector.scatter_reverse(la.InsertMode.add)
        vector.scatter_forward()

    def unbalanced(self) -> FloatArray:
        """Return internal less external force, zero where displacements are prescribed; owned, (3 nodes,)."""
        free = (self.internal - self.external)[: self.owned].ravel()
        free[self.prescribed.dofs[: self.prescribed.owned]] = 0.0
        return free

    def norm(self, force: FloatArray) -> float:
        """Return the Euclidean norm of forces at all nodes."""
        own = force[: self.owned]
        return float(np.sqrt(self._comm.allreduce(float(np.sum(own * own)), op=MPI.SUM)))

    def force(self) -> float:
        """Return the norm of the forces at the nodes that balance, reactions included, kN."""
        return max(self.norm(self.internal), self.norm(self.external))

    def stiffness(self) -> PETSc.Mat:
        """Return the derivative of the unbalanced force by the displacements, no displacement held, kN/mm.

        Raises:
            Exception: What the law raised on any rank.
        """
        start = perf_counter()
        with shared_errors(self._comm):
            self._points.linearise(self._dt)
        linearised, matrix = perf_counter(), self.matrix
        matrix.zeroEntries()
        fem_petsc.assemble_matrix(matrix, self._stiffness)
        for nodes, added in self._work.eliminated():
            matrix.setValuesBlockedLocalRCV(nodes, nodes, added.reshape(len(nodes), -1), PETSc.InsertMode.ADD)
        matrix.assemble()
        self.timers["tangent"] += linearised - start
        self.timers["stiffness"] += perf_counter() - linearised
        return matrix

    def hold(self, matrix: PETSc.Mat, *solution_and_load: PETSc.Vec) -> Any:
        """Let the prescribed degrees of freedom be as in the solution, and move what they do to the load."""
        rows = self.prescribed.dofs[: self.prescribed.owned]
        matrix.zeroRowsColumnsLocal(rows.tolist(), self._diagonal, *solution_and_load)
