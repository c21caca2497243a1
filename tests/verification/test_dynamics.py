"""Explicit dynamics against exact solutions: rod on a wall, standing wave, conservation, contact."""

import numpy as np
import pytest

from meshes.box import box
from meshes.cylinder import cylinder
from microscale.errors import InputError
from multiscale.dynamics.bulk_viscosity import BulkViscosity
from multiscale.dynamics.contact import RigidCylinder, RigidPlane
from multiscale.dynamics.elements.registry import ELEMENTS, cell_shape
from multiscale.dynamics.simulation import Simulation
from multiscale.laws.neo_hooke import NeoHooke

G = 25.0
# nu = 0: no lateral motion, so a bar is one-dimensional exactly; K = 2 lambda_e = 2 G / 3.
ROD = NeoHooke(G, G / 3.0)


@pytest.mark.parametrize("element", ELEMENTS)
def test_elastic_rod_rebounds_from_a_wall(element):
    """Contact lasts 2 L / c and the rod leaves with the speed it came with, within 0.5 %.

    Hexahedra take nearly the step in which a wave crosses a layer, at which the errors of space and time
    cancel and a front stays sharp; tetrahedra a third of it, so their front disperses, and they need more
    layers. It is not their contact: the plastic impact of the nodes at the end costs 0.06 % of the energy.
    """
    length, cells, speed, accuracy = 10.0, 400 if element == "tet10" else 300, 1e-3, 0.005
    rod = Simulation(
        box((0.1, 0.1, length), (1, 1, cells), cell_shape(element)),
        ROD,
        element,
        [RigidPlane()],
        initial_velocity=(0, 0, -speed),
    )
    mass = ROD.density * 0.1 * 0.1 * length
    times, impulses = [], []

    def record(rod):
        times.append(rod.time)
        impulses.append(rod.contact_impulse[2])

    exact = 2.0 * length / ROD.wave_speed()
    rod.run(1.2 * exact, [record], every=1)
    times, impulses = np.array(times), np.array(impulses)
    end_of_contact = times[np.flatnonzero(np.diff(impulses) > 0.0)[-1] + 1]
    assert end_of_contact == pytest.approx(exact, rel=accuracy)
    rebound = impulses[-1] / mass - speed
    assert rebound == pytest.approx(speed, rel=accuracy)
    assert abs(rod.energy.error) < 2e-3
    assert np.all(np.diff(impulses) >= 0.0)


