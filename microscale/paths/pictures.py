"""Pictures of strain paths and of the stress along them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from microscale.tensors import MANDEL_COLUMNS, MANDEL_ROWS, FloatArray, deviator

LABELS = tuple(f"{i + 1}{j + 1}" for i, j in zip(MANDEL_ROWS, MANDEL_COLUMNS, strict=True))

ROUND_OFF = 1e-6
"""Smallest span of a panel of stress, over the largest stress."""


def draw_paths(
    file: Path, title: str, times: FloatArray, stretch: FloatArray, stress: FloatArray | None = None
) -> None:
    """Draw the components of U, and pressure and deviatoric stress where given; one column a path.

    Args:
        file: Picture to write.
        title: Title of the picture.
        times: Shape (paths, samples), us.
        stretch: Right stretch U, shape (paths, samples, 3, 3), dimensionless.
        stress: Cauchy stress, shape (paths, samples, 3, 3), GPa.
    """
    rows = [("$U_{ij} - \\delta_{ij}$", _components(stretch - np.eye(3)))]
    if stress is not None:
        pressure = -np.trace(stress, axis1=-2, axis2=-1) / 3.0
        rows += [
            ("pressure, GPa", pressure[..., None]),
            ("dev $\\sigma_{ij}$, GPa", _components(deviator(stress))),
        ]
    figure = Figure(figsize=(3.2 * len(times), 2.4 * len(rows) + 0.6), layout="constrained")
    axes = figure.subplots(len(rows), len(times), squeeze=False, sharex="col")
    for row, (label, values) in enumerate(rows):
        axes[row, 0].set_ylabel(label)
        for column, panel in enumerate(axes[row]):
            panel.plot(times[column], values[column], linewidth=1.0)
            panel.grid(alpha=0.3)
            if row > 0 and stress is not None:  # round-off of a pressure that is zero is no signal
                span = ROUND_OFF * np.abs(stress[column]).max()
                panel.set_ylim(_at_least(panel.get_ylim(), span))
    for panel in axes[-1]:
        panel.set_xlabel("t, us")
    axes[0, 0].legend(axes[0, 0].lines, LABELS, fontsize="x-small", ncols=2)
    figure.suptitle(title)
    figure.savefig(file, dpi=120)


def _at_least(limits: tuple[float, float], span: float) -> tuple[float, float]:
    """Return limits that are at least so far apart, about the same middle."""
    middle, half = 0.5 * (limits[0] + limits[1]), 0.5 * max(limits[1] - limits[0], span)
    return middle - half, middle + half


def _components(A: FloatArray) -> FloatArray:
    """Return the six components (..., 6) of symmetric tensors, unweighted."""
    return A[..., MANDEL_ROWS, MANDEL_COLUMNS]
