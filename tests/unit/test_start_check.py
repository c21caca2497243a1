"""What is refused or doubted before the first step, with its place and remedy; and what is not."""

import warnings

import gmsh
import numpy as np
import pytest
from mpi4py import MPI

from meshes.box import box
from meshes.impact_mesh import load
from microscale.errors import ConvergenceError, DeformationError, InputError
from multiscale.dynamics.contact import RigidCylinder, RigidPlane
from multiscale.dynamics.simulation import Simulation
from multiscale.dynamics.start.approach import first_touch
from multiscale.dynamics.start.check import NoContactWarning
from multiscale.dynamics.start.units import StartWarning
from multiscale.laws.j2 import J2
from multiscale.laws.neo_hooke import NeoHooke

DOWN = (0.0, 0.0, -0.2)


def block(size=(1.0, 1.0, 2.0), cells=(2, 2, 4), obstacles=None, law=None, **options):
    return Simulation(
        box(size, cells), law or NeoHooke(), "hex8-one-point", obstacles or [RigidPlane()],
        **{"initial_velocity": DOWN, **options},
    )  # fmt: skip


def plate(obstacle, cells=8):
    return block((4.0, 4.0, 1.0), (cells, cells, 2), [obstacle], initial_velocity=(0, 0, 0))


def test_a_sound_run_has_nothing_to_say():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for obstacle in (RigidPlane(), RigidPlane((0, 0, 1e-7)), RigidPlane((0, 0, -0.1))):
            run = block(obstacles=[obstacle])
            run.run(1.0)
            assert run.touched
        plate(RigidCylinder((2.0, 2.0, 1.0), (0, 0, -1), 0.36, 0.2)).run(0.2)


@pytest.mark.parametrize("depth", [0.01, 0.1, 3.0])
def test_a_wall_in_the_body_is_refused_with_depth_and_node(depth):
    message = rf"the plane reaches {depth:g} mm into the body at the start, at the node at \(.*\) mm.*--place"
    with pytest.raises(InputError, match=message):
        block(obstacles=[RigidPlane((0, 0, depth))])


def test_a_punch_in_a_plate_is_refused_also_between_its_faces():
    with pytest.raises(InputError, match=r"the cylinder reaches 0\.4 mm into the body .* at \(2, 2, 1\) mm"):
        plate(RigidCylinder((2, 2, 0.6), (0, 0, -1), 0.8, 0.2))
    with pytest.raises(InputError, match=r"the cylinder reaches 0\.3 mm into"):  # by its side, from below
        plate(RigidCylinder((2, 2, 0.7), (0, 0, 1), 0.3, 0.2), 16)


@pytest.mark.parametrize(
    ("obstacle", "start"),
    [
        (RigidPlane((0, 0, 0.1)), (0, 0, 0.0)),
        (RigidPlane((0, 0, 0.1), (1, 2, 2)), None),
        (RigidPlane((0, 0, -0.1)), (0, 0, -0.1)),
    ],
)
def test_a_plane_placed_on_request_just_touches(obstacle, start):
    run = block(obstacles=[obstacle], place=True)
    (moved,) = run.obstacles
    gap = moved.gap(run.positions).min()
    if start is None:
        assert 0.0 <= gap < 1e-8
    else:
        np.testing.assert_allclose(moved.point, start, atol=1e-8)
        assert gap >= 0.0
    run.run(1.0)
    assert abs(run.energy.error) < 1e-2


def test_a_placed_punch_gives_what_one_at_the_face_gives():
    cells = {"size": (4.0, 4.0, 1.0), "cells": (8, 8, 2), "initial_velocity": (0, 0, 0)}
    at_face = block(obstacles=[RigidCylinder((2, 2, 1), (0, 0, -1), 0.8, 0.2)], **cells)
    inside = block(obstacles=[RigidCylinder((2, 2, 0.3), (0, 0, -1), 0.8, 0.2)], place=True, **cells)
    for run in (at_face, inside):
        run.run(0.3)
    np.testing.assert_allclose(inside.u.x.array, at_face.u.x.array, atol=1e-7)


