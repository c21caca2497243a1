"""An elastic bar hits a wall, rebounds and rings for 100,000 steps: does its energy stay?

Two accounts that know nothing of each other are printed: the ledger, which sums the work of forces step by
step, and the energy that the law has stored at the points, with the kinetic energy of the velocities at whole
steps. The latter goes up and down with the waves, so means over 400 steps are compared.

    python demos/studies/energy_over_time.py
    python demos/studies/energy_over_time.py --element tet10 --velocity 50 --steps 20000
"""

from typing import Literal

import numpy as np
from mpi4py import MPI

from meshes.cylinder import cylinder
from microscale.errors import InputError
from microscale.progress import tracked
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.elements.registry import cell_shape
from multiscale.dynamics.simulation import Simulation
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.run.command import launch
from multiscale.run.inputs import require_positive

#: Steps a mean is taken over: some ten times a wave goes to and fro.
WHILE = 400


def energy_over_time(
    *,
    element: Literal["hex8-fbar", "hex8-one-point", "tet10"] = "hex8-one-point",
    velocity: float = 200.0,
    elements: int = 100,
    steps: int = 100_000,
) -> dict[str, float]:
    """Run the bar, print both accounts of its energy now and then, return the last.

    Args:
        element: Hexahedron with mean dilatation and 8 points, with one point and hourglass control, or
            tetrahedron with 10 nodes and 4 points.
        velocity: Impact velocity, m/s.
        elements: Number of elements, about.
        steps: Steps to take, more than 2000.
    """
    require_positive("m/s", velocity=velocity)
    if steps <= 2000:
        raise InputError(f"steps = {steps}, expected more than 2000: a gain shows over many waves")
    bar = Simulation(
        cylinder(5.0, 1.0, elements, cell=cell_shape(element)),
        NeoHooke(),
        element,
        [RigidPlane()],
        initial_velocity=(0.0, 0.0, -1e-3 * velocity),  # m/s to mm/us
    )
    first, largest, figures = None, 0.0, {}
    for target in (1000, steps // 2, steps):
        energies = []
        for _ in tracked(range(target - bar.step_count), f"steps up to {target},"):
            bar.step()
            largest = max(largest, abs(bar.energy.error))
            if bar.step_count > target - WHILE:
                energies.append(present_energy(bar))
        first = first or np.mean(energies)
        figures = {
            "steps": bar.step_count,
            "ledger_error_percent": 100.0 * bar.energy.error,
            "largest_ledger_error_percent": 100.0 * largest,
            "gain_percent": 100.0 * (np.mean(energies) - first) / bar.initial_energy,
        }
        if bar.mesh.comm.rank == 0:
            print("  ".join(f"{name} = {value:.4g}" for name, value in figures.items()), flush=True)
    return figures


def present_energy(bar: Simulation) -> float:
    """Kinetic, stored and lost energy of the bar, J; of the ledger only what has no other account."""
    owned, F, law = bar.u.function_space.dofmap.index_map.size_local, bar.points.F, bar.law
    J = np.linalg.det(F)
    density = 0.5 * law.shear_modulus * (np.sum(F**2, axis=(2, 3)) / np.cbrt(J) ** 2 - 3.0)
    density += law.lambda_e * (J - 1.0) ** 2
    moving = 0.5 * np.sum((bar.body.nodes.mass * bar.body.nodes.velocity**2)[:owned])
    here = moving + np.sum(density * bar.element.weights)
    return float(bar.mesh.comm.allreduce(here, op=MPI.SUM)) + bar.energy.hourglass + bar.energy.contact


if __name__ == "__main__":
    launch(energy_over_time)
