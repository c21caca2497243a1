"""A surrogate of the full field: its data, trainings from Taylor's weights and from nothing, and rivals.

    python demos/studies/full_field_weights.py                          hours on two cores
    python demos/studies/full_field_weights.py --resolution 8           cells of an eighth of the voxels

The two commands of the weights that are shipped are in docs/howto/full_field.md.

Paths come in rounds, each of all kinds, so that the first 50, 200, 500 and 2000 are data sets. Every few
paths have another microstructure, and those to be judged by have others still. What is there is kept, and
what was begun goes on. The learning curve (learning_curve.json, .png) is of all trainings that are there,
after each of them, and the card of the network that was taught all paths has its errors. Beside them stand
Taylor's polycrystal and the network that is taught more, as they are and with the one factor on the deviator
that is best for the paths to learn from. That network is the shipped one, which learnt Taylor, or one that
learnt a coarser cell.
"""

import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the demos are scripts beside this folder

import numpy as np
from learn_from_impacts import learn_from_impacts

import multiscale as ms
from microscale.data.dataset import read_dataset
from microscale.errors import InputError
from microscale.files.one_study import of_one_study
from microscale.files.whole_file import write_json
from microscale.inputs.numbers import Count, CountOrZero, OutFolder, Positive, Share, checked
from microscale.law import ConstitutiveLaw
from microscale.tensors import deviator
from multiscale.cli import evaluate, generate, train
from multiscale.run.command import launch
from multiscale.surrogate.histories import Histories, best_factor, joined, relative_errors
from multiscale.surrogate.store import SHIPPED, read_surrogate

SHARES = {"R10": 0.36, "R30": 0.24, "R50": 0.12, "U30": 0.16, "R3": 0.12}
"""Of the paths of a round."""
IMPACT = "I30"
"""Beside them: waves and flow behind them, with many small strains."""
LOADS = {"A80": 0.5, "A2": 0.2, "I100": 0.3}
"""Beside them: shares of the paths of any load, with holds and cycles, and of long impacts."""
SHORT, WIDE, NEAR, LATE = (0.5, 5.0), (0.1, 50.0), (0.3, 20.0), (0.3, 10.0)
"""Shortest and longest path, us."""
OF = {
    "R10": ("R", 0.1, SHORT),
    "R30": ("R", 0.3, SHORT),
    "R50": ("R", 0.5, SHORT),
    "U30": ("U", 0.3, SHORT),
    "R3": ("R", 0.03, SHORT),
    IMPACT: ("I", 0.3, SHORT),
    "A80": ("A", 0.8, WIDE),
    "A2": ("A", 0.02, NEAR),
    "I100": ("I", 1.0, LATE),
}
JUDGED = ("R10", "R30", "U30", IMPACT, "A80")
STEPS = 200
FINER = {"A": 2}
"""In so many steps a sample of a protocol is made: one would be up to 3 % off, where rates jump and rest."""
PATHS_PER_CELL, TOLERANCE = 4, 0.01
BARS, REST, FASTEST, LARGEST_SHAPE = "bars", 10.0, 250.0, 0.4
"""Impacts that a network has run, until when, us, how fast, m/s, and until which isochoric shape.

Beyond, cells of 8^3 voxels have a mean stress that no cell can have: a third of the deviator at 0.6.
"""
SEEDS, IMPACT_SEEDS, LOAD_SEEDS, BAR_SEED, TEST_SEEDS = 20_000, 60_000, 70_000, 85_000, 90_000
"""First ones of paths, and of microstructures: those of another data set are 1000 further."""
MOST_SIZES = 5
"""The seeds of more would be those of other data sets."""
TICKS = (2, 3, 5, 10, 20, 30)
"""Per cent, of the picture."""
TAUGHT = "taught more"
TRAININGS: dict[str, dict[str, Any]] = {
    TAUGHT: {"rate": 1e-3, "updates": 1000},
    "from nothing": {"rate": 3e-3, "updates": 3000},
}
"""Settings of a training; its epochs are those of so many updates of 32 paths."""


def of(kind: str, paths: int, seed: int, cell: dict[str, Any]) -> dict[str, Any]:
    """Return what ``multiscale generate`` is told for one data set."""
    protocol, strain, (shortest, longest) = OF[kind]
    finer = FINER.get(protocol, 1)
    path = {"protocol": protocol, "max_strain": strain, "paths": paths, "seed": seed}
    path |= {"duration": shortest, "longest_duration": longest, "steps": finer * STEPS, "keep_every": finer}
    grains = {"law": "fft3d", "texture": "uniform", "texture_seed": seed, "paths_per_cell": PATHS_PER_CELL}
    return path | grains | {"tolerance": TOLERANCE} | cell


def shares_of(impacts: float, loads: float) -> dict[str, float]:
    """Return how many paths of each kind a round has, relative to those of the first kinds."""
    beside = {IMPACT: impacts} | {kind: loads * share for kind, share in LOADS.items()}
    return SHARES | {kind: share for kind, share in beside.items() if share}


