"""The studies of the full field on a small scale: they go on, and their errors are those they say."""

import json

import full_field_weights as study
import numpy as np
import pytest
from learn_from_impacts import CELLS_APART
from representative_cell import Kind, representative_cell

from microscale.data.dataset import read_provenance
from microscale.errors import InputError
from multiscale.surrogate.store import read_surrogate

SMALL = {"grains": (8,), "resolution": (4,), "finest": 8, "paths": 1, "steps": 10, "max_strain": 0.02}


def test_cells_are_measured_and_those_that_are_there_are_kept(tmp_path):
    coarse, fine = representative_cell(seeds=2, output=tmp_path, **SMALL)
    assert (coarse["runs"], fine["runs"], fine["parts"]) == (2, 2, 2)
    assert 0.02 < coarse["scatter"] < 0.5
    off, scaled = coarse["finer"][:2]
    assert 0.0 < scaled < off < 0.3
    assert fine["reference"][0] < 1e-12  # it is the largest cell itself
    taylor, best, factor = fine["taylor"]
    assert best < taylor
    assert 0.5 < factor < 1.0
    kept = {file.name: file.stat().st_mtime_ns for file in tmp_path.glob("*/*.npz")}
    assert len(kept) == 4
    again = representative_cell(seeds=2, output=tmp_path, more=False, **SMALL)
    assert again == [coarse, fine]
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.glob("*/*.npz")} == kept
    assert json.loads((tmp_path / "runs_R_0.02_10.json").read_text())["rows"] == again


def test_a_finer_grid_has_the_same_grains():
    kind = Kind(8, 4, "stabilised")
    (cell, taylor), (finer, same) = kind.laws(1), kind.finer.laws(1)
    assert finer.grid.shape == (8, 8, 8)
    for one, other in ((cell.texture, finer.texture), (taylor.texture, same.texture)):
        np.testing.assert_array_equal(one.orientations, other.orientations)
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-15)


def test_rounds_make_the_sizes():
    parts = study.rounds((50, 200, 500, 2000))
    assert [sum(part.values()) for part in parts] == [50, 150, 300, 1500]
    assert sum(study.SHARES.values()) == pytest.approx(1.0)
    assert sum(study.LOADS.values()) == pytest.approx(1.0)
    assert {*study.SHARES, study.IMPACT, *study.LOADS} == set(study.OF)
    assert [part["I30"] for part in study.rounds((50, 200), 0.2)] == [10, 30]
    beside = study.rounds((50, 200), 0.0, 0.2)[1]
    assert {kind: beside[kind] for kind in study.LOADS} == {"A80": 15, "A2": 6, "I100": 9}
    assert "I30" not in beside


def test_samples_of_any_load_are_made_in_finer_steps():
    usual, any_load = (study.of(kind, 4, 1, {}) for kind in ("R10", "A80"))
    assert (usual["steps"], usual["keep_every"]) == (study.STEPS, 1)
    assert (any_load["steps"], any_load["keep_every"]) == (2 * study.STEPS, 2)
    assert any_load["longest_duration"] == 50.0


def test_sizes_that_fall_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"sizes = \(200, 50\), expected increasing numbers"):
        study.full_field_weights(sizes=(200, 50), output=tmp_path)
    with pytest.raises(InputError, match=r"expected increasing numbers, 5 at most"):
        study.full_field_weights(sizes=(1, 2, 3, 4, 5, 6), output=tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_two_data_sets_have_a_seed():
    kinds = [(kind, turn) for kind in study.OF for turn in range(study.MOST_SIZES)]
    firsts = [study.seed_of(kind, turn) for kind, turn in kinds]
    firsts += [study.BAR_SEED, study.BAR_SEED + CELLS_APART]  # to learn from and to be judged by
    firsts += [study.seed_to_judge(kind) for kind in study.JUDGED]
    assert np.diff(sorted(firsts)).min() >= 1000


@pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")
def test_the_learning_curve_is_of_data_and_rivals(tmp_path, monkeypatch):
    strains = {"R10": ("R", 0.03), "U30": ("U", 0.05), "I30": ("I", 0.03), "A80": ("A", 0.03)}
    small = {name: (*told, (0.5, 5.0)) for name, told in strains.items()}
    monkeypatch.setattr(study, "OF", small)
    monkeypatch.setattr(study, "SHARES", {"R10": 0.8, "U30": 0.2})
    monkeypatch.setattr(study, "LOADS", {"A80": 1.0})
    monkeypatch.setattr(study, "JUDGED", tuple(small))
    monkeypatch.setattr(study, "STEPS", 20)
    monkeypatch.setattr(study, "REST", 0.02)
    asked = {"sizes": (12,), "test": 2, "grains": 8, "resolution": 4, "updates": 0.01}
    asked |= {"bars": 1, "output": tmp_path}
    curve = study.full_field_weights(**asked)
    assert set(curve["trainings"]) == {"taught more", "from nothing"}
    taylor, best = curve["rivals"]["Taylor"], curve["rivals"]["Taylor, best factor"]
    assert 0.5 < best["factor"] < 1.0
    assert best["R10"] < taylor["R10"]
    taught, blank = (curve["trainings"][how]["12"]["R10"] for how in ("taught more", "from nothing"))
    assert taught < 0.7 * blank  # ten updates of a network that knows Taylor, against thirty of none
    assert json.loads((tmp_path / "learning_curve.json").read_text()) == curve
    assert (tmp_path / "learning_curve.png").stat().st_size > 10_000
    assert curve["redrawn"]["R10_1"].endswith("times")
    assert set(curve["rivals"]["Taylor"]) == {*small, "bars"}
    runs = read_provenance(tmp_path / "bars" / "impacts_train.h5")["paths"]["simulations"]
    velocities = [(run["impact"], run["velocity_m_per_s"]) for run in runs]
    assert velocities == [("anvil", 150.0), ("anvil", 250.0), ("plate", 200.0)]
    assert {run["network_sha256"] for run in runs} == {read_surrogate(study.SHIPPED)[1].weights_sha256}