@pytest.mark.parametrize(
    ("obstacles", "velocity"),
    [
        ([RigidPlane()], (0, 0, 0.2)),  # away
        ([RigidPlane((0, 0, -0.1))], (0, 0, 0)),
        ([RigidPlane((0, 0, -0.3))], DOWN),  # too far for 1 us
        ([RigidPlane((0, 0, -1e-3)), RigidPlane((5, 0, 0), (-1, 0, 0))], (0.1, 0, 0)),
        ([RigidCylinder((9, 0, -1), (0, 0, 1), 1.0, 0.5)], DOWN),  # beside
    ],
)
def test_a_body_that_will_touch_nothing_is_said_so_before_and_after(obstacles, velocity):
    run = block(obstacles=obstacles, initial_velocity=velocity)
    with pytest.warns(NoContactWarning) as said:
        run.run(1.0)
    before, after = (str(each.message) for each in said)
    assert "will not touch the" in before
    assert "never touched: until 1 us" in after
    assert not run.touched


def test_a_body_that_might_touch_is_not_doubted_before():
    """Spreading or turning bodies may reach what they do not fly to; what is near is met in time."""
    with pytest.warns(NoContactWarning, match="never touched") as lies:
        block(initial_velocity=(0, 0, 0)).run(0.2)
    assert len(lies) == 1
    with pytest.warns(NoContactWarning, match="never touched") as said:
        block(obstacles=[RigidPlane((0, 0, -9))], initial_velocity=lambda X: -0.01 * X).run(0.1)
    assert len(said) == 1
    times = first_touch(RigidPlane((0, 0, -1)), np.array([[0, 0, 1.0], [3, 0, 0]]), np.array(DOWN), 0.0, 7.0)
    np.testing.assert_allclose(times, [np.inf, 5.0])
    punch = RigidCylinder((0, 0, 0), (0, 0, 1), 1.0, 0.0)
    passing = first_touch(punch, np.array([[-3.0, 0, -1], [-3, 0, 1]]), np.array([1.0, 0, 0]), 0.0, 9.0)
    np.testing.assert_allclose(passing, [2.0, np.inf])


