"""Linear equations that are not symmetric, one right-hand side after the other."""

import numpy as np
import pytest

from microscale.errors import ConvergenceError
from microscale.unit_cell.conjugate_residuals import ConjugateResiduals


def equations(n: int = 30, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    A, B = np.random.default_rng(seed).standard_normal((2, n, n))
    return 20.0 * np.eye(n) + A, B


def test_solutions_are_those_of_the_matrix():
    A, B = equations()
    solver = ConjugateResiduals(lambda x: A @ x, lambda f: f / 20.0, len(A))
    for b in B[:5]:
        np.testing.assert_allclose(solver.solve(b, 1e-12), np.linalg.solve(A, b), atol=1e-11)


def test_a_preconditioner_may_change():
    A, B = equations()
    rng = np.random.default_rng(1)
    solver = ConjugateResiduals(lambda x: A @ x, lambda f: f * rng.uniform(0.03, 0.07, f.shape), len(A))
    np.testing.assert_allclose(solver.solve(B[0], 1e-12), np.linalg.solve(A, B[0]), atol=1e-11)


def test_what_is_known_is_not_asked_again():
    A, B = equations()
    asked = []
    solver = ConjugateResiduals(lambda x: asked.append(1) or A @ x, lambda f: f, len(A))
    solver.solve(B[0], 1e-12)
    solver.solve(B[1], 1e-12)
    before = len(asked)
    assert before <= len(A)
    found = solver.solve(B[0] - 2.0 * B[1], 1e-10)
    assert len(asked) == before
    np.testing.assert_allclose(A @ found, B[0] - 2.0 * B[1], atol=1e-10)


def test_singular_equations_are_an_error_and_not_endless():
    A = np.diag([1.0, 1.0, 0.0])
    solver = ConjugateResiduals(lambda x: A @ x, lambda f: f, len(A))
    with pytest.raises(ConvergenceError, match="singular"):
        solver.solve(np.ones(3), 1e-9)
