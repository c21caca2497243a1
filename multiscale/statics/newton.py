"""Newton's iterations of one load step: PETSc's nonlinear solver, and the first iteration, which is ours.

The first one goes from the displacements foreseen to those prescribed: what the prescribed ones do to the
others is in its equations, so that cells at a moved surface are not crushed before the body follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpi4py import MPI

from microscale.errors import ConvergenceError
from microscale.tensors import FloatArray
from multiscale.statics.equilibrium import Equilibrium
from multiscale.statics.petsc_options import Options, give, require_used

from petsc4py import PETSc

#: Growth of the residual past which iterations are given up.
DIVERGED = 1e4

Reason = PETSc.SNES.ConvergedReason


class NotConvergedError(Exception):
    """A load step has no solution that Newton's iterations find; the same on every rank."""


class UnfinishedError(NotConvergedError):
    """More iterations might have found it; the displacements are those of the last one."""


@dataclass(frozen=True)
class Converged:
    """How a load step converged.

    Attributes:
        iterations: Newton iterations, each with a tangent and a linear solution.
        residuals: Norm of the unbalanced forces before each and after the last, over that of the forces.
    """

    iterations: int
    residuals: tuple[float, ...]


class Newton:
    """PETSc's solvers for one body; collective."""

    def __init__(self, equations: Equilibrium, u: FloatArray, options: Options, round_off: float) -> None:
        """Set the solvers up.

        Args:
            equations: Equilibrium.
            u: Displacements, shape (nodes, 3), ghosts last; moved to the solution.
            options: PETSc's, see :func:`multiscale.statics.petsc_options.give`.
            round_off: Norm of unbalanced forces that is left by round-off, kN.
        """
        self._equations, self._u, self._round_off = equations, u.reshape(-1)[: 3 * equations.owned], round_off
        self._solution, self._load = equations.matrix.createVecs()
        self._options, self._asked = options, False
        self._prefix = give(self._load.getSize(), options)
        self._residuals: list[float] = []
        self._given_up = ""
        self._error: BaseException | None = None
        self._snes = snes = PETSc.SNES().create(equations.matrix.comm)
        snes.setOptionsPrefix(self._prefix)
        snes.setFunction(self._function, self._load.duplicate())
        snes.setJacobian(self._jacobian, equations.matrix)
        snes.setConvergenceTest(self._test)
        snes.setFromOptions()

    def solve(self, time: float, dt: float) -> Converged:
        """Find equilibrium at a time, us, from displacements foreseen for it.

        Args:
            time: The time.
            dt: Time since the last accepted step, us.

        Raises:
            NotConvergedError: It is not found.
            InputError: An option of PETSc is taken by nothing, or a load is none.
        """
        self._residuals, self._given_up, self._error = [], "", None
        self._first_iteration(self._equations.at(time, dt))
        self._iterate()
        reason: Any = self._snes.getConvergedReason()
        if reason < 0:
            raise self._not_converged(reason)
        if not self._asked:
            require_used(self._prefix, self._options)
            self._asked = True
        self._u[:] = self._solution.array
        return Converged(1 + self._snes.getIterationNumber(), tuple(self._residuals))

    def _iterate(self) -> None:
        """Let PETSc go on; an error in what it calls comes out as it was raised, on every rank."""
        try:
            self._snes.solve(None, self._solution)
        except PETSc.Error:
            if self._error is None:
                raise
            raise self._error from None

    def _not_converged(self, reason: Any) -> NotConvergedError:
        """Return why, and leave the displacements of the last iteration."""
        self._u[:] = self._solution.array
        shown = " ".join(f"{residual:.0e}" for residual in self._residuals[-3:])
        why = self._given_up or self._equations.failure
        if not why and reason == Reason.DIVERGED_MAX_IT:
            return UnfinishedError(f"{len(self._residuals) - 1} iterations, last residuals {shown}")
        return NotConvergedError(why or f"{_in_words(reason, Reason)}, last residuals {shown}")

    def _first_iteration(self, prescribed: FloatArray) -> None:
        """Solve for the change from the displacements foreseen, that of the prescribed ones given."""
        equations, x, b = self._equations, self._solution, self._load
        if not equations.evaluate():
            raise NotConvergedError(equations.failure)
        b.array = -equations.unbalanced()
        self._residuals.append(b.norm() / self._scale())
        held = equations.prescribed.dofs[: equations.prescribed.owned]
        x.zeroEntries()
        x.array[held] = prescribed[: len(held)] - self._u[held]
        matrix = self._stiffness()
        if self._given_up:
            raise NotConvergedError(self._given_up)
        equations.hold(matrix, x, b)
        solver = self._snes.getKSP()
        solver.setOperators(matrix)
        solver.solve(b, x)
        reason: Any = solver.getConvergedReason()
        if reason < 0:
            raise NotConvergedError(f"linear equations: {_in_words(reason, PETSc.KSP.ConvergedReason)}")
        x.array = x.array + self._u

    def _stiffness(self) -> PETSc.Mat:
        """Return the stiffness at the last displacements; give the step up where the law has no tangent."""
        try:
            return self._equations.stiffness()
        except ConvergenceError as error:
            self._given_up = str(error)
            return self._equations.matrix

    def _function(self, _: PETSc.SNES, x: PETSc.Vec, residual: PETSc.Vec) -> None:
        """Write the unbalanced forces; what is not a number where there are none makes PETSc go back."""
        with self._errors_kept():
            self._u[:] = x.array_r
            if not self._given_up and self._equations.evaluate():
                residual.array = self._equations.unbalanced()
            else:
                residual.set(np.nan)

    def _jacobian(self, _: PETSc.SNES, x: PETSc.Vec, matrix: PETSc.Mat, __: PETSc.Mat) -> None:
        """Let the matrix be the stiffness at ``x``; a line search need not have looked there last."""
        with self._errors_kept():
            here = np.array_equal(self._u, x.array_r)
            if not matrix.comm.tompi4py().allreduce(here, op=MPI.LAND):
                self._u[:] = x.array_r
                self._equations.evaluate()
            self._equations.hold(self._stiffness())

    @contextmanager
    def _errors_kept(self) -> Iterator[None]:
        """Keep an error: PETSc, which calls the block, would make one of its own of it."""
        try:
            yield
        except BaseException as error:
            self._error = error
            raise

    def _scale(self) -> float:
        return max(self._equations.force(), self._round_off)

    def _test(self, snes: PETSc.SNES, iteration: int, norms: tuple[float, float, float]) -> Any:
        """Compare the unbalanced forces with those that balance."""
        _, _, unbalanced = norms
        if not np.isfinite(unbalanced):
            return Reason.DIVERGED_FUNCTION_NANORINF
        self._residuals.append(unbalanced / self._scale())
        relative, absolute, _, _ = snes.getTolerances()
        if unbalanced <= max(absolute, relative * self._scale(), self._round_off):
            return Reason.CONVERGED_FNORM_RELATIVE
        far = self._residuals[-1] > DIVERGED * max(self._residuals[0], 1.0)
        return Reason.DIVERGED_DTOL if far else Reason.ITERATING


def _in_words(number: int, reasons: Any) -> str:
    """Return PETSc's word for why a solver has ended."""
    words = [name for name, value in vars(reasons).items() if value == number and not name.startswith("_")]
    return words[0] if words else f"reason {number}"
