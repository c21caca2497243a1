"""The report of a run: one page that needs no network. Figures, energies, a view to turn, provenance."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from copy import copy
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pyvista
from jinja2 import Environment
from plotly.offline import get_plotlyjs

from microscale.errors import InputError
from microscale.files.whole_file import write_whole
from microscale.tensors import FloatArray
from multiscale.results.history_picture import PANELS
from multiscale.results.ledger import ENERGIES
from multiscale.results.loads import load_curves
from multiscale.results.run_folder import (
    CASE,
    LOADS,
    PICTURE,
    REPORT,
    RunFolder,
    columns_of,
    unstructured_grid,
)

VTK_TETRAHEDRON, VTK_QUADRATIC_TETRAHEDRON = 10, 24

#: Values in the view at most: of a large mesh fewer outputs are shown, so that a browser still turns it.
VIEW_VALUES = 3e6

#: Field that colours the view, and its title.
SHOWN, SHOWN_TITLE = "von_mises_GPa", "von Mises stress, GPa"

#: Parts of the summary that have a table of their own, or are for machines.
APART = (
    *("inputs", "versions", "law", "wall_seconds", "bytes_per_element", "bytes_sent_per_step"),
    *("material", "histories", "warnings", "notes", "left_training_range"),
)


def write_report(folder: Path | str, title: str = "") -> Path:
    """Write ``report.html`` into the folder of a run that has ended, and return its path.

    Args:
        folder: Folder of the run.
        title: First line; by default the name of the folder.

    Raises:
        InputError: The folder does not hold a run that has ended.
    """
    run = RunFolder(folder)
    summary = run.summary
    if "error" in summary:
        raise InputError(f"the run in {run.path} ended with an error, expected success: {summary['error']}")
    material = summary.get("material", {})
    picture = run.path / PICTURE
    template = Environment(autoescape=True).from_string(
        files("multiscale.results").joinpath("report.html.j2").read_text(encoding="utf-8")
    )
    page = template.render(
        title=title or run.path.name,
        subtitle=f"{summary['elements']} elements, {summary['steps']} steps, "
        f"{summary['wall_seconds']['total']:.1f} s on {summary['ranks']} rank(s)",
        material=material.get("told", summary["law"]["name"]),
        constants=_rows(material.get("constants", {})),
        warnings=[*summary.get("warnings", []), *summary.get("notes", [])],
        figures=_rows({name: value for name, value in summary.items() if name not in APART}),
        view=_part(view(run)),
        picture=base64.b64encode(picture.read_bytes()).decode() if picture.exists() else "",
        balance="Loads" if (run.path / LOADS).exists() else "Energies",
        energies=_part(loads(run) if (run.path / LOADS).exists() else energies(run)),
        histories=[
            (name, _place(told), [_part(plot) for plot in history(run.path / f"{name}.csv")])
            for name, told in summary.get("histories", {}).items()
        ],
        case=_case(run),
        inputs=_rows(summary["inputs"]),
        versions=_rows({**summary["versions"], "law": summary["law"]["hash"]}),
        plotly=get_plotlyjs(),
    )
    path = run.path / REPORT
    write_whole(path, page.encode())
    return path


def view(run: RunFolder) -> go.Figure:
    """Return the deformed surface of every output, coloured, with a slider over time."""
    surface = _corner_grid(run).extract_surface(
        pass_pointid=True, pass_cellid=True, algorithm="dataset_surface"
    )
    triangles = surface.triangulate()
    points, cells = surface["vtkOriginalPointIds"], triangles["vtkOriginalCellIds"]
    corners = triangles.faces.reshape(-1, 4)[:, 1:].astype(np.int32)
    outputs = _shown_outputs(run, 3 * len(points) + len(cells))
    largest = max(float(run.results.field(SHOWN, k).max()) for k in outputs)

    def body(output: int) -> go.Mesh3d:
        x, y, z = _positions(run, output)[points].T.astype("f4")
        return go.Mesh3d(
            x=x, y=y, z=z, i=corners[:, 0], j=corners[:, 1], k=corners[:, 2],
            intensity=run.results.field(SHOWN, output)[cells].astype("f4"), intensitymode="cell",
            colorscale="Inferno", cmin=0.0, cmax=largest, flatshading=True,
            colorbar={"title": {"text": SHOWN_TITLE, "side": "right"}},
        )  # fmt: skip

    frames = [go.Frame(data=[body(k)], name=f"{run.times[k]:.3g}") for k in outputs]
    figure = go.Figure(data=frames[-1].data, frames=frames)
    steps = [{"label": f.name, "method": "animate", "args": [[f.name], _AT_ONCE]} for f in frames]
    prefix = {"prefix": "time, us: "}
    still = {"duration": 0}  # the handle is where it belongs, and does not travel there
    slider = {"steps": steps, "currentvalue": prefix, "active": len(frames) - 1, "pad": {"t": 10}}
    slider["transition"] = still
    scene = _scene(np.concatenate([_positions(run, k)[points] for k in outputs]))
    figure.update_layout(scene=scene, sliders=[slider], height=700, margin=_MARGIN)
    return figure


def _corner_grid(run: RunFolder) -> pyvista.UnstructuredGrid:
    """Return the mesh with straight edges: a ten-node tetrahedron by its corners."""
    results = copy(run.results)
    if results.vtk_cell_type == VTK_QUADRATIC_TETRAHEDRON:
        results.cells, results.vtk_cell_type = results.cells[:, :4], VTK_TETRAHEDRON
    return unstructured_grid(results)


def _positions(run: RunFolder, output: int) -> FloatArray:
    return run.results.points + run.results.field("displacement_mm", output)


def _scene(positions: FloatArray) -> dict[str, Any]:
    """Return axes that hold all positions (n, 3), mm, to scale, and a camera that sees them whole."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    extent = high - low
    distance = 1.5 * float(extent.max() / np.prod(extent) ** (1.0 / 3.0))  # plotly's own unit of length
    eye = {"x": 0.8 * distance, "y": -0.6 * distance, "z": 0.3 * distance}
    axes = {
        f"{axis}axis": {"title": {"text": f"{axis}, mm"}, "range": [float(low[k]), float(high[k])]}
        for k, axis in enumerate("xyz")
    }
    return {"aspectmode": "data", "camera": {"eye": eye}, **axes}


