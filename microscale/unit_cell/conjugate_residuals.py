"""Linear equations that need not be symmetric, solved for several right-hand sides one after the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from microscale.errors import ConvergenceError
from microscale.tensors import FloatArray

MOST_DIRECTIONS = 1000
"""For all right-hand sides together."""
LOST = 1e-10
"""Part of an answer that is new below which it is made of rounding."""


class ConjugateResiduals:
    """Generalised conjugate residuals (Eisenstat, Elman and Schultz 1983).

    Directions are kept, and each right-hand side begins with the part of it that they answer. The
    preconditioner may change from call to call.

    Args:
        respond: Force that answers a displacement, both of shape (size,); linear.
        precondition: About the displacement that a force asks for.
    """

    def __init__(
        self,
        respond: Callable[[FloatArray], FloatArray],
        precondition: Callable[[FloatArray], FloatArray],
    ) -> None:
        self._respond, self._precondition = respond, precondition
        self._steps: list[FloatArray] = []
        self._answers: list[FloatArray] = []

    def solve(self, force: FloatArray, goal: float) -> FloatArray:
        """Return the displacement, shape (size,), whose answer differs from a force by the norm ``goal``.

        Raises:
            ConvergenceError: There is none among the displacements that were tried.
        """
        found, left = np.zeros_like(force), force.copy()
        for step, answer in zip(self._steps, self._answers, strict=True):
            _take(step, answer, found, left)
        while np.linalg.norm(left) > goal:
            if len(self._steps) == MOST_DIRECTIONS:
                raise ConvergenceError(
                    f"linear equations of a unit cell: {np.linalg.norm(left):.1e} GPa out of balance after "
                    f"{MOST_DIRECTIONS} iterations, expected {goal:.1e}: take smaller steps"
                )
            self._learn(self._precondition(left))
            _take(self._steps[-1], self._answers[-1], found, left)
        return found

    def _learn(self, step: FloatArray) -> None:
        """Keep a displacement and its answer, the latter made orthogonal to the others and of norm one."""
        answer = self._respond(step)
        size = np.linalg.norm(answer)
        for _ in range(2):  # once leaves rounding in
            for known, other in zip(self._steps, self._answers, strict=True):
                share = other @ answer
                step, answer = step - share * known, answer - share * other
        new = np.linalg.norm(answer)
        if not new > LOST * size:
            raise ConvergenceError("linear equations of a unit cell are singular: take smaller steps")
        self._steps.append(step / new)
        self._answers.append(answer / new)


def _take(step: FloatArray, answer: FloatArray, found: FloatArray, left: FloatArray) -> None:
    share = answer @ left
    found += share * step
    left -= share * answer
