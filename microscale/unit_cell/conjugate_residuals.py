"""Linear equations that need not be symmetric, solved for several right-hand sides one after the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from microscale.errors import ConvergenceError
from microscale.tensors import FloatArray

MOST_DIRECTIONS = 1000
"""For all right-hand sides together."""
ROOM = 32
"""For directions, at first."""
LOST = 1e-10
"""Part of an answer that is new below which it is made of rounding."""


class ConjugateResiduals:
    """Generalised conjugate residuals (Eisenstat, Elman and Schultz 1983).

    Directions are kept, and each right-hand side begins with the part of it that they answer. The
    preconditioner may change from call to call.

    Args:
        respond: Force that answers a displacement, both of shape (size,); linear.
        precondition: About the displacement that a force asks for.
        size: Number of unknowns.
    """

    def __init__(
        self,
        respond: Callable[[FloatArray], FloatArray],
        precondition: Callable[[FloatArray], FloatArray],
        size: int,
    ) -> None:
        self._respond, self._precondition, self._count = respond, precondition, 0
        self._steps, self._answers = np.empty((2, ROOM, size))

    def solve(self, force: FloatArray, goal: float) -> FloatArray:
        """Return the displacement, shape (size,), whose answer differs from a force by the norm ``goal``.

        Raises:
            ConvergenceError: There is none among the displacements that were tried.
        """
        known = slice(self._count)
        shares = self._answers[known] @ force
        found, left = shares @ self._steps[known], force - shares @ self._answers[known]
        while np.linalg.norm(left) > goal:
            if self._count == MOST_DIRECTIONS:
                raise ConvergenceError(
                    f"linear equations of a unit cell: {np.linalg.norm(left):.1e} GPa out of balance after "
                    f"{MOST_DIRECTIONS} iterations, expected {goal:.1e}: take smaller steps"
                )
            step, answer = self._learn(self._precondition(left))
            share = answer @ left
            found += share * step
            left -= share * answer
        return found

    def _learn(self, step: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Keep a displacement and its answer, the latter made orthogonal to the others and of norm one."""
        answer, known = self._respond(step), slice(self._count)
        size = np.linalg.norm(answer)
        for _ in range(2):  # once leaves rounding in
            shares = self._answers[known] @ answer
            step, answer = step - shares @ self._steps[known], answer - shares @ self._answers[known]
        new = np.linalg.norm(answer)
        if not new > LOST * size:
            raise ConvergenceError("linear equations of a unit cell are singular: take smaller steps")
        if self._count == len(self._steps):
            self._steps, self._answers = map(_twice, (self._steps, self._answers))
        self._steps[self._count], self._answers[self._count] = step / new, answer / new
        self._count += 1
        return self._steps[self._count - 1], self._answers[self._count - 1]


def _twice(rows: FloatArray) -> FloatArray:
    """Return rows with room for as many again."""
    return np.concatenate([rows, np.empty_like(rows)])
