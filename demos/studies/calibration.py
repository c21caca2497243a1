"""Parameters found again from synthetic experiments with noise: Johnson-Cook's, and those of a crystal.

    python demos/studies/calibration.py --output results/calibration

A known material is tested, and noise of one per cent of the size of each curve is added. A fit then begins
far off. The curves, what was fitted, a report and a picture stay in the folder. The table at the end holds
what was found against what made the data.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from microscale.errors import ConvergenceError
from microscale.inputs.numbers import Count, OutFolder, Positive, Seed, Steps
from microscale.material_test.run import run_tests
from multiscale.laws import make_law
from multiscale.laws.experiments.curve_file import Experiment, read_experiment, write_experiment
from multiscale.laws.experiments.fit import fit
from multiscale.laws.experiments.materials import Constants, CrystalFile, Material, constants_of
from multiscale.run.calibration import write_fit
from multiscale.run.command import launch

FINER = 2
"""Steps of the experiments over those of the fit: the data are not made by the very steps that fit them."""

STEEL = {
    "shear_modulus": 77.0,
    "bulk_modulus": 164.0,
    "initial_strength": 0.35,
    "hardening": 0.275,
    "hardening_exponent": 0.36,
    "rate_sensitivity": 0.022,
    "reference_rate": 1e-6,
    "heated_fraction": 0.9,
    "softening_exponent": 1.0,
    "melting_temperature": 1811.0,
    "heat_capacity": 3.5,
    "density": 7.85,
}
"""Of the order of Johnson and Cook's 1006 steel."""
FAR = {"initial_strength": 0.7, "hardening": 0.1, "hardening_exponent": 0.8, "rate_sensitivity": 0.1}

CRYSTAL = {
    "slip_families.basal.strength": 2.0,
    "slip_families.prismatic.strength": 0.5,
    "slip_families.pyramidal.strength": 2.0,
    "slip_families.prismatic.saturation": 0.6,
    "slip_families.pyramidal.saturation": 1.7,
    "twinning.strength": 0.5,
}
"""Parameters of magnesium that are fitted, and by which factor the search starts off."""
ROLLED = "rolled:15,15"
"""C axes about z, tilted by some 15 degrees."""


def steel_tests() -> dict[str, Experiment]:
    """Torsion to large strain, tension at three rates, and compression, once of a warm bar."""
    return {
        "torsion": _wanted(1.5, rate=1e-6, test="shear"),
        "slow_tension": _wanted(0.15, rate=1e-9, measure="engineering"),
        "tension": _wanted(0.25, rate=1e-4),
        "bar_tension": _wanted(0.25, rate=1e-3),
        "bar_compression": _wanted(-0.4, rate=5e-3),
        "warm_compression": _wanted(-0.3, rate=1e-3, temperature=573.0),
    }


def magnesium_tests() -> dict[str, Experiment]:
    """Bars of a rolled sheet along x, along z and between, in a Hopkinson bar and in an impact."""
    x, z, between = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 1.0)
    sheet = {
        "tension_x": _wanted(0.1, rate=1e-3, direction=x),
        "compression_x": _wanted(-0.1, rate=1e-3, direction=x),
        "compression_z": _wanted(-0.1, rate=1e-3, direction=z),
        "impact_x": _wanted(0.1, rate=1.0, direction=x),
        "impact_z": _wanted(-0.1, rate=1.0, direction=z),
        "impact_between": _wanted(-0.1, rate=1.0, direction=between),
    }
    return {name: dataclasses.replace(test, texture=ROLLED) for name, test in sheet.items()}


def _wanted(end: float, points: int = 400, **facts: Any) -> Experiment:
    strain = np.linspace(0.0, end, points + 1)[1:]
    return Experiment("wanted", strain, np.ones(points), **facts)


def measured(
    material: Material, tests: dict[str, Experiment], steps: int, noise: float, seed: int
) -> Iterator[tuple[str, Experiment]]:
    """Yield the tests with the stress of a material and noise, relative to the size of each curve."""
    rng = np.random.default_rng(seed)
    for name, test in tests.items():
        law = material.law({}, test.texture)
        heat = {} if test.temperature is None else {"temperature": [test.temperature]}
        (curve,) = run_tests(law, [test.program(steps)], initial=heat)
        strain, stress = curve.component(test.component, test.measure == "engineering")
        exact = np.interp(np.abs(test.strain), np.abs(strain), stress)
        size = np.sqrt(np.mean(exact**2))
        yield name, dataclasses.replace(test, stress=exact + noise * size * rng.standard_normal(len(exact)))


def calibration(
    *,
    material: Literal["steel", "magnesium", "both"] = "both",
    grains: Count = 32,
    steps: Steps = 60,
    noise: Positive = 0.01,
    seed: Seed = 0,
    output: OutFolder = Path("results/calibration"),
) -> dict[str, float]:
    """Make experiments, fit, and compare.

    Args:
        material: Johnson-Cook's steel, the crystal of magnesium, or both.
        grains: Grains of the polycrystal of magnesium.
        steps: Steps of a test of the fit.
        noise: Standard deviation of the noise, relative to the size of a curve.
        seed: Of the noise.
        output: Folder of the curves and results.

    Returns:
        Relative errors of the parameters found.
    """
    errors: dict[str, float] = {}
    if material in ("steel", "both"):
        errors |= _steel(output / "steel", steps, noise, seed)
    if material in ("magnesium", "both"):
        errors |= _magnesium(output / "magnesium", grains, steps, noise, seed)
    print("\n".join(f"{name:40s} off by {100.0 * error:6.2f} %" for name, error in errors.items()))
    if (worst := max(map(abs, errors.values()))) > 2.0 * noise:
        raise ConvergenceError(
            f"a parameter is off by {100.0 * worst:.2g} %, expected at most {200.0 * noise:g} %"
        )
    return errors


def _steel(folder: Path, steps: int, noise: float, seed: int) -> dict[str, float]:
    truth = Constants("johnson-cook", constants_of(make_law("johnson-cook", **STEEL)))
    curves = _write(folder, measured(truth, steel_tests(), FINER * steps, noise, seed))
    start = Constants("johnson-cook", {**truth.constants, **FAR})
    found = fit(curves, start, tuple(FAR), steps=steps)
    write_fit(found, start, folder / "steel.json")
    return {name: value / STEEL[name] - 1.0 for name, value in found.found.items()}


def _magnesium(folder: Path, grains: int, steps: int, noise: float, seed: int) -> dict[str, float]:
    truth = CrystalFile(None, {"grains": grains})
    curves = _write(folder, measured(truth, magnesium_tests(), FINER * steps, noise, seed))
    far = {name: factor * truth.parameters[name] for name, factor in CRYSTAL.items()}
    truth.write(folder / "start.yaml", far, {"curves": ["nothing"], "sentence": "A start that is far off."})
    start = CrystalFile(folder / "start.yaml", {"grains": grains})
    found = fit(curves, start, tuple(CRYSTAL), steps=steps, searches=3)
    write_fit(found, start, folder / "fitted.yaml")
    return {name: value / truth.parameters[name] - 1.0 for name, value in found.found.items()}


def _write(folder: Path, experiments: Iterator[tuple[str, Experiment]]) -> list[Experiment]:
    """Write the curves, and read them again as a user's would be."""
    folder.mkdir(parents=True, exist_ok=True)
    curves = []
    for name, experiment in experiments:
        path = folder / f"{name}.csv"
        write_experiment(path, experiment, "synthetic, demos/studies/calibration.py")
        curves.append(read_experiment(path))
    return curves


if __name__ == "__main__":
    launch(calibration)
