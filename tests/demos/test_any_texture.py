"""The studies of any texture and of kinds nobody trained on, on a small scale."""

import json
from pathlib import Path

import any_texture_weights as plan
import numpy as np
import pytest
import textured_impacts
from kinds_not_trained import kinds_not_trained
from kinds_of_load import KINDS
from texture_families import LOADS, texture_families
from texture_orders import texture_orders

from microscale.crystals.texture.families.family import KEPT_BACK
from microscale.data.dataset import read_dataset
from microscale.errors import InputError


def test_the_plan_keeps_what_it_is_judged_by_apart():
    learnt, judged = plan.SETS.values(), plan.TESTS.values()
    assert {told["textures"] for told in learnt} == {"various", "peaks"}
    assert {told["textures"] for told in judged} == {"none", "various", *KEPT_BACK}
    seeds = [told["seed"] for told in (*learnt, *judged)]
    assert len(set(seeds)) == len(seeds)
    assert all(told["texture_seed"] == told["seed"] for told in (*learnt, *judged))
    assert sum(told["paths"] for told in learnt) == 47_424  # as docs say
    base, last = (set(data) for data, _ in plan.TRAININGS.values())
    assert base | last == set(plan.SETS)
    assert [sum(plan.SETS[name]["paths"] for name in names) for names in (base, last)] == [25_824, 38_624]


def test_the_plan_makes_its_data(tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "SETS", {"A_1": plan.SETS["A_1"]})
    monkeypatch.setattr(plan, "TESTS", {"R10_girdle": plan.TESTS["R10_girdle"]})
    monkeypatch.setattr(plan, "round_of", lambda k: plan.SETS)
    files = plan.any_texture_weights(output=tmp_path, scale=0.003, grains=2)
    assert [file.name for file in files] == ["A_1.h5", "R10_girdle.h5"]
    families = [read_dataset(file).provenance["law"]["textures"]["family"] for file in files]
    assert families == ["various", "girdle"]
    assert len(read_dataset(files[0])) == 12


