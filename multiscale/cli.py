"""The command-line program ``multiscale``: one thin function a command."""

from __future__ import annotations

from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from cyclopts import App

from microscale.errors import InputError
from microscale.paths import StrainPaths
from microscale.printable import drawable, printable
from multiscale.laws import Derivative, Texture

app = App(
    name="multiscale",
    version=version("multiscale"),
    help="Learning-based multiscale simulation of inelastic impact.",
)

Protocol = Literal["F", "R", "U", "L-U", "C", "I"]


def main() -> None:
    """Run the command line on every rank and exit with the same code on each."""
    from multiscale.io.command import launch

    launch(app)


@app.command
def generate(
    *,
    out: Path,
    protocol: Protocol = "R",
    max_strain: float = 0.5,
    paths: int = 1000,
    steps: int = 200,
    keep_every: int = 1,
    seed: int = 1,
    duration: float = 1.0,
    longest_duration: float | None = None,
    dimension: int = 3,
    intervals: int = 10,
    isochoric: bool = True,
    law: str = "taylor",
    crystal: Path | None = None,
    grains: int | None = None,
    texture: Texture | None = None,
    texture_seed: int = 0,
    rate_sensitivity: float | None = None,
    resolution: int | None = None,
    derivative: Derivative | None = None,
) -> None:
    """Drive a law along sampled strain paths and keep its stress; run again to resume. Works under mpirun.

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
        intervals: Number of intervals N of a path, for F and R.
        isochoric: Whether the sides give way in U, L-U and C, as the paper prints, or are held.
        law: Law to drive, such as taylor, fft2d or fft3d; the options below are of polycrystals.
        crystal: Material file, laid out like microscale/magnesium.yaml; by default magnesium, and for fft2d
            the plane crystal of the paper.
        grains: Grains of the polycrystal; 128 for taylor, 16 in a unit cell by default.
        texture: Their orientations in taylor: spread evenly over all (uniform), which stands better for a
            polycrystal without texture, or drawn (random), as in the paper. By default uniform, but random
            in a unit cell.
        texture_seed: Seed of their orientations: the material, so the same for training and test.
        rate_sensitivity: m of the crystal instead of its own; 0.2 for the cases "m = 5" of the paper.
        resolution: Voxels along each side of a unit cell; 64 for fft2d, 16 for fft3d by default. With taylor:
            take the grains of the fft3d cell of this resolution.
        derivative: Discrete derivative of a unit cell, in place of its own (docs/microscale.md).
    """
    from mpi4py import MPI

    from microscale.generate import Generation, finish
    from microscale.generate import generate as work
    from multiscale.io.data_progress import PathProgress
    from multiscale.io.provenance import law_record, versions
    from multiscale.io.sole_writer import sole_writer
    from multiscale.laws import make_law, options_of

    comm = MPI.COMM_WORLD
    given = {
        "crystal": crystal,
        "grains": grains,
        "texture": texture or ("uniform" if resolution is None else "random"),
        "seed": texture_seed,
        "rate_sensitivity": rate_sensitivity,
        "resolution": resolution,
        "derivative": derivative,
    }
    defaults = options_of(law)
    options = {
        name: defaults[name] if value is None else value for name, value in given.items() if name in defaults
    }
    material = make_law(law, **options)
    durations = (duration, duration if longest_duration is None else longest_duration)
    strain_paths = StrainPaths(protocol, max_strain, steps, durations, seed, intervals, dimension, isochoric)
    job = Generation(material, law_record(material, options), strain_paths, paths, versions(), keep_every)
    # A file that is there is complete, and only read.
    with nullcontext() if comm.bcast(out.exists()) else sole_writer(comm, out):
        with PathProgress(paths, comm.rank) as progress:
            made = work(job, out, comm.rank, comm.size, progress)
        comm.Barrier()
        if comm.rank == 0 and made:
            finish(job, out)
    if comm.rank == 0:
        print(
            f"{printable(out)}: {paths} paths, " + ("complete" if made else "was complete already"),
            flush=True,
        )


