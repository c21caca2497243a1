"""A magnesium cylinder hits a rigid, frictionless wall: the Taylor anvil test of the paper, section 3.1.

Defaults are the paper's: 5 mm x 1 mm, 200 m/s, about 3,000 elements, and the microsecond its Figure 3 shows.
The stress comes from the law you choose:

    learned       a recurrent network trained on polycrystal simulations made by this repository
    taylor        the polycrystal itself, 128 grains at every quadrature point (concurrent multiscale)
    fft3d         its full-field unit cell at every point: 0.1 s a point and step, for small meshes
    johnson-cook  an empirical law with hardening, rate and heat
    j2            linear hardening
    neo-hooke     no plastic flow at all: what the elastic waves do alone

    python demos/taylor_anvil.py                                   one rank, learned law
    mpirun -n 2 python demos/taylor_anvil.py --velocity 400        two ranks, twice as fast
    python demos/taylor_anvil.py --law taylor --model quarter --elements 750

An elastic wave leaves the foot at 2.9 mm/us, a plastic front follows it, and release waves run in from the
sides. In the folder ``--output`` the run leaves the fields (VTKHDF, for ParaView or pyvista), the energy
ledger of every step (CSV), the axial section as in Figure 3 (PNG) and ``summary.json`` with the final length,
the foot radius, the energy error, the cost by stage, all inputs and versions.
"""

from pathlib import Path
from typing import Any, Literal

from meshes.cylinder import cylinder
from meshes.impact_mesh import load
from microscale.errors import InputError
from microscale.inputs.numbers import Count, Length, OutFolder, Seed, Speed, Time, WallTime, checked
from microscale.inputs.options import defaults_of, options_for
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.elements.registry import cell_shape
from multiscale.dynamics.energy_limit import MAX_ENERGY_ERROR
from multiscale.dynamics.simulation import Simulation
from multiscale.results.dimensions import bar_shape
from multiscale.run.bar import foot_of_bar
from multiscale.run.command import launch
from multiscale.run.control import RunControl
from multiscale.run.material import ImpactLaw, impact_law, impact_options
from multiscale.run.record_options import RecordOptions
from multiscale.run.recording import run_and_record
from multiscale.surrogate.extrapolation import OnExtrapolation

SYMMETRY = {"symmetry_x": 0, "symmetry_y": 1}
MESHES = {"cylinder": defaults_of(cylinder), "of a file": defaults_of(load)}


@checked
def taylor_anvil(
    *,
    velocity: Speed = 200.0,
    height: Length | None = None,
    diameter: Length | None = None,
    elements: Count | None = None,
    end_time: Time = 1.0,
    law: ImpactLaw = "learned",
    element: Literal["hex8-fbar", "hex8-one-point", "tet10"] = "hex8-one-point",
    model: Literal["full", "quarter"] = "full",
    mesh: Path | None = None,
    place: bool = False,
    output: OutFolder = Path("results/taylor_anvil"),
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
    """Drop a cylinder on a rigid wall; write fields, energies, picture and summary.

    Args:
        velocity: Impact velocity, m/s.
        height: Height of the cylinder, mm; 5 by default.
        diameter: Diameter of the cylinder, mm; 1 by default.
        elements: Number of elements of the model, about; 3000 by default.
        end_time: Simulated time, us.
        law: Constitutive law at every quadrature point.
        element: Hexahedron with mean dilatation and 8 points, with one point and hourglass control, or
            tetrahedron with 10 nodes and 4 points.
        model: The full cylinder, or a quarter with two planes of symmetry.
        mesh: A gmsh file of your own instead of the cylinder: hexahedra, or tetrahedra for tet10; axis along
            z, foot on z = 0.
        place: Put the wall where the foot of your mesh is, instead of z = 0.
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
    if place and not mesh:
        raise InputError("place = True puts the wall under a mesh of your own: give --mesh too")
    options = impact_options(
        law,
        weights=weights,
        on_extrapolation=on_extrapolation,
        constants=constants,
        crystal=crystal,
        grains=grains,
        seed=seed,
    )
    sizes = {"height": height, "diameter": diameter, "elements": elements}
    sizes = options_for("mesh", "of a file" if mesh else "cylinder", sizes, MESHES.__getitem__, MESHES)
    inputs |= options | sizes
    supports = SYMMETRY if model == "quarter" else {}
    body = (
        load(mesh, ["foot", *supports]) if mesh else cylinder(**sizes, model=model, cell=cell_shape(element))
    )
    wall = foot_of_bar(body, supports, place)
    simulation = Simulation(
        body,
        impact_law(law, duration=end_time, **options),
        element,
        obstacles=[RigidPlane(point=(0.0, 0.0, wall), normal=(0.0, 0.0, 1.0))],
        supports=supports,
        initial_velocity=(0.0, 0.0, -1e-3 * velocity),  # m/s to mm/us
        max_energy_error=max_energy_error,
    )
    return run_and_record(
        simulation,
        end_time,
        output,
        inputs,
        RecordOptions(steps_between_outputs=steps_between_outputs),
        measure=bar_shape,
        control=control,
        title=f"Taylor anvil, {velocity:g} m/s, {law}",
    )


if __name__ == "__main__":
    launch(taylor_anvil)