@pytest.mark.parametrize("name", KINDS)
def test_kinds_of_load_start_at_rest_and_are_isochoric(name):
    times, F = KINDS[name](2, 1)
    np.testing.assert_allclose(F[:, 0], np.broadcast_to(np.eye(3), (2, 3, 3)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(F), 1.0, atol=1e-9)
    assert (np.diff(times) > 0.0).all()
    assert times[-1] == pytest.approx(float(name.split(", ")[-1].removesuffix(" us")))
    C = np.swapaxes(F, 2, 3) @ F
    principal = 0.5 * np.log(np.linalg.eigvalsh(C))
    strain = np.sqrt(2.0 / 3.0) * np.linalg.norm(principal, axis=2)
    if name.startswith("cycles"):
        assert strain.max() == pytest.approx(0.01 * float(name.split()[2]), rel=1e-9)
        np.testing.assert_allclose(F[:, -1], F[:, 0], atol=1e-12)
    elif name.startswith("rates"):
        rate = np.diff(strain, axis=1) / np.diff(times)
        factor = float(name.split("x")[1].split(",")[0])
        assert (rate.max(axis=1) / rate.min(axis=1)) == pytest.approx([factor, factor], rel=1e-6)
    elif name.startswith("simple"):
        np.testing.assert_allclose(np.trace(C[:, -1], axis1=1, axis2=2), 3.0 + 1.5**2)
    elif name.startswith("shear then"):
        assert strain[:, len(times) // 2] == pytest.approx([2.0 / np.sqrt(3.0) * np.arcsinh(0.25)] * 2)
    else:
        turned = F[:, -1] @ np.linalg.inv(F[:, -2])
        assert np.abs(turned - np.swapaxes(turned, 1, 2)).max() > 0.01  # a turn of a four-hundredth


@pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")
def test_kinds_that_were_not_trained_are_measured(tmp_path):
    chosen = ("cycles of 0.5 %, 1 us", "simple shear to 1.5, 1 us")
    asked = {"paths": 1, "kinds": chosen, "loads": (0.1,), "holds": (0.5,), "steps": (5.0, 50.0)}
    found = kinds_not_trained(output=tmp_path, **asked)
    small, shear = (found["kinds"][name]["mean"] for name in chosen)
    assert 0.0 < shear < 0.06
    assert 0.0 < small < 0.5
    (hold,) = found["holds"]
    assert set(hold["at_its_end"]) == {"5", "50"}
    assert abs(hold["farthest"]["5"]) >= abs(hold["at_its_end"]["5"])
    assert json.loads((tmp_path / "kinds_not_trained.json").read_text()) == found
    table = (tmp_path / "kinds_not_trained.md").read_text()
    assert f"| {chosen[0]} | {100 * small:.1f} |" in table
    assert (tmp_path / "kinds_not_trained.png").stat().st_size > 10_000
    with pytest.raises(InputError, match=r"kind = 'creep', expected some of cycles of 0\.2"):
        kinds_not_trained(kinds=("creep",), output=tmp_path)


@pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")
def test_grains_that_represent_a_texture_stand_for_it(tmp_path):
    asked = {"families": ("split",), "textures": 1, "paths": 2, "grains": 48}
    found = texture_families(output=tmp_path, **asked)["split"]
    assert set(found) == set(LOADS)
    for errors in found.values():
        assert errors["32 grains"] < 0.1
        assert errors["same 27 numbers"] < 0.25
        assert errors["no texture"] > 2.0 * errors["32 grains"]
        assert errors["shipped network"] > 2.0 * errors["32 grains"]
    assert "| split | R 10 % |" in (tmp_path / "texture_families.md").read_text()
    assert json.loads((tmp_path / "texture_families.json").read_text())["split"] == found
    with pytest.raises(InputError, match="family = 'sheets', expected some of various"):
        texture_families(families=("sheets",), output=tmp_path)
    with pytest.raises(InputError, match="grains = 32, expected more than the 32"):
        texture_families(grains=32, output=tmp_path)


@pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")
def test_the_stress_is_a_sum_over_orders_of_the_texture(tmp_path):
    asked = {"crystals": 300, "paths": 1, "textures": 1, "grains": 48}
    found = texture_orders(weights=Path("any-texture"), output=tmp_path, **asked)["R 10 %"]
    for family in ("various", "split", "deformed"):
        of_2, of_4, of_c, of_6, _ = found["left out"][family].values()
        assert of_4 < 0.6 * of_2  # order 4 counts
        assert of_4 < 0.12
        assert of_c < 0.9 * of_4  # and the first function of order 6
        assert of_c < 1.15 * of_6  # more than the second
    assert found["left out"]["none"]["8"] < 0.05
    assert 0.0 < found["network"]["no texture"] < 0.05
    assert found["network"]["by order 2"] < 0.2
    assert found["network"]["by order 4"] < 0.35
    assert found["network"]["by order 6"] < 1.0
    assert "| R 50 % | split |" in (tmp_path / "texture_orders.md").read_text()


@pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")
def test_bars_of_textures_become_a_data_set(tmp_path, monkeypatch):
    monkeypatch.setattr(textured_impacts, "ENDS", (0.05, 0.1))
    told = {"bars": 2, "paths": 48, "elements": 60, "grains": 3, "seed": 4}  # more than a block each
    file = textured_impacts.textured_impacts(output=tmp_path, family="rolled", **told)
    data = read_dataset(file)
    assert len(data) == 96
    first, second = data.provenance["paths"]["simulations"]
    assert 0.05 < first["end_us"] != second["end_us"] < 0.1
    assert data.times[0, -1] >= first["end_us"]
    np.testing.assert_array_equal(data.texture[:48], data.texture[[0]].repeat(48, axis=0))
    assert np.abs(data.texture[48] - data.texture[0]).max() > 0.1  # the next bar has the next texture
    assert data.provenance["law"]["textures"]["paths_each"] == 48
    assert np.linalg.det(data.stretch_tensors[:, -1]).min() < 0.99  # compressed by the impact
    assert textured_impacts.textured_impacts(output=tmp_path, family="rolled", **told) == file
    with pytest.raises(InputError, match="expected more than the 1000 histories of a bar"):
        textured_impacts.textured_impacts(output=tmp_path, family="rolled", **told | {"paths": 1000})
