"""A law's hash follows its parameters, and inputs survive JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from microscale.crystals.orientations import random_orientations
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.errors import InputError
from multiscale.cli import generate
from multiscale.laws import make_law
from multiscale.laws.j2 import J2
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.results.provenance import identity, plain, provenance
from multiscale.run.data_origin import recorded_law


@pytest.mark.parametrize(
    ("one", "same", "other"),
    [
        (NeoHooke(), NeoHooke(), NeoHooke(shear_modulus=25.1)),
        (J2(), J2(), J2(density=1.738)),
        (
            TaylorPolycrystal(random_orientations(4, seed=1)),
            TaylorPolycrystal(random_orientations(4, seed=1), threads=1),
            TaylorPolycrystal(random_orientations(4, seed=2)),
        ),
    ],
)
def test_hash_is_that_of_the_parameters(one, same, other):
    assert identity(one) == identity(same)
    assert identity(one)["hash"] != identity(other)["hash"]
    assert identity(one)["name"] == one.name


def test_laws_of_different_kind_differ():
    assert identity(NeoHooke())["hash"] != identity(J2())["hash"]


def test_inputs_are_kept_as_json():
    inputs = {"output": Path("a/b"), "velocity": np.float64(200.0), "layers": (1, 2), "mesh": None}
    kept = json.loads(provenance(inputs)["inputs"])
    assert kept == {"output": "a/b", "velocity": 200.0, "layers": [1, 2], "mesh": None} == plain(inputs)
    assert "numpy" in json.loads(provenance(inputs)["versions"])


def test_the_law_of_a_data_set_is_made_again(tmp_path):
    file = tmp_path / "small.h5"
    generate(out=file, paths=2, steps=4, grains=3, texture_seed=5)
    law = recorded_law(file)
    assert identity(law) == identity(make_law("taylor", grains=3, seed=5))
    generate(out=tmp_path / "plain.h5", paths=2, steps=4, law="j2")
    with pytest.raises(InputError, match="law 'j2' is not driven again"):
        recorded_law(tmp_path / "plain.h5")
