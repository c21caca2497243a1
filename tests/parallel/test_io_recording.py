"""A record does not depend on the number of ranks, and failures end every rank."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI

from meshes.cylinder import cylinder
from microscale.errors import DeformationError, InputError
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.laws import make_law
from multiscale.results.dimensions import bar_shape
from multiscale.results.vtkhdf import Results
from multiscale.run.record_options import RecordOptions
from multiscale.run.recording import run_and_record
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.store import SHIPPED, read_surrogate


def narrow():
    """The shipped surrogate, as if it had learnt no rates beyond 20 per us, which a fast body has."""
    weights, card = read_surrogate(SHIPPED)
    return LearnedLaw(weights, replace(card, range=replace(card.range, strain_rate=20.0)))


def record(comm, folder, law="j2"):
    body = cylinder(elements=200, model="quarter", comm=comm)
    simulation = Simulation(
        body,
        narrow() if law == "learned" else make_law(law),
        obstacles=[RigidPlane()],
        supports={"symmetry_x": 0, "symmetry_y": 1},
        initial_velocity=(0.0, 0.0, -2.0 if law == "learned" else -0.2),
    )
    return run_and_record(
        simulation,
        0.3,
        folder,
        {"velocity": 200.0},
        RecordOptions(steps_between_outputs=5),
        measure=bar_shape,
    )


@pytest.fixture
def folder(tmp_path):
    """One folder for all ranks: that of rank 0."""
    return MPI.COMM_WORLD.bcast(tmp_path)


# One function, so that a number of ranks costs one start of the interpreters.
@pytest.mark.parallel(3)
def test_record_on_many_ranks(folder):
    record_is_that_of_one_rank(folder)
    the_worst_of_a_surrogate_is_that_of_one_rank(folder)
    folder_that_cannot_be_made_is_an_error_on_every_rank()
    nan_on_one_rank_is_an_error_on_every_rank()


def record_is_that_of_one_rank(folder):
    comm = MPI.COMM_WORLD
    summary = record(comm, folder / "many")
    assert summary["ranks"] == 3
    assert comm.allgather(summary["final_length_mm"]) == 3 * [summary["final_length_mm"]]
    if comm.rank > 0:
        return
    alone = record(MPI.COMM_SELF, folder / "alone")
    for figure in ("final_length_mm", "foot_radius_mm", "max_e_d", "max_e_v"):
        assert summary[figure] == pytest.approx(alone[figure], rel=1e-9)
    assert summary["law"] == alone["law"]
    inputs = json.loads((folder / "many" / "summary.json").read_text())["inputs"]
    assert inputs == {"velocity": 200.0, "steps_between_outputs": 5}
    one, many = (Results(folder / name / "results.vtkhdf") for name in ("alone", "many"))
    np.testing.assert_array_equal(one.points, many.points)
    np.testing.assert_array_equal(one.cells, many.cells)
    np.testing.assert_allclose(one.times, many.times, rtol=1e-9)
    for name in ("displacement_mm", "velocity_mm_per_us", "von_mises_GPa", "e_d", "e_v"):
        np.testing.assert_allclose(one.field(name, -1), many.field(name, -1), rtol=1e-9, atol=1e-10)


def the_worst_of_a_surrogate_is_that_of_one_rank(folder):
    comm = MPI.COMM_WORLD
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        left = record(comm, folder / "fast", "learned")["left_training_range"]
        assert comm.allgather(left) == 3 * [left]
        if comm.rank > 0:
            return
        alone = record(MPI.COMM_SELF, folder / "fast_alone", "learned")["left_training_range"]
    assert [(entry["kind"], entry["points"], entry["cell"]) for entry in left] == [
        (entry["kind"], entry["points"], entry["cell"]) for entry in alone
    ]
    assert {"fast"} <= {entry["kind"] for entry in left}


def folder_that_cannot_be_made_is_an_error_on_every_rank():
    with pytest.raises(InputError, match="choose another"):
        record(MPI.COMM_WORLD, "/proc/nowhere")


def nan_on_one_rank_is_an_error_on_every_rank():
    comm = MPI.COMM_WORLD
    simulation = Simulation(cylinder(elements=100), make_law("j2"), obstacles=[RigidPlane()])
    if comm.rank == comm.size - 1:
        simulation.u.x.array[:3] = np.nan
    with pytest.raises(DeformationError):
        simulation.step()
