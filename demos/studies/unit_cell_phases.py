"""A sphere in a matrix, from a pore to a thousand times as stiff: cells against what is known of them.

*Contrast.* A sphere in a coarse cell, and the same cell with each voxel cut into 4 x 4 x 4: longitudinal
modulus of both, GPa, and the calls of the law in the step.

*Dilute.* Bulk and shear modulus of a few per cent of one sphere against Eshelby's (1957) for a sphere alone.
The shear modulus is the mean over all orientations, (2 C' + 3 C44) / 5, which is measured in two shears. What
a cell adds is taken out in two ways. Interaction with the images, by Mori and Tanaka's (1973) formula, solved
for the strain A of the sphere over that of the matrix,

    A = (1 - f) D / (f (E_i - E_m - D)),   D = E - E_m .

The staircase of voxels, of first order in voxels h over the radius r, by a least-squares fit
A / A_Eshelby = s + b h / r + c f^(5/3), whose s is the answer: f^(5/3) is the next order of cubic arrays
(Sangani and Lu 1987). Volume fractions are those of the voxels.

*Plastic.* Calls of the law a step, at most and on average, of the sphere in a matrix that flows: J2 with a
yield stress of 0.1 GPa, hardening or not. Tangents count as 18.

    OMP_NUM_THREADS=1 python demos/studies/unit_cell_phases.py
    OMP_NUM_THREADS=1 python demos/studies/unit_cell_phases.py --part contrast --resolution 12
"""

from typing import Literal

import numpy as np

from microscale.inputs.numbers import Count, checked
from microscale.progress import tracked
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.inclusions import spheres
from multiscale.laws.j2 import J2
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.run.command import launch

SHEAR, BULK = 26.0, 68.0
STRAIN = 1e-5
SHEARS = (np.diag([0.5, -0.5, 0.0]), np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]))
CONTRASTS = (1e-3, 1e-2, 1e-1, 1e1, 1e2, 1e3)


def laws(contrast: float) -> list[NeoHooke]:
    """Matrix and inclusion, the latter so many times as stiff."""
    return [NeoHooke(shear_modulus=k * SHEAR, lambda_e=0.5 * k * BULK) for k in (1.0, contrast)]


def ball(n: int) -> np.ndarray:
    """One in a sphere of radius 0.3 in the middle of a cell of n^3 voxels, zero elsewhere."""
    x = (np.arange(n) + 0.5) / n - 0.5
    return (np.add.outer(np.add.outer(x**2, x**2), x**2) < 0.09).astype(int)


def longitudinal(phase: np.ndarray, contrast: float) -> tuple[float, int]:
    """Longitudinal modulus of a cell, GPa, and calls of the law."""
    cell = FullFieldCell.of_phases(phase, laws(contrast), memory=5)
    F, P = np.diag([1.0 + STRAIN, 1.0, 1.0])[None], np.empty((1, 3, 3))
    cell.update(F, 0.0, cell.init_state(1), P)
    return float(P[0, 0, 0]) / STRAIN, cell.law_calls


