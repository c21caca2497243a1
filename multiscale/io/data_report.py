"""What is in a data set, as a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.table import Table

from microscale.dataset import DataSet
from microscale.tensors import FloatArray, deviator


def report(file: Path, data: DataSet) -> Table:
    """Return a table of provenance and statistics of a data set."""
    paths, law = data.provenance["paths"], data.provenance["law"]
    stress, stretch = data.stress_tensors, data.stretch_tensors
    pressure = -np.trace(stress, axis1=-2, axis2=-1) / 3.0
    strength = np.sqrt(1.5) * np.linalg.norm(deviator(stress), axis=(-2, -1))
    volume = np.linalg.det(stretch)
    rows = {
        "law": f"{law['name']} {law['options']}, hash {law['hash'][:12]}",
        "protocol": f"{paths['protocol']}, max strain {paths['max_strain']:g}, {paths['dimension']}D",
        "paths": f"{len(data)} of {data.times.shape[1] - 1} steps, seed {paths['seed']}",
        "duration, us": f"{data.times[:, -1].min():.4g} to {data.times[:, -1].max():.4g}",
        "redrawn": f"{data.rejected.sum()} not positive definite, {data.attempt.sum()} where the law failed",
        "det U": f"{volume.min():.3f} to {volume.max():.3f}",
        "pressure, GPa": _statistics(pressure),
        "von Mises stress, GPa": _statistics(strength),
        "versions": ", ".join(f"{name} {number}" for name, number in data.provenance["versions"].items()),
    }
    table = Table(title=str(file), show_header=False)
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _statistics(values: FloatArray) -> str:
    return f"rms {np.sqrt((values**2).mean()):.4g}, {values.min():.4g} to {values.max():.4g}"
