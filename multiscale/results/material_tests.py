"""What a material test leaves: a table for each law, and a picture of all."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from microscale.errors import InputError
from microscale.files.printable import drawable, printable
from microscale.files.whole_file import replacing, write_whole
from microscale.law import ConstitutiveLaw
from microscale.material_test.program import COLUMNS, COMPONENTS, ROWS
from microscale.material_test.run import Curve
from microscale.tensors import FloatArray
from multiscale.dynamics.fields import with_unit

NINE = tuple(f"{i}{j}" for i in "xyz" for j in "xyz")


def require_fields(laws: Mapping[str, ConstitutiveLaw], wanted: Sequence[str]) -> None:
    """Refuse a field that no law shows, before any is tested.

    Raises:
        InputError: No law has a field that was asked for.
    """
    known = dict.fromkeys(name for law in laws.values() for name in law.fields(law.init_state(1)))
    for name in wanted:
        if name not in known:
            shown = printable(name, 40)
            raise InputError(
                f"field = '{shown}', expected one of: {', '.join(known) or 'none, no law has any'}"
            )


def chosen_fields(
    laws: Mapping[str, ConstitutiveLaw], curves: Mapping[str, Curve], wanted: Sequence[str]
) -> dict[str, dict[str, FloatArray]]:
    """Return the fields that were asked for, by law and by name with unit; of each law those that it has."""
    found: dict[str, dict[str, FloatArray]] = {}
    for law, curve in curves.items():
        units = laws[law].field_units
        there = [name for name in wanted if name in curve.fields]
        found[law] = {with_unit(name, units.get(name, "-")): curve.fields[name] for name in there}
    return found


def write_curve(file: Path, curve: Curve, component: str, fields: Mapping[str, FloatArray]) -> None:
    """Write a curve as a table: time, strain and stress of a component, F, Cauchy stress and fields.

    Raises:
        InputError: The file cannot be written.
    """
    strain, stress = curve.component(component)
    engineering = curve.component(component, engineering=True)
    columns: dict[str, FloatArray] = {
        "time_us": curve.times,
        "true_strain": strain,
        "true_stress_GPa": stress,
        "engineering_strain": engineering[0],
        "engineering_stress_GPa": engineering[1],
        **{f"F_{name}": column for name, column in zip(NINE, curve.F.reshape(-1, 9).T, strict=True)},
    }
    components = curve.stress[:, ROWS, COLUMNS].T
    columns |= {f"stress_{name}_GPa": column for name, column in zip(COMPONENTS, components, strict=True)}
    columns |= fields
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(np.array(list(columns.values())).T.tolist())
    write_whole(file, text.getvalue().encode())


def draw_curves(
    picture: Path,
    title: str,
    curves: Mapping[str, Curve],
    component: str,
    fields: Mapping[str, Mapping[str, FloatArray]],
) -> None:
    """Draw stress against strain, both against time, and the fields that were asked for.

    Args:
        picture: PNG to write.
        title: Title of the picture.
        curves: Curves by law.
        component: Component of strain and stress that is drawn.
        fields: Fields by law and name.

    Raises:
        InputError: The file cannot be written.
    """
    names = list(dict.fromkeys(name for found in fields.values() for name in found))
    panels = 3 + len(names)
    rows = -(-panels // 3)
    figure = Figure((12.0, 0.5 + 3.4 * rows), layout="constrained")
    axes = figure.subplots(rows, 3, squeeze=False).ravel()
    for law, curve in curves.items():
        strain, stress = curve.component(component)
        axes[0].plot(strain, stress, lw=1.5, label=drawable(law))
        axes[1].plot(curve.times, stress, lw=1.5)
        axes[2].plot(curve.times, strain, lw=1.5)
        for panel, name in zip(axes[3:], names, strict=False):
            panel.plot(curve.times, fields[law].get(name, np.full(len(strain), np.nan)), lw=1.5)
    strain_label, stress_label = f"true strain {component}", f"Cauchy stress {component} (GPa)"
    _label(axes[0], strain_label, stress_label)
    axes[0].legend(fontsize="small")
    for panel, label in zip(axes[1:], (stress_label, strain_label, *names), strict=False):
        _label(panel, "time (us)", drawable(label))
    for panel in axes[panels:]:
        panel.set_visible(False)
    figure.suptitle(drawable(title), fontsize="medium")
    with replacing(picture) as unfinished:
        figure.savefig(unfinished, dpi=90, format="png", pil_kwargs={"optimize": True})


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(color="0.9", lw=0.5)