@pytest.mark.parametrize("x", [2.0, 2.25])
def test_an_impactor_thinner_than_the_faces_it_meets_is_doubted_or_refused(x):
    """0.5 mm faces, 0.707 mm across: nodes under 0.2 mm are chance; 0.72 mm meets at least one, anywhere."""
    told = r"0\.2 mm across .* 0\.7071 mm apart .* at most 0\.141 mm"
    with pytest.raises(InputError, match=told):
        plate(RigidCylinder((x, x, 1), (0, 0, -1), 0.1, 0.2))
    with pytest.warns(StartWarning, match=r"0\.4 mm across .* 0\.7071 mm apart .* at most 0\.283 mm") as said:
        run = plate(RigidCylinder((x, x, 1), (0, 0, -1), 0.2, 0.2))
    assert run.doubts == [str(said[0].message)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plate(RigidCylinder((x, x, 1), (0, 0, -1), 0.36, 0.2)).run(0.1)
        plate(RigidCylinder((9, 9, 1), (0, 0, -1), 0.1, 0.2))  # meets nothing


def test_ten_node_tetrahedra_are_met_at_the_middles_of_their_edges_too():
    for radius, fine in ((0.17, False), (0.4, True)):
        body = box((2, 2, 1), (4, 4, 2), "tetrahedron")
        punch = RigidCylinder((1, 1, 1), (0, 0, -1), radius, 0.2)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            Simulation(body, NeoHooke(), "tet10", [punch])
        assert bool(said) is not fine


def test_velocities_in_metres_per_second_are_refused():
    with pytest.raises(InputError, match=r"200 mm/us \(2e\+05 m/s\) is 70\.\d times .* 200 m/s is 0\.2"):
        block(initial_velocity=(0, 0, -200))
    with pytest.raises(InputError, match="velocities are mm/us"):
        block(obstacles=[RigidPlane(velocity=(0, 0, 200))], initial_velocity=(0, 0, 0))
    with pytest.warns(StartWarning, match=r"a speed of 5 mm/us \(5000 m/s\) is 1\.75 times"):
        block(initial_velocity=(0, 0, -5))


def test_a_mesh_in_metres_or_micrometres_is_doubted_and_a_long_run_of_it_refused():
    with pytest.warns(StartWarning, match=r"0\.002 mm long, .* in metres must be scaled by 1000"):
        small = block((1e-3, 1e-3, 2e-3))
    with pytest.raises(InputError, match=r"1 us of a body 0\.002 mm long are some \d+ steps.* 1426 times"):
        small.run(1.0)
    assert small.step_count == 0
    small.run(1e-3)  # a real body of two micrometres is hit like any other
    assert small.touched
    with pytest.warns(StartWarning, match="the run ends at 1 us, a fraction of its first step"):
        block((1000, 1000, 2000)).run(1.0)
    with pytest.warns(StartWarning, match="in micrometres must be scaled by 0"):
        block((1e4, 1e4, 2e4))


def test_moduli_in_megapascal_are_doubted():
    with pytest.warns(StartWarning, match=r"elastic waves run at .* moduli are GPa"):
        block(law=J2(210e3, 0.3, 400.0, 100.0, 7.85))


def two_boxes(path, gap):
    """A box of 8 cells and, ``gap`` beside it, one of a single cell; they share no node even at zero."""
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.option.setNumber("Geometry.AutoCoherence", 0)  # nodes at one place stay two
        for x, cells in ((0.0, 2), (1.0 + gap, 1)):
            corners = [gmsh.model.geo.addPoint(x + a, b, 0) for a, b in ((0, 0), (1, 0), (1, 1), (0, 1))]
            lines = [gmsh.model.geo.addLine(corners[k], corners[(k + 1) % 4]) for k in range(4)]
            for line in lines:
                gmsh.model.geo.mesh.setTransfiniteCurve(line, cells + 1)
            face = gmsh.model.geo.addPlaneSurface([gmsh.model.geo.addCurveLoop(lines)])
            gmsh.model.geo.mesh.setTransfiniteSurface(face)
            gmsh.model.geo.mesh.setRecombine(2, face)
            gmsh.model.geo.extrude([(2, face)], 0, 0, 1, numElements=[cells], recombine=True)
        gmsh.model.geo.synchronize()
        gmsh.model.addPhysicalGroup(3, [1, 2], name="body")
        gmsh.model.addPhysicalGroup(2, [1], name="foot")
        gmsh.model.mesh.generate(3)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    return path


@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_a_loose_part_is_refused_with_its_place(tmp_path, gap):
    body = load(two_boxes(tmp_path / "two.msh", gap), comm=MPI.COMM_SELF)
    place = rf"\({1.5 + gap:g}, 0\.5, 0\.5\) mm is loose from the other 8"
    with pytest.raises(InputError, match=rf"in 2 pieces .* one of 1 cell\(s\) about {place}"):
        Simulation(body, NeoHooke(), obstacles=[RigidPlane()], initial_velocity=DOWN)


def test_a_run_ends_past_its_energy_error_and_says_why():
    """A wall driven into the body behind the check of the start pushes nodes out: energy from nowhere."""

    def spoiled(**options):
        run = block(law=J2(), **options)
        run.obstacles[0].point[2] = 0.3
        return run

    rows = []
    with pytest.raises(ConvergenceError, match=r"energy error of \+\d.* t = .* us, step 1, .* 5 %.* gained"):
        spoiled().run(1.0, [lambda run: rows.append(run.step_count)], every=1)
    assert rows == [0, 1]  # the observers have had the step that went wrong
    with pytest.raises(ConvergenceError, match="max_energy_error"):
        spoiled(max_energy_error=20.0).run(1.0)
    with pytest.raises(InputError, match="max_energy_error = -1"):
        block(max_energy_error=-1.0)


def test_without_a_limit_the_balance_is_off_by_what_contact_has_given():
    run = block(max_energy_error=0.0, courant=0.3)
    run.obstacles[0].point[2] = 0.02
    step = run.dt
    run._next_step = lambda: step  # no other error with a constant step
    for _ in range(20):
        run.step()
    assert run.energy.gained > 0.01 * run.initial_energy
    assert run.energy.contact >= 0.0
    assert run.energy.error == pytest.approx(run.energy.gained / run.initial_energy, rel=1e-3)


def test_energy_that_comes_to_a_body_at_rest_is_an_error():
    rest = block(initial_velocity=(0, 0, 0), max_energy_error=5.0)
    rest.obstacles[0].point[2] = 1e-4
    with pytest.raises(ConvergenceError, match=r"put in 0 J"):
        rest.run(1.0)


def test_a_step_too_long_ends_the_run():
    bar = block(initial_velocity=(0, 0, -1e-3))

    def lengthen():
        while True:
            bar.dt *= 1.6 / 0.9
            bar.step()

    with pytest.raises(ConvergenceError, match=r"energy error of .* smaller courant"):
        lengthen()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial_velocity": (0.0, -0.2)}, r"initial velocity has shape \(2,\), expected \(3,\)"),
        ({"initial_velocity": lambda x: x[0]}, r"initial velocity has shape \(45,\), expected"),
        (
            {"initial_velocity": lambda x: np.nan * x},
            r"initial velocity = \[nan nan nan\] mm/us, expected fin",
        ),
        ({"obstacles": RigidPlane()}, r"obstacles = <.*, expected a list, each an obstacle"),
        ({"law": "j2"}, r"law = 'j2', expected a law, as make_law"),
    ],
)
def test_an_argument_of_another_kind_is_refused(options, message):
    with pytest.raises(InputError, match=message) as error:
        block(**options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("end_time", [0.0, -1.0, np.nan])
def test_a_run_that_cannot_end_is_refused(end_time):
    run = block()
    with pytest.raises(InputError, match=f"end-time = {end_time} us, expected"):
        run.run(end_time)
    assert run.step_count == 0


@pytest.mark.filterwarnings("ignore:(elastic waves run at|a speed of)")
def test_a_density_that_no_solid_has_is_doubted():
    message = r"density is 7850 g/cm\^3, expected 0\.01 to 50: .* 7850 kg/m\^3 is 7\.85"
    with pytest.warns(StartWarning, match=message):
        block(law=J2(density=7850.0))


def turned_quarter(path, degrees):
    """A quarter cylinder about z, turned: tetrahedra with the groups symmetry_x, symmetry_y and foot."""
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    gmsh.model.occ.addCylinder(0, 0, 0, 0, 0, 1, 0.5, angle=np.pi / 2)
    gmsh.model.occ.rotate([(3, 1)], 0, 0, 0, 0, 0, 1, np.radians(degrees))
    gmsh.model.occ.synchronize()
    angles = {degrees: "symmetry_y", degrees + 90: "symmetry_x"}
    for _, face in gmsh.model.getEntities(2):
        x, y, z = gmsh.model.occ.getCenterOfMass(2, face)
        name = "foot" if z < 1e-6 else angles.get(round(np.degrees(np.arctan2(y, x))), "") if z < 0.9 else ""
        if name:
            gmsh.model.addPhysicalGroup(2, [face], name=name)
    gmsh.model.addPhysicalGroup(3, [1], name="body")
    gmsh.option.setNumber("Mesh.MeshSizeMax", 0.3)
    gmsh.model.mesh.generate(3)
    gmsh.write(str(path))
    gmsh.finalize()
    return load(path, ["foot", "symmetry_x", "symmetry_y"])


def test_a_plane_of_symmetry_that_is_turned_is_refused(tmp_path):
    supports = {"symmetry_x": 0, "symmetry_y": 1}
    for degrees in (0, 20):
        body = turned_quarter(tmp_path / f"{degrees}.msh", degrees)
        if degrees == 0:
            Simulation(body, NeoHooke(), "tet10", [RigidPlane()], supports, DOWN).run(0.05)
            continue
        with pytest.raises(
            InputError, match=r"symmetry_x is held along x and reaches from x = -0\.171 to 0 mm"
        ):
            Simulation(body, NeoHooke(), "tet10", [RigidPlane()], supports, DOWN)


@pytest.mark.parametrize("every", [0, -3, 1.5])
def test_outputs_need_a_number_of_steps(every):
    with pytest.raises(InputError, match=f"every = {every}, expected"):
        block().run(0.1, every=every)


def test_a_node_that_a_support_holds_against_an_obstacle_is_said_to_be():
    run = block((1.0, 1.0, 1.0), (2, 2, 2), [RigidPlane(velocity=(0, 0, 0.1))], initial_velocity=(0, 0, 0),
                supports={"bottom": 2})  # fmt: skip
    with pytest.raises(DeformationError, match=r"inside the obstacle plane.*a support holds it there"):
        run.run(1.0)


def test_a_run_of_slivers_is_refused_and_one_of_very_many_steps_is_doubted():
    flat = block((1.0, 1.0, 1e-3), (1, 1, 2), initial_velocity=(0, 0, -0.1))
    with pytest.raises(
        InputError,
        match=r"cell \d at \(0\.5, 0\.5, .*\) mm is about 0\.0005\d* mm thin and 1\.41 mm long, .* steps",
    ):
        flat.run(1.0)
    assert flat.step_count == 0
    slow = block(courant=1e-3)  # many steps, but no sliver
    slow.step = lambda: setattr(slow, "time", slow._step_size.end_time)
    with pytest.warns(StartWarning, match=r"the run will take some [5-9]\.\d+e\+05 steps to 100 us"):
        slow.run(100.0)
