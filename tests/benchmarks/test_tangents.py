"""Cost of a tangent beside that of the update of the same points, flowing plastically, on one core."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from microscale.law import ConstitutiveLaw
from multiscale.laws import make_law
from multiscale.surrogate.store import SHIPPED

WARM = 5
# Law, its options, points, and what a tangent may cost, in updates.
LAWS = {
    "neo-hooke": ("neo-hooke", {}, 3000, 15.0),
    "j2": ("j2", {}, 3000, 15.0),
    "johnson-cook": ("johnson-cook", {}, 3000, 15.0),
    "learned": ("learned", {}, 1600, 20.0),
    "learned double": ("learned", {"precision": "double"}, 1600, 12.0),
    "taylor": ("taylor", {}, 8, 100.0),
    "fft2d": ("fft2d", {"resolution": 16}, 1, 40.0),
    "fft3d": ("fft3d", {"grains": 8, "resolution": 8}, 1, 300.0),
}


def impact_paths(points: int) -> np.ndarray:
    """Compression and shear in strain steps of 1e-3, different at each point, (steps, points, 3, 3)."""
    rate = np.array([[0.5, 0.3, 0.0], [0.0, 0.5, 0.1], [0.0, 0.2, -1.0]])
    rate = rate + 0.3 * np.random.default_rng(0).standard_normal((points, 3, 3))
    return np.eye(3) + 1e-3 * np.arange(20, 21 + WARM)[:, None, None, None] * rate


def least(law: Callable[[], object], before: Callable[[], object], times: int) -> float:
    """Least processor time of a call, s, of several."""
    spent = []
    for _ in range(times):
        before()
        start = time.process_time()
        law()
        spent.append(time.process_time() - start)
    return min(spent)


def ratio_of(law: ConstitutiveLaw, points: int, times: int) -> tuple[float, float]:
    """Return the cost of an update at a point, us, and that of a tangent in updates."""
    F, P, A = impact_paths(points), np.empty((points, 3, 3)), np.empty((points, 3, 3, 3, 3))
    state = law.init_state(points)
    for F_k in F[:WARM]:
        law.update(F_k, 0.005, state, P)
    held = [state.copy()]
    update = least(
        lambda: law.update(F[WARM], 0.005, held[0], P), lambda: held.__setitem__(0, state.copy()), times
    )
    tangent = least(lambda: law.tangent(F[WARM], 0.005, state, A), lambda: None, times)
    assert np.isfinite(A).all()
    return update / points * 1e6, tangent / update


@pytest.mark.parametrize("name", LAWS)
def test_cost_of_a_tangent(benchmark, capsys, name):
    law_name, options, points, budget = LAWS[name]
    if law_name == "learned" and not SHIPPED.exists():
        pytest.skip("no surrogate has been trained")
    law, times = make_law(law_name, **options), 40 if points > 1000 else 4
    update, ratio = benchmark.pedantic(ratio_of, args=(law, points, 1 if benchmark.disabled else times))
    if not benchmark.disabled:
        with capsys.disabled():
            print(f"\n{name}: update {update:.3g} us, tangent {ratio:.1f} updates, budget {budget:.0f}")
