"""A picture of what probes and gauges saw over time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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
    for row, (name, file) in zip(rows, shown.items(), strict=True):
        columns = columns_of(file)
        for axes, (title, unit, lines) in zip(row, PANELS, strict=True):
            _draw(axes, columns, lines)
            axes.set_ylabel(f"{title} ({unit})")
        row[1].set_title(name, fontsize="medium")
    for axes in rows[-1]:
        axes.set_xlabel("time (us)")
    figure.savefig(picture, dpi=80, pil_kwargs={"optimize": True})


def _draw(axes: Axes, columns: Mapping[str, FloatArray], lines: Mapping[str, str]) -> None:
    for name, label in lines.items():
        if name in columns:
            axes.plot(columns["time_us"], columns[name], lw=1.0, label=label)
    axes.legend(fontsize="x-small", loc="best")
    axes.grid(color="0.9", lw=0.5)
