"""Statics against exact answers: patch tests, the explicit element, the consistent stiffness, Newton."""

from itertools import pairwise

import numpy as np
import pytest

import multiscale as ms
from meshes.box import box
from multiscale.dynamics.elements.registry import make_element
from multiscale.laws.j2 import J2
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.statics.newton import NotConvergedError
from multiscale.statics.statics import Statics

SIDES = ("left", "right", "front", "back", "bottom", "top")
CELLS = ("hexahedron", "tetrahedron")
STRETCH = np.array([[1.10, 0.20, -0.05], [0.03, 0.85, 0.10], [-0.08, 0.02, 1.05]]) - np.eye(3)


def distorted(cell):
    """A box whose nodes are moved at random, those of its faces within them."""
    body = box((1.5, 1.0, 0.8), (3, 2, 2), cell)
    x = body.mesh.geometry.x
    inside = (x > 1e-9) & (np.array([1.5, 1.0, 0.8]) - 1e-9 > x)
    corners = {"hexahedron": 8, "tetrahedron": 4}[cell]
    moves = np.random.default_rng(3).uniform(-0.1, 0.1, x.shape) * inside
    cells = body.mesh.geometry.dofmaps[0]
    moved = np.zeros_like(x)
    moved[np.unique(cells[:, :corners])] = moves[np.unique(cells[:, :corners])]
    if cell == "tetrahedron":  # straight edges, bent a little
        for node, (a, b) in zip(range(4, 10), ((2, 3), (1, 3), (1, 2), (0, 3), (0, 2), (0, 1)), strict=True):
            moved[cells[:, node]] = (
                0.5 * (moved[cells[:, a]] + moved[cells[:, b]]) + 0.1 * moves[cells[:, node]]
            )
    x += moved
    return body


def linear(gradient, end_time=1.0):
    """All faces moved by a displacement with a constant gradient."""

    def component(i):
        return lambda time, X: time / end_time * (gradient[i] @ X)

    return {side: {"xyz"[i]: component(i) for i in range(3)} for side in SIDES}


@pytest.mark.parametrize("cell", CELLS)
def test_linear_displacements_are_exact_on_distorted_meshes(cell):
    """Patch test: F is the prescribed one at every point, and the supports carry the tractions of P."""
    body = Statics(distorted(cell), NeoHooke(), displacements=linear(STRETCH))
    body.run(1.0, first_step=0.5)
    assert np.abs(body.points.F - np.eye(3) - STRETCH).max() < 1e-9
    P = body.points.P[0, 0]
    assert np.abs(body.points.P - P).max() < 1e-7
    total = sum(body.reactions.values())
    assert np.abs(total).max() < 1e-9 * np.abs(P).max()
    volume = 1.5 * 1.0 * 0.8
    energy = (
        0.5
        * 25.0
        * (np.sum((np.eye(3) + STRETCH) ** 2) / np.linalg.det(np.eye(3) + STRETCH) ** (2 / 3) - 3.0)
    )
    energy += 24.0 * (np.linalg.det(np.eye(3) + STRETCH) - 1.0) ** 2
    assert body.work == pytest.approx(volume * energy, rel=0.03)  # trapezoids over two steps


