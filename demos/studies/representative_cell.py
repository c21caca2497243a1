"""How many grains and voxels stand for the polycrystal? The full-field cell measured along strain paths.

    OMP_NUM_THREADS=1 python demos/studies/representative_cell.py --output results/representative_cell
    OMP_NUM_THREADS=1 python demos/studies/representative_cell.py --grains 64 --resolution 8 --finest 8
    --paths 12 --seeds 1 --max-strain 0.5

Every path of every microstructure is kept as soon as it is driven, so that a kill loses one; the same command
goes on. The table, also in a JSON file beside the runs, is of what is there. Its figures are relative L2
errors of the deviator over time, means over paths and microstructures:

scatter     one microstructure off the mean of all: what no surrogate of the cell can beat on another one
finer       off the same grains with every voxel cut in eight, and that after the best factor on the deviator
reference   the mean of the microstructures off that of the largest cell, and that after the best factor
Taylor      of the same grains off the cell, that after the best factor, and the factor
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import multiscale as ms
from microscale.crystals.crystal import read_crystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.errors import ConvergenceError, DeformationError
from microscale.files.whole_file import replacing, write_json
from microscale.inputs.numbers import Count, OutFolder, Steps, Strain, checked
from microscale.paths.protocols import StrainPaths
from microscale.tensors import FloatArray, deviator
from microscale.unit_cell.cell import FullFieldCell
from multiscale.laws import Derivative
from multiscale.laws.polycrystals import solid_cell
from multiscale.run.command import launch
from multiscale.run.data_options import Protocol
from multiscale.surrogate.histories import best_factor, relative_errors

PATHS_SEED = 7


@dataclass(frozen=True)
class Kind:
    """A kind of cell: grains of Voronoi on ``voxels``^3, each voxel cut into ``parts``^3."""

    grains: int
    voxels: int
    derivative: str
    parts: int = 1

    @property
    def finer(self) -> "Kind":
        """The same microstructures on a grid twice as fine."""
        return replace(self, parts=2 * self.parts)

    def laws(self, seed: int) -> tuple[FullFieldCell, TaylorPolycrystal]:
        """Return the cell of a microstructure, and Taylor's polycrystal of its grains."""
        crystal = read_crystal()
        grains = solid_cell(crystal, self.grains, self.voxels, seed)
        cell = FullFieldCell.polycrystal(grains.refined(self.parts), crystal, derivative=self.derivative)
        return cell, TaylorPolycrystal(grains.orientations, grains.weights, crystal)


@dataclass(frozen=True)
class Driven:
    """Paths that cells of one kind were driven along, by (seed, path): stress (samples, 3, 3), GPa."""

    cell: dict[tuple[int, int], FloatArray]
    taylor: dict[tuple[int, int], FloatArray]
    seconds: list[float]
    calls: list[float]
    failed: int


def drive(kind: Kind, seed: int, path: int, sampled: StrainPaths, file: Path) -> None:
    """Drive the cell of a microstructure along a path, unless its file is there."""
    if file.exists():
        return
    cell, taylor = kind.laws(seed)
    drawn, start = sampled.path(path), time.process_time()
    try:
        stress = ms.drive(cell, drawn.stretch[None], drawn.times)[0]
    except (ConvergenceError, DeformationError) as error:
        strain = np.linalg.norm(drawn.stretch - np.eye(3), axis=(1, 2)).max()
        volume = np.linalg.det(drawn.stretch).min()
        print(f"{file.stem} (|U - I| up to {strain:.2f}, det U down to {volume:.2f}): {error}", flush=True)
        stress = np.empty((0, 3, 3))
    spent = time.process_time() - start
    again = ms.drive(taylor, drawn.stretch[None], drawn.times)[0]
    with replacing(file) as begun, begun.open("wb") as opened:
        np.savez(opened, cell=stress, taylor=again, seconds=spent, calls=cell.law_calls / sampled.steps)


def driven(kind: Kind, folder: Path) -> Driven:
    """Return what is there of a kind of cell."""
    cell, taylor, seconds, calls, failed = {}, {}, [], [], 0
    for file in sorted(folder.glob(f"{_name(kind)}_*_*.npz")):
        seed, path = (int(word) for word in file.stem.split("_")[-2:])
        with np.load(file) as found:
            if not len(found["cell"]):
                failed += 1
                continue
            cell[seed, path], taylor[seed, path] = found["cell"], found["taylor"]
            seconds.append(float(found["seconds"]))
            calls.append(float(found["calls"]))
    return Driven(cell, taylor, seconds, calls, failed)


def _name(kind: Kind) -> str:
    return f"{kind.grains}_{kind.voxels}_{kind.parts}_{kind.derivative}"


def means(cell: dict[tuple[int, int], FloatArray]) -> dict[int, FloatArray]:
    """Return the mean stress of the microstructures by path, of those paths that two or more have."""
    by_path: dict[int, list[FloatArray]] = {}
    for (_, path), stress in cell.items():
        by_path.setdefault(path, []).append(stress)
    return {path: np.mean(found, axis=0) for path, found in by_path.items() if len(found) > 1}