@checked
def contrast_table(resolution: Count = 12, cut: Count = 4) -> dict[float, float]:
    """Print the table of contrasts; return the relative difference of the coarse grid from the fine one."""
    coarse = ball(resolution)
    fine = np.kron(coarse, np.ones((cut,) * 3, dtype=int))
    print(f"| contrast | {resolution}^3, GPa | {resolution * cut}^3, GPa | difference | calls | fine |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    found = {}
    for contrast in tracked(CONTRASTS, "contrasts"):
        (value, calls), (true, more) = longitudinal(coarse, contrast), longitudinal(fine, contrast)
        found[contrast] = value / true - 1.0
        print(
            f"| {contrast:g} | {value:.3f} | {true:.3f} | {found[contrast]:+.2%} | {calls} | {more} |",
            flush=True,
        )
    return found


@checked
def dilute_table(
    resolution: tuple[Count, ...] = (24, 32, 48),
    fraction: tuple[float, ...] = (0.05, 0.1, 0.2),
    contrast: tuple[float, ...] = (1e-3, 1e3),
) -> dict[float, tuple[float, float]]:
    """Print the table of dilute spheres; return s of the bulk and of the shear modulus by contrast."""
    found = {}
    for k in contrast:
        print(f"contrast {k:g}\n| voxels | fraction | r / h | bulk | shear |\n{5 * '| ---: '}|")
        rows = [
            _strain_of_sphere(n, f, k)
            for n, f in tracked([(n, f) for n in resolution for f in fraction], "cells")
        ]
        table = np.array(rows)
        for n, f, radius, bulk, shear in rows:
            print(f"| {n:.0f}^3 | {f:.4f} | {radius:.2f} | {bulk:.4f} | {shear:.4f} |", flush=True)
        terms = np.column_stack([np.ones(len(table)), 1.0 / table[:, 2], table[:, 1] ** (5 / 3)])
        fit = np.linalg.lstsq(terms, table[:, 3:], rcond=None)[0]
        found[k] = (float(fit[0, 0]), float(fit[0, 1]))
        print(f"s of the bulk modulus {fit[0, 0]:.4f}, of the shear modulus {fit[0, 1]:.4f}")
    return found


def _strain_of_sphere(n: int, fraction: float, contrast: float) -> tuple[float, ...]:
    """Voxels, fraction, radius in voxels, and A over Eshelby's for bulk and shear modulus."""
    phase = spheres(fraction).voxels((n, n, n))
    f = float(phase.mean())
    cell = FullFieldCell.of_phases(phase, laws(contrast), memory=3, tolerance=1e-4)
    bulk, tilt, slide = (_energy(cell, strain) for strain in (np.eye(3) / 3.0, *SHEARS))
    shear = (2.0 * tilt + 3.0 * slide) / 5.0
    alone = eshelby(contrast)
    strains = []
    for value, matrix, exact in ((bulk, BULK, alone[0]), (shear, SHEAR, alone[1])):
        more = value - matrix
        strains.append((1.0 - f) * more / (f * ((contrast - 1.0) * matrix - more)) / exact)
    return (n, f, n * (0.75 * f / np.pi) ** (1.0 / 3.0), *strains)


def _energy(cell: FullFieldCell, strain: np.ndarray) -> float:
    """Stress of a small strain times the strain over its size: the bulk modulus of I / 3, G of the shears."""
    P = np.empty((1, 3, 3))
    cell.update((np.eye(3) + STRAIN * strain)[None], 0.0, cell.init_state(1), P)
    return float((P[0] * strain).sum()) / STRAIN


def eshelby(contrast: float) -> tuple[float, float]:
    """Strain of a sphere over that far away, for dilatation and shear (Eshelby 1957)."""
    alpha = 3.0 * BULK / (3.0 * BULK + 4.0 * SHEAR)
    beta = 6.0 * (BULK + 2.0 * SHEAR) / (5.0 * (3.0 * BULK + 4.0 * SHEAR))
    return 1.0 / (1.0 + alpha * (contrast - 1.0)), 1.0 / (1.0 + beta * (contrast - 1.0))


@checked
def plastic_table(resolution: Count = 12, steps: Count = 10) -> dict[tuple[float, float, float], int]:
    """Print the table of plastic steps; return most calls in a step by contrast, hardening and strain."""
    print(f"| contrast | hardening, GPa | strain a step | most calls | mean |\n{5 * '| ---: '}|")
    found = {}
    cases = [(k, H, strain) for k in (1e-3, 1e3) for H in (0.1, 0.0) for strain in (0.005, 0.02)]
    for k, H, strain in tracked(cases, "plastic steps"):
        matrix = J2(youngs_modulus=70.0, poissons_ratio=0.33, yield_stress=0.1, hardening_modulus=H)
        cell = FullFieldCell.of_phases(ball(resolution), [matrix, laws(k)[1]])
        state, P, calls = cell.init_state(1), np.empty((1, 3, 3)), [0]
        for step in range(1, steps + 1):
            F = np.diag(np.exp(step * strain * np.array([1.0, -0.45, -0.45])))
            cell.update(F[None], 0.01, state, P)
            calls.append(cell.law_calls)
        found[k, H, strain] = int(np.diff(calls).max())
        print(f"| {k:g} | {H} | {strain:.1%} | {found[k, H, strain]} | {calls[-1] / steps:.1f} |", flush=True)
    return found


@checked
def study(
    *, part: Literal["contrast", "dilute", "plastic", "all"] = "all", resolution: tuple[Count, ...] = ()
) -> None:
    """Print the tables.

    Args:
        part: Which.
        resolution: Voxels along a side: of the coarse grid and of plastic cells (12), or of all grids of
            dilute spheres.
    """
    if part in ("contrast", "all"):
        contrast_table(*resolution[:1])
    if part in ("plastic", "all"):
        plastic_table(*resolution[:1])
    if part in ("dilute", "all"):
        dilute_table(*((resolution,) if resolution else ()))


if __name__ == "__main__":
    launch(study)
