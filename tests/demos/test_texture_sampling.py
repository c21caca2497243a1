"""The demo of texture sampling measures what it says, on a small scale."""

import json

import pytest
from texture_sampling import texture_sampling

from microscale.errors import InputError


def test_evenly_spread_grains_stand_for_the_isotropic_polycrystal(tmp_path):
    errors = texture_sampling(grains=(8, 32), reference=128, draws=2, paths=3, output=tmp_path)
    assert errors["uniform"][1] < 0.5 * errors["random"][1]
    assert errors["uniform"][1] < errors["uniform"][0]
    assert json.loads((tmp_path / "texture_sampling.json").read_text())["uniform"] == errors["uniform"]
    assert 1000 < (tmp_path / "texture_sampling.png").stat().st_size < 300_000


def test_a_reference_of_too_few_grains_is_refused(tmp_path):
    with pytest.raises(InputError, match="below the reference's 16"):
        texture_sampling(grains=(8, 16), reference=16, output=tmp_path)
