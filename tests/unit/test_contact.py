"""Contact of single nodes with rigid obstacles: exact velocities, impulses and books."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpi4py import MPI

from meshes.box import box
from meshes.cylinder import cylinder
from microscale.errors import DeformationError, InputError
from multiscale.dynamics.bulk_viscosity import BulkViscosity
from multiscale.dynamics.contact import BOOK, NodalMotion, RigidCylinder, RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.laws.neo_hooke import NeoHooke

NODE = np.zeros(1, dtype=np.int32)


def move(obstacle, x, v_old, v, inverse_mass=0.5, dt=0.1, time=0.0):
    """Let an obstacle act on one node; return its new velocity and the book."""
    motion = NodalMotion(
        np.array([x], dtype=float), np.zeros((1, 3)), np.array([v_old], dtype=float),
        np.array([v], dtype=float), np.full((1, 3), inverse_mass) * np.ones(3),
    )  # fmt: skip
    book = np.zeros(BOOK)
    obstacle.resist(motion, NODE, time, dt, book)
    return motion.v[0], book


def test_a_node_that_hits_just_touches_at_the_end_of_the_step():
    v, book = move(RigidPlane(), (0, 0, 0.03), (0.1, 0, -1), (0.1, 0, -1))
    np.testing.assert_allclose(v, [0.1, 0, -0.3])
    np.testing.assert_allclose(book[:3], [0, 0, 2.0 * 0.7])
    assert book[3] == 0.0
    assert book[4] == pytest.approx(0.5 * 2.0 * (1.0 - 0.09))


def test_a_node_that_moves_away_or_does_not_reach_is_left_alone():
    for v in ((0, 0, 1.0), (0, 0, -0.2)):
        after, book = move(RigidPlane(), (0, 0, 0.03), v, v)
        np.testing.assert_array_equal(after, v)
        assert not book.any()


def test_a_resting_node_is_held_without_loss():
    v, book = move(RigidPlane(), (0, 0, 0), (0, 0, 0), (0, 0, -0.4))
    np.testing.assert_allclose(v, 0.0, atol=1e-15)
    assert book[2] == pytest.approx(0.8)
    assert abs(book[4]) < 1e-15


def test_a_moving_plane_does_work():
    v, book = move(RigidPlane(velocity=(0, 0, 2)), (0, 0, 0), (0, 0, 0), (0, 0, 0))
    np.testing.assert_allclose(v, [0, 0, 2])
    assert book[3] == pytest.approx(8.0)
    assert book[4] == pytest.approx(4.0)


def test_a_supported_component_is_not_moved():
    plane = RigidPlane(normal=(1, 0, 1))
    v, book = move(plane, (0, 0, 0), (0, 0, -1), (0, 0, -1), inverse_mass=np.array([0.0, 1.0, 1.0]))
    np.testing.assert_allclose(v, 0.0, atol=1e-15)
    assert book[4] == pytest.approx(0.5)
    held, book = move(plane, (0, 0, 0), (0, 0, -1), (0, 0, -1), inverse_mass=0.0)
    np.testing.assert_array_equal(held, [0, 0, -1])
    assert not book.any()


vectors = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array)


@given(vectors, vectors, vectors, vectors, st.floats(0.0, 0.5))
def test_contact_never_gains_energy(normal, velocity, v_old, kick, height):
    """A node outside stays outside, is only pushed, and loses energy in the obstacle's frame."""
    if np.linalg.norm(normal) < 1e-3:
        return
    plane = RigidPlane(normal=normal, velocity=velocity)
    x = height * plane.normal
    # The node did not enter during the step before, and is no nearer now than that step's end says.
    v_old = v_old + max(0.0, -(v_old - velocity) @ plane.normal - height / 0.1) * plane.normal
    v, book = move(plane, x, v_old, v_old + kick)
    ahead = (x + 0.1 * v - 0.1 * velocity) @ plane.normal
    assert ahead >= -1e-12
    assert book[:3] @ plane.normal >= 0.0
    pushed = book[:3] @ plane.normal > 0.0
    if pushed and (v_old - velocity) @ plane.normal <= height / 0.1:
        assert book[4] >= -1e-12


