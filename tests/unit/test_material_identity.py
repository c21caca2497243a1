"""A surrogate stands for one material in all that it is, and is judged by data of that alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from microscale.crystals.crystal import read_crystal
from microscale.data.dataset import read_provenance
from microscale.errors import InputError
from multiscale.cli import evaluate, generate
from multiscale.laws import make_law
from multiscale.results.provenance import identity
from multiscale.run.material import impact_law
from multiscale.surrogate.material_identity import difference, identity_of
from multiscale.surrogate.report import named_apart
from multiscale.surrogate.sources import OtherTextureWarning, read_sources, require_data_of
from multiscale.surrogate.store import SHIPPED, read_surrogate, write_surrogate

COPPER = Path(__file__).parents[2] / "demos" / "copper.yaml"
SIZES = {"protocol": "R", "max_strain": 0.05, "steps": 4, "paths": 2}


def made(folder, name, **options):
    file = folder / f"{name}.h5"
    generate(out=file, **(SIZES | {"grains": 4} | options))
    return file


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return made(tmp_path_factory.mktemp("own"), "own")


@pytest.fixture
def card(own):
    """A card of the material of ``own``, trained on other data of it by an older version: another hash."""
    shipped = read_surrogate(SHIPPED)[1]
    return replace(shipped, material=read_sources([own]).material, datasets=[{"law_hash": "other"}])


def test_data_of_the_same_material_are_taken(card, own, tmp_path):
    require_data_of(card, own)
    require_data_of(card, made(tmp_path, "other_paths", seed=7, protocol="U"))


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"grains": 5}, "options grains = 5, expected 4"),
        ({"texture": "random"}, "options texture = random, expected uniform"),
        ({"texture_seed": 1}, "options seed = 1, expected 0"),
        ({"rate_sensitivity": 0.2}, "crystal rate_sensitivity = 0.2, expected 0.5"),
        ({"resolution": 4, "texture": "random"}, "options resolution = 4, expected None"),
    ],
)
def test_data_of_another_material_are_refused(card, tmp_path, other, message):
    file = made(tmp_path, "other", **other)
    with pytest.raises(InputError, match=f"other.h5 is of another material than the surrogate.*{message}"):
        require_data_of(card, file)


def test_data_of_a_texture_are_taken_where_it_is_named(card, own, tmp_path):
    file = made(tmp_path, "plate", texture="rolled:15,25")
    with pytest.raises(InputError, match=r"plate\.h5 is of another material .*texture = "):
        require_data_of(card, file)
    with pytest.warns(
        OtherTextureWarning, match=r"plate\.h5 has the texture 'rolled:15,25', and the surrogate"
    ):
        require_data_of(card, file, "rolled:15,25")
    with pytest.raises(
        InputError, match=r"has the texture 'rolled:15,25', expected 'extruded:9', as --texture says"
    ):
        require_data_of(card, file, "extruded:9")
    with pytest.raises(InputError, match="do not belong in its card, leave --record out"):
        evaluate(SHIPPED, file, texture="rolled:15,25", record=True)


def test_cards_of_before_are_compared_by_their_name(card, own, tmp_path):
    older = replace(card, material=replace(card.material, identity=None))
    require_data_of(older, own)
    with pytest.raises(InputError, match="4 grains of random texture"):
        require_data_of(older, made(tmp_path, "other", texture="random"))


@pytest.mark.parametrize("weights", [SHIPPED, Path("magnesium")])
def test_evaluate_refuses_before_it_starts(weights, own, tmp_path, capsys):
    with pytest.raises(InputError, match="is of another material than the surrogate, magnesium, taylor, 128"):
        evaluate(weights, own, out=tmp_path)
    assert capsys.readouterr().out == ""


def test_data_sets_of_one_file_name_are_kept_apart(tmp_path):
    files = [tmp_path / folder / "test.h5" for folder in ("a/R", "b/R", "F")]
    assert named_apart([files[0]]) == {"test": files[0]}
    assert named_apart(files[1:]) == {"R/test": files[1], "F/test": files[2]}
    assert named_apart(files[:2]) == {"a/R/test": files[0], "b/R/test": files[1]}
    with pytest.raises(InputError, match="is given twice"):
        named_apart([files[0], tmp_path / "a" / ".." / "a" / "R" / "test.h5"])


def test_the_shipped_surrogate_says_all_that_it_is():
    card = read_surrogate(SHIPPED)[1]
    options = {"grains": 128, "seed": 0, "texture": "uniform"}
    assert card.material.identity["options"] == options
    law = make_law("taylor", **options)
    assert {made["law_hash"] for made in card.datasets} == {identity(law)["hash"]}
    require = make_law("learned", material=read_crystal())
    assert require.card.material.name.startswith("magnesium")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate_sensitivity": 0.2}, r"expected magnesium: give .* \(rate_sensitivity = 0.5, expected 0.2\)"),
        ({"name": "copper"}, r"expected copper: give .* \(name = magnesium, expected copper\)"),
        ({"density": 8.9}, r"\(density = 10.0, expected 8.9\)"),
    ],
)
def test_a_surrogate_of_another_crystal_is_no_stand_in(change, message):
    with pytest.raises(InputError, match=message):
        make_law("learned", material=replace(read_crystal(), **change))
    family = read_crystal().families[0]
    harder = replace(read_crystal(), families=(replace(family, strength=0.02), *read_crystal().families[1:]))
    with pytest.raises(InputError, match=r"families 0 strength = 0.01, expected 0.02"):
        make_law("learned", material=harder)


def test_a_surrogate_of_another_polycrystal_is_no_stand_in(own):
    record = read_provenance(own)["law"]
    with pytest.raises(InputError, match=r"expected taylor: .* \(options grains = 128, expected 4\)"):
        make_law("learned", material=record)
    same = record | {"options": record["options"] | {"grains": 128}}
    assert make_law("learned", material=same).name == "learned"


def test_an_impact_with_another_crystal_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"stands for magnesium.*expected copper"):
        impact_law("learned", duration=1.0, crystal=COPPER)
    weights, card = read_surrogate(SHIPPED)
    older = tmp_path / "older.safetensors"
    write_surrogate(older, weights, replace(card, material=replace(card.material, identity=None)))
    assert impact_law("learned", duration=1.0, weights=older).name == "learned"
    with pytest.raises(InputError, match=r"stands for magnesium.*expected copper"):
        impact_law("learned", duration=1.0, weights=older, crystal=COPPER)


def test_a_law_and_its_derivative_are_part_of_the_material_but_not_its_tolerance():
    record = {
        "name": "fft3d",
        "crystal": {"name": "x"},
        "options": {"derivative": "central", "tolerance": 1e-3},
    }
    cell = identity_of(record)
    assert cell == identity_of(record | {"options": {"derivative": "central", "tolerance": 1e-4}})
    other = identity_of(record | {"options": {"derivative": "enriched"}})
    assert difference(other, cell) == "options derivative = enriched, expected central"
    assert difference(identity_of(record | {"name": "taylor"}), cell) == "law = taylor, expected fft3d"
    denser = identity_of(record | {"crystal": {"name": "x", "density": 8.96}})
    assert difference(denser, cell) == "crystal density = 8.96, expected None"


def test_numbers_that_rounding_changes_are_the_same():
    assert difference({"a": [1.0, {"b": 2.0}]}, {"a": [1.0 + 1e-13, {"b": 2.0}]}) is None
    assert difference({"a": None}, {"a": 1.0}) == "a = None, expected 1.0"
    assert difference({"a": "x"}, {}) == "a = x, expected None"
