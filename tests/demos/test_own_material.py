"""A material of one's own goes all the way: from its crystal's file to data, weights and an impact."""

from pathlib import Path

import numpy as np
import pytest
from taylor_anvil import taylor_anvil

from microscale.crystals.crystal import read_crystal
from microscale.data.dataset import read_dataset
from microscale.errors import InputError
from microscale.law import drive
from microscale.tensors import von_mises
from multiscale.cli import calibrate, generate, train
from multiscale.laws import make_law
from multiscale.laws.constants_file import read_constants

COPPER = Path("demos/copper.yaml")
SMALL = {"elements": 100, "end_time": 0.2, "model": "quarter"}


@pytest.fixture(scope="module")
def copper(tmp_path_factory):
    """Data and weights of a copper polycrystal, by the commands of the README."""
    folder = tmp_path_factory.mktemp("copper")
    data, weights = folder / "copper.h5", folder / "copper.safetensors"
    generate(out=data, crystal=COPPER, grains=4, protocol="I", paths=80, steps=20)
    train(data, out=weights, epochs=1, groups=1, tensors=1, scalars=2, hidden=8)
    return data, weights


def test_copper_is_a_face_centred_cubic_crystal():
    crystal = read_crystal(COPPER)
    (family,) = crystal.families
    assert crystal.n_slip == 12
    assert crystal.n_twin == 0
    for vectors, lines in ((family.normals, 4), (family.directions, 6)):  # {111} and <110>, up to sign
        same = np.isclose(np.abs(vectors @ vectors.T), 1.0)
        assert np.linalg.matrix_rank(same.astype(float)) == lines
        assert (same.sum(axis=1) == 12 // lines).all()
    schmid = np.einsum("si,sj->sij", family.directions, family.normals)
    assert np.linalg.matrix_rank((schmid + schmid.swapaxes(1, 2)).reshape(12, 9)) == 5  # any isochoric strain


def test_a_polycrystal_of_copper_yields_as_taylor_has_it():
    """Flow begins at Taylor's factor of face-centred cubic random textures, 3.07, times the strength."""
    strain = np.linspace(0.0, 0.01, 101)
    F = np.exp(strain[:, None] * np.array([1.0, -0.5, -0.5]))[:, :, None] * np.eye(3)
    law = make_law("taylor", crystal=COPPER, grains=128)
    rate = 2.0e-9  # 1/us: some 1e-3 of slip a second for each system
    stress = von_mises(drive(law, F[None], strain / rate)[0])
    assert stress[20:40].mean() == pytest.approx(3.07 * 0.016, rel=0.05)


def test_data_know_the_crystal(copper):
    law = read_dataset(copper[0]).provenance["law"]
    assert law["crystal"]["name"] == "copper"
    assert law["options"]["rate_sensitivity"] == 0.012
    assert law["options"]["crystal"] == str(COPPER)


def test_weights_run_where_their_crystal_is_named(copper, tmp_path):
    with pytest.raises(
        InputError, match=r"stands for copper, .* expected magnesium: give other --weights, or"
    ):
        taylor_anvil(weights=copper[1], output=tmp_path, **SMALL)
    learned = taylor_anvil(weights=copper[1], crystal=COPPER, output=tmp_path / "learned", **SMALL)
    taylor = taylor_anvil(law="taylor", crystal=COPPER, grains=4, output=tmp_path / "taylor", **SMALL)
    with pytest.raises(InputError, match=r"stands for magnesium, .* expected copper"):
        taylor_anvil(crystal=COPPER, output=tmp_path, **SMALL)
    # What is exact in any surrogate, the pressure, makes the bar as long as the polycrystal does.
    assert learned["final_length_mm"] == pytest.approx(taylor["final_length_mm"], rel=1e-3)
    assert learned["law"]["hash"] != taylor["law"]["hash"]


def test_empirical_laws_are_fitted_to_it(tmp_path):
    calibrate(out=tmp_path / "j2.json", law="j2", crystal=COPPER, grains=4)
    law = make_law("j2", **read_constants(tmp_path / "j2.json", "j2"))
    assert law.density == pytest.approx(8.96)
    assert law.moduli().bulk == pytest.approx(2.0 * 69.7, rel=1e-3)
