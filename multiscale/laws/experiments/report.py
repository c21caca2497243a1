"""What there is to say of a fit: lines for a terminal, plain data for a file, a picture of data and fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from microscale.files.printable import drawable, printable
from microscale.files.whole_file import replacing
from multiscale.laws.experiments.curve_file import Experiment
from multiscale.laws.experiments.determined import Determination, doubts
from multiscale.laws.experiments.fit import Fit
from multiscale.laws.experiments.materials import Material

MOST_ROWS = 12
"""Curves that a picture shows."""


def report_lines(found: Fit, known: Determination, material: Material) -> list[str]:
    """Return parameters with their errors, curves with theirs, sensitivities, and what is not determined."""
    lines = [*_parameter_lines(found, known, material), "", *_curve_lines(found, known)]
    if len(found.searches) > 1:
        ends = ", ".join(f"{100.0 * error:.3g} %" for error in found.searches)
        lines += ["", f"searches ended at errors of {ends}"]
    told = doubts(found, known) or ["the data determine all of these parameters"]
    return [*lines, "", *(f"note: {line}" for line in told)]


def _parameter_lines(found: Fit, known: Determination, material: Material) -> list[str]:
    width = max(map(len, found.names))
    lines = [f"    {'parameter':{width}s} {'fitted':>10s} {'start':>10s} {'std error':>10s}   bounds"]
    for k, name in enumerate(found.names):
        error = "unknown" if math.isinf(known.errors[k]) else f"{100.0 * known.errors[k]:.2g} %"
        lines.append(
            f"({k + 1}) {name:{width}s} {found.values[k]:10.5g} {found.start[k]:10.5g} {error:>10s}   "
            f"{found.lower[k]:.3g} to {found.upper[k]:.3g} {material.units[name]}"
        )
    return lines


def _curve_lines(found: Fit, known: Determination) -> list[str]:
    names = [printable(experiment.name, 40) for experiment in found.experiments]
    width = max(map(len, names))
    columns = " ".join(f"{f'({k + 1})':>7s}" for k in range(len(found.names)))
    lines = [
        f"{'curve':{width}s} {'error':>7s}   per cent of stress for one per cent of",
        f"{'':{width + 10}s} {columns}",
    ]
    for name, size, row in zip(names, found.errors.values(), known.sensitivities, strict=True):
        shown = " ".join(f"{value:7.3f}" for value in row)
        lines.append(f"{name:{width}s} {100.0 * size:5.2f} %   {shown}")
    return lines


def report_data(found: Fit, known: Determination, material: Material) -> dict[str, Any]:
    """Return the same as plain data; what is infinite is None."""
    parameters = {
        name: {
            "value": float(found.values[k]),
            "unit": material.units[name],
            "start": float(found.start[k]),
            "bounds": [float(found.lower[k]), float(found.upper[k])],
            "relative_standard_error": _finite(known.errors[k]),
            "at_bound": bool(known.at_bound[k]),
        }
        for k, name in enumerate(found.names)
    }
    curves = {
        e.name: {
            "sha256": e.sha256,
            "points": len(e.strain),
            "relative_error": found.errors[e.name],
            "sensitivities": dict(zip(found.names, row.tolist(), strict=True)),
        }
        for e, row in zip(found.experiments, known.sensitivities, strict=True)
    }
    return {
        "law": material.law_name,
        "parameters": parameters,
        "curves": curves,
        "singular_values": known.singular_values.tolist(),
        "directions": known.directions.tolist(),
        "direction_errors": [_finite(error) for error in known.direction_errors],
        "correlations": known.correlations.tolist(),
        "not_determined": doubts(found, known),
        "searches": [_finite(error) for error in found.searches],
        "evaluations": found.evaluations,
    }


def draw_fit(picture: Path, found: Fit, title: str) -> None:
    """Draw data and fit, a panel for each test and texture.

    Raises:
        InputError: The file cannot be written.
    """
    groups = list(dict.fromkeys(map(_group, found.experiments)))[:MOST_ROWS]
    columns = 2 if len(groups) == 4 else min(3, len(groups))
    rows = -(-len(groups) // columns)
    figure = Figure((4.2 * columns, 0.5 + 3.3 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, group in zip(panels, groups, strict=False):
        chosen = [k for k, e in enumerate(found.experiments) if _group(e) == group]
        for number, k in enumerate(chosen):
            experiment, colour = found.experiments[k], f"C{number % 10}"
            strain, order = np.abs(experiment.strain), f"{experiment.rate * 1e6:.3g}/s"
            axes.plot(strain, np.abs(experiment.stress), ".", ms=3, color=colour, alpha=0.3)
            axes.plot(strain, np.abs(found.stresses[k]), "-", lw=1.5, color=colour, label=order)
        axes.set_title(drawable(group, 60), fontsize="small")
        axes.set_xlabel(f"{experiment.measure} strain")
        axes.set_ylabel(f"{experiment.measure} stress (GPa)")
        axes.set_ylim(bottom=0.0)
        axes.grid(color="0.9", lw=0.5)
        axes.legend(
            fontsize="x-small", title="line: fit, dots: data", title_fontsize="x-small", loc="lower right"
        )
    for axes in panels[len(groups) :]:
        axes.set_visible(False)
    figure.suptitle(drawable(title), fontsize="medium")
    with replacing(picture) as unfinished:
        figure.savefig(unfinished, dpi=90, format="png", pil_kwargs={"optimize": True})


def _group(experiment: Experiment) -> str:
    way = "compression" if experiment.strain[-1] < 0.0 else "tension"
    kind = experiment.test if experiment.test == "shear" else f"{experiment.test} {way}"
    direction = ",".join(f"{x:g}" for x in experiment.direction)
    texture = "" if experiment.texture is None else f", {experiment.texture}"
    heat = "" if experiment.temperature is None else f", {experiment.temperature:g} K"
    return f"{kind} along {direction}{texture}{heat}, {experiment.measure}"


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def sentence(experiments: Sequence[Experiment]) -> str:
    """Return what a fitted file says of itself."""
    return (
        f"Fitted to {len(experiments)} measured curve(s) by multiscale calibrate; its report lies beside it."
    )
