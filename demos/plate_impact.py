"""A rigid cylinder with a flat face hits a magnesium plate: the plate impact of the paper, section 3.2.

Defaults are the paper's: a projectile of 2 mm, infinitely heavy, at 200 m/s; a plate 1 mm thick, simply
supported far away; 11,552 elements; the microsecond that its Figure 6 shows. Where the paper leaves a choice:

    "radius D_p = 2 mm" is read as a radius (--radius 1 if you read D as a diameter)
    the plate is a square of 18 mm: no wave comes back from its edge within the time shown
    the edge is held in the direction of impact only and may turn: simply supported
    a quarter of the plate is computed, with two planes of symmetry

    mpirun -n 2 python demos/plate_impact.py --law johnson-cook
    python demos/plate_impact.py --law j2 --thickness 0.5 --layers 4 --end-time 3

An elastic wave and a plastic one run through the thickness and come back from the free face; then the plate
guides radial waves while the projectile sinks in. A thin plate bends, and leaves the projectile at the
centre.
"""

from pathlib import Path
from typing import Any, Literal

from meshes.plate import plate
from microscale.inputs.numbers import Count, Length, OutFolder, Seed, Speed, Time, WallTime, checked
from multiscale.dynamics.contact import RigidCylinder
from multiscale.dynamics.elements.registry import cell_shape
from multiscale.dynamics.energy_limit import MAX_ENERGY_ERROR
from multiscale.dynamics.simulation import Simulation
from multiscale.results.dimensions import plate_shape
from multiscale.run.command import launch
from multiscale.run.control import RunControl
from multiscale.run.material import ImpactLaw, impact_law, impact_options
from multiscale.run.record_options import RecordOptions
from multiscale.run.recording import run_and_record
from multiscale.surrogate.extrapolation import OnExtrapolation

SUPPORTS = {"side": 2, "symmetry_x": 0, "symmetry_y": 1}


@checked
def plate_impact(
    *,
    velocity: Speed = 200.0,
    radius: Length = 2.0,
    thickness: Length = 1.0,
    width: Length = 18.0,
    layers: Count = 8,
    end_time: Time = 1.0,
    law: ImpactLaw = "learned",
    element: Literal["hex8-fbar", "hex8-one-point", "tet10"] = "hex8-one-point",
    output: OutFolder = Path("results/plate_impact"),
    steps_between_outputs: Count | None = None,
    weights: Path | None = None,
    on_extrapolation: OnExtrapolation | None = None,
    constants: Path | None = None,
    crystal: Path | None = None,
    grains: Count | None = None,
    seed: Seed | None = None,
    checkpoint_every: Time | None = None,
    restart: Path | None = None,
    max_wall: WallTime | None = None,
    max_energy_error: float = MAX_ENERGY_ERROR,
) -> dict[str, Any]:
    """Drive a rigid cylinder into a plate; write fields, energies, picture and summary.

    Args:
        velocity: Impact velocity, m/s; the projectile keeps it.
        radius: Radius of the projectile, mm.
        thickness: Thickness of the plate, mm.
        width: Side of the square plate, mm.
        layers: Elements through the thickness; those under the projectile are cubes, which tet10 cuts in six.
        end_time: Simulated time, us.
        law: Constitutive law at every quadrature point.
        element: Hexahedron with mean dilatation and 8 points, with one point and hourglass control, or
            tetrahedron with 10 nodes and 4 points.
        output: Folder for the results.
        steps_between_outputs: Time steps from one output to the next; by default 20, even in time, 8 if
            there are fewer than some 160 steps.
        weights: Weights of the learned law, of either network; by default those that come with this.
        on_extrapolation: Whether the learned law warns, as by default, or stops where its training range
            ends; the field "extrapolation" shows where.
        constants: Constants of the johnson-cook or j2 law, a file made by ``multiscale calibrate``.
        crystal: Material file, laid out like microscale/magnesium.yaml, of the taylor or fft3d law, and what
            the learned law must stand for; magnesium by default.
        grains: Grains at each point; 128 for taylor and 16 for fft3d by default.
        seed: Seed of the grains' orientations; 0 by default.
        checkpoint_every: Simulated time between checkpoints, us; by default one is written only on SIGTERM,
            SIGUSR1 and at --max-wall.
        restart: Checkpoint to go on from, with the inputs it was made with, on any number of ranks.
        max_wall: Wall time after which the run leaves a checkpoint and ends with exit code 75, s.
        max_energy_error: Error of the energy past which the run ends, per cent; 0 for none.
    """
    inputs = dict(locals())
    control = RunControl(checkpoint_every, restart, max_wall)
    options = impact_options(
        law,
        weights=weights,
        on_extrapolation=on_extrapolation,
        constants=constants,
        crystal=crystal,
        grains=grains,
        seed=seed,
    )
    inputs |= options
    material = impact_law(law, duration=end_time, **options)
    body = plate(width, thickness, impact_radius=radius, layers=layers, cell=cell_shape(element))
    speed = 1e-3 * velocity  # m/s to mm/us
    projectile = RigidCylinder((0.0, 0.0, thickness), direction=(0.0, 0.0, -1.0), radius=radius, speed=speed)
    simulation = Simulation(
        body,
        material,
        element,
        obstacles=[projectile],
        supports=SUPPORTS,
        max_energy_error=max_energy_error,
    )
    return run_and_record(
        simulation,
        end_time,
        output,
        inputs,
        RecordOptions(steps_between_outputs=steps_between_outputs),
        measure=plate_shape,
        control=control,
        title=f"Plate impact, {velocity:g} m/s, {law}",
        within=2.5 * radius,
    )


if __name__ == "__main__":
    launch(plate_impact)
