"""Spheres and fibres in a periodic cell: their volume, seeds, periods, and that they do not overlap."""

import numpy as np
import pytest
from scipy.ndimage import label

from microscale.errors import InputError
from microscale.unit_cell.inclusions import GAP, Inclusions, fibres, spheres


def bodies(voxels: np.ndarray) -> int:
    """Connected bodies in a periodic cell: those of 3 x 3 x 3 cells that have a voxel in the middle one, by
    the voxels they share there."""
    tiled, _ = label(np.tile(voxels, (3,) * voxels.ndim))
    parent: dict[int, int] = {}

    def root(k: int) -> int:
        while parent.setdefault(k, k) != k:
            k = parent[k]
        return k

    n = voxels.shape
    middle = tiled[tuple(slice(m, 2 * m) for m in n)]
    for shift in np.ndindex((3,) * voxels.ndim):
        image = tiled[tuple(slice(s * m, (s + 1) * m) for s, m in zip(shift, n, strict=True))]
        for a, b in np.unique(np.stack([middle[voxels > 0], image[voxels > 0]]), axis=1).T:
            parent[root(int(a))] = root(int(b))
    return len({root(int(k)) for k in np.unique(middle[voxels > 0])})


@pytest.mark.parametrize(
    ("made", "shape"),
    [
        (spheres(0.2, 5, 1), (20, 20, 20)),
        (spheres(0.2, 5, 1, overlapping=True), (20, 20, 20)),
        (spheres(0.3, 4, 2, dimension=2), (40, 40)),
        (fibres(0.3, 4, 3, axis=2), (24, 8, 24)),
        (fibres(0.1, 6, 4, length=0.4), (20, 20, 20)),
        (fibres(0.1, 4, 5, axis=1, length=0.5), (20, 20, 20)),
    ],
)
def test_voxels_have_the_fraction_to_half_a_voxel(made, shape):
    voxels = made.voxels(shape)
    assert voxels.shape == shape
    assert set(np.unique(voxels)) == {0, 1}
    assert abs(voxels.mean() - made.fraction) <= 0.5 / np.prod([n for n in shape if n != 8]) + 1e-12


def test_a_sphere_is_what_is_near_enough_to_its_centre():
    made = spheres(0.1, 1, 3)
    voxels = made.voxels((16, 16, 16))
    middles = np.stack(np.meshgrid(*[(np.arange(16) + 0.5) / 16] * 3, indexing="ij"), axis=-1)
    gap = np.abs(middles - made.centres[0])
    distance = np.linalg.norm(np.minimum(gap, 1.0 - gap), axis=-1)
    assert distance[voxels == 1].max() <= distance[voxels == 0].min()
    assert distance[voxels == 1].max() == pytest.approx((0.3 / 4 / np.pi) ** (1 / 3), rel=0.05)


@pytest.mark.parametrize(("fraction", "count"), [(0.15, 6), (0.4, 16)])
def test_spheres_keep_a_distance_across_the_faces_too(fraction, count):
    made = spheres(fraction, count, 7)
    radius = (0.75 * fraction / count / np.pi) ** (1 / 3)
    gap = made.centres[:, None] - made.centres[None]
    distance = np.linalg.norm(gap - np.round(gap), axis=-1) + np.eye(count)
    assert distance.min() >= 2.0 * GAP * radius * (1.0 - 1e-12)


def test_spheres_far_apart_are_bodies_of_their_own():
    assert bodies(spheres(0.03, 5, 7).voxels((30, 30, 30))) == 5


@pytest.mark.parametrize(("fraction", "axis"), [(0.06, None), (0.15, 1)])
def test_short_fibres_do_not_touch(fraction, axis):
    """By points along their axes, in all images; the radius solves pi r^2 (length + 4 r / 3) = volume."""
    count, length = 6, 0.4
    made = fibres(fraction, count, 2, axis=axis, length=length)
    radii = np.linspace(0.0, 0.3, 100_001)
    radius = radii[np.searchsorted(np.pi * radii**2 * (length + 4.0 / 3.0 * radii), fraction / count)]
    along = np.linspace(-0.5, 0.5, 41)[:, None] * length
    points = made.centres[:, None] + along * made.directions[:, None]
    nearest = np.inf
    for a in range(count):
        for b in range(a):
            gap = points[a][:, None] - points[b][None]
            nearest = min(nearest, np.linalg.norm(gap - np.round(gap), axis=-1).min())
    assert nearest >= 2.0 * GAP * radius * (1.0 - 1e-4)


def test_overlapping_ones_may():
    assert bodies(spheres(0.3, 12, 7, overlapping=True).voxels((24, 24, 24))) < 12


def test_fibres_go_through_along_their_axis():
    voxels = fibres(0.3, 3, 1, axis=2).voxels((12, 6, 12))
    np.testing.assert_array_equal(voxels, np.broadcast_to(voxels[:, :1], voxels.shape))
    assert bodies(fibres(0.05, 3, 1, axis=2).voxels((40, 1, 40))[:, 0]) == 3


def test_short_fibres_are_longer_along_their_axis():
    voxels = fibres(0.02, 1, 1, axis=3, length=0.5).voxels((24, 24, 24))
    extent = [
        np.ptp(np.flatnonzero(np.roll(voxels, 6 * k, axis).any(axis=tuple({0, 1, 2} - {axis}))))
        for axis in (0, 1, 2)
        for k in range(4)
    ]
    smallest = np.array(extent).reshape(3, 4).min(axis=1)
    assert smallest[2] > 1.5 * smallest[:2].max()


def test_seeds_make_other_places_and_the_same_ones_again():
    a, b, c = (spheres(0.2, 5, seed).voxels((12, 12, 12)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_another_resolution_shows_the_same_spheres():
    made = spheres(0.2, 4, 0)
    coarse, other = made.voxels((10, 10, 10)), spheres(0.2, 4, 1).voxels((10, 10, 10))
    fine = made.voxels((40, 40, 40)).reshape(10, 4, 10, 4, 10, 4).mean(axis=(1, 3, 5))
    assert np.abs(fine - coarse).mean() < 0.08 < 0.2 < np.abs(fine - other).mean()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: spheres(0.7, 10), "no place was found"),
        (lambda: spheres(0.0, 1), "fraction"),
        (lambda: spheres(0.2, 1, dimension=4), "dimension = 4"),
        (lambda: fibres(0.2, 3), "need an axis"),
        (lambda: fibres(0.2, 3, length=2.0), "length = 2"),
        (lambda: spheres(0.001, 1).voxels((4, 4, 4)), "finer resolution"),
        (lambda: spheres(0.1, 1).voxels((4, 4)), "expected 3 numbers"),
    ],
)
def test_what_cannot_be_made_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        wrong()


def test_inclusions_of_one_direction_see_their_images():
    """A fibre that sticks out of the cell comes in on the other side."""
    made = Inclusions(np.array([[0.5, 0.5, 0.95]]), np.array([[0.0, 0.0, 1.0]]), 0.4, 0.02)
    along = made.voxels((20, 20, 20)).any(axis=(0, 1))
    assert along[0]
    assert along[-1]
    assert not along[8]
