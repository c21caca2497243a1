"""A checkpoint restarts on any number of ranks."""

import numpy as np
import pytest
from mpi4py import MPI

from meshes.cylinder import cylinder
from microscale.errors import InputError
from multiscale.dynamics.bulk_viscosity import BulkViscosity
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.laws import make_law
from multiscale.parallel.gather import cell_gather, degree_of_freedom_gather
from multiscale.results.provenance import identity
from multiscale.run.checkpoint import read_checkpoint, write_checkpoint
from multiscale.run.same_run import Origin

LAWS = {"j2": {}, "johnson-cook": {}, "taylor": {"grains": 2}, "learned": {}}
LAWS["fft2d"] = {"grains": 2, "resolution": 4}


def anvil(law, comm):
    return Simulation(
        cylinder(2.0, 1.0, 100, comm=comm),
        make_law(law, **LAWS[law]),
        obstacles=[RigidPlane()],
        initial_velocity=(0.01, 0.0, -0.3),
        viscosity=BulkViscosity(),
    )


def advance(body, steps):
    for _ in range(steps):
        body.step()
    return body


def save(body, path):
    write_checkpoint(path, body, Origin(body, identity(body.law), {}), {"error": 0.5})


def resumed(law, comm, path):
    body = anvil(law, comm)
    assert read_checkpoint(path, body, Origin(body, identity(body.law), {})) == {"error": 0.5}
    return body


def whole(body):
    """What the body shows on rank 0, in the order of the input mesh."""
    cells, nodes = cell_gather(body.mesh), degree_of_freedom_gather(body.u.function_space)
    owned = body.u.function_space.dofmap.index_map.size_local
    fields = {name: cells(values) for name, values in body.cell_fields().items()}
    fields["u"] = nodes(body.u.x.array.reshape(-1, 3)[:owned])
    fields["v"] = nodes(body.v.x.array.reshape(-1, 3)[:owned])
    energy = body.energy
    fields["energy"] = np.array([energy.kinetic, energy.internal, energy.contact, energy.viscous])
    return fields | {"clock": np.array([body.time, body.dt]), "impulse": body.contact_impulse}


@pytest.fixture
def folder(tmp_path):
    """One folder for all ranks: that of rank 0."""
    return MPI.COMM_WORLD.bcast(tmp_path)


# One function: each number of ranks costs a start of the interpreters.
@pytest.mark.parallel(3)
def test_restart_on_other_ranks(folder):
    comm = MPI.COMM_WORLD
    pair = comm.Split(color=0 if comm.rank < 2 else 1)
    for law in LAWS:
        path = folder / f"{law}.h5"
        one_rank_then_two_then_three(law, path, pair)
    for law in ("j2", "learned"):
        same_ranks_same_bits(law, folder / f"{law}.h5")
    damage_is_an_error_on_every_rank(folder / "j2.h5")


def one_rank_then_two_then_three(law, path, pair):
    comm, expected = MPI.COMM_WORLD, None
    if comm.rank == 0:
        alone = advance(anvil(law, MPI.COMM_SELF), 6)
        save(alone, path)
        expected = whole(advance(alone, 12))
    comm.barrier()
    if comm.rank < 2:
        save(advance(resumed(law, pair, path), 5), path)
    comm.barrier()
    found = whole(advance(resumed(law, comm, path), 7))
    if expected is not None:
        for name, values in expected.items():
            scale = np.abs(values).max()
            np.testing.assert_allclose(found[name], values, rtol=0.0, atol=1e-12 * scale, err_msg=law + name)


def same_ranks_same_bits(law, path):
    body = advance(anvil(law, MPI.COMM_WORLD), 6)
    save(body, path)
    again = resumed(law, MPI.COMM_WORLD, path)
    expected, found = whole(advance(body, 9)), whole(advance(again, 9))
    for name, values in expected.items():
        np.testing.assert_array_equal(values, found[name], err_msg=law + name)


def damage_is_an_error_on_every_rank(path):
    comm = MPI.COMM_WORLD
    if comm.rank == 0:
        path.write_bytes(path.read_bytes()[:-100])
    comm.barrier()
    with pytest.raises(InputError, match="damaged"):
        resumed("j2", comm, path)
