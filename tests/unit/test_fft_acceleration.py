"""Secants of a fixed point: they speed it up, and damp what is stiffer than the reference medium."""

import numpy as np
import pytest

from microscale.unit_cell.acceleration import SecantMemory
from microscale.unit_cell.cell import PATIENCE, _promising


def imbalances(stiffness: np.ndarray, memory: int, iterations: int) -> np.ndarray:
    """Norm of d = 1 - stiffness y after each iteration from y = 0."""
    secants = SecantMemory(np.zeros((2, memory, len(stiffness))), 0)
    y, last, norms = np.zeros(len(stiffness)), None, []
    for _ in range(iterations):
        d = 1.0 - stiffness * y
        norms.append(np.linalg.norm(d))
        if last is not None:
            secants.learn(last[0], d - last[1])
        last = secants.improve(d), d
        y += last[0]
    return np.array(norms)


def test_a_material_near_the_reference_medium_needs_few_iterations():
    stiffness = np.linspace(0.3, 1.7, 200)
    assert imbalances(stiffness, 0, 20)[-1] > 1e-3  # 0.7^19, the fixed point alone
    assert imbalances(stiffness, 20, 20)[-1] < 1e-5


@pytest.mark.parametrize("stiffest", [5.0, 30.0])
def test_a_much_stiffer_material_is_followed_too(stiffest):
    """The fixed point alone grows by ``stiffest`` - 1 an iteration; a short memory cannot hold all of it."""
    stiffness = np.geomspace(1.0, stiffest, 200)
    assert imbalances(stiffness, 0, 5)[-1] > 10.0
    norms = imbalances(stiffness, 5, 100)
    assert norms[-1] < 1e-6 * norms[0]


def test_a_good_prediction_is_no_reason_to_lose_patience():
    falling = list(np.geomspace(3e-2, 1.2e-3, PATIENCE + 1))
    assert _promising([1.1e-3, *falling])
    assert not _promising([1.1e-3, *falling, *[1.2e-3] * PATIENCE])
    assert not _promising([1.0, np.inf])
