"""The command ``multiscale calibrate``: a law fitted to measured curves, or to the polycrystal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError

from microscale.crystals.texture.names import is_file
from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.files.quantities import DIMENSIONLESS, spoken
from microscale.files.whole_file import write_json
from multiscale.laws import calibration, make_law
from multiscale.laws.constants_file import read_constants, shipped_constants
from multiscale.laws.experiments.curve_file import Experiment, read_experiment
from multiscale.laws.experiments.determined import determination
from multiscale.laws.experiments.fit import Fit, fit
from multiscale.laws.experiments.materials import Constants, CrystalFile, Material
from multiscale.laws.experiments.report import draw_fit, report_data, report_lines, sentence
from multiscale.laws.johnson_cook import THERMAL
from multiscale.results.provenance import law_record, versions
from multiscale.run.calibration_options import CalibrationOptions
from multiscale.run.inputs import make_folder_of, require_apart, require_places


def calibrate_to_polycrystal(wanted: CalibrationOptions, out: Path) -> None:
    """Fit an empirical law to the polycrystal along isochoric paths and write its constants."""
    options = wanted.resolved()
    texture = Path(options["texture"]) if is_file(options["texture"]) else None
    require_apart([out], [options["crystal"], texture])
    require_places([out])
    largest_strain = options.pop("largest_strain")
    options["seed"] = options.pop("texture_seed")
    reference = make_law("taylor", **options)
    found = calibration.calibrate(reference, wanted.law, largest_strain=largest_strain)
    record = {"reference": law_record(reference, options), "largest_strain": largest_strain}
    make_folder_of(out)
    calibration.write_calibration(out, found, {**record, "versions": versions()})
    for name, error in found.errors.items():
        print(f"{name:30s} relative deviatoric error {100.0 * error:5.1f} %")
    fitted = ", ".join(f"{name} = {found.constants[name]:.4g}" for name in found.fitted)
    print(f"mean {100.0 * found.mean_error:.1f} %; {wanted.law}: {fitted}\nconstants: {printable(out)}")


def calibrate_to_curves(wanted: CalibrationOptions, out: Path) -> None:
    """Fit parameters to measured curves; write the law's file, a report and a picture."""
    options = wanted.resolved()
    _require_names(wanted.law, out, wanted.curve)
    experiments = [read_experiment(path) for path in wanted.curve]
    named = [*(e.texture for e in experiments), options.get("texture")]
    textures = [Path(texture) for texture in named if texture is not None and is_file(texture)]
    read = [*wanted.curve, *textures, options.get("crystal"), options.get("constants")]
    require_apart(_written(out), read)
    require_places(_written(out))
    material = _material(wanted.law, options, experiments)
    names = options["fit"] or tuple(calibration.STARTS.get(wanted.law, ()))
    if not names:
        raise InputError(f"no parameter to fit, give --fit, one of: {', '.join(material.parameters)}")
    bounds = _bounds(options["bound"], material)
    write_fit(fit(experiments, material, names, bounds, options["steps"], options["searches"]), material, out)


def write_fit(found: Fit, material: Material, out: Path) -> None:
    """Write a file that the law reads, a report and a picture, and print the report.

    Args:
        found: What the fit found.
        material: What was fitted.
        out: The file; report and picture have names made of its own.

    Raises:
        InputError: A file cannot be written.
    """
    known = determination(found)
    _, picture, report = _written(out)
    make_folder_of(out)
    draw_fit(picture, found, f"{material.law_name} fitted to {len(found.experiments)} curve(s)")
    write_json(report, {**report_data(found, known, material), "versions": versions()})
    curves = [experiment.name for experiment in found.experiments]
    told: dict[str, Any] = {"curves": curves, "sentence": sentence(found.experiments)}
    if isinstance(material, Constants):
        told = {"errors": found.errors, "reference": {"curves": curves}, "versions": versions()}
    material.write(out, found.found, told)
    print("\n".join(report_lines(found, known, material)))
    print(f"{printable(out)}\n    for --{'constants' if isinstance(material, Constants) else 'crystal'}")
    print(f"{printable(report)}, {printable(picture)}", flush=True)


def _written(out: Path) -> tuple[Path, Path, Path]:
    """Return what is written: the law's file, the picture and the report."""
    return out, out.with_suffix(".png"), out.with_name(f"{out.stem}_report.json")


def _require_names(law: str, out: Path, curves: Sequence[Path]) -> None:
    """Refuse a name that would not be read as what is written, and curves of one name."""
    endings = (".yaml", ".yml", ".json") if law == "taylor" else (".json",)
    if out.suffix not in endings:
        raise InputError(f"out = {printable(out)}, expected a name that ends in {' or '.join(endings)}")
    names = [path.name for path in curves]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{len(twice)} curves are called {printable(twice[0])}, expected different names")


def _material(law: str, options: Mapping[str, Any], experiments: Sequence[Experiment]) -> Material:
    if law == "taylor":
        polycrystal = {
            "grains": options["grains"],
            "texture": options["texture"],
            "texture_axes": options["texture_axes"],
            "seed": options["texture_seed"],
        }
        return CrystalFile(options["crystal"], polycrystal)
    constants = read_constants(options["constants"] or shipped_constants(law), law)
    missing = [name for name in THERMAL if name not in constants]
    for experiment in experiments:
        if experiment.temperature is not None and missing:
            raise InputError(
                f"curve {experiment.name}: temperature = {experiment.temperature} K, but {missing[0]} is not "
                "among the constants: give --constants with those of heat"
            )
    if law == "johnson-cook" and options["constants"] is None:
        constants["reference_rate"] = min(experiment.rate for experiment in experiments)
    return Constants(law, constants)


def _bounds(given: Sequence[str], material: Material) -> dict[str, tuple[float, float]]:
    """Return bounds by parameter; two of one are refused, because one of them would not count."""
    found: dict[str, tuple[float, float]] = {}
    for words in given:
        name, span = _bound(words, material)
        if name in found:
            raise InputError(f"bound = '{printable(words, 60)}', but {name} has one already: give it once")
        found[name] = span
    return found


def _bound(words: str, material: Material) -> tuple[str, tuple[float, float]]:
    """Return a parameter and its bounds in our units, from words such as yield_stress=100..300 MPa."""
    name, _, span = words.partition("=")
    low, dots, rest = span.partition("..")
    number, _, unit = rest.strip().partition(" ")
    if name and name not in material.parameters:
        known = ", ".join(material.parameters)
        raise InputError(f"bound = '{printable(words, 60)}' of no parameter, expected one of: {known}")
    ours = material.units.get(name, DIMENSIONLESS)
    try:
        if not dots or (ours != DIMENSIONLESS and not unit) or (ours == DIMENSIONLESS and unit):
            raise ValueError
        if ours == DIMENSIONLESS:
            return name, (float(low), float(number))
        return name, (spoken(f"{low} {unit}", ours), spoken(f"{number} {unit}", ours))
    except (ValueError, PydanticCustomError) as error:
        like = "0.1..0.9" if ours == DIMENSIONLESS else f"0.1..0.9 {ours}"
        raise InputError(f"bound = '{printable(words, 60)}', expected {name or 'NAME'}={like}") from error
