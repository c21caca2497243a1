"""Statics beside exact and published values: a thick-walled tube under pressure, and Cook's membrane.

    python demos/studies/statics_exact.py                              hexahedra, meshes that get finer
    python demos/studies/statics_exact.py --cell tetrahedron --finest 8

The tube (radii 1 and 2, plane strain) is neo-Hookean. Under a small pressure it must widen as Lame says, at
Poisson's ratio 0.3 and 0.4999 alike, under a large one as an incompressible tube does (Rivlin 1949):
p = integral of G (r^2/R^2 - R^2/r^2) dr/r. The membrane is a tapered panel, clamped on the left and sheared
on the right: with E = 1 and nu = 1/3 a load of 1 in plane stress moves the middle of its right edge by 23.96
(Cook 1974; value of fine meshes).
"""

from typing import Any, Literal

import numpy as np

from meshes.box import box
from meshes.impact_mesh import ImpactMesh
from microscale.inputs.numbers import Count, checked
from microscale.tensors import FloatArray
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.run.command import launch
from multiscale.statics.statics import Statics

INNER, OUTER, WIDTH = 1.0, 2.0, 0.1  # mm
COOK, SMALL = 23.96, 1e-4
Cell = Literal["hexahedron", "tetrahedron"]


def elastic(youngs_modulus: float, poissons_ratio: float) -> NeoHooke:
    """Return the neo-Hookean law that is linear elasticity of these constants at small strain."""
    bulk = youngs_modulus / (3.0 * (1.0 - 2.0 * poissons_ratio))
    return NeoHooke(youngs_modulus / (2.0 * (1.0 + poissons_ratio)), 0.5 * bulk)


def ring(across: int, cell: Cell) -> ImpactMesh:
    """Mesh a quarter of a thin slice of the tube: r, theta and z in place of the box's x, y and z."""
    body = box((1.0, 1.0, WIDTH), (across, 2 * across, 1), cell)
    x = body.mesh.geometry.x
    r, theta = INNER + (OUTER - INNER) * x[:, 0], 0.5 * np.pi * x[:, 1]
    x[:, 0], x[:, 1] = r * np.cos(theta), r * np.sin(theta)
    return body


def tube(across: int, law: NeoHooke, pressure: float, cell: Cell = "hexahedron", steps: int = 1) -> float:
    """Return the displacement of the inner radius, mm, under a pressure, GPa."""
    body = Statics(
        ring(across, cell),
        law,
        supports={"front": 1, "back": 0, "bottom": 2, "top": 2},
        pressures={"left": lambda time: pressure * time},
    )
    body.run(1.0, first_step=1.0 / steps)
    X = body.u.function_space.tabulate_dof_coordinates()
    inner = np.isclose(np.hypot(X[:, 0], X[:, 1]), INNER)
    u = body.u.x.array.reshape(-1, 3)[inner]
    return float(np.mean(np.sum(u[:, :2] * X[inner, :2], axis=1) / INNER))


def small_tube(across: int, law: NeoHooke, cell: Cell = "hexahedron") -> float:
    """Return the same for a small pressure, without the terms of second order."""
    return 0.5 * (tube(across, law, SMALL, cell) - tube(across, law, -SMALL, cell))


def lame(law: NeoHooke, pressure: float) -> float:
    """Return the same of Lame's linear elastic tube in plane strain."""
    G, K = law.shear_modulus, 2.0 * law.lambda_e
    inwards = pressure * INNER**2 / (OUTER**2 - INNER**2)
    return inwards * (INNER / (2.0 * (K + G / 3.0)) + OUTER**2 / (2.0 * G * INNER))


def rivlin(shear_modulus: float, moved: float) -> float:
    """Return the pressure, GPa, that widens the incompressible tube by ``moved``, mm, at its inner radius."""
    inner = INNER + moved
    squared = inner**2 - INNER**2  # of every radius: r^2 - R^2
    r = np.linspace(inner, np.sqrt(OUTER**2 + squared), 20001)
    stretch = r**2 / (r**2 - squared)
    return float(np.trapezoid(shear_modulus * (stretch - 1.0 / stretch) / r, r))


def cook(across: int, cell: Cell = "hexahedron", thickness: float = 1.0) -> float:
    """Return the displacement along y of the middle of the membrane's right edge, load and E being 1."""
    body = box((1.0, 1.0, thickness), (across, across, 1), cell)
    x = body.mesh.geometry.x
    along, up = x[:, 0].copy(), x[:, 1].copy()
    x[:, 0], x[:, 1] = 48.0 * along, 44.0 * along + (44.0 - 28.0 * along) * up
    small = 1e-6
    force = (0.0, small * thickness, 0.0)
    membrane = Statics(
        body, elastic(1.0, 1.0 / 3.0), supports={"left": (0, 1), "bottom": 2}, forces={"right": force}
    )
    membrane.run(1.0, first_step=1.0)
    X = membrane.u.function_space.tabulate_dof_coordinates()
    middle = np.isclose(X[:, 0], 48.0) & np.isclose(X[:, 1], 52.0) & np.isclose(X[:, 2], 0.0)
    return float(membrane.u.x.array.reshape(-1, 3)[middle, 1][0]) / small


def slopes(errors: list[float]) -> FloatArray:
    """Return how fast errors fall from each mesh to the next, which has cells of half the size."""
    return np.log2(np.abs(np.array(errors[:-1]) / np.array(errors[1:])))


@checked
def statics_exact(*, cell: Cell = "hexahedron", finest: Count = 16) -> dict[str, Any]:
    """Print errors mesh by mesh and the slopes between them.

    Args:
        cell: Shape of the cells.
        finest: Cells across the tube of the finest mesh; the membrane has twice as many.
    """
    meshes = [finest // 4, finest // 2, finest]
    found: dict[str, Any] = {}
    for nu in (0.3, 0.4999):
        law = elastic(1.0, nu)
        found[f"Lame's tube, nu = {nu}"] = [small_tube(n, law, cell) / lame(law, SMALL) - 1.0 for n in meshes]
    soft = elastic(1.0, 0.4999)
    pressure = rivlin(soft.shear_modulus, 0.5)
    found["incompressible tube, inner radius x 1.5"] = [
        tube(n, soft, pressure, cell, steps=10) / 0.5 - 1.0 for n in meshes
    ]
    found["Cook's membrane"] = [cook(2 * n, cell) / COOK - 1.0 for n in meshes]
    for name, errors in found.items():
        listed = "  ".join(f"{100.0 * error:+.3f} %" for error in errors)
        print(f"{name:42s} {listed}   slopes {slopes(errors).round(2)}", flush=True)
    return found


if __name__ == "__main__":
    launch(statics_exact)
