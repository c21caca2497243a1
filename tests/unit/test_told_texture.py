"""One network for polycrystals of any texture, from the data to the law."""

import numpy as np
import pytest

from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture.described import distribution
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.moments import texture_numbers
from microscale.data.generate import finish, generate
from microscale.errors import InputError
from microscale.paths.protocols import StrainPaths
from multiscale import cli
from multiscale.laws import make_law
from multiscale.run.data_options import DrivenLaw
from multiscale.run.generation import DataSet
from multiscale.surrogate.evaluate import followed, relative_errors
from multiscale.surrogate.kinds import kind_of
from multiscale.surrogate.recurrent.fit import fit_recurrent
from multiscale.surrogate.sources import read_sources
from multiscale.surrogate.store import read_surrogate

SIZES = {"groups": 2, "tensors": 2, "scalars": 2, "hidden": 16}
EPOCHS = 6

pytestmark = pytest.mark.filterwarnings("ignore::multiscale.surrogate.extrapolation.ExtrapolationWarning")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp("textured") / "d.h5"
    options = DrivenLaw(textures="various", grains=6, texture_seed=1).resolved()
    job = DataSet("taylor", options, StrainPaths("A", 0.2, 12, seed=3), 100).job()
    generate(job, out)
    finish(job, out)
    return out


@pytest.fixture(scope="module")
def weights(data):
    out = data.with_name("told.safetensors")
    cli.train(data, out=out, any_texture=True, epochs=EPOCHS, rate=5e-3, **SIZES)
    return out


def test_many_textures_need_a_network_that_is_told_them(data, tmp_path):
    with pytest.raises(InputError, match=r"many textures .*--any-texture"):
        fit_recurrent([data], tmp_path / "w.safetensors", epochs=1, **SIZES)


def test_it_learns(weights):
    assert read_surrogate(weights)[1].architecture == SIZES | {"texture": 1}
    losses = np.genfromtxt(weights.with_suffix(".csv"), delimiter=",", names=True)["train"]
    assert len(losses) == EPOCHS
    assert losses[-1] < 0.7 * losses[0]


def test_in_training_it_is_the_law(weights, data):
    """What validation measured is what the law gives: it is told the textures too."""
    card = read_surrogate(weights)[1]
    law = make_law("learned", weights=weights)
    histories = read_sources([data]).histories
    predict = kind_of("recurrent").predict(weights, law)
    told = relative_errors(followed(predict, histories), histories.stress, histories.times).deviatoric
    other = histories.texture[::-1].copy()
    wrong = predict(histories.times, histories.stretch, other)
    assert told.mean() == pytest.approx(card.errors["validation"]["deviatoric_mean"], rel=0.3)
    assert relative_errors(wrong, histories.stress, histories.times).deviatoric.mean() > told.mean()


def test_a_law_is_asked_for_a_texture_by_its_name(weights):
    law = make_law("learned", weights=weights, texture="rolled:15,25", texture_axes="x,z,-y")
    crystal = read_crystal()
    numbers = texture_numbers(distribution("rolled:15,25", crystal), lattice_of(crystal).group)
    state = law.init_state(2)
    np.testing.assert_allclose(np.linalg.norm(state["texture"][1]), np.linalg.norm(numbers), rtol=1e-9)
    assert np.abs(state["texture"][0] - numbers).max() > 0.1  # it lies turned in the part
    assert not make_law("learned", weights=weights, texture="uniform").init_state(1)["texture"].any()
