"""The learning demos run small: internal variables counted, impacts recorded and learnt from."""

import importlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from microscale.data.dataset import read_dataset
from microscale.errors import InputError
from microscale.law import drive
from multiscale.surrogate.recurrent.fit import fit_recurrent
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.store import SHIPPED, read_surrogate

SMALL = {"grains": 2, "elements": 60, "paths": 8, "steps": 20, "end_time": 0.1}


@pytest.fixture(scope="module")
def demo():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend("demos")
        return importlib.import_module("learn_from_impacts")


@pytest.fixture(scope="module")
def impacts(demo, tmp_path_factory):
    return demo.learn_from_impacts(output=tmp_path_factory.mktemp("impacts"), **SMALL)


def test_impacts_become_data_sets(impacts):
    training, test = (read_dataset(impacts[name]) for name in ("train", "test"))
    assert len(training) == len(test) == 4 * SMALL["paths"]
    assert training.provenance["paths"]["simulations"][0] == {
        "impact": "anvil",
        "velocity_m_per_s": 150.0,
        "end_us": SMALL["end_time"],
        "elements": SMALL["elements"],
        "network_sha256": read_surrogate(SHIPPED)[1].weights_sha256,
    }
    e_v = np.linalg.det(training.stretch_tensors[:, -1]) - 1.0
    assert e_v.min() < -0.02  # compressed by the impact
    assert np.all(np.linalg.det(test.stretch_tensors) > 0.5)


def test_a_unit_cell_labels_the_same_histories_and_each_set_has_cells_of_its_own(demo, impacts, tmp_path):
    cells = {"law": "fft3d", "resolution": 4, "paths_per_cell": 3, "texture_seed": 7}
    found = demo.learn_from_impacts(output=tmp_path, **SMALL, **cells)
    of_cells, of_taylor = (read_dataset(sets["train"]) for sets in (found, impacts))
    np.testing.assert_array_equal(of_cells.stretch_tensors, of_taylor.stretch_tensors)
    assert not np.allclose(of_cells.stress_tensors, of_taylor.stress_tensors, rtol=0.01)
    seeds = [read_dataset(file).provenance["law"]["microstructures"]["seed"] for file in found.values()]
    assert seeds == [7, 7 + demo.CELLS_APART]


def test_textures_that_the_network_was_not_told_are_refused(demo, tmp_path):
    with pytest.raises(InputError, match=r"textures = rolled, expected one material: see .*textured_impacts"):
        demo.learn_from_impacts(output=tmp_path / "none", textures="rolled", **SMALL)
    assert not (tmp_path / "none").exists()


def test_ranks_are_refused_and_a_law_that_is_not_there_before_any_impact(demo, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "anvil", None)  # no impact is run
    with pytest.raises(InputError, match=r"none\.yaml"):
        demo.learn_from_impacts(output=tmp_path / "none", crystal=tmp_path / "none.yaml", **SMALL)
    monkeypatch.setattr(demo, "MPI", SimpleNamespace(COMM_WORLD=SimpleNamespace(size=2)))
    with pytest.raises(InputError, match="2 ranks, expected one: run it without mpirun"):
        demo.learn_from_impacts(output=tmp_path / "none", **SMALL)
    assert not (tmp_path / "none").exists()


def test_impacts_may_be_slow_ones_only(demo, tmp_path):
    found = demo.learn_from_impacts(output=tmp_path, fastest=200.0, **SMALL)
    runs = [read_dataset(file).provenance["paths"]["simulations"] for file in found.values()]
    velocities = [[(run["impact"], run["velocity_m_per_s"]) for run in of_set] for of_set in runs]
    assert velocities == [[("anvil", 150.0), ("plate", 200.0)], [("anvil", 100.0), ("anvil", 200.0)]]
    assert [len(read_dataset(file)) for file in found.values()] == [2 * SMALL["paths"]] * 2
    with pytest.raises(InputError, match="fastest = 120 m/s, expected at least 150"):
        demo.learn_from_impacts(output=tmp_path, fastest=120.0, **SMALL)


def test_training_goes_on_from_weights(impacts, tmp_path):
    out, sizes = tmp_path / "more.safetensors", dict(read_surrogate(SHIPPED)[1].architecture)
    sizes["holds"] = bool(sizes.get("holds"))
    fit_recurrent([impacts["train"]], out, **sizes, epochs=1, rate=1e-9, batch=32, seed=0, start=SHIPPED)
    data = read_dataset(impacts["test"])
    before, after = (drive(LearnedLaw.from_file(w), data.stretch_tensors, data.times) for w in (SHIPPED, out))
    np.testing.assert_allclose(after, before, atol=1e-4 * np.abs(before).max())
    first, card = (read_surrogate(w)[1] for w in (SHIPPED, out))
    assert card.training["started_from"] == first.training
    assert card.datasets[1:] == first.datasets
    assert card.datasets[0]["file"] == "impacts_train.h5"


def test_internal_variables_are_counted(impacts, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("internal_variables")
    errors = demo.internal_variables(
        impacts["train"], test=impacts["test"], output=tmp_path, tensors=(1, 2), hidden=8, epochs=2
    )
    assert set(errors) == {7, 12}
    assert json.loads((tmp_path / "internal_variables.json").read_text())["epochs"] == 2
    assert (tmp_path / "internal_variables.png").stat().st_size > 5000


def test_cells_are_compared_and_do_not_see_the_future(impacts, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend("demos")
    demo = importlib.import_module("recurrent_cells")
    monkeypatch.setattr(demo, "BATCH", 8)
    found = demo.recurrent_cells(impacts["train"], test=impacts["test"], output=tmp_path, epochs=1)
    assert set(found) == {"ours", *demo.CELLS}
    assert all(np.isfinite(figures["deviatoric_mean"]) for figures in found.values())
    steps = torch.randn(12, 57, 4).abs()
    changed = steps.clone()
    changed[7:] *= 2.0
    for cell in demo.CELLS.values():
        torch.manual_seed(0)
        before, after = (cell_of(data) for cell_of in [cell()] for data in (steps, changed))
        torch.testing.assert_close(before[:7], after[:7])
        assert not torch.allclose(before[7:], after[7:])
