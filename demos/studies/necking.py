"""A bar is drawn until it necks: J2 with the hardening of a steel, beside a published curve.

    python demos/studies/necking.py                        two meshes
    python demos/studies/necking.py --cells 400 1500 4000 --elongation 6

A round bar, 53.334 mm long and 6.413 mm in radius, is held at both ends, which are moved apart (Simo and
Hughes, Computational Inelasticity, 1998). There is no imperfection: the ends may not contract. Force over
elongation of each half is compared with that of a finite volume code on 600 axisymmetric cells, read off the
figure in the tutorial ``neckingBar`` of solids4foam (Cardiff, Tukovic, De Jaeger, Clancy and Ivankovic 2017),
to 0.1 kN. The hardening is the piecewise linear table given there.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from meshes.cylinder import cylinder
from microscale.inputs.numbers import Count, OutFolder, Positive, checked
from microscale.law import ConstitutiveLaw, State
from microscale.tensors import FloatArray
from multiscale.laws.j2 import J2
from multiscale.run.command import launch
from multiscale.statics.statics import Statics

LENGTH, RADIUS = 53.334, 6.413  # mm
#: Plastic strain and yield stress, GPa.
HARDENING = np.array(
    [(0.0, 0.451), (0.006, 0.476), (0.019, 0.525), (0.038, 0.583), (0.066, 0.642), (0.147, 0.710),
     (0.5, 0.777), (1.0, 0.831)]
)  # fmt: skip
#: Elongation of a half, mm, and force, kN.
PUBLISHED = np.array(
    [(0.25, 62.0), (0.5, 66.1), (0.75, 69.3), (1.25, 74.2), (1.75, 77.5), (2.25, 78.1), (2.75, 78.6),
     (3.25, 78.9), (3.5, 78.8), (3.75, 77.5), (4.25, 74.2), (4.5, 72.2), (4.75, 70.1), (5.25, 65.0),
     (5.5, 61.9), (5.75, 58.6)]
)  # fmt: skip


class TabulatedJ2(ConstitutiveLaw):
    """J2 whose yield stress over plastic strain is concave and piecewise linear: the least of some lines.

    The lowest yield stress lets a point flow most: each line's J2 is asked, that which flows most is right.
    """

    name, density = "j2-table", 7.833

    def __init__(self, youngs_modulus: float, poissons_ratio: float, table: FloatArray) -> None:
        slope = np.diff(table[:, 1]) / np.diff(table[:, 0])
        at_rest = table[:-1, 1] - slope * table[:-1, 0]
        lines = zip(at_rest, slope, strict=True)
        self._lines = [J2(youngs_modulus, poissons_ratio, y, h, self.density) for y, h in lines]
        self.state_spec = self._lines[0].state_spec

    def _update(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        self._flow(F, dt, state, out)

    def _tangent(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> None:
        right = self._flow(F, dt, state.copy(), np.empty_like(F))
        tangent = np.empty_like(out)
        for k, line in enumerate(self._lines):
            line.tangent(F, dt, state, tangent)
            out[right == k] = tangent[right == k]

    def _flow(self, F: FloatArray, dt: float | FloatArray, state: State, out: FloatArray) -> NDArray[np.intp]:
        """Advance as the law says; return the line that was right at each point."""
        start, right = state.copy(), np.zeros(len(F), dtype=np.intp)
        self._lines[0].update(F, dt, state, out)
        stress = np.empty_like(out)
        for k, line in enumerate(self._lines[1:], 1):
            other = start.copy()
            line.update(F, dt, other, stress)
            more = other["equivalent_plastic_strain"] > state["equivalent_plastic_strain"]
            out[more], right[more] = stress[more], k
            for name, array in other.items():
                state[name][more] = array[more]
        return right

    def wave_speed(self) -> float:
        """Longitudinal elastic wave speed at rest, mm/us."""
        return self._lines[0].wave_speed()


def bar(cells: int, elongation: float, steps: int) -> tuple[FloatArray, FloatArray]:
    """Draw a quarter of half a bar; return rows of elongation, mm, force, kN, and radius at the neck, mm."""
    body = cylinder(0.5 * LENGTH, 2.0 * RADIUS, cells, "quarter")
    z = body.mesh.geometry.x[:, 2]
    z *= (1.0 + 1.5 * z / z.max()) / 2.5  # cells at the neck are two fifths as high as the mean
    half = Statics(
        body,
        TabulatedJ2(200.0, 0.3, HARDENING),
        supports={"symmetry_x": 0, "symmetry_y": 1, "foot": 2, "top": (0, 1)},
        displacements={"top": {"z": lambda time, X: elongation * time}},
    )
    X = half.u.function_space.tabulate_dof_coordinates()
    rim = np.isclose(np.hypot(X[:, 0], X[:, 1]), RADIUS) & np.isclose(X[:, 2], 0.0)
    rows = []

    def note(now: Statics) -> None:
        x = (X + now.u.x.array.reshape(-1, 3))[rim]
        neck = float(np.hypot(x[:, 0], x[:, 1]).mean())
        rows.append((elongation * now.time, 4.0 * now.reactions["top"][2], neck, now.last.iterations))

    half.run(1.0, [note], first_step=1.0 / steps, longest_step=1.0 / steps)
    return np.array(rows)


@checked
def necking(
    *,
    cells: Annotated[tuple[Count, ...], Parameter(consume_multiple=True)] = (300, 1200),
    elongation: Positive = 5.0,
    steps: Count = 100,
    output: OutFolder = Path("results/necking"),
) -> dict[int, float]:
    """Print the largest distance from the published curve, mesh by mesh, and draw the curves.

    Args:
        cells: Number of cells of each mesh, about.
        elongation: Of each half, mm.
        steps: Load steps.
        output: Folder of the picture.
    """
    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.subplots()
    seen = PUBLISHED[PUBLISHED[:, 0] <= elongation]
    found = {}
    for number in cells:
        curve = bar(number, elongation, steps)
        off = np.interp(seen[:, 0], curve[:, 0], curve[:, 1]) / seen[:, 1] - 1.0
        found[number] = float(np.abs(off).max())
        listed = " ".join(f"{100.0 * error:+.1f}" for error in off)
        most = int(curve[:, 3].max())
        print(f"{number} cells: off by {listed} %; neck {curve[-1, 2]:.3f} mm; at most {most} iterations")
        axes.plot(curve[:, 0], curve[:, 1], label=f"statics, {number} cells")
    axes.plot(*seen.T, "ko", ms=4, label="Cardiff et al. 2017")
    axes.set(xlabel="elongation of each half, mm", ylabel="force, kN", ylim=(0.0, 85.0))
    axes.legend()
    output.mkdir(parents=True, exist_ok=True)
    figure.savefig(output / "necking.png", dpi=150)
    return found


if __name__ == "__main__":
    launch(necking)
