"""What is in a data set, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from microscale.data.dataset import DataSet
from microscale.files.printable import printable
from microscale.tensors import FloatArray, deviator

SHOWN = 3
"""Textures that are named."""


def report(file: Path, data: DataSet) -> Table:
    """Return a table of provenance and statistics of a data set."""
    paths, law = data.provenance["paths"], data.provenance["law"]
    stress, stretch = data.stress_tensors, data.stretch_tensors
    pressure = -np.trace(stress, axis1=-2, axis2=-1) / 3.0
    strength = np.sqrt(1.5) * np.linalg.norm(deviator(stress), axis=(-2, -1))
    volume = np.linalg.det(stretch)
    rows = {
        "law": f"{law['name']} {law['options']}, hash {law['hash'][:12]}",
        **_of_paths(law),
        "protocol": paths["protocol"] + _told(paths, max_strain=", max strain {:g}", dimension=", {}D"),
        "paths": f"{len(data)} of {data.times.shape[1] - 1} steps" + _told(paths, seed=", seed {}"),
        "duration, us": f"{data.times[:, -1].min():.4g} to {data.times[:, -1].max():.4g}",
        "redrawn": f"{data.rejected.sum()} not positive definite, {data.attempt.sum()} where the law failed",
        "det U": f"{volume.min():.3f} to {volume.max():.3f}",
        "pressure, GPa": _statistics(pressure),
        "von Mises stress, GPa": _statistics(strength),
        "versions": ", ".join(
            f"{name} {' '.join(number.split())}" for name, number in data.provenance["versions"].items()
        ),
    }
    table = Table(title=Text(printable(file)), show_header=False)
    for name, value in rows.items():
        table.add_row(name, Text(printable(value, 1000)))
    return table


def of_textures(data: DataSet) -> str:
    """Return words for titles: the family of textures of a set that has many."""
    family = data.provenance["law"].get("textures")
    return "" if family is None else f", textures {family['family']}"


def _of_paths(law: Mapping[str, Any]) -> dict[str, str]:
    """Which microstructures or textures a set of many has, and a few of the latter in words."""
    if (cells := law.get("microstructures")) is not None:
        return {"microstructures": f"from seed {cells['seed']}, {cells['paths_each']} paths each"}
    if (family := law.get("textures")) is None:
        return {}
    made, each = family["made"], family["paths_each"]
    first = "; ".join(made[:SHOWN]) + ("; ..." if len(made) > SHOWN else "")
    return {
        "textures": f"{family['family']}, seed {family['seed']}: {len(made)} of {each} paths each, {first}",
    }


def _told(paths: Mapping[str, Any], **texts: str) -> str:
    """What is known of the paths: those of a simulation have no strain or seed of their own."""
    return "".join(text.format(paths[name]) for name, text in texts.items() if paths.get(name) is not None)


def _statistics(values: FloatArray) -> str:
    return f"rms {np.sqrt((values**2).mean()):.4g}, {values.min():.4g} to {values.max():.4g}"
