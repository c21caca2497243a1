"""Data sets that were converted on the way: whole, plausible, and not what they say made them."""

import json
import re
import shutil

import h5py
import numpy as np
import pytest

from microscale.crystals.crystal import read_crystal
from microscale.data.dataset import check_file, read_dataset
from microscale.data.generate import Generation, finish, generate
from microscale.data.origin import some_of
from microscale.errors import InputError
from microscale.law import ConstitutiveLaw
from microscale.paths.protocols import StrainPaths
from multiscale import cli
from multiscale.laws import make_law
from multiscale.results.provenance import law_record
from multiscale.run.data_origin import require_as_recorded
from multiscale.surrogate.impact_histories import ImpactPaths
from multiscale.surrogate.sources import read_sources

ORDERS = {
    "exchanged axes": [1, 0, 2, 4, 3, 5],
    "shears as Abaqus has them": [0, 1, 2, 5, 4, 3],
    "reversed": [5, 4, 3, 2, 1, 0],
    "turned axes": [1, 2, 0, 4, 5, 3],
}


def made(out, law, options, paths, count=40, **generation):
    job = Generation(law, law_record(law, options), paths, count, {}, **generation)
    generate(job, out)
    finish(job, out)
    return out


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    options = {"grains": 8, "texture": "random", "seed": 0}
    out = tmp_path_factory.mktemp("sound") / "d.h5"
    return made(out, make_law("taylor", **options), options, StrainPaths("R", 0.1, 20, seed=5))


@pytest.fixture(scope="module")
def of_simulations(tmp_path_factory, sound):
    """The same histories as if they came of simulations: nothing draws them again."""
    options = {"grains": 8, "texture": "random", "seed": 0}
    paths = ImpactPaths(20, [])
    paths.histories.extend(StrainPaths("R", 0.1, 20, seed=5).path(k) for k in range(40))
    out = tmp_path_factory.mktemp("simulations") / "d.h5"
    return made(out, make_law("taylor", **options), options, paths)


class OwnLaw(ConstitutiveLaw):
    """A user's law with the crystal's elasticity, which nobody else can make again."""

    name, density = "own", 1.74

    def __init__(self):
        self.crystal = read_crystal()
        self.inner = make_law("taylor", grains=8, texture="random")
        self.state_spec = self.inner.state_spec

    def _update(self, F, dt, state, out):
        self.inner.update(F, dt, state, out)

    def wave_speed(self):
        return self.inner.wave_speed()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    out = tmp_path_factory.mktemp("own") / "d.h5"
    return made(out, OwnLaw(), {}, StrainPaths("L-U", 0.1, 40, seed=5, isochoric=True))


def changed(sound, tmp_path, **changes):
    file = tmp_path / "changed.h5"
    shutil.copy(sound, file)
    with h5py.File(file, "r+") as opened:
        for name, change in changes.items():
            values = change(opened[name][...])
            del opened[name]
            opened[name] = values
    return file


def refused(file, match, check=require_as_recorded):
    with pytest.raises(InputError, match=match) as error:
        check(file)
    assert "\n" not in str(error.value)
    assert str(file) in str(error.value)


@pytest.mark.parametrize("factor", [1e-6, 1e6, 1.001])
def test_times_in_another_unit(sound, tmp_path, factor):
    file = changed(sound, tmp_path, times=lambda t: factor * t)
    for check in (read_dataset, check_file):
        ends = re.escape(f"{factor:.6g}")
        refused(file, f"path 0: its times end at {ends} us .* which end at 1 us", check)


@pytest.mark.parametrize("order", ORDERS)
def test_components_of_both_tensors_in_another_order(sound, tmp_path, order):
    def put(a):
        return a[..., ORDERS[order]]

    refused(
        changed(sound, tmp_path, stretch=put, stress=put),
        "its stretches differ by|is not positive definite",
        read_dataset,
    )


def test_paths_in_another_order_and_paths_of_another_seed(sound, tmp_path):
    def turned(a):
        return a[::-1]

    file = changed(sound, tmp_path, stretch=turned, stress=turned)
    refused(file, "path 0: its stretches differ by", read_dataset)
    file = changed(sound, tmp_path)
    with h5py.File(file, "r+") as opened:
        provenance = json.loads(opened.attrs["provenance"])
        provenance["paths"]["seed"] = 6
        opened.attrs["provenance"] = np.bytes_(json.dumps(provenance).encode())
    refused(file, "path 0: its stretches differ by", read_dataset)


@pytest.mark.parametrize("file", ["sound", "of_simulations"])
@pytest.mark.parametrize("order", ORDERS)
def test_components_of_the_stress_in_another_order(file, order, tmp_path, request):
    file = changed(request.getfixturevalue(file), tmp_path, stress=lambda s: s[..., ORDERS[order]])
    refused(file, r"path 0: the (deviator|mean) of its stress is not that of its law, driven again")


