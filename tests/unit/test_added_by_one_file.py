"""A new law, a new obstacle and a new surrogate are each added by one file, added_by_one_file.py."""

import importlib.util
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from meshes.cylinder import cylinder
from microscale.errors import InputError
from multiscale import laws
from multiscale.cases.anvil import anvil
from multiscale.cases.run_file import run_file
from multiscale.cli import evaluate, generate, train
from multiscale.dynamics.simulation import Simulation
from multiscale.laws import make_law, register
from multiscale.run.material import LawOptions
from multiscale.surrogate import kinds
from multiscale.surrogate.store import read_surrogate


@pytest.fixture(scope="module")
def added():
    file = Path(__file__).with_name("added_by_one_file.py")
    module = importlib.util.module_from_spec(spec := importlib.util.spec_from_file_location(file.stem, file))
    spec.loader.exec_module(module)
    with patch.dict(laws._REGISTERED), patch.dict(kinds._REGISTERED):
        register("hencky", module.Hencky)
        kinds.register(module.LinearKind())
        yield module


def test_a_law_of_one_file_is_made_by_its_name_and_carries_an_impact(added):
    law = make_law("hencky", shear_modulus=20.0)
    assert law.moduli().shear == pytest.approx(20.0, rel=1e-4)
    with pytest.raises(InputError, match="unknown option 'hardness' of law 'hencky'"):
        make_law("hencky", hardness=1.0)
    with pytest.raises(InputError, match="'hencky' is known already"):
        register("hencky", added.Hencky)


def test_a_law_of_one_file_is_a_law_of_the_commands(added, tmp_path):
    summary = anvil(law="hencky", density="2 g/cm^3", elements=60, end_time=0.05, output=tmp_path / "run")
    assert summary["law"]["name"] == "hencky"
    again = run_file(tmp_path / "run" / "case.toml", output=tmp_path / "again")
    assert again["final_length_mm"] == summary["final_length_mm"]
    with pytest.raises(InputError, match=r"law hencky does not take --crystal mine\.yaml"):
        LawOptions(law="hencky", crystal=Path("mine.yaml")).make(1.0)


def test_a_law_without_options_says_that_it_takes_none(added):
    class Plain(added.Hencky):
        def __init__(self):
            super().__init__()

    register("plain", Plain)
    with pytest.raises(InputError, match="unknown option 'hardness' of law 'plain', expected none"):
        make_law("plain", hardness=1.0)


def test_an_obstacle_of_one_file_stops_a_body(added):
    body, ball = cylinder(elements=60), added.RigidSphere((0.0, 0.0, -2.0), 2.0)
    anvil = Simulation(body, make_law("hencky"), obstacles=[ball], initial_velocity=(0.0, 0.0, -0.05))
    anvil.run(0.3)
    assert anvil.touched
    assert anvil.contact_impulse[2] > 0.0
    assert abs(anvil.energy.error) < 0.01
    x = anvil.positions + anvil.u.x.array.reshape(-1, 3)
    assert ball.gap(x).min() > -1e-9


def test_a_surrogate_of_one_file_is_trained_measured_and_used(added, tmp_path):
    data, weights = tmp_path / "data.h5", tmp_path / "linear.safetensors"
    generate(out=data, law="taylor", grains=2, max_strain=0.0001, duration=1e-6, paths=40, steps=20)
    train(data, out=weights, model="linear", epochs=1)
    assert read_surrogate(weights)[1].kind == "linear"
    law = make_law("learned", weights=weights)
    assert law.shear_modulus == pytest.approx(25.0, rel=0.02)  # that of the crystals, which hardly flow
    evaluate(weights, data, out=tmp_path, record=True)
    errors = read_surrogate(weights)[1].errors["sets"]["data"]
    assert errors["deviatoric_mean"] < 0.03
    with pytest.raises(InputError, match="model linear does not take --hidden 8"):
        train(data, out=weights, model="linear", hidden=8)


def test_an_unknown_kind_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match="kind of surrogate 'oracle', expected one of: pca, recurrent"):
        train(tmp_path / "x.h5", out=tmp_path / "y.safetensors", model="oracle")


def test_a_kind_does_not_take_the_name_of_another(added):
    class Other(added.LinearKind):
        name = "pca"

    with pytest.raises(InputError, match="'pca' is known already"):
        kinds.register(Other())
    assert np.all([kinds.kind_of(name).name == name for name in kinds.kind_names()])