def rounds(sizes: tuple[int, ...], impacts: float = 0.0, loads: float = 0.0) -> list[dict[str, int]]:
    """Return the numbers of paths of each kind in the round that makes each size of the one before it."""
    shares = shares_of(impacts, loads)
    return [
        {kind: max(1, round(share * (size - before))) for kind, share in shares.items()}
        for before, size in zip((0, *sizes[:-1]), sizes, strict=True)
    ]


def seed_of(kind: str, turn: int) -> int:
    """Return the seed of the paths and microstructures of a kind in a round, counted from zero."""
    if kind == IMPACT:
        return IMPACT_SEEDS + 1000 * turn
    if kind in LOADS:
        return LOAD_SEEDS + 1000 * (len(LOADS) * turn + list(LOADS).index(kind))
    return SEEDS + 1000 * (len(SHARES) * turn + list(SHARES).index(kind))


def seed_to_judge(kind: str) -> int:
    """Return the seed of the test paths and microstructures of a kind."""
    return TEST_SEEDS + 1000 * JUDGED.index(kind)


def made(name: str, told: dict[str, Any], output: Path) -> Path:
    """Return a data set, made unless it is there."""
    file = output / f"{name}.h5"
    if not file.exists():
        generate(out=file, **told)
    return file


def bars_until_rest(histories: int, start: Path, output: Path, cell: dict[str, Any]) -> dict[str, Path]:
    """Return what points live through in impacts that a network runs, to learn from and to be judged by.

    Args:
        histories: Of each impact, those of the points deformed most.
        start: The network.
        output: Folder of the data sets, which are kept.
        cell: Of the cells that label them.
    """
    folder = output / BARS
    files = {name: folder / f"impacts_{name}.h5" for name in ("train", "test")}
    if not all(file.exists() for file in files.values()):
        label = {"law": "fft3d", "texture": "uniform", "texture_seed": BAR_SEED, "tolerance": TOLERANCE}
        impacts = {"weights": start, "paths": histories, "steps": STEPS, "end_time": REST}
        impacts |= {"fastest": FASTEST, "largest_shape": LARGEST_SHAPE}
        learn_from_impacts(output=folder, paths_per_cell=PATHS_PER_CELL, **impacts, **label, **cell)
    return files


def read(files: list[Path]) -> Histories:
    """Return the paths of data sets."""
    sets = [read_dataset(file) for file in files]
    return joined([Histories(d.times, d.stretch_tensors, d.stress_tensors) for d in sets])


def redrawn(files: list[Path]) -> dict[str, str]:
    """Return by data set on how many of its paths the law failed, and how often."""
    attempts = {file.stem: read_dataset(file).attempt for file in files}
    return {
        name: f"{(tried > 0).sum()} of {len(tried)}, {tried.sum()} times" for name, tried in attempts.items()
    }


class Judge:
    """Errors on the test sets, by their names, of stress that a law gives along them; means over the paths.

    Args:
        tests: The test sets.
        learnt: The paths to learn from, which the best factor is of.
    """

    def __init__(self, tests: dict[str, Histories], learnt: Histories) -> None:
        self._tests, self._learnt = tests, learnt

    def errors(self, law: ConstitutiveLaw, factor: float = 1.0) -> dict[str, float]:
        """Return the errors of the deviator, after a factor on it."""
        found = {}
        for name, test in self._tests.items():
            predicted = factor * deviator(ms.drive(law, test.stretch, test.times))
            found[name] = float(relative_errors(predicted, test.stress, test.times).deviatoric.mean())
        return found

    def rivals(self, start: Path) -> dict[str, dict[str, float]]:
        """Return the errors of what needs no training on these paths, but for a factor."""
        laws = {"Taylor": ms.make_law("taylor"), start.stem: ms.make_law("learned", weights=start)}
        found = {}
        for name, law in laws.items():
            stress = ms.drive(law, self._learnt.stretch, self._learnt.times)
            factor = best_factor(stress, self._learnt.stress, self._learnt.times)
            found[name] = self.errors(law)
            found[f"{name}, best factor"] = self.errors(law, factor) | {"factor": factor}
        return found


def knows_holds(weights: Path) -> bool:
    """Return whether a network was trained in steps that are cut by the time under stress too."""
    return bool(read_surrogate(weights)[1].architecture.get("holds"))


def weights_of(how: str, paths: int, output: Path) -> Path:
    """Return the file of the weights of a training."""
    return output / f"{how.replace(' ', '_')}_{paths}.safetensors"


def trained(
    out: Path, settings: dict[str, Any], data: list[Path], paths: int, updates: float, start: Path | None
) -> Path:
    """Return weights, trained unless they are there."""
    rest = {name: value for name, value in settings.items() if name != "updates"}
    epochs = max(1, round(updates * settings["updates"] / math.ceil(paths / 32)))
    if not out.exists():
        train(*data, out=out, epochs=epochs, start=start, **rest)
    return out


