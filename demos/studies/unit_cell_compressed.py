"""Does the solid unit cell follow random paths to their end, and do its voxels keep the volume of the cell?

Drives 16 grains of magnesium along R paths. For each path: the smallest and the largest volume it prescribes;
the largest volume that voxels together lose or win against the cell, and the largest stretch of a voxel, both
looked at every tenth step; and the calls of the local law a step. Under the pressure of a compressed cell
both used to run away (:mod:`microscale.unit_cell.pressure`), or the path ended without equilibrium.

    OMP_NUM_THREADS=1 python demos/studies/unit_cell_compressed.py --seed 880088 --seed 1 --seed 2 --paths 34
    OMP_NUM_THREADS=1 python demos/studies/unit_cell_compressed.py --seed 0 --derivative enriched --resolution
    8
"""

import numpy as np

from microscale.errors import ConvergenceError, DeformationError
from microscale.paths.protocols import StrainPaths, StretchPath
from microscale.progress import tracked
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.microstructure import periodic_voronoi
from multiscale.laws import Derivative
from multiscale.run.command import launch
from multiscale.run.inputs import require_positive

LOOK = 10
"""Steps between looks at the voxels."""


def compressed(
    *,
    seed: tuple[int, ...] = (880088, 1, 2),
    paths: int = 34,
    max_strain: float = 0.1,
    resolution: int = 16,
    derivative: Derivative = "stabilised",
    steps: int = 200,
) -> np.ndarray:
    """Print a line a path; return the columns lost volume, largest stretch and calls a step, a row a path.

    Args:
        seed: Seeds of the paths.
        paths: Paths of each seed.
        max_strain: U_max of protocol R.
        resolution: Voxels along a side.
        derivative: Discrete derivative of the cell.
        steps: Time steps of a path.

    Raises:
        ConvergenceError: Paths without equilibrium, after the others have been driven.
    """
    require_positive("", paths=paths, steps=steps, resolution=resolution)
    print("| seed | path | volume | lost volume | largest stretch | calls a step |", flush=True)
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    found, failed = [], []
    for number in seed:
        protocol = StrainPaths("R", max_strain, steps, seed=number)
        for index in tracked(range(paths), f"paths of seed {number},"):
            path = protocol.path(index)
            cell = FullFieldCell.polycrystal(
                periodic_voronoi(16, (resolution,) * 3), derivative=derivative, threads=1
            )
            try:
                lost, stretch = _follow(cell, path)
            except (ConvergenceError, DeformationError) as error:
                failed.append(f"seed {number}, path {index}: {error}")
                print(f"| {number} | {index} | failed: {error} |", flush=True)
                continue
            found.append((lost, stretch, cell.law_calls / steps))
            J = np.linalg.det(path.stretch)
            print(
                f"| {number} | {index} | {J.min():.2f} to {J.max():.2f} | {lost:.1e} | {stretch:.2f} "
                f"| {cell.law_calls / steps:.1f} |",
                flush=True,
            )
    print(f"{len(found)} of {len(found) + len(failed)} paths were followed to their end")
    if failed:
        raise ConvergenceError(f"{len(failed)} paths ended without equilibrium, first {failed[0]}")
    return np.array(found)


def _follow(cell: FullFieldCell, path: StretchPath) -> tuple[float, float]:
    """Largest volume lost and largest stretch of a voxel, where looked."""
    state, P, lost, stretch = cell.init_state(1), np.empty((1, 3, 3)), 0.0, 1.0
    steps = list(zip(path.stretch, np.diff(path.times, prepend=0.0), strict=True))
    for k, (U, dt) in enumerate(tracked(steps, "steps")):
        cell.update(U[None].copy(), dt, state, P)
        if k % LOOK == 0:
            F = state["voxel_F"][0]
            lost = max(lost, abs(float(np.linalg.det(F).mean() - np.linalg.det(U))))
            stretch = max(stretch, float(np.linalg.norm(F, 2, axis=(1, 2)).max()))
    return lost, stretch


if __name__ == "__main__":
    launch(compressed)
