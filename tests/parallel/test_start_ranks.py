"""The checks of the start and the limit of the energy error on several ranks: one message on all."""

import re
import warnings

import numpy as np
import pytest
from mpi4py import MPI

from meshes.box import box
from meshes.cylinder import cylinder
from microscale.errors import ConvergenceError, InputError
from multiscale.dynamics.contact import RigidCylinder, RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.dynamics.start.check import NoContactWarning
from multiscale.dynamics.start.connected import require_one_piece
from multiscale.dynamics.start.units import StartWarning
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.run.bar import foot_of_bar

COMM = MPI.COMM_WORLD


def anvil(obstacles, comm=COMM, velocity=(0, 0, -0.2), **options):
    return Simulation(cylinder(2.0, 1.0, 200, comm=comm), NeoHooke(), "hex8-one-point", obstacles,
                      initial_velocity=velocity, **options)  # fmt: skip


def same_error(kind, do):
    """Let every rank fail; return the message they share."""
    with pytest.raises(kind) as caught:
        do()
    messages = {re.sub(r"^rank \d: ", "", message) for message in COMM.allgather(str(caught.value))}
    assert len(messages) == 1
    return messages.pop()


@pytest.mark.parallel(2)
def test_the_start_is_checked_on_all_ranks_together():
    overlap_is_refused_or_removed()
    loose_parts_are_found_across_ranks()
    doubts_are_told_once()
    an_energy_error_ends_all_ranks()
    a_bar_is_judged_as_a_whole()


def overlap_is_refused_or_removed():
    message = same_error(InputError, lambda: anvil([RigidPlane((0, 0, 0.01))]))
    assert message.startswith("the plane reaches 0.01 mm into the body at the start, at the node at (")
    together, alone = (anvil([RigidPlane((0, 0, 0.3))], comm, place=True) for comm in (COMM, MPI.COMM_SELF))
    np.testing.assert_array_equal(together.obstacles[0].point, alone.obstacles[0].point)
    assert abs(together.obstacles[0].point[2]) < 1e-8
    for run in (together, alone):
        run.run(0.3)
    assert together.step_count == alone.step_count
    assert together.energy.kinetic == pytest.approx(alone.energy.kinetic, rel=1e-9)


def loose_parts_are_found_across_ranks():
    """A row of cells, each rank with every second; then the same without the last but one."""
    anvil([])  # one piece, though its parts touch only through the border of the ranks
    for missing, pieces in (((), 1), ((4,), 2), ((1, 4), 3)):
        mine = np.array([c for c in range(6) if c not in missing and c % COMM.size == COMM.rank])
        cells, numbers = np.stack([2 * np.arange(len(mine)), 2 * np.arange(len(mine)) + 1], axis=1), []
        numbers = np.stack([mine, mine + 1], axis=1).ravel()  # a local number a cell's end: all are shared
        _, first, local = np.unique(numbers, return_index=True, return_inverse=True)
        centres = np.stack([mine + 0.5, 0.0 * mine, 0.0 * mine], axis=1)
        arguments = (local[cells], centres, numbers[first], np.arange(len(first)), COMM)
        if pieces == 1:
            require_one_piece(*arguments)
            continue
        message = same_error(InputError, lambda given=arguments: require_one_piece(*given))
        assert f"in {pieces} pieces" in message
        assert "one of 1 cell(s) about (" + ("5.5" if pieces == 2 else "0.5") in message


def doubts_are_told_once():
    blade, thin = (RigidCylinder((0.13, 0.07, 2.0), (0, 0, -1), radius, 0.2) for radius in (0.01, 0.12))
    assert "0.02 mm across and meets faces" in same_error(
        InputError, lambda: anvil([blade], velocity=(0, 0, 0))
    )
    for do, kind, what in (
        (lambda: anvil([thin], velocity=(0, 0, 0)), StartWarning, "0.24 mm across and meets faces"),
        (lambda: anvil([RigidPlane()], velocity=(0, 0, 0.2)).run(0.2), NoContactWarning, "will not touch"),
    ):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            do()
        told = COMM.allgather([str(each.message) for each in said if each.category is kind])
        assert what in told[0][0]
        assert told[1:] == [[]]


def an_energy_error_ends_all_ranks():
    run = anvil([RigidPlane()])
    run.obstacles[0].point[2] = 0.1
    message = same_error(ConvergenceError, lambda: run.run(1.0))
    assert "step 1, expected at most 5 %" in message
    assert "gained in contact" in message


def a_bar_is_judged_as_a_whole():
    planes = {"symmetry_x": 0, "symmetry_y": 1}
    assert foot_of_bar(cylinder(2.0, 1.0, 100), {}, place=False) == 0.0
    assert foot_of_bar(cylinder(2.0, 1.0, 100, "quarter"), planes, place=False) == 0.0
    shifted = cylinder(2.0, 1.0, 100)
    shifted.mesh.geometry.x[:] += (10.6, 0.0, 0.0)
    assert "axis of the bar is at x = 10.6, y = 0 mm" in same_error(
        InputError, lambda: foot_of_bar(shifted, {}, place=False)
    )
    across = box((1, 1, 2), (2, 2, 4))
    across.mesh.geometry.x[:] -= (0.5, 0.5, 0.0)
    for by_name in (across.groups, across.local_facets):
        by_name["foot"] = by_name["top"]
    assert "lowest node at z = 2 mm" in same_error(InputError, lambda: foot_of_bar(across, {}, place=False))
