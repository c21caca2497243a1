"""Does the plane unit cell converge with its grid along the random paths of the data sets, and does it ring?

Drives 16 grains of the plane crystal along R paths of 10 % on ever finer grids. For each grid: the distance
of the mean stress from that on the next finer one (relative L2 in time, as errors of surrogates are), with
the slope; then, at a quarter, half and all of the path, how the field of the deviator alternates, in the
middles of voxels and at their corners (:mod:`microscale.unit_cell.alternation`): the share of its variation
at the Nyquist wavelength, and its power at the shortest wavelengths along both axes over its mean power,
which is 1 for white noise and nearly 16 for a checkerboard.

    OMP_NUM_THREADS=1 python demos/studies/unit_cell_convergence.py
    OMP_NUM_THREADS=1 python demos/studies/unit_cell_convergence.py --resolution 64 --derivative spectral
    OMP_NUM_THREADS=1 python demos/studies/unit_cell_convergence.py --resolution 64 --second-system 60

Prints a table, and draws the distances in the folder ``--output``.
"""

import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[1]))  # the demos are scripts beside this folder

from unit_cell import with_second_system

from microscale.crystals.crystal import Crystal, read_crystal
from microscale.inputs.numbers import Count, OutFolder, Seed, checked
from microscale.law import State
from microscale.paths.protocols import StrainPaths, StretchPath
from microscale.progress import tracked
from microscale.tensors import FloatArray, cauchy_from_piola
from microscale.unit_cell.alternation import at_corners, checkerboard_power, nyquist_variation
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.microstructure import periodic_voronoi
from multiscale.laws import Derivative
from multiscale.run.command import launch
from multiscale.surrogate.histories import deviator, relative_errors

