"""What alternates from voxel to voxel in the plane cell once its grains kink: the scheme or the crystal?

Stretches 16 grains of the plane crystal and looks, in windows of 16^2 voxels that patches cannot hide from,
at the power of the shortest wavelengths over the mean power (1 for white noise, 10 for a checkerboard):

- of the stress in the middles of voxels, where the crystal is asked;
- of the stress at their corners, the mean over the voxels around. A stress that alternates along both axes
  makes no force in the rotated and the stabilised scheme: equilibrium does not determine it, and these means
  are without it;
- of the deformation gradient.

Then, in the tenth of voxels whose stress alternates most, at the jumps of F between neighbours in one grain:
how far from rank one they are (singular values; 0 for a kink band, whose sides fit along a plane), and how
the normal of that plane lies to slip planes and directions (cosine with the nearest; 0.92 is chance).

    OMP_NUM_THREADS=1 python demos/studies/unit_cell_kinks.py
    OMP_NUM_THREADS=1 python demos/studies/unit_cell_kinks.py --second-system 60
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).parents[1]))  # the demos are scripts beside this folder

from unit_cell import with_second_system

from microscale.crystals.crystal import read_crystal
from microscale.inputs.numbers import Count, OutFolder, Seed, checked
from microscale.law import State
from microscale.progress import tracked
from microscale.tensors import FloatArray, cauchy_from_piola, von_mises
from microscale.unit_cell.alternation import at_corners, checkerboard_windows
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.microstructure import Microstructure, periodic_voronoi
from multiscale.laws import Derivative
from multiscale.run.command import launch

SECOND = 1e6  # us
STEPS = 100
STRAINS = (0.05, 0.1)


@checked
def kinks(
    *,
    resolution: Count = 64,
    derivative: Derivative = "enriched",
    second_system: float = 90.0,
    seed: Seed = 0,
    output: OutFolder = Path("results/unit-cell-kinks"),
) -> dict[float, dict[str, FloatArray]]:
    """Print what alternates, at 5 and 10 % of strain, and draw the stress; return the figures by strain.

    Args:
        resolution: Voxels along a side, a multiple of 16.
        derivative: Discrete derivative.
        second_system: Degrees from the first slip system of the crystal to the second; see ``unit_cell.py``.
        seed: Seed of the grains.
        output: Folder for the picture.
    """
    crystal = with_second_system(read_crystal("two_slip.yaml"), np.radians(second_system))
    grains = periodic_voronoi(16, (resolution, resolution), seed)
    cell = FullFieldCell.polycrystal(grains, crystal, derivative=derivative)
    state, P, found, maps = cell.init_state(1), np.empty((1, 3, 3)), {}, {}
    for k in tracked(range(1, STEPS + 1), "strain steps"):
        strain = max(STRAINS) * k / STEPS
        F = np.diag(np.exp([strain, -strain, 0.0]))
        cell.update(F[None], SECOND / STEPS, state, P)
        if np.any(np.isclose(strain, STRAINS)):
            found[round(strain, 6)], maps[round(strain, 6)] = _look(cell, state, grains)
            _report(strain, found[round(strain, 6)])
    output.mkdir(parents=True, exist_ok=True)
    _draw(output / f"{derivative}-{second_system:.0f}.png", maps)
    return found


def _look(
    cell: FullFieldCell, state: State, grains: Microstructure
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Figures of a state, and its maps of the von Mises stress in the middles and at the corners."""
    shape = cell.grid.shape
    F, P = cell.voxel_fields(state)
    middle = cauchy_from_piola(P, F).reshape(*shape, 3, 3)
    F = F.reshape(*shape, 3, 3)
    corner = at_corners(middle, axes=(0, 1))
    fields = {
        "stress, middles": _parts(middle),
        "stress, corners": _parts(corner),
        "deformation gradient": [F[..., i, j] for i in (0, 1) for j in (0, 1)],
    }
    figures = {
        name: np.max([np.quantile(checkerboard_windows(part), [0.5, 0.9, 1.0]) for part in parts], axis=0)
        for name, parts in fields.items()
    }
    figures["jumps"] = _jumps(F, middle, grains)
    return figures, {"middles": von_mises(middle), "corners": von_mises(corner)}


def _parts(stress: FloatArray) -> list[FloatArray]:
    """Deviatoric components 11 and 12, and von Mises stress, of a field (n, n, 3, 3)."""
    mean = np.trace(stress, axis1=2, axis2=3) / 3.0
    return [stress[..., 0, 0] - mean, stress[..., 0, 1], von_mises(stress)]


def _jumps(F: FloatArray, stress: FloatArray, grains: Microstructure) -> FloatArray:
    """Medians, where stress alternates most: size of the jumps of F, ratio of singular values, cosine."""
    alternating = sum(_corner_part(part) ** 2 for part in _parts(stress)[:2])
    most = alternating > np.quantile(alternating, 0.9)
    axes = grains.orientations[grains.grain][..., :2, :2]
    sizes, ratios, cosines = [], [], []
    for axis in (0, 1):
        there = most & (np.roll(grains.grain, -1, axis) == grains.grain)
        _, values, right = np.linalg.svd((np.roll(F, -1, axis) - F)[there][:, :2, :2])
        sizes.append(values[:, 0])
        ratios.append(values[:, 1] / values[:, 0])
        cosines.append(np.abs(np.einsum("pij,pi->pj", axes[there], right[:, 0])).max(axis=1))
    return np.array([np.median(np.concatenate(parts)) for parts in (sizes, ratios, cosines)])


def _corner_part(field: FloatArray) -> FloatArray:
    """What a checkerboard filter, (f[i-1] - 2 f[i] + f[i+1]) / 4 along both axes, passes of a field."""
    for axis in (0, 1):
        field = (2.0 * field - np.roll(field, 1, axis) - np.roll(field, -1, axis)) / 4.0
    return field


def _report(strain: float, figures: dict[str, FloatArray]) -> None:
    print(f"strain {strain:.0%}; power at the shortest wavelengths in windows: median, nine tenths, worst")
    for name in ("stress, middles", "stress, corners", "deformation gradient"):
        print(f"  {name:22s}" + ", ".join(f"{value:.2f}" for value in figures[name]))
    size, ratio, cosine = figures["jumps"]
    print(f"  jumps of F: {size:.2f}, singular values 1 to {ratio:.2f}, cosine with the lattice {cosine:.3f}")


def _draw(picture: Path, maps: dict[float, dict[str, FloatArray]]) -> None:
    figure = Figure((7.0, 3.3 * len(maps)), layout="constrained")
    rows = figure.subplots(len(maps), 2, squeeze=False)
    for row, (strain, fields) in zip(rows, maps.items(), strict=True):
        high = np.quantile(fields["middles"], 0.99)
        for axes, (place, field) in zip(row, fields.items(), strict=True):
            image = axes.imshow(field.T, origin="lower", vmin=0.0, vmax=high)
            axes.set(title=f"{strain:.0%}: von Mises stress, {place}", xticks=[], yticks=[])
        figure.colorbar(image, ax=row, label="GPa")
    figure.savefig(picture, dpi=110)
    print(f"picture: {picture}")


if __name__ == "__main__":
    launch(kinks)
