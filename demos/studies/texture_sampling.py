"""How many grains stand for a polycrystal without texture? Random ones, and evenly spread ones.

    python demos/studies/texture_sampling.py --output results/texture_sampling

Deviatoric error of Taylor polycrystals of few grains (relative L2 along a path, mean over random paths)
against one of many that are evenly spread. Of random ones, the mean over some draws.
"""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from microscale import TaylorPolycrystal, drive, random_orientations
from microscale.crystals.crystal import read_crystal
from microscale.crystals.uniform_texture import uniform_orientations
from microscale.errors import InputError
from microscale.inputs.numbers import Count, OutFolder, Repeats, Strain, checked
from microscale.paths.protocols import StrainPaths
from microscale.progress import tracked
from microscale.tensors import FloatArray
from multiscale.run.command import launch
from multiscale.surrogate.histories import relative_errors

LABELS = {"random": "random, on average", "uniform": "evenly spread"}


@checked
def texture_sampling(
    *,
    grains: tuple[Count, ...] = (16, 32, 64, 128, 256),
    reference: Count = 1024,
    draws: Repeats = 4,
    paths: Count = 20,
    max_strain: Strain = 0.5,
    crystal: Path | None = None,
    output: OutFolder = Path("results/texture_sampling"),
) -> dict[str, list[float]]:
    """Measure and draw the error against the number of grains; return it, random and evenly spread.

    Args:
        grains: Numbers of grains.
        reference: Evenly spread grains of the polycrystal taken for the truth.
        draws: Random textures of each number of grains.
        paths: Random paths (protocol R) of 200 steps and 1 us.
        max_strain: Largest strain of a path.
        crystal: Material file; magnesium by default.
        output: Folder of figures and picture.
    """
    if not grains or max(grains) >= reference:
        raise InputError(f"grains = {grains}, expected some numbers below the reference's {reference}")
    material = read_crystal(crystal)
    times, stretch = StrainPaths("R", max_strain, 200, (1.0, 1.0), seed=1).batch(range(paths))

    def stress(orientations: FloatArray) -> FloatArray:
        return drive(TaylorPolycrystal(orientations, crystal=material), stretch, times)

    truth = stress(uniform_orientations(reference, crystal=material))

    def error(orientations: FloatArray) -> float:
        return float(relative_errors(stress(orientations), truth, times).deviatoric.mean())

    errors: dict[str, list[float]] = {"random": [], "uniform": []}
    for number in tracked(grains, "numbers of grains"):
        random = [error(random_orientations(number, seed)) for seed in range(draws)]
        errors["random"].append(float(np.mean(random)))
        errors["uniform"].append(error(uniform_orientations(number, crystal=material)))
        print(
            f"{number} grains: random {100 * errors['random'][-1]:.2f} % "
            f"({100 * min(random):.2f} to {100 * max(random):.2f}), "
            f"evenly spread {100 * errors['uniform'][-1]:.2f} %",
            flush=True,
        )
    output.mkdir(parents=True, exist_ok=True)
    figures = {"grains": grains, "reference": reference, "paths": paths, "max_strain": max_strain, **errors}
    (output / "texture_sampling.json").write_text(json.dumps(figures, indent=2) + "\n")
    draw(grains, errors, output / "texture_sampling.png")
    return errors


def draw(grains: tuple[int, ...], errors: dict[str, list[float]], picture: Path) -> None:
    """Draw errors against the number of grains, and the slope -1/2 of independent draws."""
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.add_subplot(xlabel="grains", ylabel="deviatoric error, %", xscale="log", yscale="log")
    number = np.array(grains, dtype=float)
    for name, label in LABELS.items():
        axes.plot(number, 100.0 * np.array(errors[name]), "o-", label=label)
    first = 100.0 * errors["random"][0]
    axes.plot(number, first * np.sqrt(number[0] / number), "k:", label="grains$^{-1/2}$")
    axes.set_xticks(number, [str(n) for n in grains])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(picture, dpi=120)
    print(f"picture: {picture}")


if __name__ == "__main__":
    launch(texture_sampling)
