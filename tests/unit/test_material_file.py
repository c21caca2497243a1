"""Material files: units are read, and what has no meaning is refused in one line that names key and value."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from microscale.crystals.crystal import read_crystal
from microscale.errors import InputError
from multiscale.laws import make_law
from multiscale.results.provenance import identity

COPPER, MAGNESIUM = Path("demos/copper.yaml"), Path("microscale/magnesium.yaml")


def changed(tmp_path, file, old, new):
    text = file.read_text()
    assert old in text
    path = tmp_path / "changed.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.016, unit: GPa", "16.0, unit: MPa"),
        ("0.016, unit: GPa", "1.6e1, unit: N/mm^2"),
        ("0.016, unit: GPa", "16e6, unit: Pa"),
        ("8.96, unit: g/cm^3", "8960, unit: kg/m^3"),
        ("0.012, unit: '-'", "1.2, unit: '%'"),
    ],
)
def test_units_are_converted(tmp_path, old, new):
    original, text = read_crystal(COPPER), COPPER.read_text().replace('"-"', "'-'")
    quoted = tmp_path / "copper.yaml"
    quoted.write_text(text)
    crystal = read_crystal(changed(tmp_path, quoted, old, new))
    assert crystal.families[0].strength == pytest.approx(0.016, rel=1e-14)
    assert crystal.density == pytest.approx(8.96, rel=1e-14)
    assert crystal.rate_sensitivity == pytest.approx(original.rate_sensitivity, rel=1e-14)


def test_rates_are_converted(tmp_path):
    crystal = read_crystal(changed(tmp_path, MAGNESIUM, "0.1, unit: 1/us", "1e5, unit: 1/s"))
    assert crystal.families[0].reference_rate == pytest.approx(0.1, rel=1e-14)


def test_the_shipped_materials_are_what_they_were_to_the_bit():
    assert identity(make_law("taylor"))["hash"].startswith("dbcbf6cb84d15ac4")  # as before there was a schema
    copper = read_crystal(COPPER).families[0]
    digest = hashlib.sha256(copper.normals.tobytes() + copper.directions.tobytes()).hexdigest()
    norms = np.linalg.norm(copper.normals, axis=1)
    assert np.allclose(norms, 1.0, atol=1e-15)
    assert len(digest) == 64


def test_json_is_read_as_yaml_is(tmp_path):
    path = tmp_path / "copper.json"
    path.write_text(json.dumps(yaml.safe_load(COPPER.read_text())))
    crystal, original = read_crystal(path), read_crystal(COPPER)
    assert crystal.shear_modulus == original.shear_modulus
    assert np.array_equal(crystal.families[0].directions, original.families[0].directions)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            COPPER,
            "{value: 46.8,",
            "{value: -46.8,",
            r"elasticity\.shear_modulus = -46.8 GPa, expected a posi",
        ),
        (
            COPPER,
            "{value: 0.016,",
            "{value: 0.0,",
            r"octahedral\.strength = 0\.0 GPa, expected a positive num",
        ),
        (COPPER, "{value: 0.180,", "{value: .nan,", r"octahedral\.hardening = nan, expected a finite number"),
        (COPPER, "{value: 0.180,", "{value: .inf,", r"octahedral\.hardening = inf, expected a finite number"),
        (COPPER, "{value: 0.012,", "{value: 2,", r"m = 2\.0, expected rate sensitivity 0 < m <= 1"),
        (COPPER, "{value: 69.7,", "{value: stiff,", r"lambda_e = 'stiff', expected a number"),
        (COPPER, "{value: 69.7,", "{value: yes,", r"lambda_e = 'yes', expected a number"),
        (COPPER, "{value: 69.7,", "{value: true,", r"lambda_e = True, expected a number"),
        (
            COPPER,
            "{value: 69.7,",
            "{value: " + 400 * "9" + ",",
            r"lambda_e = 9*\.\.\., expected a whole number of 64 bits",
        ),
        (COPPER, "{value: 69.7, unit: GPa", "{value: 69.7", r"lambda_e\.unit is missing"),
        (COPPER, "{value: 69.7, unit: GPa", "{value: 69.7, unit: kg", r"69.7 kg, expected a unit of GPa"),
        (COPPER, "{value: 69.7, unit: GPa", "{value: 69.7, unit: GPA", r"GPA, expected a unit of GPa"),
        (COPPER, "{value: 69.7, unit: GPa", "{value: 69.7, unit: 9**9**9**9", r"expected a unit of GPa"),
        (COPPER, "{value: 69.7, unit: GPa", "{value: 69.7, unitt: GPa", r"unitt is no known key.*'unit'"),
        (COPPER, "[[1, 1, 1], [0, 1, -1]]", "[[1, 1, 1], [0, 1]]", r"\[0\]\[1\] = \[0, 1\], expected"),
        (COPPER, "[[1, 1, 1], [0, 1, -1]]", "[[1, 1, 1], [0, 1, 1]]", r"s\.m = 0\.816, expected 0"),
        (
            COPPER,
            "[[1, 1, 1], [0, 1, -1]]",
            "[[1, 1, 1], [0, 0, 0]]",
            r"\[0\]\[1\].* expected a vector that is",
        ),
        (COPPER, "[[1, 1, 1], [0, 1, -1]]", "[[1e308, 1, 1], [0, 1, -1]]", r"= 1e\+308, expected"),
        (COPPER, "[[1, 1, 1], [0, 1, -1]]", "[[1, 1, 1, 1], [0, 1, -1]]", r"expected 3 Cartesian components"),
        (
            COPPER,
            "{value: 8.96,",
            "{value: 8960,",
            r"measured = 8960\.0 g/cm\^3, expected 0\.01 to 50 g/cm\^3",
        ),
        (
            COPPER,
            "{value: 46.8,",
            "{value: 46800,",
            r"shear_modulus = 46800\.0 GPa, expected 0\.05 to 2000 GPa",
        ),
        (
            COPPER,
            "{value: 0.016,",
            "{value: 16,",
            r"octahedral\.strength = 16 GPa, expected at most 7\.45 GPa",
        ),
        (MAGNESIUM, "{value: 0.040,", "{value: 40,", r"twinning\.strength = 40 GPa, expected at most"),
        (MAGNESIUM, "{value: 1.624", "{value: 1624", r"c_over_a = 1624\.0, expected 0\.2 to 10"),
        (COPPER, "measured", "guessed", r"density\.guessed is no known key, did you mean 'measured'"),
        (COPPER, "saturation:", "saturated:", r"octahedral\.saturated is no known key, .*'saturation'"),
        (COPPER, "name: copper", "name: copper\nname: gold", r"line 4, column 1: key 'name' stands twice"),
        (COPPER, "name: copper", "name: ''", r"name = '', expected text that is not empty"),
        (COPPER, "name: copper", "name: [copper", r"damaged or no YAML \(line"),
        (COPPER, "name: copper", "name: &n copper\nalias: *n", r"anchors and aliases are not read"),
        (COPPER, "name: copper", "name: !!python/name:os.system", r"tag .* is not read"),
        (COPPER, "slip_families:", "slip_families: {}\nold:", r"old is no known key"),
        (MAGNESIUM, "twinning:", "twining:", r"twining is no known key, did you mean 'twinning'"),
        (
            COPPER,
            "name: copper",
            "name: copper\ntwinning:",
            r"twinning = nothing, expected keys with values, or no",
        ),
        (MAGNESIUM, "lattice:", "latice:", r"latice is no known key, did you mean 'lattice'"),
        (MAGNESIUM, "  strength: {value: 0.040, unit: GPa,", "  # {", r"twinning\.strength is missing"),
        (
            MAGNESIUM,
            "c_over_a: {value: 1.624",
            "c_over_a: {value: 0",
            r"c_over_a = 0\.0, expected a positive",
        ),
        (MAGNESIUM, "[2, -1, -1, 0]", "[2, -1, 0, 0]", r"first three indices to sum to zero"),
        (MAGNESIUM, "[2, -1, -1, 0]", "[2, -1, 0]", r"expected 4 indices: there is a lattice"),
        (
            MAGNESIUM,
            "shear: {value: 0.129",
            "shear: {value: -0.129",
            r"twinning\.shear = -0\.129, expected a p",
        ),
    ],
)
def test_a_material_file_without_meaning_is_refused(tmp_path, file, old, new, message):
    wrong = changed(tmp_path, file, old, new)
    with pytest.raises(InputError, match=message) as error:
        read_crystal(wrong)
    assert "\n" not in str(error.value)
    assert str(wrong) in str(error.value)
    assert "follow microscale/magnesium.yaml" in str(error.value)


def test_what_is_no_text_of_a_fit_size_is_refused(tmp_path):
    path = tmp_path / "m.yaml"
    for content, message in (
        (b"\xff\xfe name", "no YAML"),
        (b"", "the file = None, expected keys with values"),
        (b"[" * 5000, "at most 40 levels"),
        (b"a" * 300_000, "expected at most 262144"),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_crystal(path)
    for strange in (tmp_path, Path("nowhere.yaml"), Path("a\0b"), Path("/dev/zero")):
        with pytest.raises(InputError, match=r"expected a file|cannot be read|no usable name"):
            read_crystal(strange)