def draw(curve: dict[str, Any], picture: Path) -> None:
    """Draw the errors over the number of paths, a panel for each test set; rivals are lines across."""
    from matplotlib.figure import Figure

    judged = curve["judged"]
    figure = Figure(figsize=(4.0 * len(judged), 4.0), layout="constrained")
    shown = sorted({int(n) for points in curve["trainings"].values() for n in points})
    for axes, test in zip(np.atleast_1d(figure.subplots(1, len(judged), sharey=True)), judged, strict=True):
        for colour, (how, points) in enumerate(curve["trainings"].items()):
            paths = sorted(points, key=int)
            errors = [100.0 * points[n][test] for n in paths]
            axes.plot([int(n) for n in paths], errors, f"C{colour}o-", label=how)
        for colour, (name, errors) in enumerate(curve["rivals"].items(), start=2):
            axes.axhline(100.0 * errors[test], color=f"C{colour}", ls="--", label=name)
        axes.set(title=test, xscale="log", yscale="log", xlabel="full-field paths")
        axes.set_xticks(shown, [str(n) for n in shown])
        axes.set_yticks(TICKS, [str(n) for n in TICKS])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("error of the deviator, %")
    figure.axes[0].legend(fontsize="small")
    figure.savefig(picture, dpi=110)


@checked
def full_field_weights(
    *,
    sizes: tuple[Count, ...] = (50, 200, 500, 2000),
    test: Count = 60,
    grains: Count = 256,
    resolution: Count = 16,
    impacts: Share = 0.2,
    loads: Share = 0.2,
    bars: CountOrZero = 10,
    updates: Positive = 1.0,
    rate: Positive | None = None,
    start: Path = SHIPPED,
    output: OutFolder = Path("results/full_field"),
) -> dict[str, Any]:
    """Make data, train, and print, draw and keep the learning curve.

    Args:
        sizes: Numbers of paths to learn from, increasing.
        test: Paths of each test set.
        grains: Grains of a cell.
        resolution: Voxels along its side.
        impacts: Paths of impacts beside each of the others, in learning; zero for none, in tests neither.
        loads: Paths of any load and of long impacts, the same.
        bars: Histories of each of three impacts until rest, which the last size learns from; and to judge by.
        updates: Updates of the trainings relative to those of the study.
        rate: Peak learning rate of what is taught more, in place of that of the study.
        start: Weights that are taught more.
        output: Folder of data sets, weights and learning curve.
    """
    if list(sizes) != sorted(set(sizes)) or len(sizes) > MOST_SIZES:
        raise InputError(f"sizes = {sizes}, expected increasing numbers, {MOST_SIZES} at most")
    cell = {"grains": grains, "resolution": resolution}
    settings = {"sizes": sizes, "test": test, "impacts": impacts, "loads": loads, "bars": bars}
    settings |= {"updates": updates, "rate": rate, "start": start.stem}
    settings |= {"start_sha256": read_surrogate(start)[1].weights_sha256}
    of_one_study(output, cell | settings)
    more: dict[str, Any] = {} if rate is None else {"rate": rate}
    more |= {"holds": True} if knows_holds(start) else {}  # or it would not go on from there
    trainings = TRAININGS | {TAUGHT: TRAININGS[TAUGHT] | more}
    kinds = [name for name in JUDGED if name in shares_of(impacts, loads)]
    tests = {name: made(f"{name}_test", of(name, test, seed_to_judge(name), cell), output) for name in kinds}
    recorded = bars_until_rest(bars, start, output, cell) if bars else {}
    tests |= {BARS: recorded["test"]} if bars else {}
    curve: dict[str, Any] = {"judged": list(tests), "rivals": {}, "trainings": {how: {} for how in trainings}}
    data: list[Path] = []
    for k, (paths, counts) in enumerate(zip(sizes, rounds(sizes, impacts, loads), strict=True)):
        for name, count in counts.items():
            data.append(made(f"{name}_{k + 1}", of(name, count, seed_of(name, k), cell), output))
        data += [recorded["train"]] if bars and paths == sizes[-1] else []
        judge = Judge({name: read([file]) for name, file in tests.items()}, read(data))
        curve["rivals"] = judge.rivals(start)
        curve["redrawn"] = redrawn([*data, *tests.values()])
        for how, points in curve["trainings"].items():
            out, first = weights_of(how, paths, output), start if how == TAUGHT else None
            weights = trained(out, trainings[how], data, paths, updates, first)
            points[str(paths)] = judge.errors(ms.make_law("learned", weights=weights))
            print(f"{how}, {paths} paths: {told(points[str(paths)])}", flush=True)
        for name, errors in curve["rivals"].items():
            print(f"{name}: {told(errors)}", flush=True)
        write_json(output / "learning_curve.json", curve)
        draw(curve, output / "learning_curve.png")
    evaluate(weights_of(TAUGHT, sizes[-1], output), *tests.values(), record=True)
    return curve


def told(errors: dict[str, float]) -> str:
    """Return errors as text, per cent."""
    return ", ".join(f"{name} {100.0 * error:.1f} %" for name, error in errors.items() if name != "factor")


if __name__ == "__main__":
    launch(full_field_weights)