@pytest.mark.parametrize("file", ["sound", "of_simulations"])
@pytest.mark.parametrize("factor", [1e3, 1e-3, 6.895, 1.1, -1.0])
def test_stress_in_another_unit(file, factor, tmp_path, request):
    file = changed(request.getfixturevalue(file), tmp_path, stress=lambda s: factor * s)
    refused(file, f"the deviator .* {abs(factor):.4g} times as large, or turned; expected GPa")


def test_stress_without_mandels_root_of_two(sound, tmp_path):
    file = changed(sound, tmp_path, stress=lambda s: s / np.array([1, 1, 1, 2**0.5, 2**0.5, 2**0.5]))
    refused(file, "the deviator of its stress is not that of its law")


@pytest.mark.parametrize("kind", ["f2", "f4", ">f4"])
@pytest.mark.parametrize("name", ["stress", "stretch", "times"])
def test_numbers_of_fewer_digits(sound, tmp_path, kind, name):
    file = changed(sound, tmp_path, **{name: lambda a: a.astype(kind)})
    for check in (read_dataset, check_file):
        refused(file, rf"{name} holds [<>]?float(16|32)|{name} holds >f4, expected float64", check)


def test_stress_of_a_law_that_nobody_can_make_again(own, tmp_path):
    require_as_recorded(own)
    read_sources([own])
    for change, match in (
        (lambda s: 1e3 * s, "the first stress of its paths is [0-9.]+ times the elastic one"),
        (lambda s: -s, "along 100% of its paths, .* stress does negative work"),
        (lambda s: s[..., [5, 4, 3, 2, 1, 0]], "its mean stress is .* times the stress off"),
        (lambda s: s[..., [1, 2, 0, 4, 5, 3]], "of its paths, .* stress does negative work"),
    ):
        refused(changed(own, tmp_path, stress=change), match, lambda file: read_sources([file]))


@pytest.mark.parametrize(
    ("law", "options", "paths", "keep"),
    [
        ("taylor", {"grains": 4, "seed": 3}, StrainPaths("I", 0.2, 40, (0.05, 20.0), seed=1), 4),
        ("taylor", {"grains": 4, "rate_sensitivity": 0.2}, StrainPaths("C", 0.3, 20, seed=2), 1),
        ("fft3d", {"grains": 2, "resolution": 4}, StrainPaths("U", 0.05, 6, isochoric=False), 2),
        ("fft2d", {"grains": 3, "resolution": 8}, StrainPaths("F", 0.02, 6, (1e6, 1e6), dimension=2), 1),
    ],
)
def test_what_is_as_it_was_made_is_read_and_what_is_not_is_refused(law, options, paths, keep, tmp_path):
    file = made(tmp_path / "d.h5", make_law(law, **options), options, paths, 3, keep_every=keep)
    require_as_recorded(file)
    refused(changed(file, tmp_path, stress=lambda s: 1e3 * s), "of its stress is not that of its law")
    data = read_dataset(file)
    assert data.stretch.shape[1] == paths.steps // keep + 1


def test_paths_are_drawn_again_as_often_as_they_were_rejected(tmp_path):
    options = {"grains": 1}
    law = make_law("taylor", **options)
    paths = StrainPaths("F", 0.9, 10, seed=3)
    file = made(tmp_path / "d.h5", law, options, paths, 6)
    data = read_dataset(file)
    assert data.rejected.max() > 0
    k = int(data.rejected.argmax())
    with pytest.raises(InputError, match=f"none of {data.rejected[k]} draws"):
        paths.path(k, 0, int(data.rejected[k]) - 1)
    assert np.array_equal(paths.path(k, 0, int(data.rejected[k])).stretch, paths.path(k).stretch)
    refused(changed(file, tmp_path, rejected=lambda r: 0 * r), "paths cannot be drawn again", read_dataset)


def test_commands_refuse_them(sound, tmp_path):
    file = changed(sound, tmp_path, stress=lambda s: 1e3 * s)
    with pytest.raises(InputError, match="1000 times as large"):
        cli.inspect(file)
    weights = tmp_path / "w.safetensors"
    for model in ("recurrent", "pca"):
        with pytest.raises(InputError, match="1000 times as large"):
            cli.train(file, out=tmp_path / "x.safetensors", model=model, epochs=1, hidden=4)
    assert not (tmp_path / "x.safetensors").exists()
    cli.train(sound, out=weights, epochs=1, hidden=4, groups=1, tensors=1, scalars=1)
    with (
        pytest.warns(match="was trained on"),
        pytest.raises(InputError, match="1000 times as large"),
    ):
        cli.evaluate(weights, file, out=tmp_path)


def test_some_of_a_set_are_its_first_its_last_and_some_between():
    assert some_of(1, 3) == [0]
    assert some_of(101, 3) == [0, 50, 100]
    assert some_of(4, 8) == [0, 1, 2, 3]
