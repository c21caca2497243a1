"""Data and training of a surrogate of every texture, from nothing: hours on two cores.

    python demos/studies/any_texture_weights.py                   the data
    python demos/studies/any_texture_weights.py --learn           the data, two trainings, errors by family
    python demos/studies/any_texture_weights.py --scale 0.001 --output results/any_small

In two rounds every eighth path has another polycrystal; in others each strain path has sixteen, of the
same grains with other volumes. Those to learn from are of the families ``various`` and ``peaks``; those to be
judged by are of other kinds, and of other draws. Each round has all kinds of paths. Files that are there are
kept, and one that was begun goes on.
"""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from shipped_weights import NEAR, UNIAXIAL, USUAL, WIDE, lasting, make

from microscale.files.one_study import of_one_study
from microscale.inputs.numbers import Count, Fraction, OutFolder, checked
from multiscale.cli import evaluate, train
from multiscale.run.command import launch

ONE = (1.0, 1.0)
"""Shortest and longest T of the tests, us."""
FAMILIES = ("none", "various", "girdle", "split", "harmonic", "deformed")
"""Textures to be judged by; of the first two other draws than those learnt from."""


def of(protocol: str, strain: float, paths: int, seed: int, lasts: tuple[float, float], **more: Any) -> dict:
    """Return what ``multiscale generate`` is told for one data set; textures of the seed of the paths."""
    textures = {"textures": "various", "texture_seed": seed}
    return lasting(protocol, strain, paths, seed, lasts) | textures | more


def round_of(k: int) -> dict[str, dict[str, Any]]:
    """Return the k-th round of paths with a polycrystal for each eight of them, all kinds of paths."""
    seed = 5000 + 100 * k
    sides = {f"{p}_{k}": of(p, 0.5, 200, seed + 20 + i, USUAL) for i, p in enumerate(UNIAXIAL)}
    small = {f"{p}_small_{k}": of(p, 0.125, 104, seed + 30 + i, USUAL) for i, p in enumerate(UNIAXIAL)}
    return {
        f"A_{k}": of("A", 0.8, 4000, seed, WIDE),
        f"R50_{k}": of("R", 0.5, 1500, seed + 1, USUAL),
        f"I_{k}": of("I", 1.0, 1500, seed + 2, USUAL),
        f"R10_{k}": of("R", 0.1, 1200, seed + 3, USUAL),
        f"F50_{k}": of("F", 0.5, 1000, seed + 4, USUAL),
        f"R3_{k}": of("R", 0.03, 400, seed + 5, USUAL),
        f"R50_coarse_{k}": of("R", 0.5, 400, seed + 6, USUAL, steps=50),
        **sides,
        **small,
    }


def shared_round_of(k: int) -> dict[str, dict[str, Any]]:
    """Return the k-th round of paths of which each has sixteen textures."""
    seed = 6000 + 100 * k
    shared = {"textures": ("various", "peaks")[k % 2], "textures_each": 16, "grains": 256}
    sides = {
        f"{p}_shared_{k}": of(p, 0.5, 160, seed + 20 + i, USUAL, **shared) for i, p in enumerate(UNIAXIAL)
    }
    return {
        f"A_shared_{k}": of("A", 0.8, 1600, seed, WIDE, **shared),
        f"R50_shared_{k}": of("R", 0.5, 960, seed + 1, USUAL, **shared),
        f"I_shared_{k}": of("I", 1.0, 480, seed + 2, USUAL, **shared),
        f"R10_shared_{k}": of("R", 0.1, 800, seed + 3, USUAL, **shared),
        f"F50_shared_{k}": of("F", 0.5, 480, seed + 4, USUAL, **shared),
        f"R3_shared_{k}": of("R", 0.03, 160, seed + 5, USUAL, **shared),
        **sides,
    }


def far_round_of(k: int) -> dict[str, dict[str, Any]]:
    """Return the k-th round of large strains, as bodies have that come to rest, and of small cycles."""
    seed = 7000 + 100 * k
    shared = {"textures": ("various", "peaks")[k % 2], "textures_each": 16, "grains": 256}
    return {
        f"I_far_{k}": of("I", 2.0, 960, seed, (2.0, 20.0), **shared),
        f"A_far_{k}": of("A", 1.2, 640, seed + 1, WIDE, **shared),
        f"R100_far_{k}": of("R", 1.0, 480, seed + 2, USUAL, **shared),
        f"F100_far_{k}": of("F", 1.0, 320, seed + 3, USUAL, **shared),
        f"A_near_{k}": of("A", 0.02, 960, seed + 4, NEAR, **shared),
    }


ROUNDS, SHARED_ROUNDS, FAR_ROUNDS = (1, 2), (1, 2, 3), (1, 2)
OWN = {name: told for k in ROUNDS for name, told in round_of(k).items()} | {"A_3": round_of(3)["A_3"]}
SHARED = {name: told for k in SHARED_ROUNDS for name, told in shared_round_of(k).items()}
FAR = {name: told for k in FAR_ROUNDS for name, told in far_round_of(k).items()}
SETS = OWN | SHARED | FAR
"""Sets to learn from: of polycrystals of their own, and of many textures along each path."""
JUDGED = {"R10": ("R", 0.1, ONE), "R50": ("R", 0.5, ONE), "U30": ("U", 0.3, ONE), "A": ("A", 0.8, WIDE)}
TESTS = {
    f"{name}_{family}": of(protocol, strain, 160, 9000 + 10 * i + k, lasts, textures=family)
    for i, family in enumerate(FAMILIES)
    for k, (name, (protocol, strain, lasts)) in enumerate(JUDGED.items())
}
TOLD = {"any_texture": True, "holds": True, "hidden": 96}
LAST = tuple(name for name in SETS if name not in ("A_2", "A_3", "R50_coarse_1", "R50_coarse_2"))
TRAININGS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "any_base": (tuple(OWN), {"epochs": 14, "rate": 3e-3} | TOLD),
    "any_texture": (LAST, {"epochs": 18, "rate": 2e-3} | TOLD),
}
"""Data and settings of the trainings; each starts from the one before."""


@checked
def any_texture_weights(
    *,
    output: OutFolder = Path("results/any_texture"),
    scale: Fraction = 1.0,
    grains: Count = 128,
    learn: bool = False,
) -> list[Path]:
    """Make data, and perhaps train and measure; return the files that were made.

    Args:
        output: Folder of data sets and weights.
        scale: Numbers of paths and epochs relative to the whole.
        grains: Grains of each polycrystal.
        learn: Whether to train a network that is told textures, and to measure its errors.
    """
    of_one_study(output, {"scale": scale, "grains": grains})
    files = {name: output / f"{name}.h5" for name in (*SETS, *TESTS)}
    make(round_of(1), SETS, files, scale, grains)
    tests = make(TESTS, TESTS, files, scale, grains)
    made = make(SETS, SETS, files, scale, grains)
    if not learn:
        return [*made, *tests]
    weights: Path | None = None
    for name, (data, settings) in TRAININGS.items():
        out = output / f"{name}.safetensors"
        if not out.exists():
            epochs = max(1, round(settings["epochs"] * scale))
            train(*(files[k] for k in data), out=out, start=weights, **settings | {"epochs": epochs})
        weights = out
    assert weights is not None
    evaluate(weights, *tests, record=True)
    return [*made, *tests, weights]


if __name__ == "__main__":
    launch(any_texture_weights)