def test_a_cylinder_pushes_by_its_face_and_by_its_side():
    punch = RigidCylinder((0, 0, 1), (0, 0, -1), radius=1.0, speed=2.0)
    v, book = move(punch, (0.5, 0, 1.0), (0, 0, 0), (0, 0, 0))
    np.testing.assert_allclose(v, [0, 0, -2])
    assert book[3] > 0.0
    v, _ = move(punch, (1.05, 0, 1.5), (-1, 0, 0), (-1, 0, 0))
    np.testing.assert_allclose(v, [-0.5, 0, 0])
    v, book = move(punch, (1.5, 0, 1.5), (0, 0, 0), (0, 0, 0))
    assert not book.any()


def test_a_node_near_the_rim_is_pushed_by_the_face_it_came_through():
    """Ahead of the face and 0.001 mm within the radius: a push sideways would give energy from nowhere."""
    punch = RigidCylinder((0, 0, 1), (0, 0, -1), radius=1.0, speed=2.0)
    for height in (1.0, 1.0 + 1e-12, 0.95):  # resting on the face, with round-off, or before it
        v, book = move(punch, (0.999, 0, height), (0, 0, 0), (0, 0, 0))
        np.testing.assert_allclose(v, [0, 0, -(2.0 - (1.0 - height) / 0.1)], atol=1e-10)
        assert book[3] >= book[4] >= 0.0
        assert book[5] == 0.0
    v, _ = move(punch, (0.999, 0, 1.1), (0, 0, 0), (0, 0, 0))  # beside, a little inside: by its side
    np.testing.assert_allclose(v, [0.01, 0, 0], atol=1e-12)


def test_a_node_pushed_out_of_an_obstacle_gains_and_is_booked_apart():
    v, book = move(RigidPlane(), (0, 0, -0.02), (0, 0, 0), (0, 0, 0))
    np.testing.assert_allclose(v, [0, 0, 0.2])
    np.testing.assert_allclose(book, [0, 0, 0.4, 0, 0, 0.5 * 2.0 * 0.04, 0.4])


OBSTACLES = [
    RigidPlane((0.1, -0.2, 0.3), (1, 2, 2), (0.1, 0, 0)),
    RigidCylinder((0.1, -0.2, 0.3), (1, 2, 2), 0.7, 0.5),
]


@pytest.mark.parametrize("obstacle", OBSTACLES, ids=lambda obstacle: obstacle.name)
class TestEveryObstacle:
    """What the checks of the start ask of an obstacle agrees with what it does."""

    points = np.random.default_rng(0).uniform(-2.0, 2.0, (400, 3))

    def test_it_pushes_what_is_inside_and_nothing_else(self, obstacle):
        gap = obstacle.gap(self.points)
        assert gap.min() < -0.1
        assert gap.max() > 0.1
        for x, distance in zip(self.points, gap, strict=True):
            still = obstacle.velocity  # at rest beside it
            _, book = move(obstacle, x, still, still, dt=1e-6)
            assert (book[6] > 0.0) == (distance < 0.0)

    def test_its_gap_is_never_more_than_the_way_to_it(self, obstacle):
        gap, (first, second) = obstacle.gap(self.points), np.split(self.points, 2)
        ways = np.linalg.norm(first - second, axis=1)
        assert np.all(np.abs(gap[:200] - gap[200:]) <= ways * (1.0 + 1e-12))

    def test_moved_it_is_the_same_elsewhere_and_backwards_without_end(self, obstacle):
        shift = np.array([0.3, -1.0, 2.0])
        moved = obstacle.moved(shift)
        assert type(moved) is type(obstacle)
        np.testing.assert_allclose(moved.gap(self.points + shift), obstacle.gap(self.points), atol=1e-12)
        np.testing.assert_array_equal(moved.velocity, obstacle.velocity)
        assert (moved.name, moved.width) == (obstacle.name, obstacle.width)
        assert np.linalg.norm(obstacle.facing) == pytest.approx(1.0)
        inside = self.points[obstacle.gap(self.points) < 0.0]
        assert np.all(obstacle.gap(inside - 50.0 * obstacle.facing) < 0.0)
        assert np.all(obstacle.gap(inside + 50.0 * obstacle.facing) > 0.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RigidPlane(normal=(0, 0, 0)), "non-zero length"),
        (lambda: RigidPlane(point=(0, np.nan, 0)), "three finite numbers"),
        (lambda: RigidPlane(normal="z"), "normal of the obstacle = 'z', expected three finite numbers"),
        (
            lambda: RigidCylinder((0, 0, 0), (0, 0, 1), "2", 1.0),
            "radius = '2', expected a number",
        ),
        (lambda: RigidCylinder((0, 0, 0), (0, 0, 1), -1.0, 0.1), "radius of the rigid cylinder = -1.0 mm"),
        (lambda: RigidCylinder((0, 0, 0), (0, 0, 1), 1.0, np.inf), "speed"),
    ],
)
def test_impossible_obstacles_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_contact_of_a_rod_is_one_stretch_without_chatter():
    """The wall pushes from the impact to the return of the wave, at every step, and with a steady force.

    In one dimension the force is rho c v A all the while; nodes take their impact in the first step.
    """
    law = NeoHooke(25.0, 25.0 / 3.0)  # nu = 0
    rod = Simulation(
        box((0.1, 0.1, 2.0), (1, 1, 40), comm=MPI.COMM_SELF), law, "hex8-one-point", [RigidPlane()],
        initial_velocity=(0, 0, -1e-3), viscosity=BulkViscosity(linear=0.2, quadratic=0.0),
    )  # fmt: skip
    contact, exact = 2.0 * 2.0 / law.wave_speed(), law.density * law.wave_speed() * 1e-3 * 0.01
    times, forces = [], []
    while rod.time < 1.5 * contact:
        before, time = rod.contact_impulse[2], rod.time
        rod.step()
        times.append(rod.time)
        forces.append((rod.contact_impulse[2] - before) / (rod.time - time))
    times, pushed = np.array(times), np.array(forces) > 0.0
    assert pushed[: np.count_nonzero(pushed)].all()
    assert times[pushed].max() == pytest.approx(contact, rel=0.05)
    steady = (times > 0.1 * contact) & (times < 0.9 * contact)
    np.testing.assert_allclose(np.array(forces)[steady], exact, rtol=0.05)  # the front rings