def off(pairs: list[tuple[FloatArray, FloatArray]], times: FloatArray) -> list[float]:
    """Return error of the first of each pair, mean; that after the best factor; the factor."""
    if not pairs:
        return []
    found, exact = (np.stack([pair[k] for pair in pairs]) for k in (0, 1))
    whole = np.broadcast_to(times, found.shape[:2])
    factor = best_factor(found, exact, whole)
    errors = (relative_errors(k * deviator(found), exact, whole).deviatoric.mean() for k in (1.0, factor))
    return [*map(float, errors), factor]


def figures(kind: Kind, folder: Path, times: FloatArray, reference: dict[int, FloatArray]) -> dict[str, Any]:
    """Return a row of the table: the errors that the head of this file explains."""
    here, finer = driven(kind, folder), driven(kind.finer, folder)
    mean = means(here.cell)
    apart = [(stress, mean[key[1]]) for key, stress in here.cell.items() if key[1] in mean]
    seeds = len({seed for seed, _ in here.cell})
    spread = np.sqrt(seeds / (seeds - 1)) if seeds > 1 else np.nan  # of a mean that each is a part of
    return asdict(kind) | {
        "runs": len(here.cell),
        "failed": here.failed,
        "scatter": float(spread * off(apart, times)[0]) if apart else None,
        "finer": off([(s, finer.cell[key]) for key, s in here.cell.items() if key in finer.cell], times),
        "reference": off([(m, reference[path]) for path, m in mean.items() if path in reference], times),
        "taylor": off([(here.taylor[key], s) for key, s in here.cell.items()], times),
        "seconds": float(np.median(here.seconds)) if here.seconds else None,
        "calls": float(np.mean(here.calls)) if here.calls else None,
    }


def plan(kinds: list[Kind], finest: int, seeds: int, paths: int) -> Iterator[tuple[Kind, int, int]]:
    """Yield what is to be driven: cheap cells first, all kinds of a size before the next microstructure."""
    finer = [kind.finer for kind in kinds if 2 * kind.voxels <= finest]
    for voxels in sorted({kind.voxels * kind.parts for kind in (*kinds, *finer)}):
        for seed in range(seeds):
            for path in range(paths):
                for kind in (*kinds, *finer):
                    if kind.voxels * kind.parts == voxels:
                        yield kind, seed, path


def printed(row: dict[str, Any]) -> str:
    """Return a row as text; errors in per cent."""

    def percent(values: list[float]) -> str:
        return " / ".join(f"{100 * value:.1f}" for value in values[:2]) or "-"

    scatter = "-" if row["scatter"] is None else f"{100 * row['scatter']:.1f}"
    name = f"{row['grains']} grains, {row['voxels']}^3 x {row['parts']}^3, {row['derivative']}"
    factor = f", factor {row['taylor'][2]:.3f}" if row["taylor"] else ""
    cost = "-" if row["seconds"] is None else f"{row['seconds']:.2f} s, {row['calls']:.1f} calls a step"
    errors = f"finer {percent(row['finer'])}, reference {percent(row['reference'])}"
    taylor = f"Taylor {percent(row['taylor'])} %{factor}"
    return (
        f"{name}: {row['runs']} paths, scatter {scatter}, {errors}, {taylor}; {cost}; {row['failed']} failed"
    )


@checked
def representative_cell(
    *,
    grains: tuple[Count, ...] = (16, 64, 128, 256),
    resolution: tuple[Count, ...] = (8, 16),
    derivative: tuple[Derivative, ...] = ("stabilised",),
    finest: Count = 32,
    seeds: Count = 4,
    paths: Count = 4,
    steps: Steps = 200,
    protocol: Protocol = "R",
    max_strain: Strain = 0.1,
    more: bool = True,
    output: OutFolder = Path("results/representative_cell"),
) -> list[dict[str, Any]]:
    """Drive the cells, and print and keep the table.

    Args:
        grains: Numbers of grains, of orientations that are evenly spread over their volume.
        resolution: Voxels along a side.
        derivative: Discrete derivatives.
        finest: Voxels along a side of the finest grid: cells of at most half are driven on twice theirs too.
        seeds: Microstructures of each kind.
        paths: Paths, the same for all.
        steps: Steps of a path.
        protocol: Of the paths.
        max_strain: Largest strain of a path.
        more: Drive what is not there yet; else the table is of what is.
        output: Folder of the runs and of the table.
    """
    folder = output / f"runs_{protocol}_{max_strain:g}_{steps}"
    folder.mkdir(parents=True, exist_ok=True)
    sampled = StrainPaths(protocol, max_strain, steps, (1.0, 1.0), PATHS_SEED)
    times = sampled.path(0).times
    kinds = [Kind(g, n, d) for d in derivative for n in resolution for g in grains]
    largest = Kind(max(grains), max(resolution), derivative[0])
    largest = largest.finer if 2 * largest.voxels <= finest else largest
    rows: list[dict[str, Any]] = []
    for kind, seed, path in plan(kinds, finest, seeds, paths) if more else ():
        drive(kind, seed, path, sampled, folder / f"{_name(kind)}_{seed}_{path}.npz")
    reference = means(driven(largest, folder).cell)
    for kind in dict.fromkeys((*kinds, largest)):
        rows.append(figures(kind, folder, times, reference))
        print(printed(rows[-1]), flush=True)
        write_json(output / f"{folder.name}.json", {"reference": asdict(largest), "rows": rows})
    return rows


if __name__ == "__main__":
    launch(representative_cell)
