"""Curves of materials that are known, with noise, and as files."""

import dataclasses

import numpy as np

from microscale.material_test.run import run_tests
from multiscale.laws import make_law
from multiscale.laws.experiments.curve_file import Experiment
from multiscale.laws.experiments.materials import Constants, constants_of

NOISE = 0.01


def measured(material, experiments, seed=0, steps=160, noise=NOISE):
    """Return experiments with the stress of a material at their strains, and noise relative to its size."""
    rng, found = np.random.default_rng(seed), []
    for experiment in experiments:
        law = material.law({}, experiment.texture)
        curve = run_tests(law, [experiment.program(steps)])[0]
        strain, stress = curve.component(experiment.component, experiment.measure == "engineering")
        at = np.interp(np.abs(experiment.strain), np.abs(strain), stress)
        size = np.sqrt(np.mean(at**2))
        found.append(dataclasses.replace(experiment, stress=at + noise * size * rng.standard_normal(len(at))))
    return found


def wanted(name, end, points=60, **facts):
    strain = np.linspace(0.0, end, points + 1)[1:]
    return Experiment(name, strain, np.ones(points), **facts)


def text_of(experiment, header=""):
    """Return a curve as a file."""
    columns = f"{experiment.measure}_strain,{experiment.measure}_stress_MPa"
    rows = zip(experiment.strain.tolist(), (1e3 * experiment.stress).tolist(), strict=True)
    lines = [f"# test: {experiment.test}", f"# rate: {experiment.rate!r} 1/us", header, columns]
    return "\n".join([*filter(None, lines), *(f"{strain!r},{stress!r}" for strain, stress in rows)]) + "\n"


TRUTH = {
    "initial_strength": 0.09,
    "hardening": 0.31,
    "hardening_exponent": 0.42,
    "rate_sensitivity": 0.023,
    "reference_rate": 1e-6,
    "heated_fraction": 0.0,
    "shear_modulus": 17.0,
    "bulk_modulus": 35.0,
    "density": 1.74,
}
RATES = (1e-6, 1e-4, 1e-3, 1e-2)


def cook(**changed):
    return Constants("johnson-cook", constants_of(make_law("johnson-cook", **{**TRUTH, **changed})))


def a_curve():
    truth = cook()
    return text_of(measured(truth, [wanted("one", 0.1, points=20, rate=1e-3)])[0], "# direction: x")
