"""The recipe of the shipped weights: the data of their card, and a run of it from nothing to errors."""

import importlib

import pytest

from microscale.errors import InputError
from microscale.files.one_study import of_one_study
from multiscale.surrogate.store import SHIPPED, read_surrogate


@pytest.fixture(scope="module")
def demo():
    return importlib.import_module("shipped_weights")


def test_its_data_are_those_that_the_card_of_the_shipped_weights_names(demo):
    """Seed, protocol, strain, number, steps and samples of each; impacts are made by the recipe itself."""
    same = ("seed", "protocol", "max_strain", "count", "steps", "keep_every", "fastest_rate_per_us")
    known = {
        (*(made.get(name) for name in same), *made["duration_us"])
        for made in read_surrogate(SHIPPED)[1].datasets
        if made["protocol"] != "recorded"
    }
    asked = {"count": "paths", "fastest_rate_per_us": "fastest_rate"}
    told = {
        (
            *((one | {"steps": one.get("steps", 200)}).get(asked.get(name, name)) for name in same),
            one["duration"],
            one["longest_duration"],
        )
        for one in demo.SETS.values()
    }
    assert told == known
    assert {name for sets, _ in demo.TRAININGS.values() for name in sets} == set(demo.SETS)
    assert sum(demo.SETS[name]["paths"] for name in demo.BASE) == 55_500  # as docs say


@pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")
def test_it_runs_from_nothing_to_errors(demo, tmp_path):
    weights = demo.shipped_weights(output=tmp_path, scale=0.0005, grains=2, elements=24, end_time=0.02)
    card = read_surrogate(weights)[1]
    assert set(card.errors["sets"]) == set(demo.TESTS)
    trainings = [card.training]
    while "started_from" in trainings[-1]:
        trainings.append(trainings[-1]["started_from"])
    assert [one["rate"] for one in reversed(trainings)] == [one["rate"] for _, one in demo.TRAININGS.values()]
    assert {made["protocol"] for made in card.datasets} == {"A", "R", "F", "I", "U", "L-U", "C", "recorded"}


def test_a_folder_of_another_scale_is_refused(demo, tmp_path):
    of_one_study(tmp_path, {"scale": 0.01, "grains": 128, "elements": 800, "end_time": 1.0})
    with pytest.raises(
        InputError, match=r"holds a study of scale 0\.01, asked for scale 1\.0: choose another"
    ):
        demo.shipped_weights(output=tmp_path)


def test_impacts_that_other_weights_ran_are_refused(demo, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "read_provenance", lambda file: {"paths": {"simulations": [{"end_us": 1.0}]}})
    (tmp_path / "impacts_train.h5").touch()
    with pytest.raises(
        InputError, match=r"impacts_train\.h5 is of impacts by other weights than .*remove it"
    ):
        demo.recorded(tmp_path, weights=SHIPPED)
