"""Sections and shapes of bodies whose deformation is known."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from microscale.errors import InputError
from multiscale.dynamics.contact import RigidCylinder, RigidPlane
from multiscale.results import vtkhdf
from multiscale.results.axial_section import axial_section
from multiscale.results.dimensions import bar_shape, extremes
from multiscale.results.pictures import draw_obstacles, draw_sections, nearest_steps
from multiscale.results.vtkhdf import Results

HEIGHT, HALF = 5.0, 0.5


def block(quarter, n=4, layers=10):
    """Points and VTK hexahedra of a square bar about the z axis, or of its quarter x, y >= 0."""
    across = np.linspace(0.0 if quarter else -HALF, HALF, n + 1)
    z, y, x = np.meshgrid(np.linspace(0.0, HEIGHT, layers + 1), across, across, indexing="ij")
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    number = np.arange(len(points)).reshape(x.shape)
    corners = [number[:-1, :-1, :-1], number[:-1, :-1, 1:], number[:-1, 1:, 1:], number[:-1, 1:, :-1]]
    corners += [number[1:, :-1, :-1], number[1:, :-1, 1:], number[1:, 1:, 1:], number[1:, 1:, :-1]]
    return points, np.stack([corner.ravel() for corner in corners], axis=1)


def squeeze(points, time):
    """A bar that is pressed at constant volume: u = (a x, a y, -b z)."""
    b = 0.2 * time
    a = 1.0 / np.sqrt(1.0 - b) - 1.0
    return points * (a, a, -b)


#: As a run says it: the outline of a plane.
WALL = {"outline_mm": RigidPlane().outline(HEIGHT).tolist(), "velocity_mm_per_us": [0.0, 0.0]}


@pytest.fixture(params=[True, False], ids=["quarter", "full"])
def path(request, tmp_path):
    path = tmp_path / "bar.vtkhdf"
    points, cells = block(request.param)
    steps = [step(points, cells, time) for time in np.linspace(0.0, 1.0, 6)]
    vtkhdf.create(path, points, cells, 12, {"obstacles": json.dumps([WALL])}, steps[0])
    vtkhdf.append(path, steps)
    return path


def step(points, cells, time):
    height = points[cells].mean(axis=1)[:, 2]
    values = {"von_mises_GPa": 0.5 * height, "e_d": 0.0 * height, "e_v": time - height / HEIGHT}
    return vtkhdf.Step(time, {"displacement_mm": squeeze(points, time)}, values)


def area(triangles):
    (ax, az), (bx, bz) = (triangles[:, 1] - triangles[:, 0]).T, (triangles[:, 2] - triangles[:, 0]).T
    return 0.5 * np.abs(ax * bz - az * bx).sum()


def test_section_has_the_area_and_outline_of_the_deformed_bar(path):
    section = axial_section(Results(path), -1, ["von_mises_GPa"])
    length, width = 0.8 * HEIGHT, 2.0 * HALF / np.sqrt(0.8)
    assert area(section.deformed[section.triangles]) == pytest.approx(length * width, rel=1e-6)
    edges = section.outline()
    around = np.linalg.norm(edges[:, 1] - edges[:, 0], axis=1).sum()
    assert around == pytest.approx(2.0 * (length + width), rel=1e-6)


def test_section_keeps_a_linear_field_away_from_the_ends(path):
    section = axial_section(Results(path), -1, ["von_mises_GPa"])
    z = section.reference[:, 1]
    inner = (z > 0.6) & (z < HEIGHT - 0.6)
    assert inner.sum() > 20
    np.testing.assert_allclose(section.values["von_mises_GPa"][inner], 0.5 * z[inner], atol=1e-5)


def test_bar_shape_is_that_of_the_deformation(path):
    shape = bar_shape(Results(path))
    assert shape["final_length_mm"] == pytest.approx(0.8 * HEIGHT, rel=1e-12)
    assert shape["foot_radius_mm"] == pytest.approx(np.sqrt(2.0) * HALF / np.sqrt(0.8), rel=1e-12)
    assert extremes(Results(path))["max_von_mises_GPa"] == pytest.approx(0.5 * 4.75)


def test_picture_is_small_and_not_empty(path, tmp_path):
    picture = tmp_path / "section.png"
    draw_sections(path, picture)
    assert picture.stat().st_size < 300_000
    pixels = imread(picture)
    assert pixels.shape[1] > 1500
    assert np.ptp(pixels[..., :3].reshape(-1, 3), axis=0).min() > 0.5


@pytest.mark.parametrize(
    ("obstacle", "x", "z"),
    [
        (RigidPlane((0.0, 0.0, -0.2)), (-50.0, 50.0), (-0.35, -0.2)),
        (RigidPlane((0.0, 3.0, 0.0), (0.0, 0.6, 0.8)), (-50.0, 50.0), (2.25 - 0.15, 2.25)),
        (RigidPlane((0.7, 0.0, 0.0), (-1.0, 0.0, 0.0)), (0.7, 0.85), (-50.0, 50.0)),
        (RigidCylinder((0.5, 0.3, 1.0), (0.0, 0.0, -1.0), 0.5, 0.2), (0.1, 0.9), (1.0, 1.15)),
    ],
)
def test_an_obstacle_gives_its_outline_in_the_section(obstacle, x, z):
    outline = obstacle.outline(HEIGHT)
    assert (outline[:, 0].min(), outline[:, 0].max()) == pytest.approx(x)
    assert (outline[:, 1].min(), outline[:, 1].max()) == pytest.approx(z)


def test_an_obstacle_beside_the_section_has_no_outline():
    assert RigidPlane((0.0, 1.0, 0.0), (0.0, 1.0, 0.0)).outline(HEIGHT) is None
    assert RigidCylinder((0.0, 2.0, 1.0), (0.0, 0.0, -1.0), 0.5, 0.2).outline(HEIGHT) is None


def test_the_wall_is_drawn_where_it_is(path):
    """A wall that moves away from the body is seen below it, with the gap between."""
    wall = {**WALL, "velocity_mm_per_us": [0.0, -1.0]}
    results = Results(path)
    results.attributes["obstacles"] = json.dumps([wall])
    body = np.array([[-0.5, 0.0], [0.5, 5.0]])
    drawn = draw_obstacles(Figure().subplots(), results, 2.0, body, np.zeros(2))
    assert drawn[:, 1].max() == pytest.approx(-2.0)
    assert drawn[:, 1].min() == pytest.approx(-2.15)
    results.attributes["obstacles"] = '[{"outline_mm": [[0.0, 1.0]], "velocity_mm_per_us": [0.0]}]'
    with pytest.raises(InputError, match=r"obstacles in .*outline_mm"):
        draw_obstacles(Figure().subplots(), results, 2.0, body, np.zeros(2))


def test_times_are_the_nearest_steps_once(path):
    results = Results(path)
    assert nearest_steps(results, None) == [1, 2, 3, 4, 5]
    assert nearest_steps(results, [0.21, 0.19, 7.0]) == [1, 5]


def test_file_without_steps_has_no_picture(tmp_path):
    path = tmp_path / "empty.vtkhdf"
    vtkhdf.create(path, *block(True), 12, {}, step(*block(True), 0.0))
    with pytest.raises(InputError, match="no step yet"):
        draw_sections(path, tmp_path / "section.png")
