"""What every law owes those who solve for equilibrium: the tangent of its step.

A law joins as in test_conformance.py. A difference says nothing at a kink of a law, nor where a crystal takes
another number of sub-steps. So a point counts where the reference agrees with itself: of crystals most must,
of other laws all.
"""

import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from test_conformance import LAWS, POINTS, STEP, paths

from microscale.errors import DeformationError, InputError
from microscale.law import ConstitutiveLaw, State
from microscale.tensors import from_mandel

pytestmark = pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")

PROMISED = 1e-6
"""Largest difference of a tangent, relative to its largest component at the point."""
CELLS = ("fft2d", "fft3d", "phases")
"""Each update is a boundary-value problem: few points."""
CRYSTALS = ("crystal", "taylor")
"""Their sub-steps change in number here and there; where twins compete, nearly everywhere."""
EVERY = slice(None)
SITUATIONS = {
    "loading": lambda F: (F[:3], F[3], STEP),
    "after a reversal": lambda F: (F[:-1], F[-1], STEP),
    "back": lambda F: (F[:3], back(F), STEP),
    "at once": lambda F: (F[:3], F[3], 0.0),
    "slow": lambda F: (F[:3], F[3], 20.0 * STEP),
    "held": lambda F: ([*F[:3], back(F)], back(F), STEP),
}
"""Deformations (samples, points, 3, 3) before a step; that at its end, and the time it takes."""


def back(F: np.ndarray) -> np.ndarray:
    """A tenth of the last step back: inside of what has yielded."""
    return 0.9 * F[2] + 0.1 * F[1]


@pytest.fixture(scope="module", params=LAWS)
def law(request) -> ConstitutiveLaw:
    return LAWS[request.param].make()


def some(law: ConstitutiveLaw) -> slice:
    return slice(4, 6) if law.name in CELLS else EVERY


def reached(law: ConstitutiveLaw, F: Sequence[np.ndarray]) -> State:
    """Return the state after the samples F, each (points, 3, 3)."""
    state, P = law.init_state(len(F[0])), np.empty(F[0].shape)
    for k, F_k in enumerate(F):
        law.update(np.ascontiguousarray(F_k), STEP if k else 0.0, state, P)
    return state


def step_of(law: ConstitutiveLaw, situation: str, Q: np.ndarray | None = None) -> tuple:
    """Return F, dt and the state of a step, of a body turned by Q."""
    F = paths()[:, some(law)] if Q is None else Q @ paths()[:, some(law)]
    before, end, dt = SITUATIONS[situation](F)
    return np.ascontiguousarray(end), dt, reached(law, before)


def tangent(law: ConstitutiveLaw, F: np.ndarray, dt, state: State) -> np.ndarray:
    A = np.full((len(F), 3, 3, 3, 3), np.nan)
    law.tangent(F, dt, state, A)
    return A


def smooth(law: ConstitutiveLaw) -> ConstitutiveLaw:
    """Return the law without the noise of iterations that stop early, or of single precision."""
    return law.smooth


def _is_recurrent(law: ConstitutiveLaw) -> bool:
    return law.name == "learned" and law.card.kind == "recurrent"


def slope(law: ConstitutiveLaw, F: np.ndarray, dt, state: State, k: int, l: int, h: float) -> np.ndarray:
    """Richardson's extrapolation of central differences over h, h / 2 and h / 4, of updates."""
    sides = []
    for size in (h, -h, h / 2, -h / 2, h / 4, -h / 4):
        moved, P = F.copy(), np.empty_like(F)
        moved[:, k, l] += size
        law.update(moved, dt, state.copy(), P)
        sides.append(P)
    rows = [(sides[2 * i] - sides[2 * i + 1]) / (2.0 * h / 2**i) for i in range(3)]
    rows = [(4.0 * fine - coarse) / 3.0 for coarse, fine in pairwise(rows)]
    return (16.0 * rows[1] - rows[0]) / 15.0


def reference(law: ConstitutiveLaw, F: np.ndarray, dt, state: State, h: float) -> np.ndarray:
    A = np.empty((len(F), 3, 3, 3, 3))
    for k, l in np.ndindex(3, 3):
        A[..., k, l] = slope(law, F, dt, state, k, l, h)
    return A


