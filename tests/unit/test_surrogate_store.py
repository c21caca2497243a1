"""Cards of surrogates: what no training writes is refused before it reaches a kernel."""

import json

import numpy as np
import pytest

from microscale.errors import InputError
from multiscale.surrogate.pca_fit import read_pca
from multiscale.surrogate.store import (
    Card,
    Material,
    TrainingRange,
    card_path,
    finite_array,
    read_surrogate,
    write_surrogate,
)

MATERIAL, RANGE = Material("test", 25.0, 24.0, 10.0), TrainingRange(1.0, 10.0, 0.5, 2.0)
SIZES = {
    "recurrent": {"groups": 2, "tensors": 1, "scalars": 0, "hidden": 8},
    "pca": {"modes": 3, "exact_pressure": True},
}


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize(
    ("entry", "name", "value"),
    [
        ("material", "shear_modulus", "soft"),  # such a text crashed the process once
        ("material", "density", -1.0),
        ("material", "lambda_e", float("nan")),
        ("range", "strain_rate", float("inf")),
        ("architecture", "hidden", "wide"),
        ("architecture", "hidden", -8),
        (None, "kind", "gated"),
    ],
)
def test_cards_without_meaning_are_refused(tmp_path, kind, entry, name, value):
    path = tmp_path / "weights.safetensors"
    write_surrogate(path, {"bias": np.zeros(3)}, Card(kind, SIZES[kind], MATERIAL, RANGE))
    assert read_surrogate(path, kind)[1].architecture == SIZES[kind]
    entries = json.loads(card_path(path).read_text())
    (entries if entry is None else entries[entry])[name] = value
    card_path(path).write_text(json.dumps(entries))
    with pytest.raises(InputError, match=rf"{name} = '?{value}.*, expected") as error:
        read_surrogate(path)
    assert "\n" not in str(error.value)


def test_weights_that_do_not_fit_are_refused_in_one_line(tmp_path):
    path = tmp_path / "weights.safetensors"
    for sizes in (SIZES["pca"], {"depth": 4}):
        write_surrogate(path, {"0.bias": np.zeros(3)}, Card("pca", sizes, MATERIAL, RANGE))
        with pytest.raises(InputError, match="do not fit the network of their card") as error:
            read_pca(path)
        assert "\n" not in str(error.value)


def test_arrays_are_told_what_is_wrong_with_them():
    for found, message in ((np.zeros(3), "of shape"), (np.array([0.0, np.nan]), "not finite")):
        with pytest.raises(InputError, match=message):
            finite_array({"bias": found}, "bias", (2,))
    with pytest.raises(InputError, match="missing"):
        finite_array({}, "bias", (2,))
