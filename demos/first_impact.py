"""A bar hits a wall, step by step: copy this script and make it your problem.

    python demos/first_impact.py
    mpirun -n 2 python demos/first_impact.py

Lengths are in mm, times in us, stresses in GPa and velocities in mm/us, which is km/s.
"""

from pathlib import Path

import numpy as np

import multiscale as ms


def first_impact(elements: int = 300, end_time: float = 1.0, folder: Path = Path("results/first")) -> float:
    """Run a bar against a wall and return its final length, mm."""
    # The body: any function of meshes/, or ms.load_mesh("mine.msh").
    bar = ms.cylinder(height=5.0, diameter=1.0, elements=elements, model="quarter")

    # Its law at every point: by name, with options; or a class of your own (docs/guide/own_law.md).
    law = ms.make_law("learned")

    # What it meets, how it is held, how fast it comes.
    anvil = ms.Simulation(
        bar,
        law,
        obstacles=[ms.RigidPlane(point=(0.0, 0.0, 0.0), normal=(0.0, 0.0, 1.0))],
        supports={"symmetry_x": 0, "symmetry_y": 1},
        initial_velocity=(0.0, 0.0, -0.2),
    )

    # The run, with its record: fields, energies, picture, report.
    ms.run_and_record(anvil, end_time, folder, {"elements": elements})

    # The look at it.
    last = ms.read_results(folder)[-1]
    height = last.points[:, 2] + last["displacement_mm"][:, 2]
    if bar.mesh.comm.rank == 0:
        print(f"von Mises stress at most {np.max(last['von_mises_GPa']):.3f} GPa")
    return float(np.ptp(height))


if __name__ == "__main__":
    print(f"final length {first_impact():.4f} mm")
