"""FE-FFT: a plane-strain impact with a full-field unit cell at every quadrature point, and what it costs.

A square block of polycrystal, one layer of elements held between rigid walls (plane strain), hits a rigid
wall; at each point 16 grains of the plane crystal are solved at every step. The paper's plane crystal flows
at rates of one per second and would stay elastic in an impact; here it has the reference rate of the
paper's magnesium (Table SI-1). Nothing is learnt, nothing averaged: this is the method whose cost the paper
could only estimate.

    OMP_NUM_THREADS=1 python demos/concurrent_fft.py --output results/concurrent-fft
    mpirun -n 2 python demos/concurrent_fft.py --resolution 64
"""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from mpi4py import MPI

from meshes.plate import plate
from microscale.crystals.crystal import read_crystal
from microscale.errors import InputError
from microscale.inputs.memory import require_memory
from microscale.inputs.numbers import Count, Length, OutFolder, Positive, Speed, Time, checked
from microscale.inputs.options import named
from microscale.tensors import deviator
from microscale.unit_cell.cell import FullFieldCell
from microscale.unit_cell.microstructure import periodic_voronoi
from microscale.unit_cell.pictures import crystal_maps, draw_fields
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.run.command import launch


@checked
def concurrent_fft(
    *,
    velocity: Speed = 200.0,
    size: Length = 2.0,
    cells: Count = 8,
    end_time: Time = 1.0,
    resolution: Count = 32,
    grains: Count = 16,
    reference_rate: Positive = 0.1,
    memory: Count = 5,
    output: OutFolder = Path("results/concurrent-fft"),
) -> dict[str, float]:
    """Run the impact; write the cost and a picture of the unit cell that was sheared most.

    Args:
        velocity: Impact velocity, m/s.
        size: Side of the block, mm; a plane of symmetry halves it.
        cells: Elements along the side.
        end_time: Simulated time, us.
        resolution: Voxels along a side of each unit cell.
        grains: Grains in it.
        reference_rate: Of slip, 1/us.
        memory: Secants kept at each point: more cost memory, and save iterations in long steps only.
        output: Folder of cost.json and cell.png.
    """
    crystal = read_crystal("two_slip.yaml")
    families = tuple(replace(family, reference_rate=reference_rate) for family in crystal.families)
    grain_map = periodic_voronoi(grains, (resolution, resolution))
    law = FullFieldCell.polycrystal(grain_map, replace(crystal, families=families), memory=memory)
    require_memory(cells**2 * law.bytes_of_a_point, cells=cells)
    spacing = size / cells
    with named(cells_of_a_side="cells", cell_size="size"):
        body = plate(2.0 * size, spacing, impact_radius=0.5 * size, layers=1, cell_size=spacing, growth=1.0)
    simulation = Simulation(
        body,
        law,
        "hex8-one-point",
        [RigidPlane(normal=(0.0, 1.0, 0.0))],
        supports={"symmetry_x": 0, "top": 2, "bottom": 2},
        initial_velocity=(0.0, -1e-3 * velocity, 0.0),
    )
    simulation.step()  # compiles
    calls, begin = law.law_calls, time.process_time()
    simulation.run(end_time)
    seconds = time.process_time() - begin
    if simulation.step_count < 2:
        raise InputError(
            f"end-time = {end_time} us, expected more than a step of {simulation.first_dt:.3g} us"
        )
    steps, points = simulation.step_count - 1, len(simulation.points.F)
    cost = {
        "points": simulation.n_points_global,
        "steps": steps,
        "core_seconds_per_point_and_step": seconds / steps / points,
        "law_share": simulation.timers["law"] / sum(simulation.timers.values()),
        "iterations": (law.law_calls - calls) / steps / points,
        "bytes_per_point": sum(array[0].nbytes for array in simulation.points.state.values()),
        "largest_equivalent_strain": _largest_strain(simulation.points.F),
        "energy_error": simulation.energy.error,
    }
    if MPI.COMM_WORLD.rank == 0:
        output.mkdir(parents=True, exist_ok=True)
        (output / "cost.json").write_text(json.dumps(cost, indent=2) + "\n")
        worst = int(np.argmax(law.fields(simulation.points.state)["dissipation"]))
        draw_fields(output / "cell.png", [("", crystal_maps(law, simulation.points.state, worst))])
        print(json.dumps(cost, indent=2), flush=True)
    return cost


def _largest_strain(F: np.ndarray) -> float:
    """Largest equivalent strain of deformation gradients, sqrt(2/3) |dev E|."""
    E = deviator(0.5 * np.swapaxes(F, -1, -2) @ F)
    return float(np.sqrt(2.0 / 3.0) * np.linalg.norm(E, axis=(-2, -1)).max())


if __name__ == "__main__":
    launch(concurrent_fft)
