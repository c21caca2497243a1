"""Refinement of the plane unit cell, and how much of its fields alternates from voxel to voxel.

Stretches 16 grains of the plane crystal without change of volume on ever finer grids. For each grid and
strain: the von Mises stress of the mean, GPa; the share of the variation of stress and of slip that has the
Nyquist wavelength (:func:`microscale.unit_cell.alternation.nyquist_variation`); the work on hourglasses over
all work. Then how far the field of slip is from that on the finest grid of the last derivative, averaged over
the coarse voxels.

    OMP_NUM_THREADS=1 python demos/studies/unit_cell_refinement.py --resolution 16 --resolution 32
    --resolution 64
"""

import numpy as np

from microscale.crystals.crystal import read_crystal
from microscale.inputs.numbers import Count, Seed, Steps, checked
from microscale.law import State
from microscale.progress import tracked
from microscale.tensors import cauchy_from_piola, von_mises
from microscale.unit_cell.alternation import nyquist_variation
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.microstructure import periodic_voronoi
from multiscale.laws import Derivative
from multiscale.run.command import launch

STRAINS = (0.02, 0.05, 0.10)
SECOND = 1e6


@checked
def refinement(
    *,
    resolution: tuple[Count, ...] = (16, 32, 64, 128),
    derivative: tuple[Derivative, ...] = ("enriched", "stabilised", "rotated"),
    steps: Steps = 100,
    seed: Seed = 0,
) -> dict[tuple[str, int], np.ndarray]:
    """Print the tables; return by derivative and resolution an array (strains, 5) of the columns above.

    Args:
        resolution: Voxels along a side.
        derivative: Discrete derivatives to compare; the last one makes the reference.
        steps: Time steps to 10 % of strain.
        seed: Seed of the grains.
    """
    print("| derivative | voxels | calls of the law a step |", *[f"{strain:.0%} |" for strain in STRAINS])
    print("| --- | --- | --- |", *["--- |" for _ in STRAINS])
    found, slip = {}, {}
    for name in derivative:
        for n in resolution:
            cell = FullFieldCell.polycrystal(
                periodic_voronoi(16, (n, n), seed), read_crystal("two_slip.yaml"), derivative=name
            )
            found[name, n], slip[name, n] = _stretch(cell, steps)
            columns = [", ".join(f"{value:.3f}" for value in row) + " |" for row in found[name, n]]
            print(f"| {name} | {n}^2 | {cell.law_calls / steps:.1f} |", *columns, flush=True)
    finest = slip[derivative[-1], max(resolution)]
    for key, fields in slip.items():
        distance = [_distance(*pair) for pair in zip(fields, finest, strict=True)]
        print(f"{key[0]}, {key[1]}^2: slip off by", ", ".join(f"{value:.3f}" for value in distance))
        found[key] = np.column_stack([found[key], distance])
    return found


def _distance(field: np.ndarray, fine: np.ndarray) -> float:
    """Norm of a field less a finer one, over that of the latter less its mean; NaN where grids do not fit."""
    n, cut = len(field), len(fine) // len(field)
    if n * cut != len(fine):
        return np.nan
    seen = fine.reshape(n, cut, n, cut).mean(axis=(1, 3))
    return float(np.linalg.norm(field - seen) / np.linalg.norm(seen - seen.mean()))


def _stretch(cell: FullFieldCell, steps: int) -> tuple[np.ndarray, list[np.ndarray]]:
    logarithmic = np.linspace(0.0, STRAINS[-1], steps + 1)
    F = np.exp(logarithmic[:, None] * np.array([1.0, -1.0, 0.0]))[:, :, None] * np.eye(3)
    stops = [int(np.argmin(np.abs(logarithmic - strain))) for strain in STRAINS]
    state, P = cell.init_state(1), np.empty((1, 3, 3))
    work, hourglass, rows, fields = 0.0, 0.0, [], []
    for k in tracked(range(1, steps + 1), f"strain steps of {cell.grid.shape[0]} voxels a side,"):
        before = _amplitudes(state, "displacement").copy()
        cell.update(F[k : k + 1], SECOND / steps, state, P)
        work += float((P[0] * (F[k] - F[k - 1])).sum())
        resistance = cell.grid.hourglass_share * _amplitudes(state, "hourglass_stress")
        hourglass += float(np.vdot(resistance, _amplitudes(state, "displacement") - before).real)
        if k in stops:
            local_F, local_P = cell.voxel_fields(state)
            stress = cauchy_from_piola(local_P, local_F)[:, 0, 0].reshape(cell.grid.shape)
            slip = state["voxel_slip"][0].sum(axis=-1).reshape(cell.grid.shape)
            mean = float(von_mises(cauchy_from_piola(P, F[k : k + 1]))[0])
            fields.append(slip)
            rows.append([mean, nyquist_variation(stress), nyquist_variation(slip), hourglass / work])
    return np.array(rows), fields


def _amplitudes(state: State, name: str) -> np.ndarray:
    return state[name][0].view(complex)[..., 0]


if __name__ == "__main__":
    launch(refinement)