def test_forces_are_those_of_the_explicit_element():
    """The UFL of mean dilatation and the kernel of hex8-fbar are one element."""
    mesh = distorted("hexahedron")
    body = Statics(mesh, NeoHooke(), supports={"bottom": (0, 1, 2)})
    rng = np.random.default_rng(1)
    X = body.u.function_space.tabulate_dof_coordinates()
    body.u.x.array[:] = (X @ STRETCH.T + rng.uniform(-0.01, 0.01, X.shape)).ravel()
    body._equations.at(0.0, 0.0)
    assert body._equations.evaluate()
    nodes = body.u.function_space.dofmap.list
    explicit = make_element("hex8-fbar", X[nodes], nodes, NeoHooke())
    F, P, force = np.empty_like(body.points.F), np.empty_like(body.points.F), np.zeros_like(X)
    explicit.deformation(body.u.x.array.reshape(-1, 3), 0, len(nodes), F)
    of_the_explicit = [4 * (q & 1) + (q & 2) + (q >> 2) for q in range(8)]  # the first axis is its fastest
    assert np.abs(F - body.points.F[:, of_the_explicit]).max() < 1e-13
    NeoHooke().update(F.reshape(-1, 3, 3), 0.0, NeoHooke().init_state(F.size // 9), P.reshape(-1, 3, 3))
    explicit.add_force(body.u.x.array.reshape(-1, 3), F, P, 0, len(nodes), force)
    np.testing.assert_allclose(body._equations.internal, force, atol=1e-12 * np.abs(force).max())


@pytest.mark.parametrize("cell", CELLS)
def test_stiffness_is_the_derivative_of_the_forces(cell):
    """Of flowing J2 under a pressure that follows the surface: consistent with mean dilatation eliminated."""
    body = Statics(distorted(cell), J2(), supports={"bottom": (0, 1, 2)}, pressures={"top": 0.3})
    rng = np.random.default_rng(2)
    X = body.u.function_space.tabulate_dof_coordinates()
    start = (0.1 * X @ STRETCH.T + rng.uniform(-0.003, 0.003, X.shape)).ravel()
    equations, direction, h = body._equations, rng.standard_normal(start.size), 1e-6
    equations.at(0.0, 1.0)

    def force(u):
        body.u.x.array[:] = u
        assert equations.evaluate()
        return (equations.internal - equations.external).ravel()

    slope = (force(start + h * direction) - force(start - h * direction)) / (2.0 * h)
    force(start)
    x, y = equations.matrix.createVecs()
    x.array = direction
    equations.stiffness().mult(x, y)
    assert body.points._trial["equivalent_plastic_strain"].max() > 0.01
    np.testing.assert_allclose(y.array, slope, atol=2e-6 * np.abs(slope).max())


LAWS = {
    "j2": (J2(), 100.0),
    "learned": (lambda: ms.make_law("learned"), 1.0),
}


@pytest.mark.parametrize("name", LAWS)
def test_newton_converges_quadratically(name):
    """A block is compressed by a tenth between rough plates, in load steps of at most six iterations."""
    law, end_time = LAWS[name]
    law = law() if callable(law) else law
    moved = {"top": {"z": [[0.0, 0.0], [end_time, -0.2]]}}
    held = {"bottom": (0, 1, 2), "top": (0, 1)}
    body = Statics(box((1.0, 1.0, 2.0), (2, 2, 4)), law, supports=held, displacements=moved)
    steps = []
    body.run(end_time, [lambda at: steps.append(at.last)])
    assert body.most_iterations == max(step.iterations for step in steps) <= 6
    falls = [step.residuals[-3:] for step in steps if step.iterations >= 2]
    assert len(falls) > 5
    for fall in falls:
        for before, after in pairwise(fall):
            assert after < max(10.0 * before**2, 3e-12)  # round-off, or the differences of a tangent


def test_the_user_says_how_many_iterations_a_step_may_take():
    """Of the solver, which takes up after the first one: yield takes five, here steps are cut before."""
    body = Statics(
        box((1.0, 1.0, 2.0), (2, 2, 4)),
        J2(),
        supports={"bottom": (0, 1, 2), "top": (0, 1)},
        displacements={"top": {"z": [[0.0, 0.0], [100.0, -0.05]]}},
        petsc_options={"snes_max_it": 2},
    )
    body.run(100.0)
    assert body.cuts > 0
    assert body.most_iterations == 3


def test_a_step_that_fails_leaves_all_as_it_was_but_what_is_foreseen():
    def compressed(**options):
        return Statics(
            box((1.0, 1.0, 2.0), (2, 2, 4)),
            J2(),
            supports={"bottom": (0, 1, 2), "top": (0, 1)},
            displacements={"top": {"z": [[0.0, 0.0], [1.0, -0.1]]}},
            petsc_options=options,
        )

    once = compressed()
    once.step(1.0)
    body = compressed(snes_max_it=once.last.iterations - 2)  # one too few
    with pytest.raises(NotConvergedError, match=f"{once.last.iterations - 1} iterations, last residuals"):
        body.step(1.0)
    assert (body.time, body.step_count, body.iterations) == (0.0, 0, 0)
    assert not body.u.x.array.any()
    assert not body.points.state["equivalent_plastic_strain"].any()
    body.step(1.0)
    assert body.last.iterations < once.last.iterations
    np.testing.assert_allclose(body.u.x.array, once.u.x.array, atol=1e-9)