SECOND = 1e6  # us
STEPS = 200
LOOKS = (STEPS // 4, STEPS // 2, STEPS)


class Response(NamedTuple):
    """What the cell of one grid does.

    Attributes:
        stress: Mean Cauchy stress along each path, GPa, shape (paths, samples, 3, 3).
        alternation: Share at the Nyquist wavelength, and power there, in the middles and at the corners of
            voxels, at each look, mean over the paths, shape (looks, 4).
        calls: Calls of the local law a step.
    """

    stress: FloatArray
    alternation: FloatArray
    calls: float


@checked
def convergence(
    *,
    resolution: tuple[Count, ...] = (16, 32, 64, 128, 256),
    derivative: Derivative = "enriched",
    paths: Count = 8,
    seed: Seed = 2,
    second_system: float = 90.0,
    output: OutFolder = Path("results/unit-cell-convergence"),
) -> dict[str, FloatArray]:
    """Print the table; return distances (grids - 1, paths, 2) and alternation (grids, looks, 4).

    Args:
        resolution: Voxels along a side, each grid finer than the one before.
        derivative: Discrete derivative.
        paths: Number of R paths.
        seed: Seed of the paths; that of the test sets of ``demos/paper/data.py`` by default.
        second_system: Degrees from the first slip system of the crystal to the second; see ``unit_cell.py``.
        output: Folder for the picture.
    """
    crystal = with_second_system(read_crystal("two_slip.yaml"), np.radians(second_system))
    walks = StrainPaths("R", 0.1, STEPS, (SECOND, SECOND), seed, dimension=2)
    drawn = [walks.path(index) for index in range(paths)]
    print("| voxels | calls a step | share at the Nyquist wavelength, middles | power | corners | power |")
    print("| --- | --- | --- | --- | --- | --- |")
    found = []
    for n in resolution:
        found.append(_respond(n, derivative, crystal, drawn))
        columns = [", ".join(f"{value:.2f}" for value in row) for row in found[-1].alternation.T]
        print(f"| {n}^2 | {found[-1].calls:.1f} | {' | '.join(columns)} |", flush=True)
    times = np.stack([path.times for path in drawn])
    distances = []
    for coarse, fine in pairwise(found):
        errors = relative_errors(coarse.stress, fine.stress, times)
        distances.append(np.column_stack([errors.total, errors.deviatoric]))
    result = np.reshape(distances, (-1, paths, 2))
    if len(result) > 0:
        _report(resolution, result)
        output.mkdir(parents=True, exist_ok=True)
        _draw(output / f"{derivative}.png", resolution, result)
    return {"distance": result, "alternation": np.stack([response.alternation for response in found])}


def _respond(n: int, derivative: str, crystal: Crystal, paths: list[StretchPath]) -> Response:
    cell = FullFieldCell.polycrystal(periodic_voronoi(16, (n, n), seed=0), crystal, derivative=derivative)
    stress = np.zeros((len(paths), STEPS + 1, 3, 3))
    alternation = np.zeros((len(paths), len(LOOKS), 4))
    each = list(zip(paths, stress, alternation, strict=True))
    for path, sigma, seen in tracked(each, f"paths of {n} voxels a side,"):
        state, P = cell.init_state(1), np.empty((1, 3, 3))
        for k in tracked(range(1, STEPS + 1), "steps"):
            cell.update(path.stretch[k : k + 1], path.times[k] - path.times[k - 1], state, P)
            sigma[k] = cauchy_from_piola(P, path.stretch[k : k + 1])[0]
            if k in LOOKS:
                seen[LOOKS.index(k)] = _alternation(cell, state)
    return Response(stress, alternation.mean(axis=0), cell.law_calls / STEPS / len(paths))


def _alternation(cell: FullFieldCell, state: State) -> list[float]:
    """Share at the Nyquist wavelength and power there, of the deviator in the middles and at the corners."""
    F, P = cell.voxel_fields(state)
    stress = deviator(cauchy_from_piola(P, F))
    middles = [stress[:, 0, j].reshape(cell.grid.shape) for j in (0, 1)]
    corners = [at_corners(field, axes=(0, 1)) for field in middles]
    return [
        float(np.mean([measure(field) for field in fields]))
        for fields in (middles, corners)
        for measure in (nyquist_variation, checkerboard_power)
    ]


def _slope(resolution: tuple[int, ...], distance: FloatArray) -> float:
    """Order of convergence by least squares, of the means over paths, shape (grids - 1,)."""
    return -float(np.polyfit(np.log(resolution[:-1]), np.log(distance), 1)[0])


def _report(resolution: tuple[int, ...], distance: FloatArray) -> None:
    for n, finer, (total, deviatoric) in zip(resolution, resolution[1:], distance.mean(axis=1), strict=False):
        print(f"{n}^2 off {finer}^2: total {total:.2%}, deviatoric {deviatoric:.2%}")
    if len(distance) > 1:
        slopes = [_slope(resolution, distance[:, :, part].mean(axis=1)) for part in (0, 1)]
        print(f"slope, least squares: total {slopes[0]:.2f}, deviatoric {slopes[1]:.2f}")


def _draw(picture: Path, resolution: tuple[int, ...], distance: FloatArray) -> None:
    figure = Figure((4.6, 3.6), layout="constrained")
    axes = figure.subplots()
    coarse = np.array(resolution[:-1], dtype=float)
    for part, (name, colour) in enumerate({"total": "C0", "deviatoric": "C1"}.items()):
        axes.loglog(coarse, 100.0 * distance[:, :, part], "-", color=colour, lw=0.5, alpha=0.5)
        axes.loglog(coarse, 100.0 * distance[:, :, part].mean(axis=1), "o-", color=colour, label=name)
    guide = 100.0 * distance[0].mean() * coarse[0] / coarse
    axes.loglog(coarse, guide, "k:", lw=1, label="slope 1")
    axes.set(xlabel="voxels along a side", ylabel="mean stress, off the next finer grid, %")
    axes.set_xticks(coarse, [f"{n:.0f}" for n in coarse], minor=False)
    axes.minorticks_off()
    axes.legend(fontsize="small")
    figure.savefig(picture, dpi=130)


if __name__ == "__main__":
    launch(convergence)
