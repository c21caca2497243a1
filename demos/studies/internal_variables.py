"""How many internal variables does the polycrystal need? One training for each number; their errors drawn.

    python demos/studies/internal_variables.py DATASETS... --test TEST.h5 --output results/internal_variables

Trainings that are there already are kept; one that was killed goes on where it was.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from microscale.errors import InputError
from microscale.files.one_study import of_one_study
from microscale.inputs.numbers import Count, OutFolder, Positive, checked
from microscale.law import drive
from microscale.progress import tracked
from multiscale.run.command import launch
from multiscale.surrogate.histories import relative_errors
from multiscale.surrogate.recurrent.architecture import DEVIATOR
from multiscale.surrogate.recurrent.fit import fit_recurrent
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.sources import read_sources


@checked
def internal_variables(
    *datasets: Path,
    test: Path,
    output: OutFolder = Path("results/internal_variables"),
    tensors: tuple[Count, ...] = (1, 2, 3, 4, 6),
    groups: Count = 4,
    scalars: Count = 2,
    hidden: Count = 80,
    epochs: Count = 10,
    rate: Positive = 1.5e-3,
) -> dict[int, float]:
    """Train with several numbers of internal variables and draw the deviatoric test error against them.

    Args:
        datasets: Training data.
        test: Test data.
        output: Folder of weights, figures and picture.
        tensors: Numbers of learnt internal deviators, of five variables each.
        groups: Groups of grains with an elastic strain each; these are tensors too.
        scalars: Number of internal scalars beside them.
        hidden: Width of the hidden layers.
        epochs: Times to go through the data.
        rate: Peak learning rate.
    """
    if not tensors:
        raise InputError("no numbers of internal tensors given, expected some such as --tensors 2 4 8")
    sizes = {"groups": groups, "scalars": scalars, "hidden": hidden}
    schedule = {"epochs": epochs, "rate": rate, "batch": None, "seed": 0}
    of_one_study(
        output,
        {"datasets": [hashlib.sha256(file.read_bytes()).hexdigest() for file in datasets]} | sizes | schedule,
    )
    data = read_sources([test]).histories
    errors = {}
    for count in tracked(tensors, "networks"):
        number = DEVIATOR * count + scalars
        weights = output / f"internal_{number}.safetensors"
        if not weights.with_suffix(".json").exists():
            fit_recurrent(datasets, weights, tensors=count, **sizes, **schedule)
        law = LearnedLaw.from_file(weights)
        predicted = drive(law, data.stretch, data.times)
        errors[number] = float(relative_errors(predicted, data.stress, data.times).deviatoric.mean())
        print(f"{number} internal variables: {100 * errors[number]:.2f} %", flush=True)
    figures = {"deviatoric_mean": errors, **sizes, "epochs": epochs}
    (output / "internal_variables.json").write_text(json.dumps(figures, indent=2) + "\n")
    label = f"internal variables (beside {groups} elastic strains)"
    draw(errors, label, output / "internal_variables.png")
    return errors


def draw(errors: dict[int, float], label: str, picture: Path) -> None:
    """Draw errors against numbers of internal variables."""
    figure = Figure(figsize=(5, 3.5), layout="constrained")
    axes = figure.add_subplot(
        xlabel=label,
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
