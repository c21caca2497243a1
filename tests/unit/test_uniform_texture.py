"""Evenly spread orientations: the crystal's symmetry counts, and few grains make an isotropic polycrystal."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.spatial.transform import Rotation

from microscale import TaylorPolycrystal, drive, random_orientations
from microscale.crystals.crystal import read_crystal
from microscale.crystals.uniform_texture import _energy, _right_products, point_group, uniform_orientations
from microscale.data.dataset import read_provenance
from microscale.errors import InputError
from microscale.tensors import von_mises
from microscale.unit_cell.microstructure import periodic_voronoi
from multiscale.cli import generate
from multiscale.laws import make_law
from multiscale.run.data_origin import recorded_law

MAGNESIUM = read_crystal()
TURNS = _right_products(point_group(MAGNESIUM).as_quat())


def energy(orientations):
    return _energy(Rotation.from_matrix(orientations).as_quat().ravel(), TURNS)[0]


def test_point_groups_are_those_of_the_lattices():
    assert len(point_group(MAGNESIUM)) == 12
    assert len(point_group(read_crystal(Path("demos/copper.yaml")))) == 24


@pytest.mark.parametrize("crystal", [MAGNESIUM, read_crystal(Path("demos/copper.yaml"))], ids=["Mg", "Cu"])
def test_the_response_has_the_symmetry_of_the_point_group(crystal):
    Q = random_orientations(1, 3)
    turned = Q @ point_group(crystal).as_matrix()
    F = np.eye(3) + np.linspace(0.0, 0.02, 11)[:, None, None] * np.diag([1.0, -0.4, -0.5])
    times = np.linspace(0.0, 1.0, 11)
    stresses = [drive(TaylorPolycrystal(q[None], crystal=crystal), F[None], times) for q in turned]
    other = drive(
        TaylorPolycrystal(Q @ Rotation.from_euler("z", 0.3).as_matrix(), crystal=crystal), F[None], times
    )
    for stress in stresses:  # equal to the tolerance of the step's solution: systems come in another order
        np.testing.assert_allclose(stress, stresses[0], atol=1e-6)
    assert np.abs(other - stresses[0]).max() > 1e-3


@given(seed=st.integers(0, 2**32 - 1))
def test_equivalent_orientations_have_one_energy_and_the_slope_is_its_derivative(seed):
    generator = np.random.default_rng(seed)
    Q = random_orientations(4, generator)
    group = point_group(MAGNESIUM).as_matrix()
    equivalent = Rotation.random(rng=generator).as_matrix() @ Q @ group[generator.integers(12, size=4)]
    assert energy(equivalent) == pytest.approx(energy(Q), rel=1e-9)
    q = generator.normal(size=16)
    slope = np.linalg.norm(_energy(q, TURNS)[1])
    assert check_grad(lambda x: _energy(x, TURNS)[0], lambda x: _energy(x, TURNS)[1], q) < 1e-4 * (1 + slope)


def test_the_orientations_that_are_kept_are_a_minimum():
    kept = uniform_orientations(128)
    q = Rotation.from_matrix(kept).as_quat().ravel()
    least, slope = _energy(q, TURNS)
    assert np.linalg.norm(slope) < 0.01 * np.linalg.norm(_energy(q + 0.01, TURNS)[1])
    generator = np.random.default_rng(1)
    for _ in range(5):
        assert _energy(q + 1e-3 * generator.normal(size=q.size), TURNS)[0] > least
    another, random = energy(uniform_orientations(128, 1)), energy(random_orientations(128, 0))
    assert random - least > 100.0 * abs(another - least)


def test_seeds_and_numbers():
    np.testing.assert_array_equal(uniform_orientations(7, 1), uniform_orientations(7, 1))
    assert np.abs(uniform_orientations(7, 1) - uniform_orientations(7, 2)).max() > 0.1
    assert uniform_orientations(1).shape == (1, 3, 3)
    assert np.abs(uniform_orientations(128, 1) - uniform_orientations(128)).max() > 0.1
    with pytest.raises(InputError, match="grains = 0, expected at least 1"):
        uniform_orientations(0)


def test_they_make_an_isotropic_polycrystal():
    """Tension in 40 directions: random grains scatter by some per cent."""
    Q = random_orientations(40, 5)
    F = Q @ np.diag([1.03, 0.985, 0.985]) @ Q.mT
    paths = np.stack([np.eye(3) + s * (F - np.eye(3)) for s in np.linspace(0.0, 1.0, 31)], axis=1)

    def scatter(**options):
        stress = von_mises(drive(make_law("taylor", **options), paths, np.linspace(0.0, 1.0, 31))[:, -1])
        return stress.std() / stress.mean()

    assert scatter() < 0.005
    assert scatter(grains=64, seed=3) < 0.01
    assert scatter(texture="random") > 0.015


def test_a_data_set_knows_its_texture(tmp_path):
    """By default evenly spread; the grains of a cell are drawn."""
    sets: list[tuple[dict[str, Any], str, np.ndarray]] = [
        ({}, "uniform", uniform_orientations(6)),
        ({"texture": "random"}, "random", random_orientations(6)),
        ({"resolution": 4}, "random", periodic_voronoi(6, (4, 4, 4), 0).orientations),
    ]
    for number, (options, texture, orientations) in enumerate(sets):
        data = tmp_path / f"{number}.h5"
        generate(out=data, protocol="R", max_strain=0.05, paths=2, steps=5, grains=6, **options)
        assert read_provenance(data)["law"]["options"]["texture"] == texture
        np.testing.assert_array_equal(recorded_law(data).orientations, orientations)


def test_an_unknown_texture_is_refused():
    with pytest.raises(InputError, match="texture = 'rolled', expected rolled:RD,TD"):
        make_law("taylor", texture="rolled")


def test_taylor_of_a_cell_has_the_even_grains_of_the_cell():
    cell = make_law("fft3d", texture="uniform", grains=6, resolution=4, seed=2).texture
    law = make_law("taylor", texture="uniform", grains=6, resolution=4, seed=2)
    np.testing.assert_array_equal(law.orientations, cell.orientations)
    np.testing.assert_array_equal(law.weights, cell.weights)
    assert np.ptp(law.weights) > 0.0
