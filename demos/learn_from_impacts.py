"""Learning where simulations go: histories of impacts, labelled by any law, join the training data.

    python demos/learn_from_impacts.py --output results/impacts
    multiscale train DATASETS... results/impacts/impacts_train.h5 --start WEIGHTS --out NEW --epochs 5
    multiscale evaluate NEW results/impacts/impacts_test.h5

The label is the stress of the polycrystal, or of a unit cell:

    python demos/learn_from_impacts.py --law fft3d --grains 256 --texture uniform --paths-per-cell 4

Training histories are of anvils at 150, 250 and 350 m/s and of a plate at 200 m/s; test histories of anvils
at 100, 200 and 400 m/s and of a plate at 300 m/s.
"""

import math
from pathlib import Path
from typing import Any

from mpi4py import MPI

from meshes.cylinder import cylinder
from meshes.plate import plate
from microscale.errors import InputError
from microscale.inputs.flat import flat
from microscale.inputs.numbers import Count, OutFolder, Positive, Speed, Steps, Time
from multiscale.dynamics.contact import Obstacle, RigidCylinder, RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.laws import make_law
from multiscale.run.command import launch
from multiscale.run.data_options import DrivenLaw
from multiscale.run.generation import DataSet, make_data_set
from multiscale.surrogate.impact_histories import ImpactPaths, Recorder
from multiscale.surrogate.store import SHIPPED, read_surrogate

SETS = {
    "train": {"anvil": (150.0, 250.0, 350.0), "plate": (200.0,)},
    "test": {"anvil": (100.0, 200.0, 400.0), "plate": (300.0,)},
}
SYMMETRY = {"symmetry_x": 0, "symmetry_y": 1}
PROJECTILE, THICKNESS, WIDTH = 2.0, 1.0, 10.0  # mm
CELLS_APART = 1000
"""Seeds from a set's first microstructure to the next one's; more where a set has more histories."""
LONGEST_PLATE = 2.0
"""us: at 7 us an inner node of so coarse a plate is inside the projectile, and a run ends there."""


@flat
def learn_from_impacts(
    *,
    driven: DrivenLaw,
    output: OutFolder = Path("results/impacts"),
    weights: Path | None = None,
    elements: Count = 800,
    end_time: Time = 1.0,
    fastest: Speed = 400.0,
    largest_shape: Positive = math.inf,
    paths: Count = 250,
    steps: Steps = 200,
) -> dict[str, Path]:
    """Run impacts with the learned law, and drive another law along what their points lived through.

    Args:
        output: Folder for the data sets.
        weights: Weights of the learned law; by default those that come with this.
        elements: Elements of a quarter anvil, about; the plate has 6 layers.
        end_time: Simulated time, us; of plates 2 us at most.
        fastest: Of these impacts only those of at most this velocity, m/s.
        largest_shape: Where a history ends, as an isochoric shape of the training range; none by default.
        paths: Histories of each simulation: those of the points deformed most.
        steps: Steps of a history.

    Raises:
        InputError: There are several ranks, and each has other points; a family of textures is asked for, but
            one network has run the impacts; or no impact is so slow.
    """
    if (ranks := MPI.COMM_WORLD.size) > 1:
        raise InputError(f"{ranks} ranks, expected one: run it without mpirun, all cores share the labelling")
    if driven.textures is not None:
        raise InputError(
            f"textures = {driven.textures}, expected one material: see studies/textured_impacts.py"
        )
    chosen = slow_ones(fastest)
    options = driven.resolved()
    DataSet(driven.law, options, ImpactPaths(steps, []), 1).job()  # no law, no impact
    output.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {} if largest_shape == math.inf else {"largest_shape": largest_shape}
    told |= {"elements": elements, "network_sha256": read_surrogate(weights or SHIPPED)[1].weights_sha256}
    ends = {"anvil": end_time, "plate": min(end_time, LONGEST_PLATE)}
    files = {}
    for name, impacts in chosen.items():
        origin = [{"impact": kind, "velocity_m_per_s": v, "end_us": ends[kind]} | told for kind, v in impacts]
        histories = ImpactPaths(steps, origin)
        for kind, velocity in impacts:
            recorder = Recorder(make_law("learned", weights=weights))
            run = anvil(recorder, velocity, elements) if kind == "anvil" else target(recorder, velocity)
            run.run(ends[kind])
            histories.add(recorder, paths, largest_shape)
            print(f"{kind} at {velocity:g} m/s: {run.step_count} steps", flush=True)
        files[name] = output / f"impacts_{name}.h5"
        make_data_set(DataSet(driven.law, options, histories, len(histories)), files[name])
        if driven.paths_per_cell is not None:  # no set has microstructures of another one
            options |= {"seed": options["seed"] + max(CELLS_APART, len(histories))}
        print(f"{files[name]}: {len(histories)} paths", flush=True)
    return files


def slow_ones(fastest: float) -> dict[str, list[tuple[str, float]]]:
    """Return kind and velocity of the impacts of each set that are not faster, m/s.

    Raises:
        InputError: A set has none.
    """
    impacts = {name: [(kind, v) for kind in of for v in of[kind]] for name, of in SETS.items()}
    slowest = max(min(v for _, v in runs) for runs in impacts.values())
    if fastest < slowest:
        raise InputError(
            f"fastest = {fastest:g} m/s, expected at least {slowest:g}: each set has impacts then"
        )
    return {name: [run for run in runs if run[1] <= fastest] for name, runs in impacts.items()}


def anvil(law: Recorder, velocity: float, elements: int, model: str = "quarter") -> Simulation:
    """Return a quarter of the paper's anvil, or all of it."""
    wall: list[Obstacle] = [RigidPlane(point=(0.0, 0.0, 0.0), normal=(0.0, 0.0, 1.0))]
    body = cylinder(5.0, 1.0, elements, model)
    return Simulation(
        body,
        law,
        "hex8-one-point",
        obstacles=wall,
        supports=SYMMETRY if model == "quarter" else {},
        initial_velocity=(0.0, 0.0, -1e-3 * velocity),
    )


def target(law: Recorder, velocity: float) -> Simulation:
    """Return a quarter of the paper's plate, and its projectile."""
    body = plate(WIDTH, THICKNESS, impact_radius=PROJECTILE, layers=6)
    face = (0.0, 0.0, THICKNESS)
    projectile: list[Obstacle] = [RigidCylinder(face, (0.0, 0.0, -1.0), PROJECTILE, 1e-3 * velocity)]
    return Simulation(body, law, "hex8-one-point", obstacles=projectile, supports={"side": 2} | SYMMETRY)


if __name__ == "__main__":
    launch(learn_from_impacts)
