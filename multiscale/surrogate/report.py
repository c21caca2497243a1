"""The report of an evaluation: a table, pictures of the worst paths, and figures for the surrogate's card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from microscale.law import ConstitutiveLaw
from multiscale.surrogate import evaluate as measure
from multiscale.surrogate.evaluate import STATISTICS, Evaluation, Predict
from multiscale.surrogate.histories import Histories
from multiscale.surrogate.sources import read_sources
from multiscale.surrogate.store import read_surrogate, write_surrogate


def report(
    predict: Predict, law: ConstitutiveLaw | None, files: Sequence[Path], pictures: Path
) -> dict[str, Any]:
    """Measure, print and draw; return the figures.

    Args:
        predict: The surrogate.
        law: The surrogate as a law, for what only a law can promise; none for the paper's.
        files: Test data sets; each is a row of the table.
        pictures: Folder of the pictures of the worst paths.
    """
    console = Console()
    figures: dict[str, dict[str, Any]] = {}
    table = Table("data set", "paths", "error, %", *STATISTICS)
    for file in files:
        data = read_sources([file]).histories
        found = measure.evaluate(predict, data, Path(file).stem)
        figures[found.name] = found.summary() | {"paths": len(data)}
        figures[found.name] |= {"deviatoric_mean_by_step": measure.step_independence(predict, data)}
        _draw_worst(found, data, pictures)
        for kind in ("total", "deviatoric"):
            values = (found.summary()[f"{kind}_{name}"] for name in STATISTICS)
            table.add_row(found.name, str(len(data)), kind, *(f"{100 * value:.2f}" for value in values))
    console.print(table)
    for name, entry in figures.items():
        steps = "  ".join(
            f"{key} {100 * value:.2f} %" for key, value in entry["deviatoric_mean_by_step"].items()
        )
        console.print(f"{name}: mean deviatoric error by step: {steps}")
    checks: dict[str, bool | float] = {"causal to the bit": measure.is_causal(predict, data)}
    if law is not None:
        checks |= {
            "a zero increment changes nothing, to the bit": measure.keeps_still(law, data),
            "largest difference after rotation": measure.objectivity(law, data),
            "us per point and step at 3,000 points": measure.cost(law),
        }
    for name, value in checks.items():
        console.print(f"{name}: {value if isinstance(value, bool) else f'{value:.3g}'}")
    return {"sets": figures, "checks": checks}


def _draw_worst(found: Evaluation, data: Histories, pictures: Path) -> None:
    picture, path = pictures / f"{found.name}_worst.png", found.worst
    title = f"{found.name}, worst path {path}: deviatoric error {100 * found.errors.deviatoric[path]:.1f} %"
    measure.draw_path(data.times[path], data.stress[path], found.predicted, title, picture)
    print(f"worst path of {found.name}: {picture}")


def record(weights: Path, figures: dict[str, Any]) -> None:
    """Write measured errors into the card of a surrogate."""
    arrays, card = read_surrogate(weights)
    write_surrogate(weights, arrays, replace(card, errors=card.errors | figures))
