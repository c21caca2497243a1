"""The command-line program ``multiscale``: one thin function a command."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from microscale.errors import InputError
from microscale.files.printable import drawable, printable
from microscale.inputs.flat import flat
from microscale.inputs.numbers import (
    Count,
    OutFile,
    OutFolder,
    Positive,
    Seed,
    Time,
    checked,
)
from microscale.inputs.options import defaults_of, options_for
from microscale.material_test.program import Tolerance
from multiscale.export.export import Host
from multiscale.export.units import UnitSystem
from multiscale.run.calibration_options import CalibrationOptions
from multiscale.run.compared_laws import ComparedLaws
from multiscale.run.data_options import DrivenLaw, PathOptions
from multiscale.run.flags import WithMinus
from multiscale.run.loading import LoadingOptions
from multiscale.surrogate.recurrent.architecture import Precision

app = App(
    name="multiscale",
    version=version("multiscale"),
    help="Learning-based multiscale simulation of inelastic impact.",
)

# Finite elements take a second to load: these are imported when they are called, or their help is asked for.
for command, place, text in (
    (
        "anvil",
        "multiscale.cases.anvil:anvil",
        "Let a cylinder hit a rigid wall, as in section 3.1 of the paper.",
    ),
    ("plate", "multiscale.cases.plate:plate", "Drive a rigid cylinder into a plate, as in section 3.2."),
    ("upset", "multiscale.cases.upsetting:upsetting", "Compress a cylinder slowly: statics, with any law."),
    ("run", "multiscale.cases.run_file:run_file", "Run a case file: body, law, obstacles, end, outputs."),
    (
        "texture",
        "multiscale.cases.texture_command:texture",
        "Look at a texture: pole figures, files, grains.",
    ),
):
    app.command(place, name=command, help=text)


def main() -> None:
    """Run the command line on every rank and exit with the same code on each."""
    from multiscale.run.command import launch

    launch(app)


@app.command
@flat
def generate(*, out: OutFile, along: PathOptions, driven: DrivenLaw) -> None:
    """Drive a law along sampled strain paths and keep its stress; run again to resume.

    All cores of the machine share the work; mpirun starts it on several machines.

    Args:
        out: The data set, an HDF5 file.
    """
    from mpi4py import MPI

    from microscale.crystals.texture.names import is_file
    from multiscale.run.generation import DataSet, make_data_set
    from multiscale.run.inputs import require_apart

    texture = Path(driven.texture) if driven.texture and is_file(driven.texture) else None
    require_apart([out], [driven.crystal, texture])
    wanted = DataSet(driven.law, driven.resolved(), along.strain_paths(), along.paths, along.keep_every)
    state = "complete" if make_data_set(wanted, out) else "was complete already"
    if MPI.COMM_WORLD.rank == 0:
        print(f"{printable(out)}: {along.paths} paths, {state}", flush=True)


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
    from multiscale.results.data_report import of_textures, report
    from multiscale.run.data_origin import require_as_recorded

    picture = file.with_name(f"{file.name}.png") if file.suffix == ".png" else file.with_suffix(".png")
    data = read_dataset(file)
    require_as_recorded(file)
    Console().print(report(file, data))
    drawn = slice(0, min(samples, len(data)))
    made = data.provenance
    title = f"{file.name}: protocol {made['paths']['protocol']}, law {made['law']['name']}{of_textures(data)}"
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
    any_texture: bool | None = None,
    holds: bool | None = None,
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
        start: Weights the recurrent surrogate starts from, such as those to be taught more; they may have
            fewer hidden units and not be told textures.
        longest_step: Strain of the longest steps the recurrent surrogate is trained in, 0.02 by default; the
            law itself takes 0.01, which costs more.
        any_texture: Tell the recurrent surrogate the texture of each path: one network of any texture.
        holds: Cut the steps of the recurrent surrogate by the time under stress too, for data with holds.
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
        "any_texture": any_texture,
        "holds": holds,
        "modes": modes,
        "exact_pressure": exact_pressure,
    }
    options = options_for("model", model, given, lambda name: defaults_of(kind_of(name).fit()), kind_names())
    for file in datasets:
        require_as_recorded(file)
    fit(datasets, out, epochs=epochs, seed=seed, **options)


@app.command
@checked
def evaluate(
    weights: Path,
    *datasets: Path,
    out: OutFolder | None = None,
    record: bool = False,
    texture: str | None = None,
) -> None:
    """Measure a surrogate on test data: errors, by strain, rate and step too; causality, isotropy, cost.

    Args:
        weights: The weights file, or the name of shipped weights: magnesium, full-field or any-texture.
        datasets: Data sets it was not trained on.
        out: Folder of the pictures; by default that of the weights, or this one where they are named.
        record: Write the figures into the JSON file beside the weights.
        texture: Texture of the data, as their generation had it, where the surrogate stands for another one;
            data of a texture that it does not know are refused otherwise.
    """
    from multiscale.laws import make_law
    from multiscale.run.data_origin import recorded_law, require_as_recorded
    from multiscale.surrogate.kinds import kind_of
    from multiscale.surrogate.report import record as write_figures
    from multiscale.surrogate.report import report
    from multiscale.surrogate.sources import require_data_of
    from multiscale.surrogate.store import read_surrogate, weights_file

    if not datasets:
        raise InputError("no data set given, expected at least one; make one with 'multiscale generate'")
    if texture is not None and record:
        raise InputError(
            f"record with texture = '{texture}': errors on a texture that a surrogate does not know do not "
            "belong in its card, leave --record out"
        )
    weights, pictures = weights_file(weights), weights.parent if out is None else out
    pictures.mkdir(parents=True, exist_ok=True)
    law = make_law("learned", weights=weights)
    card = read_surrogate(weights)[1]
    for file in datasets:
        require_data_of(card, file, texture)
        require_as_recorded(file)
    predict = kind_of(card.kind).predict(weights, law)
    figures = report(predict, law, datasets, pictures, recorded_law)
    if record:
        write_figures(weights, figures)


@app.command
@checked
def export(
    weights: Path,
    *,
    to: Host,
    out: OutFolder,
    units: UnitSystem = "mm-us-GPa",
    precision: Precision = "single",
    name: str | None = None,
    texture: str | None = None,
    texture_axes: WithMinus | None = None,
) -> None:
    """Write a learnt law as source for another code: C99 with its weights, header, driver, README and record.

    Args:
        weights: The weights file, or the name of shipped weights: magnesium, full-field or
            any-texture.
        to: Interface: c for batches of points; vumat or umat with a Fortran file, as Abaqus calls it.
        out: Folder of the files.
        units: Of the other code; SI has m, s, Pa and kg/m^3.
        precision: Of the products of the network, as for the law learned.
        name: What functions and files begin with; by default the name of the weights.
        texture: Texture whose numbers are written as constants of the material, as in anvil; none by default.
            Only for weights that are told textures.
        texture_axes: Where RD, TD and ND of the texture lie in the part, as z,x,y.
    """
    from multiscale.export.export import export_law

    of_texture = {"texture": texture, "texture_axes": texture_axes}
    files = export_law(weights, to, out, units=units, precision=precision, name=name, **of_texture)
    print("\n".join(str(printable(file)) for file in files))


@app.command
@flat
def calibrate(*, out: OutFile, wanted: CalibrationOptions) -> None:
    """Fit a law to measured curves; or, without any, an empirical law to the polycrystal.

    Beside what was fitted to curves lie a report (NAME_report.json) and a picture of data and fit (NAME.png).

    Args:
        out: File of the constants (.json), for --constants; in a fit of taylor the crystal (.yaml), for
            --crystal.
    """
    from multiscale.run.calibration import calibrate_to_curves, calibrate_to_polycrystal

    (calibrate_to_curves if wanted.curve else calibrate_to_polycrystal)(wanted, out)


@app.command(name="test")
@flat
def material_test(
    *,
    laws: ComparedLaws,
    loading: LoadingOptions,
    field: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    tolerance: Tolerance = 1e-5,
    output: OutFolder = Path("results/test"),
) -> None:
    """Test laws without a mesh: prescribed stretch and stress, as in ``test --law taylor --uniaxial 0.2``.

    Args:
        field: Field of the state to keep and to draw, such as twin_volume, once for each.
        tolerance: To which a prescribed stress is met, relative to the largest stress.
        output: Folder of the tables, of the picture and of the program, which ``--program`` reads.
    """
    from multiscale.run.material_test import run_material_test

    run_material_test(laws, loading, field, output, tolerance)


@app.command
@checked
def sweep(
    impact: Literal["anvil", "plate"],
    *flags: Annotated[str, Parameter(allow_leading_hyphen=True)],
    output: OutFolder | None = None,
) -> None:
    """Run an impact over several values of one flag, as in ``sweep anvil --velocity 100,200,300 --law j2``.

    Each run has a folder of its own, which is kept: started again, the sweep goes on with what is missing. At
    its end it prints a table, and leaves it as sweep.csv and as a picture, sweep.png.

    Args:
        impact: The command whose flags are meant.
        flags: Its flags; one of them has several values, with commas between them.
        output: Folder of the runs and of the table; by default results/IMPACT_FLAG.
    """
    from multiscale.cases import anvil, plate
    from multiscale.cases.sweep import sweep as run_all

    impacts = {"anvil": (anvil.anvil, anvil.anvil_case), "plate": (plate.plate, plate.plate_case)}
    run_all(*impacts[impact], flags, output)


@app.command
@checked
def plot(
    folder: Path,
    *,
    field: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    times: Annotated[tuple[Time, ...], Parameter(consume_multiple=True, negative="")] = (),
    out: OutFile | None = None,
) -> None:
    """Draw the axial section of a run again, of other fields or at other times.

    Without --field, --times and --out the picture of probes and gauges is drawn again too.

    Args:
        folder: Folder of the run.
        field: Cell field to show, once for each; by default the three of the paper's Figure 3.
        times: Times to show, us, each at the nearest output; by default five.
        out: PNG to write; by default that of the folder.
    """
    from multiscale.results.redraw import redraw, redraw_histories

    print(f"picture: {printable(redraw(folder, field, times, out))}")
    if not (field or times or out) and (histories := redraw_histories(folder)):
        print(f"picture: {printable(histories)}")


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
