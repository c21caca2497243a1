"""The same run on any number of ranks, and one rank's failure ending all of them."""

import dataclasses
import functools
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from meshes.cylinder import cylinder
from meshes.impact_mesh import load
from microscale.errors import DeformationError, InputError
from microscale.law import ConstitutiveLaw
from multiscale.dynamics.bulk_viscosity import BulkViscosity
from multiscale.dynamics.contact import RigidPlane
from multiscale.dynamics.elements.registry import cell_shape
from multiscale.dynamics.simulation import Simulation
from multiscale.laws.j2 import J2
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.parallel.ranks import RemoteError, shared_errors


def anvil(law, element, viscosity, comm):
    body = Simulation(
        cylinder(2.0, 1.0, 300, comm=comm),
        law,
        element,
        [RigidPlane()],
        initial_velocity=(0.01, 0, -0.2),
        viscosity=viscosity,
    )
    body.run(0.6)
    return body


def by_input_node(body):
    """Displacements of the whole body in the order of the mesh's input, on every rank."""
    owned = body.u.function_space.dofmap.index_map.size_local
    comm = body.mesh.comm
    at = np.concatenate(comm.allgather(body.positions[:owned].round(9) + 0.0))
    u = np.concatenate(comm.allgather(body.u.x.array.reshape(-1, 3)[:owned]))
    return u[np.lexsort(at.T)]


# One function a number of ranks: each costs a start of the interpreters.
@pytest.mark.parallel([1, 2, 3])
def test_results_do_not_depend_on_the_number_of_ranks():
    every_rank_has_its_share_of_the_foot()
    what_is_sent_is_counted()
    for law in (NeoHooke(), J2(yield_stress=0.2, density=10.0)):
        for element in ("hex8-fbar", "hex8-one-point"):
            compare_with_one_rank(law, element, BulkViscosity() if law.name == "j2" else None)


def every_rank_has_its_share_of_the_foot():
    """Plastic flow is there, and costs: a rank without a share would wait for the others."""
    body, comm = cylinder(elements=800), MPI.COMM_WORLD
    cells = body.mesh.topology.index_map(3).size_local
    facets = len(body.facets("foot"))
    for count in (cells, facets):
        assert count * comm.size == pytest.approx(comm.allreduce(count), rel=0.1)


def what_is_sent_is_counted():
    """Ghosts are the nodes that ranks hold beyond the mesh's own; each is a copy of one rank's node."""
    body, comm = Simulation(cylinder(1.0, 1.0, 200), NeoHooke()), MPI.COMM_WORLD
    held = np.concatenate(comm.allgather(body.positions.round(9) + 0.0))
    traffic = body.traffic()
    surplus = len(held) - len(np.unique(held, axis=0))
    assert comm.allreduce(traffic.ghosts) == comm.allreduce(traffic.copies) == surplus
    assert traffic.halo_bytes == 24 * (traffic.ghosts + traffic.copies)
    assert traffic.neighbours == comm.size - 1  # sectors meet at the axis


def compare_with_one_rank(law, element, viscosity):
    together = anvil(law, element, viscosity, MPI.COMM_WORLD)
    alone = anvil(law, element, viscosity, MPI.COMM_SELF)
    u, expected = by_input_node(together), by_input_node(alone)
    np.testing.assert_allclose(u, expected, atol=1e-9 * np.abs(expected).max())
    assert together.step_count == alone.step_count
    assert together.dt == pytest.approx(alone.dt, rel=1e-9)
    # Mirrored cells tie up to round-off, so ask whether the cell named is at the place named.
    cell = np.flatnonzero(alone.mesh.topology.original_cell_index == together.limiting_cell)
    centre = alone.positions[alone.element.nodes[cell[0]]].mean(axis=0)
    np.testing.assert_allclose(together.limiting_position, centre, atol=1e-12)
    for name in ("kinetic", "internal", "contact", "hourglass", "viscous"):
        assert getattr(together.energy, name) == pytest.approx(
            getattr(alone.energy, name), rel=1e-9, abs=1e-15
        )
    np.testing.assert_allclose(together.contact_impulse, alone.contact_impulse, rtol=1e-9, atol=1e-12)


class Fragile(ConstitutiveLaw):
    """Neo-Hooke that fails on one rank after some calls, in a way of choice."""

    name, density = "fragile", 10.0

    def __init__(self, rank, failure):
        self._elastic, self._failure, self._calls = NeoHooke(), failure, 0
        self._fails = MPI.COMM_WORLD.rank == rank

    def _update(self, F, dt, state, out):
        self._elastic.update(F, dt, state, out)
        self._calls += 1
        if self._fails and self._calls > 20:
            self._failure(out)

    def wave_speed(self):
        return self._elastic.wave_speed()


def raise_error(kind, out):
    raise kind("the network has no weights")


def spoil_stress(out):
    out[5, 1, 2] = np.nan


FAILURES = [
    (functools.partial(raise_error, InputError), InputError, "rank 1: the network has no weights"),
    (functools.partial(raise_error, KeyError), RemoteError, "rank 1: KeyError"),
    (spoil_stress, DeformationError, r"rank 1: cell \d+ with reference centre .* fragile .* not finite"),
]


