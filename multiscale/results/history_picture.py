"""A picture of what probes and gauges saw over time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from microscale.tensors import FloatArray
from multiscale.results.run_folder import columns_of

#: Panels: title, unit, and the columns that are drawn where there are such, with their labels.
PANELS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "velocity",
        "mm/us",
        {
            "normal_velocity_mm_per_us": "along the normal",
            **{f"velocity_{axis}_mm_per_us": axis for axis in "xyz"},
        },
    ),
    (
        "stress",
        "GPa",
        {"normal_stress_GPa": "along the normal", "pressure_GPa": "pressure", "von_mises_GPa": "von Mises"},
    ),
    (
        "strain",
        "-",
        {
            **{f"elongation_{axis}": f"elongation along {axis}" for axis in "xyz"},
            "equivalent_plastic_strain": "plastic",
        },
    ),
)

#: Rows of a picture at most.
ROWS = 8

#: Smallest span of a panel, over the largest value in the panels of other places.
NOISE = 1e-4


def draw_histories(files: Mapping[str, Path], picture: Path) -> None:
    """Draw velocity, stress and strain of each place, one row a place, the first :data:`ROWS` of them.

    Args:
        files: Tables by name of the place, see :mod:`multiscale.results.histories`.
        picture: PNG to write.

    Raises:
        InputError: A table cannot be read.
    """
    shown = dict(list(files.items())[:ROWS])
    figure = Figure((11.0, 0.6 + 2.3 * len(shown)), layout="constrained")
    rows = figure.subplots(len(shown), len(PANELS), squeeze=False, sharex=True)
    tables = {name: columns_of(file) for name, file in shown.items()}
    for row, (name, columns) in zip(rows, tables.items(), strict=True):
        for axes, (title, unit, lines) in zip(row, PANELS, strict=True):
            _draw(axes, columns, lines)
            _require_span(axes, NOISE * _largest(tables.values(), lines))
            axes.set_ylabel(f"{title} ({unit})")
        row[0].set_title(name, fontsize="medium", loc="left")
    for axes in rows[-1]:
        axes.set_xlabel("time (us)")
    figure.savefig(picture, dpi=80, pil_kwargs={"optimize": True})


def _largest(tables: Collection[Mapping[str, FloatArray]], lines: Mapping[str, str]) -> float:
    """Return the largest size of what is drawn in a column of panels."""
    drawn = [np.abs(columns[name]) for columns in tables for name in lines if name in columns]
    return max((float(np.nanmax(values)) for values in drawn if np.isfinite(values).any()), default=0.0)


def _require_span(axes: Axes, span: float) -> None:
    """Widen an axis about its middle to a span, so that round-off is not drawn as if it were a signal."""
    low, high = axes.get_ylim()
    if high - low < span:
        middle = 0.5 * (low + high)
        axes.set_ylim(middle - 0.5 * span, middle + 0.5 * span)


def _draw(axes: Axes, columns: Mapping[str, FloatArray], lines: Mapping[str, str]) -> None:
    for name, label in lines.items():
        if name in columns:
            axes.plot(columns["time_us"], columns[name], lw=1.0, label=label)
    axes.legend(fontsize="x-small", loc="best")
    axes.grid(color="0.9", lw=0.5)