def standing_wave(element, cells):
    """Error of the amplitude of the fundamental mode of a clamped column, nearly two half periods on."""
    length, amplitude = 1.0, 1e-5
    law = NeoHooke(G, 24.0)
    supports = {"bottom": 2, "top": 2, "left": 0, "right": 0, "front": 1, "back": 1}
    size = (length / 4, length / 4, length)
    column = Simulation(
        box(size, (max(1, cells // 4), max(1, cells // 4), cells), cell_shape(element)), law, element,
        supports=supports, courant=0.5, initial_velocity=lambda X: np.stack([0 * X[0], 0 * X[0], amplitude *
        np.sin(np.pi * X[2] / length)]),
    )  # fmt: skip
    omega = np.pi * law.wave_speed() / length
    time = 1.75 * np.pi / omega
    column.run(time)
    X = column.positions[:, 2]
    exact = amplitude / omega * np.sin(np.pi * X / length) * np.sin(omega * time)
    return np.abs(column.u.x.array.reshape(-1, 3)[:, 2] - exact).max() / (amplitude / omega)


@pytest.mark.parametrize("element", ELEMENTS)
def test_standing_wave_converges_with_slope_two(element):
    """Halving cell size and step quarters the error of a smooth elastic motion."""
    errors = [standing_wave(element, cells) for cells in ((6, 12, 24) if element == "tet10" else (8, 16, 32))]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert slopes == pytest.approx(2.0, abs=0.1)
    assert errors[-1] < (6e-3 if element == "tet10" else 2e-3)


def stored_energy(body):
    """Elastic energy of the neo-Hookean law at the points, J: independent of the ledger's sum of work."""
    F, law = body.points.F, body.law
    J = np.linalg.det(F)
    first = np.sum(F**2, axis=(2, 3)) / np.cbrt(J) ** 2
    density = 0.5 * law.shear_modulus * (first - 3.0) + law.lambda_e * (J - 1.0) ** 2
    return np.sum(density * body.element.weights)


@pytest.mark.parametrize("element", ELEMENTS)
def test_energy_error_stays_small_over_ten_thousand_steps(element):
    """A column rings in its fundamental mode: energy error below 0.1 %, at every step, no drift."""
    supports = {"bottom": 2, "top": 2, "left": 0, "right": 0, "front": 1, "back": 1}
    column = Simulation(
        box((0.025, 0.025, 1.0), (1, 1, 40), cell_shape(element)), NeoHooke(), element, supports=supports,
        initial_velocity=lambda X: np.stack([0 * X[0], 0 * X[0], 1e-2 * np.sin(np.pi * X[2])]),
    )  # fmt: skip
    errors = []
    for _ in range(10_000):
        column.step()
        errors.append(column.energy.error)
    errors = np.abs(errors)
    assert errors.max() < 1e-3
    assert errors[-1000:].max() < 1.1 * errors[:1000].max()
    assert column.energy.internal == pytest.approx(stored_energy(column), abs=1e-3 * column.initial_energy)


@pytest.mark.parametrize("element", ELEMENTS)
def test_free_motion_keeps_momentum_and_the_work_is_the_stored_energy(element):
    """A tumbling, strongly vibrating block for 3000 steps."""

    def velocity(X):
        centred = X - 0.5
        turning = np.cross(np.array([0.02, -0.03, 0.05]), centred.T).T
        return (
            turning + 0.1 * np.array([[1.0], [-0.5], [0.3]]) * centred + np.array([[0.01], [0.02], [-0.03]])
        )

    block = Simulation(
        box((1, 1, 1), (3, 3, 3), cell_shape(element)),
        NeoHooke(),
        element,
        initial_velocity=velocity,
        courant=0.5,
    )
    momentum, moment = block.momentum(), block.angular_momentum()
    for _ in range(3000):
        block.step()
    np.testing.assert_allclose(block.momentum(), momentum, atol=1e-12)
    # Central difference keeps x(n) x v(n +- 1/2) exactly; at whole steps it swings by O(dt^2).
    np.testing.assert_allclose(block.angular_momentum(), moment, atol=1e-3 * np.linalg.norm(moment))
    assert block.energy.internal == pytest.approx(stored_energy(block), abs=1e-2 * block.initial_energy)
    assert abs(block.energy.error) < 0.05


@pytest.mark.parametrize("element", ELEMENTS)
def test_too_large_a_step_shows_in_the_ledger(element):
    """The energy error is a check that can fail: past the stable step it grows without bound."""
    block = Simulation(
        box((1, 1, 1), (3, 3, 3), cell_shape(element)),
        NeoHooke(),
        element,
        initial_velocity=lambda X: 1e-4 * X**2,
        max_energy_error=0.0,
    )
    for _ in range(300):
        block.dt *= 1.6 / 0.9
        block.step()
        if abs(block.energy.error) > 0.1:
            break
    assert abs(block.energy.error) > 0.1


def test_free_flight_changes_nothing():
    body = Simulation(cylinder(1.0, 1.0, 100), NeoHooke(), initial_velocity=(0.1, -0.2, 0.3))
    body.run(5.0)
    u = body.u.x.array.reshape(-1, 3)
    np.testing.assert_allclose(u, np.broadcast_to([0.5, -1.0, 1.5], u.shape), rtol=1e-12)
    assert body.energy.internal < 1e-20
    assert body.time == pytest.approx(5.0, rel=1e-12)


@pytest.mark.parametrize("element", ELEMENTS)
def test_impulse_is_the_change_of_momentum_and_no_energy_is_gained(element):
    """Anvil run with rebound: impulse balance, monotone contact loss, no penetration, separation."""
    body = Simulation(
        cylinder(1.0, 0.5, 400, cell=cell_shape(element)),
        NeoHooke(),
        element,
        [RigidPlane()],
        initial_velocity=(0, 0, -0.1),
    )
    start, losses = body.momentum(), [0.0]
    while body.time < 2.0:
        body.step()
        losses.append(body.energy.contact)
        x = body.positions + body.u.x.array.reshape(-1, 3)
        assert x[:, 2].min() > -1e-12
        assert body.energy.kinetic <= body.initial_energy * (1.0 + 1e-12)
    assert np.all(np.diff(losses) >= -1e-15)
    np.testing.assert_allclose(body.momentum() - start, body.contact_impulse, atol=1e-10 * abs(start[2]))
    assert x[:, 2].min() > 0.01
    assert abs(body.energy.error) < 5e-3
    assert body.energy.hourglass < 0.05 * body.initial_energy


def test_contact_does_not_depend_on_the_frame():
    """A body at rest hit by a moving plane is the body thrown at a resting one, seen from elsewhere."""
    speed, normal = 0.1, np.array([1.0, 2.0, 2.0]) / 3.0
    corner = np.zeros(3)
    cube = box((1, 1, 1), (4, 4, 4))
    thrown = Simulation(cube, NeoHooke(), "hex8-fbar", [RigidPlane(corner, normal)],
                        initial_velocity=-speed * normal)  # fmt: skip
    hit = Simulation(cube, NeoHooke(), "hex8-fbar", [RigidPlane(corner, normal, speed * normal)])
    thrown.run(0.5)
    hit.run(0.5)
    moved = hit.u.x.array.reshape(-1, 3) - speed * 0.5 * normal
    np.testing.assert_allclose(moved, thrown.u.x.array.reshape(-1, 3), atol=1e-12)
    assert hit.energy.external > 0.0
    assert abs(hit.energy.error) < 1e-2
    assert hit.energy.contact == pytest.approx(thrown.energy.contact, rel=1e-9)


def test_symmetric_quarter_is_the_full_model():
    """The quarter model's displacements are those of the full one at the same places."""
    full = Simulation(
        cylinder(1.0, 1.0, 192), NeoHooke(), obstacles=[RigidPlane()], initial_velocity=(0, 0, -0.2)
    )
    quarter = Simulation(
        cylinder(1.0, 1.0, 48, model="quarter"), NeoHooke(), obstacles=[RigidPlane()],
        supports={"symmetry_x": 0, "symmetry_y": 1}, initial_velocity=(0, 0, -0.2),
    )  # fmt: skip
    assert full.n_cells_global == 4 * quarter.n_cells_global
    full.run(0.5)
    quarter.run(0.5)
    at = {
        tuple(x): u for x, u in zip(full.positions.round(8) + 0.0, full.u.x.array.reshape(-1, 3), strict=True)
    }
    expected = np.array([at[tuple(x)] for x in quarter.positions.round(8) + 0.0])
    np.testing.assert_allclose(quarter.u.x.array.reshape(-1, 3), expected, atol=1e-10)


def test_plate_is_pushed_by_a_rigid_cylinder():
    """A rigid punch of constant speed: it is never penetrated and its work is the plate's energy."""
    punch = RigidCylinder((0, 0, 0.4), (0, 0, -1), 0.5, 0.2)
    plate = Simulation(
        box((2, 2, 0.4), (8, 8, 2)), NeoHooke(), obstacles=[punch], supports={"left": 0, "front": 1}
    )
    plate.run(0.5)
    x = plate.positions + plate.u.x.array.reshape(-1, 3)
    under = np.hypot(x[:, 0], x[:, 1]) < 0.5 - 1e-9
    assert x[under, 2].max() <= 0.4 - 0.2 * plate.time + 1e-9
    assert plate.energy.external > 0.0
    assert abs(plate.energy.error) < 1e-2
    np.testing.assert_allclose(plate.contact_impulse[2], plate.momentum()[2], rtol=1e-10)


def test_shock_viscosity_damps_and_books_its_energy():
    """With viscosity the ringing behind a compressive front shrinks; what it took is in the ledger."""

    def ringing(viscosity):
        rod = Simulation(
            box((0.1, 0.1, 10.0), (1, 1, 100)), ROD, obstacles=[RigidPlane()], initial_velocity=(0, 0, -0.02),
            viscosity=viscosity,
        )  # fmt: skip
        rod.run(2.0)
        behind = (rod.positions[:, 2] > 0.5) & (rod.positions[:, 2] < 2.0)
        return np.abs(rod.v.x.array.reshape(-1, 3)[behind, 2]).max(), rod.energy

    plain, plain_energy = ringing(None)
    damped, damped_energy = ringing(BulkViscosity())
    assert plain_energy.viscous == 0.0
    assert damped < 0.7 * plain
    assert 0.0 < damped_energy.viscous < 0.1 * damped_energy.initial
    assert abs(damped_energy.error) < 1e-3


def test_stable_step_follows_the_deformation():
    """Pressing a block flat cuts the step in proportion to its thickness, and says which cell limits it."""
    block = Simulation(
        box((1, 1, 1), (2, 2, 2)), NeoHooke(25.0, 2.0), obstacles=[RigidPlane((0, 0, 1), (0, 0, -1), (0, 0,
        -0.3))], supports={"bottom": 2},
    )  # fmt: skip
    before = block.dt
    block.run(1.5)
    assert block.dt < 0.75 * before
    assert 0 <= block.limiting_cell < 8
    assert np.all((block.limiting_position > 0.0) & (block.limiting_position < 1.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"element": "tet4"}, "expected one of hex8-fbar, hex8-one-point, tet10"),
        ({"courant": 1.5}, "courant = 1.5"),
        ({"supports": {"foot": 2}}, "found: back, bottom, front"),
        ({"supports": {"top": 3}}, "components among 0, 1, 2"),
        ({"initial_velocity": (0, 0, np.nan)}, "finite"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(InputError, match=message):
        Simulation(box((1, 1, 1), (1, 1, 1)), NeoHooke(), **arguments)