def off(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Largest difference at each point over the largest component of B."""
    axes = (1, 2, 3, 4)
    return np.abs(A - B).max(axis=axes) / np.abs(B).max(axis=axes)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_tangent_is_the_slope_of_the_step(law, situation):
    if law.name in CELLS and situation not in ("loading", "back"):
        pytest.skip("the same code, and seconds of it")
    if _is_recurrent(law) and situation == "held":
        pytest.skip("a kink: see tests/unit/test_law_tangents.py")
    Q = Rotation.random(rng=np.random.default_rng(4)).as_matrix()
    F, dt, state = step_of(law, situation, Q)
    exact = smooth(law)
    coarse, fine = (reference(exact, F, dt, state, h) for h in (3e-7, 1e-7))
    counts = off(coarse, fine) < PROMISED / 4.0
    assert counts.mean() > 0.5 if law.name in CRYSTALS else counts.all(), off(coarse, fine)
    # Solved to rounding a crystal may take other sub-steps: this is the tangent of those.
    error = off(tangent(law if _is_recurrent(law) else exact, F, dt, state), fine)
    assert error[counts].max() < PROMISED, error


def test_what_is_differenced_is_the_law(law):
    F, dt, state = step_of(law, "loading")
    P, P_smooth = np.empty_like(F), np.empty_like(F)
    law.update(F, dt, state.copy(), P)
    smooth(law).update(F, dt, state.copy(), P_smooth)
    np.testing.assert_allclose(P_smooth, P, rtol=0.0, atol=1e-3 * np.abs(P).max())
    error = off(tangent(law, F, dt, state), tangent(smooth(law), F, dt, state))
    assert np.median(error) < PROMISED, error


@pytest.mark.parametrize("situation", ["loading", "back"])
def test_a_turned_body_has_the_turned_tangent(law, situation):
    Q = Rotation.random(rng=np.random.default_rng(1)).as_matrix()
    A, turned = (tangent(law, *step_of(law, situation, R)) for R in (None, Q))
    error = off(turned, np.einsum("ia,kb,pajbl->pijkl", Q, Q, A))
    # A rotation rounds, which may change the number of sub-steps of a crystal.
    assert (np.median(error) if law.name in CRYSTALS else error.max()) < PROMISED, error


def test_points_do_not_know_their_batch(law):
    F, dt, state = step_of(law, "loading")
    whole, half = tangent(law, F, dt, state), len(F) // 2
    for part in (slice(0, half), slice(half, None)):
        mine = State({name: np.ascontiguousarray(array[part]) for name, array in state.items()})
        np.testing.assert_array_equal(tangent(law, np.ascontiguousarray(F[part]), dt, mine), whole[part])


def test_nothing_is_changed_but_the_tangent(law):
    F, dt, state = step_of(law, "loading")
    given, before = F.copy(), state.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nor is anything said of states that are only tried
        A = tangent(law, F, dt, state)
    np.testing.assert_array_equal(F, given)
    for name in before:
        np.testing.assert_array_equal(state[name], before[name], err_msg=name)
    np.testing.assert_array_equal(tangent(law, F, dt, state), A)  # nor does the law remember


def test_one_step_for_all_points_or_one_each(law):
    F, dt, state = step_of(law, "loading")
    np.testing.assert_array_equal(tangent(law, F, np.full(len(F), dt), state), tangent(law, F, dt, state))


def test_at_rest_it_is_the_elasticity(law):
    """The moduli of a law are measured at a strain of 1e-6 and are off by as much, and rounding."""
    if law.name == "learned" and not _is_recurrent(law):
        pytest.skip("no stiffness at rest is promised")
    F = np.tile(np.eye(3), (1, 1, 1))
    A = tangent(law, F, 0.0, law.init_state(1))[0]
    np.testing.assert_allclose(A, elasticity(law), rtol=0.0, atol=1e-4 * law.moduli().bulk)


def elasticity(law: ConstitutiveLaw) -> np.ndarray:
    """Return the stiffness at rest, shape (3, 3, 3, 3): of a cell of phases as it measures it."""
    moduli, I = law.moduli(), np.eye(3)
    if law.name == "phases":
        basis = from_mandel(np.eye(6))
        return np.einsum("ab,aij,bkl->ijkl", law.elasticity().stiffness, basis, basis)
    pairs = np.einsum("ik,jl->ijkl", I, I) + np.einsum("il,jk->ijkl", I, I)
    return moduli.shear * pairs + moduli.lame * np.einsum("ij,kl->ijkl", I, I)


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (np.empty((POINTS, 9, 9)), "expected C-contiguous float64"),
        (np.empty((POINTS - 1, 3, 3, 3, 3)), "expected C-contiguous float64"),
        (np.empty((POINTS, 3, 3, 3, 3), np.float32), "float32"),
        (np.empty((3, 3, 3, 3, POINTS)).T, "expected C-contiguous float64"),
    ],
    ids=["shape", "points", "precision", "strided"],
)
def test_room_that_does_not_fit_is_refused(law, out, message):
    with pytest.raises(InputError, match=message):
        law.tangent(paths()[0], STEP, law.init_state(POINTS), out)


def test_a_bad_deformation_is_refused_and_changes_nothing(law):
    F, A = paths()[0].copy(), np.zeros((POINTS, 3, 3, 3, 3))
    F[3] = np.diag([1.0, -1.0, 1.0])
    with pytest.raises(DeformationError, match=r"point 3 .*det F"):
        law.tangent(F, STEP, law.init_state(POINTS), A)
    assert not A.any()
