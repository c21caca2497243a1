"""What a law, a model, a protocol or a mesh does not take is refused, and who takes it is told."""

from pathlib import Path

import pytest

from microscale.errors import InputError
from microscale.inputs.options import defaults_of, options_for
from multiscale.cli import generate, train
from multiscale.laws import options_given
from multiscale.run.material import LawOptions, impact_law

TAKES = {"steel": {"yield_stress": 0.4, "heated": True}, "glass": {"toughness": 1.0}, "air": {}}


def chosen(law, **given):
    return options_for("law", law, given, TAKES.__getitem__, TAKES, toughness="tough")


def test_defaults_stand_where_nothing_was_given():
    assert chosen("steel", yield_stress=None, heated=False) == {"yield_stress": 0.4, "heated": False}
    assert chosen("glass", toughness=2.0, yield_stress=None) == {"toughness": 2.0}
    assert chosen("air", toughness=None) == {}


def test_all_that_is_not_taken_is_named_with_its_value_and_who_takes_it():
    with pytest.raises(InputError) as refused:
        chosen("air", yield_stress=0.0, heated=False, toughness=2.0, colour="red")
    assert str(refused.value) == (
        "law air does not take --yield-stress 0.0 (taken by steel), --no-heated (taken by steel), "
        "--tough 2.0 (taken by glass), --colour red (no law does): leave it out, or choose another law"
    )


def test_defaults_of_a_function_are_its_options():
    assert defaults_of(lambda x, y=1, *, z="a": None) == {"y": 1, "z": "a"}


@pytest.mark.parametrize(
    ("law", "given", "message"),
    [
        ("j2", {"crystal": Path("c.yaml")}, r"--crystal c.yaml \(taken by taylor, fft3d, learned\)"),
        ("johnson-cook", {"grains": 7}, r"--grains 7 \(taken by taylor, fft3d\)"),
        ("neo-hooke", {"weights": Path("w")}, r"--weights w \(taken by learned\)"),
        ("taylor", {"constants": Path("c")}, r"--constants c \(taken by j2, johnson-cook\)"),
        ("taylor", {"on_extrapolation": "warn"}, r"--on-extrapolation warn \(taken by learned\)"),
        ("learned", {"seed": 0}, r"--seed 0 \(taken by taylor, fft3d\)"),
    ],
)
def test_laws_of_impacts_refuse_what_they_do_not_take(law, given, message):
    with pytest.raises(InputError, match=f"law {law} does not take {message}"):
        LawOptions(law=law, **given).resolved()
    with pytest.raises(InputError, match=f"law {law} does not take {message}"):
        impact_law(law, duration=1.0, **given)


def test_options_of_impacts_have_the_defaults_of_their_law():
    none = {"density": None}
    grains = {"crystal": None, "grains": 128, "seed": 0, "texture": "uniform", "texture_axes": None} | none
    grains["resolution"] = None
    assert LawOptions(law="taylor").resolved() == grains
    cell = {"grains": 16, "resolution": 16, "tolerance": 1e-3, "seed": 3, "texture": "random"}
    assert LawOptions(law="fft3d", seed=3).resolved() == grains | cell
    assert LawOptions(law="learned").resolved()["on_extrapolation"] == "warn"
    assert LawOptions(law="j2").resolved() == {"constants": None} | none
    assert len(impact_law("taylor", duration=1.0, grains=3).orientations) == 3
    finer = impact_law("fft3d", duration=1.0, resolution=4, tolerance=0.01)
    assert (finer.grid.shape, finer.tolerance) == ((4, 4, 4), 0.01)


def test_the_grains_of_a_cell_are_drawn_unless_something_else_is_asked_for():
    assert options_given("taylor", {"texture": None, "resolution": None})["texture"] == "uniform"
    assert options_given("taylor", {"texture": None, "resolution": 8})["texture"] == "random"
    assert LawOptions(law="taylor", resolution=8).resolved()["texture"] == "random"  # in impacts too
    assert LawOptions(law="taylor").resolved()["texture"] == "uniform"
    assert options_given("fft3d", {"resolution": None, "texture": None}) == {
        "resolution": 16,
        "texture": "random",
    }


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"law": "j2", "grains": 7}, r"law j2 does not take --grains 7 \(taken by taylor, fft2d, fft3d\)"),
        ({"law": "j2", "texture_seed": 0}, "does not take --texture-seed 0"),
        (
            {"law": "fft2d", "texture": "uniform"},
            r"does not take --texture uniform \(taken by taylor, fft3d, learned\)",
        ),
        ({"grains": 2, "protocol": "U", "intervals": 5}, "protocol U does not take --intervals 5"),
        ({"grains": 2, "protocol": "F", "isochoric": True}, "protocol F does not take --isochoric"),
        ({"grains": 2, "steps": 10**9}, "steps = 1000000000: need some 300 GB of memory"),
        ({"law": "j2", "paths": 2**31 - 1}, "paths = 2147483647, samples-of-each = 201: need some 44.9 TB"),
    ],
)
def test_generate_refuses_what_has_no_use_or_no_room(flags, message, tmp_path):
    with pytest.raises(InputError, match=message):
        generate(out=tmp_path / "x.h5", **flags)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"modes": 5}, r"model recurrent does not take --modes 5 \(taken by pca\)"),
        ({"exact_pressure": False}, "does not take --no-exact-pressure"),
        ({"model": "pca", "groups": 4, "start": Path("w")}, r"--groups 4 .*--start w \(taken by recurrent\)"),
        ({"model": "pca", "longest_step": 0.02}, "does not take --longest-step 0.02"),
        ({"hidden": 0}, "hidden = 0, expected at least 1"),
        ({"rate": 0.0}, "rate = 0.0, expected a positive number"),
        ({"batch": 0}, "batch = 0, expected at least 1"),
        ({"out": Path("x.h5")}, "x.h5 is read, and x.h5 would be written over it"),
        ({"out": Path("x.safetensors"), "start": Path("./x.safetensors")}, "would be written over it"),
    ],
)
def test_train_refuses_what_its_model_does_not_take(flags, message):
    with pytest.raises(InputError, match=message):
        train(Path("x.h5"), **{"out": Path("y.safetensors"), **flags})
