"""Grains fill the periodic cell as Voronoi cells do, whatever the grid."""

import numpy as np
import pytest

from microscale.crystals.orientations import planar_orientations, random_orientations
from microscale.errors import InputError
from microscale.unit_cell.microstructure import periodic_voronoi


@pytest.mark.parametrize("shape", [(24, 20), (10, 12, 9)])
def test_every_voxel_belongs_to_the_nearest_centre_of_any_image(shape):
    m = periodic_voronoi(8, shape, seed=3)
    centres = np.random.default_rng(3).random((8, len(shape)))
    middles = np.stack(np.meshgrid(*[(np.arange(n) + 0.5) / n for n in shape], indexing="ij"), axis=-1)
    apart = np.abs(middles[..., None, :] - centres)
    distance = np.linalg.norm(np.minimum(apart, 1.0 - apart), axis=-1)
    np.testing.assert_array_equal(m.grain, distance.argmin(axis=-1))
    assert m.weights.sum() == pytest.approx(1.0)


def test_another_resolution_shows_the_same_grains():
    coarse, fine = periodic_voronoi(16, (32, 32)), periodic_voronoi(16, (128, 128))
    np.testing.assert_array_equal(coarse.orientations, fine.orientations)
    np.testing.assert_allclose(coarse.weights, fine.weights, atol=0.01)


def test_shifting_there_and_back_is_nothing():
    m = periodic_voronoi(5, (8, 6))
    assert not np.array_equal(m.shifted(3, 1).grain, m.grain)
    np.testing.assert_array_equal(m.shifted(3, 1).shifted(-3, -1).grain, m.grain)


def test_planar_orientations_turn_about_the_third_axis_uniformly():
    Q = planar_orientations(4000, seed=1)
    np.testing.assert_allclose(Q @ [0.0, 0.0, 1.0], np.broadcast_to([0.0, 0.0, 1.0], (4000, 3)), atol=1e-15)
    angle = np.arctan2(Q[:, 1, 0], Q[:, 0, 0])
    assert np.abs(np.exp(1j * angle).mean()) < 0.05
    assert np.abs(np.exp(4j * angle).mean()) < 0.05


def test_random_orientations_are_those_of_the_seed():
    np.testing.assert_array_equal(random_orientations(3, 7), random_orientations(3, 7))


@pytest.mark.parametrize(("grains", "shape"), [(0, (8, 8)), (4, (8,)), (4, (8, 0))])
def test_numbers_without_meaning_are_refused(grains, shape):
    with pytest.raises(InputError, match="expected"):
        periodic_voronoi(grains, shape)


def test_cut_voxels_show_the_same_grains_to_the_voxel():
    m = periodic_voronoi(5, (4, 3, 2), seed=1)
    fine = m.refined(3)
    assert fine.shape == (12, 9, 6)
    np.testing.assert_array_equal(fine.grain[1::3, 1::3, 1::3], m.grain)
    np.testing.assert_array_equal(fine.grain[::3, 2::3, ::3], m.grain)
    np.testing.assert_allclose(fine.weights, m.weights, atol=1e-15)
    np.testing.assert_array_equal(fine.orientations, m.orientations)