@pytest.mark.parallel([2, 3])
def test_a_failing_rank_ends_every_rank_with_its_message(tmp_path):
    for failure, raised, message in FAILURES:
        body = Simulation(cylinder(1.0, 1.0, 100), Fragile(1, failure), initial_velocity=(0, 0, -0.1))
        with pytest.raises(raised, match=message):
            body.run(5.0)
    an_inverted_element_says_where_and_when()
    a_folded_corner_is_named_once()
    a_node_that_contact_does_not_see_is_an_error()
    shared_errors_reach_every_rank()
    a_missing_mesh_file_or_group_is_an_error_on_every_rank()
    a_damaged_mesh_file_is_an_error_on_every_rank(tmp_path)


def an_inverted_element_says_where_and_when():
    """A node is thrown through the body: the cell, its place and the time are in the message."""

    def velocity(X):
        corner = np.linalg.norm(X - np.array([[0.5], [0.0], [0.0]]), axis=0) < 1e-6
        return np.stack([-10.0 * corner, 0.0 * corner, 0.0 * corner])

    body = Simulation(cylinder(1.0, 1.0, 100), NeoHooke(), "hex8-fbar", initial_velocity=velocity)
    with pytest.raises(DeformationError, match=r"cell \d+ with reference centre .* t = .* det F"):
        body.run(1.0)


def a_folded_corner_is_named_once():
    """A corner pushed just through the plane of its neighbours: no point of the law sees it."""
    for element, neighbours in (
        ("hex8-fbar", [1, 2, 4]),
        ("hex8-one-point", [1, 2, 4]),
        ("tet10", [7, 8, 9]),
    ):
        comm = MPI.COMM_WORLD
        body = Simulation(cylinder(1.0, 1.0, 100, cell=cell_shape(element)), NeoHooke(), element)
        if comm.rank == comm.size - 1:
            cell = body.element.nodes[-1]
            node, middle = cell[0], body.positions[cell[neighbours]].mean(axis=0)
            folded, push = body.positions[node], 1.2 * (middle - body.positions[node])
        folded, push = comm.bcast((folded, push) if comm.rank == comm.size - 1 else None, comm.size - 1)
        u = body.u.x.array.reshape(-1, 3)
        u[np.linalg.norm(body.positions - folded, axis=1) < 1e-9] = push
        with pytest.raises(DeformationError, match=r"corner of the cell is inside out.*: refine") as caught:
            body.step()
        message = str(caught.value)
        where = re.match(
            r"rank \d: cell (\d+) with reference centre \((.*)\) mm, t = .* us, step 1: a", message
        )
        assert len(set(comm.allgather(message))) == 1
        here = np.flatnonzero(body.mesh.topology.original_cell_index == int(where[1]))
        assert comm.allreduce(len(here)) == 1
        for cell in here:
            assert np.linalg.norm(body.positions[body.element.nodes[cell]] - folded, axis=1).min() < 1e-9
            centre = body.positions[body.element.nodes[cell]].mean(axis=0)
            np.testing.assert_allclose([float(x) for x in where[2].split(",")], centre, atol=1e-3)


def a_node_that_contact_does_not_see_is_an_error():
    """Without candidates the body falls into the wall; the error comes at the next check, on all ranks."""
    body = Simulation(
        cylinder(1.0, 1.0, 100), NeoHooke(), "hex8-fbar", [RigidPlane()], initial_velocity=(0, 0, -0.1)
    )
    body._nodes.surface = body._nodes.surface[:0]
    place = r"rank \d: inner node with reference position \(.*, 0\) mm is .* mm inside the obstacle plane, "
    with pytest.raises(DeformationError, match=place + ".* step 4: refine"):
        body.run(1.0)


def shared_errors_reach_every_rank():
    comm = MPI.COMM_WORLD
    with shared_errors(comm):
        pass
    last = comm.size - 1

    def fail_on_last_rank():
        with shared_errors(comm):
            if comm.rank == last:
                raise InputError("disk full")

    with pytest.raises(InputError, match="disk full"):
        fail_on_last_rank()


def a_missing_mesh_file_or_group_is_an_error_on_every_rank():
    with pytest.raises(InputError, match="does not exist"):
        load("none.msh")
    with pytest.raises(
        InputError, match="no facet group named nose; found: foot, side, top; needed: foot, nose"
    ):
        cylinder(1.0, 1.0, 50).require(["foot", "nose"])
    body, comm = cylinder(1.0, 1.0, 50), MPI.COMM_WORLD
    assert body.groups == {name: comm.allreduce(len(body.facets(name))) for name in body.groups}
    with pytest.raises(InputError, match="the facet group foot of the mesh is empty"):
        dataclasses.replace(body, groups=body.groups | {"foot": 0}).require(["foot"])


def a_damaged_mesh_file_is_an_error_on_every_rank(tmp_path):
    path = MPI.COMM_WORLD.bcast(tmp_path / "damaged.msh")
    if MPI.COMM_WORLD.rank == 0:  # all at once would read what another is writing
        path.write_text("$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 9 1 9\n")
    with pytest.raises(InputError, match="the file is cut off"):
        load(path)


PROGRAM = """
from mpi4py import MPI
from multiscale.parallel.ranks import abort_on_uncaught_error
abort_on_uncaught_error()
if MPI.COMM_WORLD.rank == 1:
    raise ValueError("outside any shared block")
MPI.COMM_WORLD.barrier()
"""


def test_the_last_resort_ends_a_program_whose_other_ranks_wait(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    mpirun = Path(sys.executable).with_name("mpirun")
    ended = subprocess.run(
        [mpirun, "-n", "3", sys.executable, program], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert "[rank 1]" in ended.stderr
    assert "outside any shared block" in ended.stderr
