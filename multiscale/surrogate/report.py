"""The report of an evaluation: tables, pictures, and figures for the surrogate's card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.files.printable import drawable, printable
from microscale.law import ConstitutiveLaw, drive
from microscale.tensors import FloatArray
from multiscale.surrogate import invariances as promises
from multiscale.surrogate.evaluate import (
    RATE_EDGES,
    STATISTICS,
    STRAIN_EDGES,
    Evaluation,
    Predict,
    draw_errors,
    draw_path,
    evaluate,
    step_independence,
)
from multiscale.surrogate.histories import Histories, relative_errors
from multiscale.surrogate.sources import read_sources
from multiscale.surrogate.store import read_surrogate, write_surrogate

Polycrystal = Callable[[Path], ConstitutiveLaw]
"""The law a data set was made with; an InputError says why it cannot be had."""


def report(
    predict: Predict, law: ConstitutiveLaw, files: Sequence[Path], pictures: Path, polycrystal: Polycrystal
) -> dict[str, Any]:
    """Measure, print and draw; return the figures.

    Args:
        predict: The surrogate, from whole histories to whole histories.
        law: The surrogate as a law, for which the future is not known.
        files: Test data sets; each is a row of the table.
        pictures: Folder of the pictures: of all errors, and of the worst path of each data set.
        polycrystal: The law of a data set, to be driven along other samples of its paths.
    """
    console = Console(width=100)
    found: list[Evaluation] = []
    figures: dict[str, dict[str, Any]] = {}
    for name, file in named_apart(files).items():
        sources = read_sources([file])
        data = sources.histories
        _require_steps(file, data)
        found.append(evaluate(predict, data, name))
        figures[name] = found[-1].summary() | {"protocol": sources.records[0]["protocol"], "paths": len(data)}
        figures[name] |= {"deviatoric_mean_by_step": _by_step(predict, data, file, polycrystal)}
        figures[name] |= _as_a_law(law, data)
        _draw_worst(found[-1], data, pictures)
    _print_errors(console, found, figures)
    _print_bins(console, found, "strain", "equivalent log strain up to", STRAIN_EDGES)
    _print_bins(console, found, "rate", "strain rate up to, 1/us", RATE_EDGES)
    draw_errors(found, pictures / "errors.png")
    _say(console, f"all errors: {pictures / 'errors.png'}")
    checks = _promises(predict, law, data)
    for check, value in checks.items():
        _say(console, f"{check}: {value if isinstance(value, bool) else f'{value:.3g}'}")
    return {"sets": figures, "checks": checks}


def named_apart(files: Sequence[Path]) -> dict[str, Path]:
    """Return files by their names without suffix, with as many of their folders as tell them apart.

    Raises:
        InputError: One is given twice.
    """
    parts = [Path(file).resolve().with_suffix("").parts for file in files]
    if len(set(parts)) < len(parts):
        double = next(file for file, part in zip(files, parts, strict=True) if parts.count(part) > 1)
        raise InputError(f"data set {double} is given twice, expected different ones")
    depth = 1
    while len({part[-depth:] for part in parts}) < len(parts):
        depth += 1
    return {"/".join(part[-depth:]): Path(file) for part, file in zip(parts, files, strict=True)}


def _require_steps(file: Path, data: Histories) -> None:
    """Raise where a step of four, by which errors are measured too, is longer than a path."""
    if (steps := data.times.shape[1] - 1) < 4:
        raise InputError(
            f"{file} has {steps} step(s) a path, expected at least 4: errors are measured in steps four "
            "times as long too; generate it with more --steps"
        )


def _by_step(predict: Predict, data: Histories, file: Path, polycrystal: Polycrystal) -> dict[str, float]:
    """Return the errors by the size of the step, against the polycrystal if it can follow the same steps."""
    try:
        return step_independence(predict, data, polycrystal(file))
    except (InputError, ConvergenceError, DeformationError) as error:
        print(printable(f"{file}: errors in coarse steps hold what the samples lose: {error}"))
        return step_independence(predict, data)


def _as_a_law(law: ConstitutiveLaw, data: Histories) -> dict[str, float]:
    """Return the mean errors of the paper's network where it does not know the future, as in a simulation."""
    duration = getattr(law, "duration", None)
    if duration is None or np.abs(data.times[:, -1] - duration).max() > 1e-9 * duration:
        return {}
    errors = relative_errors(drive(law, data.stretch, data.times), data.stress, data.times)
    return {
        "total_mean_as_a_law": float(errors.total.mean()),
        "deviatoric_mean_as_a_law": float(errors.deviatoric.mean()),
    }


