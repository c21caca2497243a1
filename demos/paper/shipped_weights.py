"""The shipped weights of magnesium: their data, three stages of training, and their errors.

First random paths of all protocols; then more weight on large strains, and paths recorded in impacts; last in
the steps of the law. Seeds and numbers are those in the card of the shipped weights.

    python demos/paper/shipped_weights.py --output results/weights
    python demos/paper/shipped_weights.py --scale 0.01 --epochs 1       a try, in minutes

Run again to resume. Data are made on several ranks by ``mpirun -n 2 python demos/paper/shipped_weights.py
--data``; the rest is one process.
"""

import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # the demos are scripts beside this folder

from learn_from_impacts import learn_from_impacts

from microscale.inputs.numbers import Count, OutFolder, Positive, checked
from multiscale.cli import evaluate, generate, train
from multiscale.run.command import launch

FEWEST = 64
"""Paths of a set at least, of which some must watch."""


class PathSet(NamedTuple):
    """A data set: protocol, largest strain, seed, number of paths; steps and which samples are kept."""

    protocol: str
    max_strain: float
    seed: int
    paths: int
    steps: int = 200
    keep_every: int = 1


FLOW = ("U", "L-U", "C")
"""Protocols with one axis of flow; each of their sets has the seed after that of the one before."""

SETS = {
    **{f"R50_train_{k}": PathSet("R", 0.5, 100 + k, 4000) for k in (1, 2, 3, 4)},
    **{f"R10_train_{k}": PathSet("R", 0.1, 300 + k, 4000) for k in (1, 2)},
    "R3_train_1": PathSet("R", 0.03, 601, 1600),
    "I_train_1": PathSet("I", 1.0, 201, 3000),
    "I_train_2": PathSet("I", 1.0, 202, 5000),
    **{f"F50_train_{k}": PathSet("F", 0.5, 400 + k, 3000) for k in range(1, 7)},
    **{f"{p}_train_1": PathSet(p, 0.5, 501 + k, 800) for k, p in enumerate(FLOW)},
    "R50_coarse": PathSet("R", 0.5, 111, 2000, steps=50),
    "R10_coarse": PathSet("R", 0.1, 311, 2000, steps=50),
    "I_coarse": PathSet("I", 1.0, 211, 2000, steps=50),
    **{f"{p}_coarse": PathSet(p, 0.5, 511 + k, 500, steps=50) for k, p in enumerate(FLOW)},
    **{f"{p}_small": PathSet(p, 0.125, 521 + k, 300) for k, p in enumerate(FLOW)},
    **{f"{p}_kept": PathSet(p, 0.5, 514 + k, 700, keep_every=4) for k, p in enumerate(FLOW)},
    "R50_test": PathSet("R", 0.5, 9101, 300),
}
TRAINED_ON = tuple(f"{p}_train_1" for p in ("I", "R10", *FLOW))
LONG = ("R50_coarse", "R10_coarse", "I_coarse")
BASE = (
    *(name for name in SETS if "train" in name and name not in ("F50_train_5", "F50_train_6")),
    *LONG,
    *(f"{p}_coarse" for p in FLOW),
)
LARGE = (*(name for name in SETS if name[:9] in ("R50_train", "F50_train")), *TRAINED_ON, *LONG)
FINE = (
    *("R50_train_1", "R50_train_2", "F50_train_5", "F50_train_6", "R3_train_1", *TRAINED_ON, *LONG),
    *(f"{p}_{kind}" for kind in ("small", "kept") for p in FLOW),
)


@checked
def shipped_weights(
    *,
    output: OutFolder = Path("results/weights"),
    scale: Positive = 1.0,
    epochs: Count | None = None,
    data: bool = False,
) -> Path:
    """Make the data, train in three stages and evaluate; return the weights.

    Args:
        output: Folder for data and weights.
        scale: Share of the paths.
        epochs: Of each stage, instead of 65, 20 and 6.
        data: Make the random paths only, on the ranks there are.
    """
    output.mkdir(parents=True, exist_ok=True)
    for name, each in SETS.items():
        generate(
            out=output / f"{name}.h5",
            protocol=each.protocol,
            max_strain=each.max_strain,
            seed=each.seed,
            paths=max(FEWEST, round(scale * each.paths)),
            steps=each.steps,
            keep_every=each.keep_every,
            duration=0.5,
            longest_duration=5.0,
        )
    base, more, last = (output / f"{name}.safetensors" for name in ("base", "more", "magnesium"))
    if data:
        return last
    train(*_files(output, BASE), out=base, epochs=epochs or 65, rate=0.003)
    impacts = learn_from_impacts(
        output=output, weights=base, paths=max(FEWEST // 4, round(scale * 250)), grains=128
    )
    train(*_files(output, LARGE), impacts["train"], out=more, start=base, epochs=epochs or 20, rate=0.0015)
    train(
        *_files(output, FINE), impacts["train"], out=last, start=more, epochs=epochs or 6, rate=0.0007,
        longest_step=0.01,
    )  # fmt: skip
    evaluate(last, output / "R50_test.h5", impacts["test"], record=True)
    return last


def _files(folder: Path, names: tuple[str, ...]) -> list[Path]:
    """Return the data sets of these names."""
    return [folder / f"{name}.h5" for name in names]


if __name__ == "__main__":
    launch(shipped_weights)
