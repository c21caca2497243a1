"""Statics on any number of ranks: the same result, and one rank's failure is everybody's."""

import numpy as np
import pytest
from mpi4py import MPI

from meshes.cylinder import cylinder
from microscale.errors import ConvergenceError, InputError
from multiscale.laws.j2 import J2
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.statics.statics import Statics

ITERATIVE = {"ksp_type": "gmres", "ksp_rtol": 1e-10, "pc_type": "gamg"}


def upset(comm, options=None, cell="hexahedron"):
    """A quarter of a cylinder between rough plates, a pressure on its side."""
    body = Statics(
        cylinder(1.5, 1.0, 36, "quarter", cell, comm),
        J2(),
        supports={"symmetry_x": 0, "symmetry_y": 1, "foot": (0, 1, 2), "top": (0, 1)},
        displacements={"top": {"z": [[0.0, 0.0], [100.0, -0.2]]}},
        pressures={"side": [[0.0, 0.0], [100.0, 0.05]]},
        petsc_options=options,
    )
    body.run(100.0, first_step=20.0, longest_step=40.0)
    return body


def by_place(body):
    """Displacements of the whole body in the order of places, on every rank."""
    owned, comm = body.u.function_space.dofmap.index_map.size_local, body.mesh.comm
    X = body.u.function_space.tabulate_dof_coordinates()[:owned]
    at = np.concatenate(comm.allgather(X.round(9) + 0.0))
    u = np.concatenate(comm.allgather(body.u.x.array.reshape(-1, 3)[:owned]))
    return u[np.lexsort(at.T)]


@pytest.mark.parallel([1, 2, 3])
def test_results_do_not_depend_on_the_number_of_ranks():
    alone, there = upset(MPI.COMM_SELF), upset(MPI.COMM_WORLD)
    compare(alone, there)
    if MPI.COMM_WORLD.size < 3:
        compare(alone, upset(MPI.COMM_WORLD, ITERATIVE))
    one_rank_fails()


def compare(alone, there):
    """The solver's tolerance is 1e-9 of the forces."""
    assert there.step_count == alone.step_count
    assert there.iterations == alone.iterations
    u = by_place(alone)
    assert np.abs(by_place(there) - u).max() < 1e-8 * np.abs(u).max()
    for group, force in alone.reactions.items():
        np.testing.assert_allclose(there.reactions[group], force, atol=1e-8 * np.abs(force).max())
    assert there.work == pytest.approx(alone.work, rel=1e-8)
    told, expected = there.account(), alone.account()
    assert list(told) == list(expected)
    assert told["u_z_top_mm"] == pytest.approx(-0.2, rel=1e-12)
    assert told["pressure_side_GPa"] == pytest.approx(0.05)
    assert {"residual_last", "residual_second_last", "iterations"} <= {*told}
    assert expected["u_x_side_mm"] == pytest.approx(told["u_x_side_mm"], rel=1e-7)
    assert expected["u_x_side_mm"] > 0.0


class Brittle(NeoHooke):
    """A law that gives up where it is stretched, as one rank's points may be alone."""

    def _update(self, F, dt, state, out):
        if (F[:, 2, 2] < 0.95).any():
            raise ConvergenceError("too far")
        super()._update(F, dt, state, out)


class Broken(Brittle):
    """A law with a defect."""

    def _update(self, F, dt, state, out):
        if (F[:, 2, 2] < 0.95).any():
            raise InputError("a defect")
        super()._update(F, dt, state, out)


class WithoutTangent(NeoHooke):
    """A law whose tangent fails where it is stretched."""

    error: type[Exception] = InputError

    def _tangent(self, F, dt, state, out):
        if (F[:, 2, 2] < 0.95).any():
            raise self.error("no tangent")
        super()._tangent(F, dt, state, out)


class Unsolved(WithoutTangent):
    """The same by its iterations: a shorter step may do."""

    error = ConvergenceError


def one_rank_fails():
    """Half of the body is compressed: cuts of steps and their end are the same on every rank."""
    cases = {Brittle: "too far", Broken: "a defect", WithoutTangent: "no tangent", Unsolved: "no tangent"}
    for kind, message in cases.items():
        law, error = kind(), ConvergenceError if kind in (Brittle, Unsolved) else InputError
        body = Statics(
            cylinder(1.5, 1.0, 36, "quarter"),
            law,
            supports={"foot": (0, 1, 2), "symmetry_x": 0},
            displacements={"top": {"z": lambda time, X: -0.4 * time * X[0]}},
        )
        with pytest.raises(error, match=message):
            body.run(1.0)
        if error is ConvergenceError:
            assert body.cuts > 5
            assert 0.0 < body.time < 1.0
