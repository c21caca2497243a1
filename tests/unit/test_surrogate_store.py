"""Cards of surrogates: what no training writes is refused before it reaches a kernel."""

import json

import numpy as np
import pytest

from microscale.errors import InputError
from multiscale.surrogate.pca.fit import fit_pca, read_pca
from multiscale.surrogate.recurrent.fit import fit_recurrent
from multiscale.surrogate.report import record
from multiscale.surrogate.store import (
    SHIPPED,
    Card,
    Material,
    TrainingRange,
    card_path,
    finite_array,
    read_surrogate,
    seal_card,
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


@pytest.fixture
def stored(tmp_path):
    path = tmp_path / "weights.safetensors"
    write_surrogate(path, {"bias": np.zeros(3)}, Card("recurrent", SIZES["recurrent"], MATERIAL, RANGE))
    return path


def test_a_digit_of_a_card_is_noticed_and_may_be_vouched_for(stored):
    card = card_path(stored)
    text = card.read_text()
    card.write_text(text.replace('"shear_modulus": 25.0', '"shear_modulus": 35.0'))
    with pytest.raises(
        InputError, match="was changed after it was written: its entries do not fit its check"
    ):
        read_surrogate(stored)
    seal_card(stored)
    assert read_surrogate(stored)[1].material.shear_modulus == 35.0
    entries = json.loads(text)
    del entries["card_sha256"]
    card.write_text(json.dumps(entries))
    with pytest.raises(InputError, match="was changed after it was written"):
        read_surrogate(stored)
    card.write_text(json.dumps(json.loads(text), sort_keys=True, indent=7))  # the same entries in other words
    assert read_surrogate(stored)[1].material == MATERIAL


@pytest.mark.parametrize("bit", range(0, 800, 37))
def test_no_changed_bit_of_a_card_or_weights_goes_unnoticed(stored, bit):
    card, (weights, expected) = card_path(stored), read_surrogate(stored)
    for file in (card, stored):
        content = file.read_bytes()
        damaged = bytearray(content)
        damaged[bit // 8 * 7919 % len(damaged)] ^= 1 << bit % 8
        file.write_bytes(damaged)
        try:
            found, same = read_surrogate(stored)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017
        else:  # a blank between entries
            assert same == expected
            assert np.array_equal(found["bias"], weights["bias"])
        file.write_bytes(content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": []}, r"architecture = \[\], expected keys with values"),
        (
            {"material": {"name": 5, "shear_modulus": 25.0, "lambda_e": 24.0, "density": 10.0}},
            r"material\.name = 5",
        ),
        (
            {"material": {"name": "m", "shear_modulus": 10**400, "lambda_e": 24.0, "density": 10.0}},
            r"material\.shear_modulus = 1000.*, expected a whole number of 64 bits",
        ),
        ({"materal": {}}, "materal is no known key, did you mean 'material'"),
        ({"units": "SI"}, "units = 'SI', expected 'mm, us, GPa"),
        ({"datasets": [{"duration_us": ["a", 1]}]}, r"datasets\[0\] = duration_us \['a', 1\], expected"),
        ({"datasets": {}}, r"datasets = \{\}, expected a list"),
        ({"range": None}, "range = None, expected keys with values"),
        ({"errors": {"a": float("nan")}}, r"errors\.a = nan, expected a finite number"),
    ],
)
def test_cards_of_another_kind_of_data_are_refused(stored, change, message):
    entries = json.loads(card_path(stored).read_text()) | change
    card_path(stored).write_text(json.dumps(entries))
    with pytest.raises(InputError, match=message) as error:
        read_surrogate(stored)
    assert "\n" not in str(error.value)


def test_the_shipped_card_has_its_check_sum():
    assert len(read_surrogate(SHIPPED, "recurrent")[1].card_sha256) == 64


@pytest.mark.parametrize("name", ["x.json", "x.csv", "x.png", "x.checkpoint", "x", "x.1"])
def test_weights_have_a_name_that_nothing_beside_them_has(tmp_path, name):
    with pytest.raises(InputError, match=r"expected a file whose name ends in \.safetensors"):
        fit_recurrent([], tmp_path / name, 1, 1, 1, 8, 1, 1e-3, 32, 0)
    with pytest.raises(InputError, match=r"expected a file whose name ends in \.safetensors"):
        fit_pca([], tmp_path / name, 1, 8, 1, 1e-3, 32, 0)


def test_a_number_that_is_none_is_not_written_into_a_card(stored):
    with pytest.raises(InputError, match="not finite"):
        record(stored, {"sets": {"a": float("nan")}})
    assert read_surrogate(stored)[1].errors == {}