def _print_errors(console: Console, found: Sequence[Evaluation], figures: dict[str, dict[str, Any]]) -> None:
    table = Table("data set", "protocol", "paths", "error, %", *STATISTICS)
    for evaluation in found:
        entry, summary = figures[evaluation.name], evaluation.summary()
        for kind in ("total", "deviatoric"):
            values = (f"{100 * summary[f'{kind}_{name}']:.2f}" for name in STATISTICS)
            table.add_row(
                _cell(evaluation.name), _cell(entry["protocol"]), str(entry["paths"]), kind, *values
            )
    console.print(table)
    for name, entry in figures.items():
        by_step = entry["deviatoric_mean_by_step"]
        steps = "; ".join(
            f"{key} {100 * value:.2f} % ({value / by_step['as trained']:.2f})"
            for key, value in by_step.items()
        )
        _say(console, f"{name}: mean deviatoric error by step (over that as trained): {steps}")
        if "total_mean_as_a_law" in entry:
            both = (100.0 * entry[f"{kind}_mean_as_a_law"] for kind in ("total", "deviatoric"))
            text = "with the future unknown, as a law: total {:.2f} %, deviatoric {:.2f} %".format(*both)
            _say(console, f"{name}: {text}")


def _print_bins(
    console: Console, found: Sequence[Evaluation], measure: str, title: str, edges: FloatArray
) -> None:
    ends = [f"{edge:g}" if np.isfinite(edge) else "more" for edge in edges[1:]]
    table = Table(title, "error, %", *ends)
    for evaluation in found:
        for kind, errors in zip(("total", "deviatoric"), getattr(evaluation, f"by_{measure}"), strict=True):
            cells = (f"{100 * value:.2f}" if np.isfinite(value) else "" for value in errors)
            table.add_row(_cell(evaluation.name), kind, *cells)
    console.print(table)


def _cell(name: object) -> Text:
    """Return a name as it is shown: rich would read markup in it."""
    return Text(printable(name))


def _say(console: Console, line: str) -> None:
    console.print(printable(line, 2000), soft_wrap=True, markup=False)


def _promises(predict: Predict, law: ConstitutiveLaw, data: Histories) -> dict[str, bool | float]:
    """Return the checks that need no reference, on the paths of the last data set."""
    influence = promises.influence_of_the_future(predict, data)
    checks: dict[str, bool | float] = {
        "causal to the bit": influence == 0.0,
        "change of the past with the future, relative": influence,
        "stress at rest, relative": promises.stress_at_rest(predict, data),
        "scatter with the orientation of the material, relative": promises.anisotropy(predict, data),
    }
    if (duration := getattr(law, "duration", None)) is None or data.times[:, -1].max() <= duration:
        checks |= {
            "a zero increment changes nothing, to the bit": promises.keeps_still(law, data),
            "largest difference after rotation": promises.objectivity(law, data),
        }
    return checks | {"us per point and step at 3,000 points": promises.cost(law)}


def _draw_worst(found: Evaluation, data: Histories, pictures: Path) -> None:
    picture, path = pictures / f"{found.name.replace('/', '_')}_worst.png", found.worst
    error = 100.0 * found.errors.deviatoric[path]
    title = f"{drawable(found.name)}, worst path {path}: deviatoric error {error:.1f} %"
    draw_path(data.times[path], data.stress[path], found.predicted, title, picture)
    print(printable(f"worst path of {found.name}: {picture}"))


def record(weights: Path, figures: dict[str, Any]) -> None:
    """Write measured errors into the card of a surrogate."""
    arrays, card = read_surrogate(weights)
    write_surrogate(weights, arrays, replace(card, errors=card.errors | figures))
