"""A bar of the user's: foot, axis and planes where they belong, or refused; figures about its own axis."""

from types import SimpleNamespace

import numpy as np
import pytest

from meshes.box import box
from meshes.cylinder import cylinder
from microscale.errors import InputError
from multiscale.results.dimensions import bar_shape
from multiscale.run.bar import foot_of_bar

PLANES = {"symmetry_x": 0, "symmetry_y": 1}


def bar(model="full", shift=(0.0, 0.0, 0.0)):
    body = cylinder(2.0, 1.0, 60, model)
    body.mesh.geometry.x[:] += shift
    return body


def test_bars_with_foot_and_axis_in_place_are_taken():
    assert foot_of_bar(bar(), {}, place=False) == 0.0
    assert foot_of_bar(bar("quarter"), PLANES, place=False) == 0.0
    assert foot_of_bar(cylinder(2.0, 1.0, 60, cell="tetrahedron"), {}, place=False) == 0.0


@pytest.mark.parametrize(
    ("body", "planes", "message"),
    [
        (bar(shift=(10.6, 0, 0)), {}, r"axis of the bar is at x = 10\.6, y = 0 mm, expected 0, 0"),
        (bar(shift=(0.5, 0.5, 0)), {}, r"axis of the bar is at x = 0\.5, y = 0\.5 mm"),
        (bar("quarter"), {}, "give --model quarter"),
        (
            bar("quarter", (5, 0, 0)),
            PLANES,
            r"symmetry_x reaches from x = 5 to 5 mm, expected the plane",
        ),
        (bar("quarter", (0, -1, 0)), PLANES, r"symmetry_y reaches from y = -1 to -1 mm"),
        (bar("quarter"), {"symmetry_x": 1, "symmetry_y": 0}, r"symmetry_x reaches from y = 0 to 0\.5 mm"),
        (bar(shift=(0, 0, -0.2)), {}, r"the foot of the bar is at z = -0\.2 mm, expected 0.* --place"),
        (bar(shift=(0, 0, 0.3)), {}, r"the foot of the bar is at z = 0\.3 mm"),
    ],
)
def test_bars_elsewhere_are_refused(body, planes, message):
    with pytest.raises(InputError, match=message):
        foot_of_bar(body, planes, place=False)


@pytest.mark.parametrize(("group", "lowest", "middle"), [("top", "2", "2"), ("side", "0", "1")])
def test_a_foot_that_is_not_the_lower_end_is_refused(group, lowest, middle):
    body = bar()
    body.local_facets["foot"] = body.local_facets[group]
    with pytest.raises(InputError, match=rf"lowest node at z = {lowest} mm and its middle at {middle}, "):
        foot_of_bar(body, {}, place=False)


def test_a_wall_is_placed_under_the_foot():
    assert foot_of_bar(bar(shift=(0, 0, -0.2)), {}, place=True) == pytest.approx(-0.2)
    assert foot_of_bar(bar(shift=(0, 0, 7.0)), {}, place=True) == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("body", "shift"),
    [
        (bar(), (0.0, 0.0, 0.0)),
        (bar(shift=(10.6, -3.0, 0.5)), (10.6, -3.0, 0.5)),
        (bar(shift=(0.5, 0.5, 0.0)), (0.5, 0.5, 0.0)),  # touches both planes
        (bar("quarter"), (0.0, 0.0, 0.0)),
    ],
)
def test_the_radius_of_the_foot_is_about_the_bars_own_axis(body, shift):
    points = body.mesh.geometry.x.copy()
    growth = 0.2 * (points - shift) * (points[:, 2:] - shift[2] < 0.1)  # the foot swells by a fifth
    growth[:, 2] = 0.0
    results = SimpleNamespace(points=points, field=lambda name, step: growth)
    assert bar_shape(results)["foot_radius_mm"] == pytest.approx(0.6, rel=1e-6)
    assert bar_shape(results)["final_length_mm"] == pytest.approx(2.0)


def test_a_half_model_has_its_axis_in_its_plane():
    points = box((1, 2, 3), (2, 4, 3)).mesh.geometry.x - (0.0, 1.0, 0.0)
    results = SimpleNamespace(points=points, field=lambda name, step: np.zeros_like(points))
    assert bar_shape(results)["foot_radius_mm"] == pytest.approx(2.0**0.5)
