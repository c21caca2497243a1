"""The outline of a foot, beside ellipses that are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from microscale.errors import InputError
from multiscale.results.foot import foot_outline, outline_of, second_moments

LONG, SHORT = 0.872, 0.765


def ellipse(corners: int, angle: float = 0.0, centre: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    t = 2.0 * np.pi * np.arange(corners) / corners
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return np.column_stack([LONG * np.cos(t), SHORT * np.sin(t)]) @ [[c, s], [-s, c]] + centre


@pytest.mark.parametrize("angle", [-60.0, 0.0, 25.0, 90.0])
def test_an_ellipse_has_its_axes(angle):
    inside = 0.9 * ellipse(50, angle, (0.1, -0.2)) + 0.1 * np.array([0.1, -0.2])
    found = outline_of(np.concatenate([inside, ellipse(4000, angle, (0.1, -0.2))]))
    assert found.long == pytest.approx(LONG, rel=1e-5)
    assert found.short == pytest.approx(SHORT, rel=1e-5)
    assert found.ovality == pytest.approx(LONG / SHORT - 1.0, rel=1e-4)
    assert found.angle == pytest.approx(angle, abs=1e-6)
    assert len(found.corners) == 4000


@pytest.mark.parametrize("corners", [8, 16, 32])
def test_few_corners_do_not_change_the_ovality_of_the_area(corners):
    """A regular polygon that is stretched is stretched, whatever its corners."""
    assert outline_of(ellipse(corners, 33.0)).ovality_of_area == pytest.approx(LONG / SHORT - 1.0, rel=1e-12)


def test_moments_of_an_ellipse_and_a_rectangle():
    np.testing.assert_allclose(
        second_moments(ellipse(20_000)), np.diag([LONG, SHORT]) ** 2 / 4.0, rtol=1e-7, atol=1e-12
    )
    rectangle = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 2.0], [0.0, 2.0]])
    np.testing.assert_allclose(second_moments(rectangle), np.diag([9.0, 4.0]) / 12.0, rtol=1e-14, atol=1e-14)


def test_the_foot_is_the_lower_end_as_it_is_now():
    """Other nodes may be wider: only those of the lower face count, where they have gone."""
    rim, height = ellipse(64), np.repeat([1.0, 1.5, 2.0], 64)
    points = np.column_stack([np.tile(rim / 2.0, (3, 1)), height])
    displacement = np.zeros_like(points)
    displacement[:64, :2] = rim / 2.0
    displacement[128:, :2] = 5.0 * rim
    results = SimpleNamespace(points=points, field=lambda name, step: displacement)
    found = foot_outline(results)
    assert found.long == pytest.approx(LONG, rel=1e-12)
    assert found.short == pytest.approx(SHORT, rel=1e-12)


@pytest.mark.parametrize("points", [np.zeros((2, 2)), np.column_stack([np.arange(5.0), np.arange(5.0)])])
def test_what_has_no_area_is_refused(points):
    with pytest.raises(InputError, match=f"{len(points)} points of a foot, expected three or more"):
        outline_of(points)
