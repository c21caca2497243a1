"""How many internal variables does the polycrystal need? One training for each number; their errors drawn.

    python demos/internal_variables.py DATASETS... --test TEST.h5 --output results/internal_variables

Trainings that are there already are kept; one that was killed goes on where it was.
"""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from microscale.errors import InputError
from microscale.law import drive
from multiscale.io.command import launch
from multiscale.laws.learned import LearnedLaw
from multiscale.surrogate.fit import fit_recurrent
from multiscale.surrogate.histories import relative_errors
from multiscale.surrogate.sources import read_sources


def internal_variables(
    *datasets: Path,
    test: Path,
    output: Path = Path("results/internal_variables"),
    numbers: tuple[int, ...] = (2, 4, 8, 16, 32),
    groups: int = 4,
    hidden: int = 112,
    epochs: int = 10,
    rate: float = 1.5e-3,
) -> dict[int, float]:
    """Train with several numbers of internal variables and draw the deviatoric test error against them.

    Args:
        datasets: Training data.
        test: Test data.
        output: Folder of weights, figures and picture.
        numbers: Numbers of learnt internal variables.
        groups: Groups of grains with an elastic strain each; these are variables too.
        hidden: Width of the hidden layers.
        epochs: Times to go through the data.
        rate: Peak learning rate.
    """
    if not numbers:
        raise InputError("no numbers of internal variables given, expected some such as --numbers 2 4 8")
    data = read_sources([test]).histories
    errors = {}
    for number in numbers:
        weights = output / f"internal_{number}.safetensors"
        if not weights.with_suffix(".json").exists():
            fit_recurrent(datasets, weights, groups, number, hidden, epochs, rate, batch=None, seed=0)
        law = LearnedLaw.from_file(weights)
        predicted = drive(law, data.stretch, data.times)
        errors[number] = float(relative_errors(predicted, data.stress, data.times).deviatoric.mean())
        print(f"{number} internal variables: {100 * errors[number]:.2f} %", flush=True)
    figures = {"deviatoric_mean": errors, "groups": groups, "hidden": hidden, "epochs": epochs}
    (output / "internal_variables.json").write_text(json.dumps(figures, indent=2) + "\n")
    draw(errors, groups, output / "internal_variables.png")
    return errors


def draw(errors: dict[int, float], groups: int, picture: Path) -> None:
    """Draw errors against numbers of internal variables."""
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.add_subplot(
        xlabel=f"internal variables (beside {5 * groups} elastic strains)",
        ylabel="deviatoric test error, %",
        xscale="log",
    )
    axes.plot(list(errors), 100.0 * np.array(list(errors.values())), "o-")
    axes.set_xticks(list(errors), [str(number) for number in errors])
    axes.minorticks_off()
    axes.set_ylim(0.0, 110.0 * max(errors.values()))
    axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=120)
    print(f"picture: {picture}")


if __name__ == "__main__":
    launch(internal_variables)
