"""The copper bar: the standard test of Taylor impact codes, on meshes that get finer.

32.4 mm x 6.4 mm at 227 m/s on a frictionless wall, J2 with linear hardening, 80 us. Published results: final
length 21.42 to 21.48 mm, foot radius 7.20 to 7.25 mm, and 5.45 mm at 12 us (Zhu and Cescotto 1995; Camacho
and Ortiz 1997). Finer meshes go on to 21.46 mm, 7.37 mm and 5.56 mm, as an axisymmetric reference says
(tests/verification/axisymmetric_bar.py).

    python demos/copper_bar.py                                      three meshes of F-bar hexahedra
    python demos/copper_bar.py --element tet10 --cells 250 700
    python demos/copper_bar.py --velocity 190 --yield-stress 0.3 --end-time 60

Prints a table, mesh by mesh, and leaves it in the folder ``--output`` with a picture of all tables there.
"""

import json
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
from cyclopts import Parameter
from matplotlib.figure import Figure

from meshes.cylinder import cylinder
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Length, OutFolder, Positive, Speed, Time, checked
from microscale.inputs.options import named
from microscale.progress import tracked
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.elements.registry import cell_shape
from multiscale.dynamics.energy_limit import MAX_ENERGY_ERROR
from multiscale.dynamics.simulation import Simulation
from multiscale.laws.j2 import J2
from multiscale.run.command import launch

PUBLISHED = {"length_mm": (21.42, 21.48), "foot_radius_mm": (7.20, 7.25), "early_radius_mm": (5.45, 5.45)}
# Axisymmetric meshes of 8, 16 and 24 cells across the radius, extrapolated.
LIMIT = {"length_mm": 21.46, "foot_radius_mm": 7.37, "early_radius_mm": 5.56}
EARLY = 12.0  # us
Element = Literal["hex8-fbar", "hex8-one-point", "tet10"]
COLUMNS = (
    "cells",
    "steps",
    *PUBLISHED,
    "largest_plastic_strain",
    "energy_error_percent",
    "hourglass_percent",
)


@checked
def copper_bar(
    *,
    element: Element = "hex8-fbar",
    cells: Annotated[tuple[Count, ...], Parameter(consume_multiple=True)] = (100, 400, 1500),
    velocity: Speed = 227.0,
    height: Length = 32.4,
    diameter: Length = 6.4,
    end_time: Time = 80.0,
    youngs_modulus: Positive = 117.0,
    poissons_ratio: float = 0.35,
    yield_stress: Positive = 0.4,
    hardening_modulus: float = 0.1,
    density: Positive = 8.93,
    max_energy_error: float = MAX_ENERGY_ERROR,
    output: OutFolder = Path("results/copper_bar"),
) -> list[dict[str, float]]:
    """Run the bar on each mesh; return, print and draw how its shape converges.

    Args:
        element: Hexahedron with mean dilatation and 8 points, with one point and hourglass control, or
            tetrahedron with 10 nodes and 4 points.
        cells: Number of cells of each quarter model, about.
        velocity: Impact velocity, m/s.
        height: Height, mm.
        diameter: Diameter, mm.
        end_time: Simulated time, us.
        youngs_modulus: E, GPa.
        poissons_ratio: nu.
        yield_stress: Initial yield stress, GPa.
        hardening_modulus: Hardening modulus, GPa.
        density: Density, g/cm^3.
        max_energy_error: Error of the energy past which a run ends, per cent; 0 for none.
        output: Folder for table and picture.
    """
    if not cells:
        raise InputError("no numbers of cells given, expected some such as --cells 100 400")
    law = J2(youngs_modulus, poissons_ratio, yield_stress, hardening_modulus, density)
    rows = []
    for number in tracked(cells, "bars"):
        with named(elements="cells"):
            body = cylinder(height, diameter, number, "quarter", cell_shape(element))
        bar = Simulation(
            body,
            law,
            element,
            [RigidPlane()],
            supports={"symmetry_x": 0, "symmetry_y": 1},
            initial_velocity=(0.0, 0.0, -1e-3 * velocity),  # m/s to mm/us
            max_energy_error=max_energy_error,
        )
        rows.append(run(bar, end_time, 0.5 * diameter))
        if bar.mesh.comm.rank == 0:
            print("  ".join(f"{name} = {rows[-1][name]:.5g}" for name in COLUMNS), flush=True)
    if bar.mesh.comm.rank == 0:
        output.mkdir(parents=True, exist_ok=True)
        (output / f"{element}.json").write_text(json.dumps(rows, indent=2) + "\n")
        draw(output)
    return rows


def run(bar: Simulation, end_time: float, radius: float) -> dict[str, float]:
    """Run one bar and measure it."""
    bar.run(min(EARLY, end_time))
    early = shape(bar, radius)["foot_radius_mm"]
    bar.run(end_time)
    strain = bar.points.state["equivalent_plastic_strain"].max(initial=0.0)
    return {
        "cells": bar.n_cells_global,
        "steps": bar.step_count,
        **shape(bar, radius),
        "early_radius_mm": early,
        "largest_plastic_strain": max(bar.mesh.comm.allgather(strain)),
        "energy_error_percent": 100.0 * bar.energy.error,
        "hourglass_percent": 100.0 * bar.energy.hourglass / bar.initial_energy,
    }


def shape(bar: Simulation, radius: float) -> dict[str, float]:
    """Length of the bar and mean radius of the rim of its foot, mm."""
    owned, comm = bar.u.function_space.dofmap.index_map.size_local, bar.mesh.comm
    X = bar.positions[:owned]
    x = X + bar.u.x.array.reshape(-1, 3)[:owned]
    top, bottom = max(comm.allgather(x[:, 2].max())), min(comm.allgather(x[:, 2].min()))
    rim = (X[:, 2] < 1e-6 * radius) & (np.hypot(X[:, 0], X[:, 1]) > (1.0 - 1e-6) * radius)
    radii = np.concatenate(comm.allgather(np.hypot(x[rim, 0], x[rim, 1])))
    return {"length_mm": top - bottom, "foot_radius_mm": float(radii.mean())}


def draw(folder: Path) -> None:
    """Draw the figures of each table of the folder against the cell size, beside the published range."""
    figure = Figure((9.0, 3.0), layout="constrained")
    files = {element: folder / f"{element}.json" for element in get_args(Element)}
    tables = {element: json.loads(file.read_text()) for element, file in files.items() if file.exists()}
    for axes, (name, (low, high)) in zip(figure.subplots(1, 3), PUBLISHED.items(), strict=True):
        axes.axhspan(low, high, color="0.8", lw=2, label="published")
        axes.axhline(LIMIT[name], color="0.2", ls="--", lw=1, label="axisymmetric reference")
        for element, rows in tables.items():
            size = [row["cells"] ** (-1.0 / 3.0) for row in rows]
            axes.plot(size, [row[name] for row in rows], "o-", ms=4, label=element)
        axes.set(
            xlabel="cells$^{-1/3}$", title=name.replace("_mm", ", mm").replace("_", " "), xlim=(0.0, None)
        )
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize="small")
    figure.savefig(folder / "copper_bar.png", dpi=110)


if __name__ == "__main__":
    launch(copper_bar)
