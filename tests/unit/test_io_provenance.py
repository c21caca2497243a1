"""A law's hash follows its parameters, and inputs survive JSON."""

import json
from pathlib import Path

import numpy as np
import pytest

from microscale.microstructure import random_orientations
from microscale.taylor import TaylorPolycrystal
from multiscale.io.provenance import identity, plain, provenance
from multiscale.laws.j2 import J2
from multiscale.laws.neo_hooke import NeoHooke


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
