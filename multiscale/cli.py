"""The command-line program ``multiscale``: one thin function a command."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Literal

from cyclopts import App

from microscale.errors import InputError
from microscale.files.printable import drawable, printable
from microscale.inputs.numbers import (
    Count,
    Fraction,
    OutFile,
    OutFolder,
    Positive,
    Seed,
    Strain,
    Time,
    checked,
)
from microscale.inputs.options import defaults_of, options_for
from microscale.paths.protocols import StrainPaths, protocol_options
from multiscale.laws import Derivative, Texture

app = App(
    name="multiscale",
    version=version("multiscale"),
    help="Learning-based multiscale simulation of inelastic impact.",
)

Protocol = Literal["F", "R", "U", "L-U", "C", "I"]


def main() -> None:
    """Run the command line on every rank and exit with the same code on each."""
    from multiscale.run.command import launch

    launch(app)


@app.command
@checked
def generate(
    *,
    out: OutFile,
    protocol: Protocol = "R",
    max_strain: Strain = 0.5,
    paths: Count = 1000,
    steps: Count = 200,
    keep_every: Count = 1,
    seed: Seed = 1,
    duration: Time = 1.0,
    longest_duration: Time | None = None,
    dimension: Literal[2, 3] = 3,
    intervals: Count | None = None,
    isochoric: bool | None = None,
    law: str = "taylor",
    crystal: Path | None = None,
    grains: Count | None = None,
    texture: Texture | None = None,
    texture_seed: Seed | None = None,
    rate_sensitivity: Fraction | None = None,
    resolution: Count | None = None,
    derivative: Derivative | None = None,
) -> None:
    """Drive a law along sampled strain paths and keep its stress; run again to resume.

    All cores of the machine share the work; mpirun starts it on several machines.

    Args:
        out: The data set, an HDF5 file.
        protocol: F fixed and R random steps, U uniaxial, L-U load and unload, C cavity, I impact.
        max_strain: Largest strain of a path.
        paths: Number of paths.
        steps: Time steps of a path.
        keep_every: Keep the samples of every so many steps.
        seed: Seed of the paths.
        duration: Duration T of a path, us; the crystal of fft2d flows at rates of one per second: 1e6.
        longest_duration: Longest T, us: T is then log-uniform from ``duration`` to this.
        dimension: 3, or 2 for plane strain, as for fft2d.
        intervals: Number of intervals N of a path, for F and R; 10 by default.
        isochoric: Whether the sides give way in U, L-U and C, as the paper prints and by default, or are
            held.
        law: Law to drive, such as taylor, fft2d or fft3d; the options below are of polycrystals.
        crystal: Material file, laid out like microscale/magnesium.yaml; by default magnesium, and for fft2d
            the plane crystal of the paper.
        grains: Grains of the polycrystal; 128 for taylor, 16 in a unit cell by default.
        texture: Their orientations in taylor: spread evenly over all (uniform), which stands better for a
            polycrystal without texture, or drawn (random), as in the paper. By default uniform, but random
            with a resolution; those of a unit cell are always drawn.
        texture_seed: Seed of their orientations, 0 by default: the material, so the same for training and
            test.
        rate_sensitivity: m of the crystal instead of its own; 0.2 for the cases "m = 5" of the paper.
        resolution: Voxels along each side of a unit cell; 64 for fft2d, 16 for fft3d by default. With taylor:
            take the grains of the fft3d cell of this resolution.
        derivative: Discrete derivative of a unit cell, in place of its own (docs/theory/unit_cell.md).
    """
    from mpi4py import MPI

    from multiscale.laws import options_given
    from multiscale.run.generation import DataSet, make_data_set
    from multiscale.run.inputs import require_apart

    require_apart([out], [crystal])
    given = {
        "crystal": crystal,
        "grains": grains,
        "texture": texture,
        "seed": texture_seed,
        "rate_sensitivity": rate_sensitivity,
        "resolution": resolution,
        "derivative": derivative,
    }
    options = options_given(law, given, seed="texture_seed")
    durations = (duration, duration if longest_duration is None else longest_duration)
    of_protocol = protocol_options(protocol, intervals=intervals, isochoric=isochoric)
    strain_paths = StrainPaths(
        protocol, max_strain, steps, durations, seed, dimension=dimension, **of_protocol
    )
    made = make_data_set(DataSet(law, options, strain_paths, paths, keep_every), out)
    if MPI.COMM_WORLD.rank == 0:
        print(
            f"{printable(out)}: {paths} paths, " + ("complete" if made else "was complete already"),
            flush=True,
        )


@app.command
@checked
def inspect(file: Path, *, samples: Count = 4) -> None:
    """Print what is in a data set and draw sample paths beside it.

    Args:
        file: The data set.
        samples: Number of paths to draw.
    """
    from rich.console import Console

    from microscale.data.dataset import read_dataset
    from microscale.paths.pictures import draw_paths
    from multiscale.results.data_report import report
    from multiscale.run.data_origin import require_as_recorded

    picture = file.with_name(f"{file.name}.png") if file.suffix == ".png" else file.with_suffix(".png")
    data = read_dataset(file)
    require_as_recorded(file)
    Console().print(report(file, data))
    drawn = slice(0, min(samples, len(data)))
    made = data.provenance
    title = f"{file.name}: protocol {made['paths']['protocol']}, law {made['law']['name']}"
    draw_paths(
        picture, drawable(title), data.times[drawn], data.stretch_tensors[drawn], data.stress_tensors[drawn]
    )
    print(f"sample paths: {printable(picture)}")


@app.command
@checked
def train(
    *datasets: Path,
    out: OutFile,
    model: str = "recurrent",
    epochs: Count = 200,
    rate: Positive | None = None,
    batch: Count | None = None,
    hidden: Count | None = None,
    groups: Count | None = None,
    tensors: Count | None = None,
    scalars: Count | None = None,
    start: Path | None = None,
    longest_step: Positive | None = None,
    modes: Count | None = None,
    exact_pressure: bool | None = None,
    seed: Seed = 0,
) -> None:
    """Train a surrogate; run again to resume. A log and a picture of the losses are written beside it.

    Args:
        datasets: Data sets of one material; protocols may be mixed.
        out: Weights file (.safetensors); its description (.json) goes beside it.
        model: Kind of surrogate: recurrent, or pca, the paper's principal components and SELU network.
        epochs: Times to go through the data.
        rate: Peak learning rate; by default 0.0015 (recurrent) or 0.0001 (pca, as in the paper).
        batch: Paths a batch, divided among processes; by default 32 for each (recurrent; always a multiple of
            that) or 64 (pca).
        hidden: Width of the hidden layers; by default 80 (recurrent) or 1000 (pca).
        groups: Groups of grains of the recurrent surrogate, with an elastic strain each; 4 by default.
        tensors: Its other internal variables that are tensors, and turn with the path; 6 by default.
        scalars: Those that are scalars; 6 by default.
        start: Weights the recurrent surrogate starts from, such as those to be taught more.
        longest_step: Strain of the longest steps the recurrent surrogate is trained in, 0.02 by default; the
            law itself takes 0.01, which costs more.
        modes: Principal components of each tensor component, for pca; 100 by default.
        exact_pressure: For pca: compute the mean stress and learn the rest; the paper learns all of it.
        seed: Of all random choices.
    """
    from multiscale.run.data_origin import require_as_recorded
    from multiscale.run.inputs import require_apart
    from multiscale.surrogate.kinds import kind_names, kind_of

    fit = kind_of(model).fit()
    beside = (out.with_suffix(suffix) for suffix in (".json", ".checkpoint", ".csv", ".png"))
    require_apart((out, *beside), (*datasets, start))

    given = {
        "rate": rate,
        "batch": batch,
        "hidden": hidden,
        "groups": groups,
        "tensors": tensors,
        "scalars": scalars,
        "start": start,
        "longest_step": longest_step,
        "modes": modes,
        "exact_pressure": exact_pressure,
    }
    options = options_for("model", model, given, lambda name: defaults_of(kind_of(name).fit()), kind_names())
    for file in datasets:
        require_as_recorded(file)
    fit(datasets, out, epochs=epochs, seed=seed, **options)


@app.command
@checked
def evaluate(weights: Path, *datasets: Path, out: OutFolder | None = None, record: bool = False) -> None:
    """Measure a surrogate on test data: errors, by strain, rate and step too; causality, isotropy, cost.

    Args:
        weights: The weights file.
        datasets: Data sets it was not trained on.
        out: Folder of the pictures; by default that of the weights.
        record: Write the figures into the JSON file beside the weights.
    """
    from multiscale.laws import make_law
    from multiscale.run.data_origin import recorded_law, require_as_recorded
    from multiscale.surrogate.kinds import kind_of
    from multiscale.surrogate.report import record as write_figures
    from multiscale.surrogate.report import report
    from multiscale.surrogate.sources import require_data_of
    from multiscale.surrogate.store import read_surrogate

    if not datasets:
        raise InputError("no data set given, expected at least one; make one with 'multiscale generate'")
    pictures = weights.parent if out is None else out
    pictures.mkdir(parents=True, exist_ok=True)
    law = make_law("learned", weights=weights)
    card = read_surrogate(weights)[1]
    for file in datasets:
        require_data_of(card, file)
        require_as_recorded(file)
    predict = kind_of(card.kind).predict(weights, law)
    figures = report(predict, law, datasets, pictures, recorded_law)
    if record:
        write_figures(weights, figures)


@app.command
@checked
def calibrate(
    *,
    out: OutFile,
    law: Literal["johnson-cook", "j2"] = "johnson-cook",
    largest_strain: Strain = 0.5,
    crystal: Path | None = None,
    grains: Count = 128,
    texture: Texture = "uniform",
    texture_seed: Seed = 0,
    rate_sensitivity: Fraction | None = None,
) -> None:
    """Fit an empirical law to the polycrystal along isochoric paths: the parameter-passing method.

    Args:
        out: File of the constants (.json), for --constants of the demos.
        law: Law to fit.
        largest_strain: Equivalent logarithmic strain at the end of each path.
        crystal: Material file, laid out like microscale/magnesium.yaml; magnesium by default.
        grains: Grains of the polycrystal.
        texture: Their orientations: spread evenly over all, or drawn.
        texture_seed: Seed of their orientations.
        rate_sensitivity: m of the crystal instead of its own.
    """
    from multiscale.laws import calibration, make_law
    from multiscale.results.provenance import law_record, versions
    from multiscale.run.inputs import require_apart

    require_apart([out], [crystal])
    polycrystal = {"grains": grains, "texture": texture, "seed": texture_seed}
    options = {**polycrystal, "rate_sensitivity": rate_sensitivity, "crystal": crystal}
    reference = make_law("taylor", **options)
    found = calibration.calibrate(reference, law, largest_strain=largest_strain)
    record = {"reference": law_record(reference, options), "largest_strain": largest_strain}
    calibration.write_calibration(out, found, {**record, "versions": versions()})
    for name, error in found.errors.items():
        print(f"{name:30s} relative deviatoric error {100.0 * error:5.1f} %")
    fitted = ", ".join(f"{name} = {found.constants[name]:.4g}" for name in found.fitted)
    print(f"mean {100.0 * found.mean_error:.1f} %; {law}: {fitted}\nconstants: {printable(out)}")


@app.command
def report(folder: Path, *, title: str = "") -> None:
    """Write the report of a run again: one page for a browser, with figures, energies and a view to turn.

    Args:
        folder: Folder of a run that has ended.
        title: First line of the page; by default the name of the folder.
    """
    from multiscale.results.html_report import write_report

    print(f"report: {write_report(folder, title)}")


if __name__ == "__main__":
    main()
