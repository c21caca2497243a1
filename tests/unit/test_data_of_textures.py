"""Data sets of many textures: the grains that were driven are in the file, and no others pass for them."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from microscale.crystals.crystal import read_crystal
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.taylor import TaylorPolycrystal
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.moments import texture_numbers, turned_numbers
from microscale.crystals.texture.sources import everywhere, fibre, rolled
from microscale.crystals.texture.texture import Texture
from microscale.data.dataset import check_file, read_dataset
from microscale.data.generate import BLOCK, finish, generate
from microscale.data.shared_grains import SharedGrains, evenly_turned, nearest_volumes
from microscale.data.textures import PATHS_EACH, texture_of_path
from microscale.errors import InputError
from microscale.law import drive
from microscale.paths.protocols import StrainPaths
from multiscale import cli
from multiscale.run.data_options import DrivenLaw
from multiscale.run.data_origin import recorded_law, require_as_recorded
from multiscale.run.generation import DataSet
from multiscale.surrogate.histories import joined
from multiscale.surrogate.sources import read_sources

COUNT, GRAINS = BLOCK + 5, 6


def data(textures="various", seed=3, law_seed=1):
    options = DrivenLaw(textures=textures, grains=GRAINS, texture_seed=law_seed).resolved()
    return DataSet("taylor", options, StrainPaths("A", 0.2, 12, seed=seed), COUNT)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    out = tmp_path_factory.mktemp("textures") / "d.h5"
    generate(data().job(), out)
    finish(data().job(), out)
    return out


def test_stress_is_that_of_the_recorded_grains_to_the_bit(sound):
    found = read_dataset(sound)
    assert found.texture.shape == (COUNT, 27)
    assert found.orientations.shape == (COUNT, GRAINS, 3)
    crystal = read_crystal()
    for path in (0, PATHS_EACH, COUNT - 1):
        texture = texture_of_path(vars(found), path)
        numbers = texture_numbers(texture, lattice_of(crystal).group)
        np.testing.assert_allclose(found.texture[path], numbers, atol=1e-14)
        first = path // PATHS_EACH * PATHS_EACH
        group = slice(first, first + PATHS_EACH)
        law = TaylorPolycrystal.of(texture, crystal)
        sigma = drive(law, found.stretch_tensors[group], found.times[group])
        np.testing.assert_allclose(found.stress_tensors[path], sigma[path - first], atol=1e-14)
    groups = [found.texture[k] for k in range(0, COUNT, PATHS_EACH)]
    assert len(np.unique(groups, axis=0)) == len(groups)
    assert all((found.texture[k] == found.texture[k - k % PATHS_EACH]).all() for k in range(COUNT))


def test_the_file_says_which_textures_they_are(sound, capsys):
    made = read_dataset(sound).provenance["law"]
    family = made["textures"]
    assert (family["family"], family["seed"], family["grains"]) == ("various", 1, GRAINS)
    assert len(family["made"]) == -(-COUNT // PATHS_EACH)
    require_as_recorded(sound)
    cli.inspect(sound)
    told = capsys.readouterr().out
    assert "various, seed 1" in told
    assert family["made"][0].split(",")[0][:20] in told.replace("\n", " ")
    with h5py.File(sound) as stored:
        assert json.loads(stored.attrs["units"])["orientations"] == "degrees"


def test_same_file_whatever_the_ranks(sound, tmp_path):
    out = tmp_path / "several.h5"
    with ThreadPoolExecutor(2) as ranks:
        assert list(ranks.map(lambda rank: generate(data().job(), out, rank, 2), (1, 0))) == [True] * 2
    finish(data().job(), out)
    assert out.read_bytes() == sound.read_bytes()
    for other, named in (
        (data(law_seed=2), "law textures (made|seed)"),
        (data("split"), "law textures (family|made)"),
        (data(seed=4), "paths seed"),
    ):
        with pytest.raises(InputError, match=f"was made with {named}"):
            generate(other.job(), out)


def changed(sound, tmp_path, name, change):
    file = tmp_path / "changed.h5"
    shutil.copy(sound, file)
    with h5py.File(file, "r+") as opened:
        values = change(opened[name][...])
        del opened[name]
        if values is not None:
            opened[name] = values
    return file


EACH = 4


def shared_data(grains=24):
    options = DrivenLaw(textures="peaks", grains=grains, texture_seed=1, textures_each=EACH).resolved()
    return DataSet("taylor", options, StrainPaths("A", 0.2, 12, seed=3), COUNT)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    out = tmp_path_factory.mktemp("shared") / "d.h5"
    generate(shared_data().job(), out)
    finish(shared_data().job(), out)
    return out


def test_many_textures_of_a_path_each_have_the_stress_of_their_polycrystal(shared):
    found, crystal = read_dataset(shared), read_crystal()
    assert found.weights.shape == (COUNT, 24)
    for path in (0, 1, EACH, COUNT - 1):
        first = path - path % EACH
        np.testing.assert_array_equal(found.stretch[path], found.stretch[first])
        np.testing.assert_array_equal(found.orientations[path], found.orientations[first])
        texture = texture_of_path(vars(found), path)
        numbers = texture_numbers(texture, lattice_of(crystal).group)
        np.testing.assert_allclose(found.texture[path], numbers, atol=1e-14)
        law = TaylorPolycrystal.of(texture, crystal)
        sigma = drive(law, found.stretch_tensors[path : path + 1], found.times[path])[0]
        off = found.stress_tensors[path] - sigma  # grains of a polycrystal take the same sub-steps
        assert np.linalg.norm(off) < 0.01 * np.linalg.norm(sigma)
    assert len(np.unique(found.texture, axis=0)) == COUNT
    assert len(np.unique(found.stretch, axis=0)) == -(-COUNT // EACH)
    assert len(found.provenance["law"]["textures"]["made"]) == COUNT
    require_as_recorded(shared)


def test_many_textures_of_a_path_make_the_same_file_whatever_the_ranks(shared, tmp_path):
    out = tmp_path / "several.h5"
    for rank in (1, 0):
        assert generate(shared_data().job(), out, rank, 2)
    finish(shared_data().job(), out)
    assert out.read_bytes() == shared.read_bytes()


def test_shared_grains_have_the_mean_stress_of_single_crystals():
    crystal, grains = read_crystal(), evenly_turned(3, np.random.default_rng(1))
    weights = np.array([[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]])
    path = StrainPaths("R", 0.2, 20, seed=3).path(0)
    found = SharedGrains(crystal, grains, weights).histories(path.times[None], path.stretch[None])
    each = [drive(SingleCrystal(Q, crystal), path.stretch[None], path.times)[0] for Q in grains]
    np.testing.assert_allclose(found[0], np.einsum("kg,gnij->knij", weights, each), atol=1e-14)


def test_nearest_volumes_are_those_of_the_texture():
    group = lattice_of(read_crystal()).group
    grains = evenly_turned(400, np.random.default_rng(1))
    single = Texture.of(grains[[7]] @ group[5].as_matrix())
    several = [everywhere(), fibre(20.0), rolled(10.0, 30.0)]
    weights = nearest_volumes(grains, [single, *several], group)
    np.testing.assert_array_equal(weights[0], np.arange(400) == 7)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, rtol=1e-14)
    for texture, shares in zip(several, weights[1:], strict=True):
        wanted, found = (texture_numbers(t, group) for t in (texture, Texture(grains, shares, "")))
        np.testing.assert_allclose(found, wanted, atol=0.04)


SHARES = {
    "of other grains": (lambda w: w[:, ::-1].copy(), "its texture differs by"),
    "twice as large": (lambda w: 2.0 * w, "path 0: weights of its grains do not add up to one"),
    "negative": (lambda w: w - 1.0 / w.shape[1], "weights of its grains do not add up to one"),
    "none": (lambda w: None, "weights is missing"),
}


@pytest.mark.parametrize("case", SHARES)
def test_shares_that_are_not_those_of_the_texture_are_refused(shared, tmp_path, case):
    change, match = SHARES[case]
    file = changed(shared, tmp_path, "weights", change)
    for check in (read_dataset, check_file):
        with pytest.raises(InputError, match=match):
            check(file)


def test_textures_that_no_block_of_paths_holds_are_refused():
    options = DrivenLaw(textures="peaks", textures_each=5).resolved()
    with pytest.raises(InputError, match="textures-each = 5, expected a number that divides 32"):
        DataSet("taylor", options, StrainPaths("A", 0.2, 12), COUNT).job()
    with pytest.raises(InputError, match="--textures-each 4 has no use without --textures"):
        DrivenLaw(textures_each=4).resolved()


def exchanged(values):
    return values[::-1].copy()


HOSTILE = {
    "another texture": ("texture", exchanged, "path 0: its texture differs by"),
    "twice as strong": ("texture", lambda c: 2.0 * c, "its texture differs by"),
    "no numbers": ("texture", lambda c: np.nan * c, "its texture differs by"),
    "thirteen": ("texture", lambda c: c[:, :13], r"texture has shape \(37, 13\), expected \(37, 27\)"),
    "missing": ("texture", lambda c: None, "texture is missing"),
    "no grains": ("orientations", lambda a: None, "orientations is missing"),
    "fewer grains": ("orientations", lambda a: a[:, :2], r"orientations has shape .*, expected \(37, 6, 3\)"),
    "radians": ("orientations", np.radians, "its texture differs by"),
    "huge": ("orientations", lambda a: a + 1e9, "orientations beyond 360 degrees"),
    "infinite": ("orientations", lambda a: a + np.inf, "orientations beyond 360 degrees"),
    "strings": ("orientations", lambda a: np.full(a.shape, b"x"), "expected floating-point numbers"),
    "single": ("texture", lambda c: c.astype("f4"), "expected float64"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_not_the_texture_of_the_grains_is_refused(sound, tmp_path, case):
    name, change, match = HOSTILE[case]
    file = changed(sound, tmp_path, name, change)
    for check in (read_dataset, check_file):
        with pytest.raises(InputError, match=match) as error:
            check(file)
        assert "\n" not in str(error.value)


def former(numbers):
    """Those of orders 2 and 4, which sets of former versions have alone."""
    return numbers[:, :14]


@pytest.mark.parametrize("kind", ["sound", "shared"])
def test_sets_of_former_versions_have_the_numbers_of_order_six_from_their_grains(request, tmp_path, kind):
    whole = request.getfixturevalue(kind)
    file = changed(whole, tmp_path, "texture", former)
    found = read_dataset(file)
    np.testing.assert_allclose(found.texture, read_dataset(whole).texture, atol=1e-12)
    np.testing.assert_array_equal(read_sources([file]).histories.texture, found.texture)
    check_file(file)
    require_as_recorded(file)
    job = (data if kind == "sound" else shared_data)().job()
    assert not generate(job, file)  # it is there
    wrong = changed(file, tmp_path.joinpath("wrong").mkdir() or tmp_path / "wrong", "texture", exchanged)
    with pytest.raises(InputError, match="its texture differs by") as error:
        read_dataset(wrong)
    assert "\n" not in str(error.value)


def test_grains_and_numbers_exchanged_together_do_not_have_the_stress(sound, tmp_path):
    file = changed(sound, tmp_path, "orientations", exchanged)
    file = changed(file, tmp_path.joinpath("twice").mkdir() or tmp_path / "twice", "texture", exchanged)
    with pytest.raises(InputError, match="of its stress is not that of its law"):
        require_as_recorded(file)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"grains": 10**9}, "grains = 1000000000"),
        ({"family": ""}, "family = ''"),
        ({"made": 3}, "made = 3"),
        ({"paths_each": 0}, "paths_each = 0"),
    ],
)
def test_records_of_textures_follow_a_schema(sound, tmp_path, change, match):
    file = tmp_path / "d.h5"
    shutil.copy(sound, file)
    with h5py.File(file, "r+") as opened:
        made = json.loads(opened.attrs["provenance"])
        made["law"]["textures"] |= change
        opened.attrs["provenance"] = np.bytes_(json.dumps(made).encode())
    with pytest.raises(InputError, match=match):
        read_dataset(file)


def test_histories_carry_textures_and_turn_with_them(sound, tmp_path):
    sources = read_sources([sound])
    histories, found = sources.histories, read_dataset(sound)
    np.testing.assert_array_equal(histories.texture, found.texture)
    assert "any texture" in sources.material.name
    assert sources.records[0]["textures"] == "various, seed 1"
    np.testing.assert_array_equal(histories[3:5].texture, found.texture[3:5])
    np.testing.assert_array_equal(histories.thinned(2).texture, found.texture)
    Q = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(histories.turned(Q).texture, turned_numbers(found.texture, Q))
    assert joined([histories, histories[:2]]).texture.shape == (COUNT + 2, 27)
    assert histories.in_plane.texture is None


@pytest.mark.parametrize("texture", ["random", "uniform", "rolled:10,20"])
def test_sets_of_one_texture_tell_it_by_their_law(tmp_path, texture):
    driven = DrivenLaw(grains=8, texture=texture)
    out = tmp_path / "d.h5"
    wanted = DataSet("taylor", driven.resolved(), StrainPaths("R", 0.2, 4), 2)
    generate(wanted.job(), out)
    finish(wanted.job(), out)
    found = read_dataset(out)
    assert found.texture is None
    law = recorded_law(out)
    expected = texture_numbers(law.texture, lattice_of(law.crystal).group)
    np.testing.assert_allclose(found.texture_numbers, [expected, expected], atol=1e-12)
    np.testing.assert_array_equal(read_sources([out]).histories.texture, found.texture_numbers)


@pytest.mark.parametrize("model", ["recurrent", "pca"])
def test_models_that_are_told_no_texture_refuse_many(sound, tmp_path, model):
    with pytest.raises(InputError, match=r"d\.h5 has polycrystals of many textures"):
        cli.train(sound, out=tmp_path / "w.safetensors", model=model, epochs=1, hidden=4)
    with pytest.raises(InputError, match="polycrystals of their own"):
        recorded_law(sound)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"law": "fft3d"}, "law fft3d does not take --textures various .taken by taylor."),
        ({"texture": "rolled:1,2"}, "--texture rolled:1,2 has no use with --textures various"),
        ({"texture_axes": "z,x,y"}, "--texture-axes z,x,y has no use with --textures"),
        ({"resolution": 8}, "--resolution 8 has no use with --textures"),
        ({"textures": "sheets"}, "textures = 'sheets', expected one of various"),
    ],
)
def test_flags_that_do_not_go_with_a_family_are_refused(options, match):
    with pytest.raises(InputError, match=match):
        DrivenLaw(**{"textures": "various", **options}).resolved()