@app.command
def inspect(file: Path, *, samples: int = 4) -> None:
    """Print what is in a data set and draw sample paths beside it.

    Args:
        file: The data set.
        samples: Number of paths to draw.
    """
    from rich.console import Console

    from microscale.dataset import read_dataset
    from microscale.path_pictures import draw_paths
    from multiscale.io.data_report import report

    if samples < 1:
        raise InputError(f"samples = {samples}, expected at least 1")
    data = read_dataset(file)
    Console().print(report(file, data))
    picture = file.with_name(f"{file.name}.png") if file.suffix == ".png" else file.with_suffix(".png")
    drawn = slice(0, min(samples, len(data)))
    made = data.provenance
    title = f"{file.name}: protocol {made['paths']['protocol']}, law {made['law']['name']}"
    draw_paths(
        picture, drawable(title), data.times[drawn], data.stretch_tensors[drawn], data.stress_tensors[drawn]
    )
    print(f"sample paths: {printable(picture)}")


@app.command
def train(
    *datasets: Path,
    out: Path,
    model: Literal["recurrent", "pca"] = "recurrent",
    epochs: int = 200,
    rate: float | None = None,
    batch: int | None = None,
    hidden: int | None = None,
    groups: int = 4,
    tensors: int = 6,
    scalars: int = 6,
    start: Path | None = None,
    longest_step: float = 0.02,
    modes: int = 100,
    exact_pressure: bool = False,
    seed: int = 0,
) -> None:
    """Train a surrogate; run again to resume. A log and a picture of the losses are written beside it.

    Args:
        datasets: Data sets of one material; protocols may be mixed.
        out: Weights file (.safetensors); its description (.json) goes beside it.
        model: The recurrent surrogate, or the paper's principal components and SELU network.
        epochs: Times to go through the data.
        rate: Peak learning rate; by default 0.0015 (recurrent) or 0.0001 (pca, as in the paper).
        batch: Paths a batch, divided among processes; by default 32 for each (recurrent; always a multiple of
            that) or 64 (pca).
        hidden: Width of the hidden layers; by default 80 (recurrent) or 1000 (pca).
        groups: Groups of grains of the recurrent surrogate, with an elastic strain each.
        tensors: Its other internal variables that are tensors, and turn with the path.
        scalars: Those that are scalars.
        start: Weights the recurrent surrogate starts from, such as those to be taught more.
        longest_step: Strain of the longest steps the recurrent surrogate is trained in; the law itself takes
            0.01, which costs more.
        modes: Principal components of each tensor component, for pca.
        exact_pressure: For pca: compute the mean stress and learn the rest; the paper learns all of it.
        seed: Of all random choices.
    """
    from multiscale.surrogate.fit import fit_recurrent
    from multiscale.surrogate.pca_fit import fit_pca

    if model == "recurrent":
        sizes = (groups, tensors, scalars, hidden or 80)
        fit_recurrent(datasets, out, *sizes, epochs, rate or 1.5e-3, batch, seed, start, longest_step)
    else:
        fit_pca(datasets, out, modes, hidden or 1000, epochs, rate or 1e-4, batch or 64, seed, exact_pressure)


@app.command
def evaluate(weights: Path, *datasets: Path, out: Path | None = None, record: bool = False) -> None:
    """Measure a surrogate on test data: errors, by strain, rate and step too; causality, isotropy, cost.

    Args:
        weights: The weights file.
        datasets: Data sets it was not trained on.
        out: Folder of the pictures; by default that of the weights.
        record: Write the figures into the JSON file beside the weights.
    """
    from microscale.law import drive
    from multiscale.io.provenance import recorded_law
    from multiscale.laws import make_law
    from multiscale.surrogate.pca_fit import read_pca
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
    predict = read_pca(weights).predict if card.kind == "pca" else lambda times, U: drive(law, U, times)
    figures = report(predict, law, datasets, pictures, recorded_law)
    if record:
        write_figures(weights, figures)


@app.command
def calibrate(
    *,
    out: Path,
    law: Literal["johnson-cook", "j2"] = "johnson-cook",
    largest_strain: float = 0.5,
    crystal: Path | None = None,
    grains: int = 128,
    texture: Texture = "uniform",
    texture_seed: int = 0,
    rate_sensitivity: float | None = None,
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
    from multiscale import calibrate as fit
    from multiscale.io.provenance import law_record, versions
    from multiscale.laws import make_law

    polycrystal = {"grains": grains, "texture": texture, "seed": texture_seed}
    options = {**polycrystal, "rate_sensitivity": rate_sensitivity, "crystal": crystal}
    reference = make_law("taylor", **options)
    found = fit.calibrate(reference, law, largest_strain=largest_strain)
    record = {"reference": law_record(reference, options), "largest_strain": largest_strain}
    fit.write_calibration(out, found, {**record, "versions": versions()})
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
    from multiscale.io.html_report import write_report

    print(f"report: {write_report(folder, title)}")


if __name__ == "__main__":
    main()