def test_gaps_are_distances_from_the_surface_at_time_zero():
    plane = RigidPlane(point=(0, 0, 1), normal=(0, 0, 2), velocity=(0, 0, -1))
    np.testing.assert_allclose(plane.gap(np.array([[3.0, 0, 1.3], [0, 5, 0.9]])), [0.3, -0.1])
    cylinder = RigidCylinder(face=(0, 0, 1), direction=(0, 0, -1), radius=2.0, speed=1.0)
    x = np.array([[0, 0, 1.3], [1.95, 0, 2.0], [0, 2.5, 2.0], [0, 0, 0.4], [2.3, 0, 0.6]])
    np.testing.assert_allclose(cylinder.gap(x), [-0.3, -0.05, 0.5, 0.6, 0.5])


@pytest.mark.parametrize("hidden", ["surface", "inner"])
def test_a_node_inside_an_obstacle_ends_the_run_with_place_depth_and_time(hidden):
    """A wall that moves through nodes held fast, or through nodes that are no candidates of contact."""
    held = {"foot": (0, 1, 2)} if hidden == "surface" else {}
    wall = RigidPlane(velocity=(0, 0, 0.1))
    body = Simulation(cylinder(1.0, 1.0, 50, comm=MPI.COMM_SELF), NeoHooke(), obstacles=[wall], supports=held)
    if hidden == "inner":
        body._nodes.surface = body._nodes.surface[:0]
    with pytest.raises(
        DeformationError, match=rf"{hidden} node with reference position .*, 0\) mm"
    ) as caught:
        body.run(1.0)
    depth = float(str(caught.value).split(" mm is ")[1].split()[0])
    heights = (body.positions + body.u.x.array.reshape(-1, 3))[:, 2]
    assert depth == pytest.approx(0.1 * body.time - heights.min(), rel=1e-2)
    assert depth > 0.01
    assert body.step_count == 4
    assert "inside the obstacle plane" in str(caught.value)
    assert "refine the mesh there" in str(caught.value)


def test_the_last_step_is_checked_too():
    body = Simulation(
        cylinder(1.0, 1.0, 50, comm=MPI.COMM_SELF), NeoHooke(), obstacles=[RigidPlane()],
        initial_velocity=(0, 0, -0.1),
    )  # fmt: skip
    body._nodes.surface = body._nodes.surface[:0]
    with pytest.raises(DeformationError, match="step 2: refine"):
        body.run(2.0 * body.dt)