def energies(run: RunFolder) -> go.Figure:
    """Return the energies over time that are not zero throughout."""
    ledger = run.energy
    columns = [f"{name}_J" for name in ENERGIES if np.any(ledger[f"{name}_J"])]
    lines = [
        go.Scattergl(x=ledger["time_us"], y=ledger[name], name=name.removesuffix("_J"), mode="lines")
        for name in columns
    ]
    layout = {"xaxis_title": "time, us", "yaxis_title": "energy, J", "height": 400, "margin": _MARGIN}
    return go.Figure(lines, layout)


def loads(run: RunFolder) -> go.Figure:
    """Return what holds or moves each group of a statics run, over its mean displacement."""
    lines = [go.Scattergl(x=x, y=y, name=name, mode="lines+markers") for name, x, y in load_curves(run.loads)]
    layout = {"xaxis_title": "mean displacement, mm", "yaxis_title": "reaction, kN", "height": 400}
    return go.Figure(lines, {**layout, "margin": _MARGIN, "showlegend": True})


def history(file: Path) -> list[go.Figure]:
    """Return velocity, stress and strain over time of a probe or a gauge, whose table is given."""
    columns = columns_of(file)
    figures = []
    for title, unit, lines in PANELS:
        drawn = [
            go.Scattergl(x=columns["time_us"], y=columns[name], name=label, mode="lines")
            for name, label in lines.items()
            if name in columns
        ]
        axes = {"xaxis_title": "time, us", "yaxis_title": f"{title}, {unit}", "height": 260}
        figures.append(go.Figure(drawn, {**axes, "margin": _MARGIN, "showlegend": True}))
    return figures


def _case(run: RunFolder) -> str:
    """Return the case that was run, which has the units, without its head; empty where there is none."""
    file = run.path / CASE
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    return "\n".join(line for line in text.splitlines() if not line.startswith("#")).strip()


def _place(told: Mapping[str, Any]) -> str:
    """Say where a probe or a gauge is."""
    if "group" in told:
        return f"mean over the group {told['group']}, {told['area_mm2']:.4g} mm^2"
    return "at ({:.4g}, {:.4g}, {:.4g}) mm of the reference body, cell {}".format(
        *told["point_mm"], told["cell"]
    )


def _shown_outputs(run: RunFolder, values: int) -> list[int]:
    """Return numbers of outputs, evenly chosen, the last one always; ``values`` is what one of them takes."""
    count = max(1, min(len(run), int(VIEW_VALUES / values)))
    return sorted({round(k) for k in np.linspace(len(run) - 1, 0, count)})


def _rows(table: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, f"{value:.6g}" if isinstance(value, float) else str(value))
        for name, value in table.items()
        if value is not None
    ]


def _part(figure: go.Figure) -> str:
    return str(figure.to_html(full_html=False, include_plotlyjs=False))


_MARGIN = {"l": 40, "r": 20, "t": 20, "b": 40}
_AT_ONCE = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
