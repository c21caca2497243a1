"""What exported laws cost beside the law in Python, on the same points; never pass or fail on time.

Run with `OMP_NUM_THREADS=1 .venv/bin/pytest tests/benchmarks/test_export_speed.py --benchmark-enable -s`.
"""

import ctypes
import time
from collections.abc import Callable

import numpy as np
import pytest
from exported_law import loaded, pointer

from microscale.tensors import polar_decomposition
from multiscale.surrogate.recurrent.law import LearnedLaw

POINTS, BLOCK, ROUNDS, BUDGET = 3072, 512, 60, 1.1  # Abaqus has blocks of at most 512
NUMBERS = 79
FLAGS = (
    *("-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"),
    "-fno-tree-loop-distribute-patterns",
)
RATE = np.array([[0.5, 0.3, 0.0], [0.0, 0.5, 0.1], [0.0, 0.2, -1.0]])
DT = 0.005


def deformation(step: int) -> np.ndarray:
    """Compression and shear in strain steps of 1e-3, different at each point."""
    rate = RATE + 0.3 * np.random.default_rng(0).standard_normal((POINTS, 3, 3))
    return np.eye(3) + 1e-3 * (20 + step % 30) * rate


def of_python(precision: str) -> Callable[[np.ndarray], None]:
    law = LearnedLaw.from_file(precision=precision)
    state, P = law.init_state(POINTS), np.empty((POINTS, 3, 3))
    return lambda F: law.update(F, DT, state, P)


def of_c(folder, *flags: str, points: int = POINTS, **options) -> Callable[[np.ndarray], None]:
    library = loaded(folder, "c", *FLAGS, *flags, **options)
    state, P = np.zeros((POINTS, NUMBERS)), np.empty((POINTS, 3, 3))

    def update(F: np.ndarray) -> None:
        for first in range(0, POINTS, points):
            arrays = (pointer(array[first : first + points]) for array in (F, state, P))
            library.magnesium_update(ctypes.c_long(points), ctypes.c_double(DT), *arrays)

    return update


def of_vumat(folder, **options) -> Callable[[np.ndarray], None]:
    library = loaded(folder, "vumat", *FLAGS, **options)
    blocks, times = POINTS // BLOCK, [ctypes.c_double(value) for value in (1.0, 1.0, DT)]
    states = [np.zeros((blocks, NUMBERS, BLOCK)), np.zeros((blocks, NUMBERS, BLOCK))]
    tensor, energy, density = np.zeros((6, BLOCK)), np.zeros((4, BLOCK)), np.ones(BLOCK)

    def update(F: np.ndarray) -> None:
        for k, U in enumerate(F):
            old = [density, tensor, U, tensor, states[0][k], energy[0], energy[1]]
            new = [U, tensor, states[1][k], energy[2], energy[3]]
            library.magnesium_vumat(BLOCK, 3, *times, *map(pointer, old + new))
        states.reverse()

    return update


def in_blocks(F: np.ndarray) -> np.ndarray:
    """Return stretches as a VUMAT has them (blocks, 6, points of a block)."""
    U = polar_decomposition(F)[1].reshape(-1, BLOCK, 9)[:, :, [0, 4, 8, 1, 5, 2]]
    return np.ascontiguousarray(np.swapaxes(U, 1, 2))


def least(updates: list[Callable[[np.ndarray], None]], paths: list[list[np.ndarray]]) -> np.ndarray:
    """Return the least time of a call of each, s; they take turns, so that all meet the same machine."""
    times = np.full(len(updates), np.inf)
    for step in range(ROUNDS):
        for k, update in enumerate(updates):
            F = paths[k][step]
            begin = time.thread_time()
            update(F)
            times[k] = min(times[k], time.thread_time() - begin)
    return times


@pytest.mark.parametrize("precision", ["single", "double"])
def test_cost_beside_the_law_in_python(benchmark, capsys, tmp_path, precision):
    if not benchmark.enabled:
        pytest.skip("benchmarks are switched off")
    paths = [deformation(step) for step in range(ROUNDS)]
    stretched = [in_blocks(F) for F in paths]
    for folder in ("c", "vumat", "plain"):
        (tmp_path / folder).mkdir()
    names = ("python", "C", "VUMAT", "plain C99")
    updates = [
        of_python(precision),
        of_c(tmp_path / "c", precision=precision),
        of_vumat(tmp_path / "vumat", precision=precision),
        of_c(tmp_path / "plain", "-DONE_LANE", precision=precision),
    ]
    times = benchmark.pedantic(least, (updates, [paths, paths, stretched, paths]), rounds=1)
    with capsys.disabled():
        for name, seconds in zip(names, times, strict=True):
            cost, ratio = 1e6 * seconds / POINTS, seconds / times[0]
            print(f"\n{precision} {name}: {cost:.3f} us, {ratio:.2f} of Python (budget {BUDGET})")
