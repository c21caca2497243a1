"""A network that starts as a smaller one: the same stress, and more to learn with."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from stretch_histories import stretches

from microscale.errors import InputError
from microscale.law import drive
from multiscale.surrogate.recurrent.architecture import Architecture
from multiscale.surrogate.recurrent.fit import _start_from
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.recurrent.network import RecurrentSurrogate
from multiscale.surrogate.recurrent.widen import _inputs, _targets
from multiscale.surrogate.store import SHIPPED, read_surrogate, write_surrogate

ARRAYS, CARD = read_surrogate(SHIPPED)
SMALL = Architecture(**CARD.architecture)


def started(large: Architecture, file=SHIPPED) -> RecurrentSurrogate:
    torch.manual_seed(3)
    module = RecurrentSurrogate(large)
    _start_from(file, module, large)
    return module


def law_of(module: RecurrentSurrogate) -> LearnedLaw:
    arrays = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    return LearnedLaw(arrays, replace(CARD, architecture=module.architecture.told), precision="double")


@pytest.mark.parametrize("large", [SMALL, replace(SMALL, texture=1), replace(SMALL, texture=1, hidden=96)])
def test_names_of_what_is_read_and_given_are_one_each(large):
    for labels, count in ((_inputs(large), large.inputs), (_targets(large), large.layers["targets"][1])):
        assert len(set(labels)) == len(labels) == count


@pytest.mark.parametrize("change", [{}, {"hidden": 96}, {"texture": 1}, {"texture": 1, "hidden": 88}])
def test_the_larger_network_has_the_stress_of_the_smaller(change):
    U = np.ascontiguousarray(stretches(paths=12, size=0.1))
    times = np.linspace(0.0, 1.0, U.shape[1])
    law = law_of(started(replace(SMALL, **change)))
    state = law.init_state(12)
    if "texture" in state:
        state["texture"][:] = np.random.default_rng(0).normal(size=state["texture"].shape)
    found = drive(law, U, times, state)
    expected = drive(LearnedLaw(ARRAYS, CARD, precision="double"), U, times)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12 * np.abs(expected).max())


def test_one_that_was_told_textures_is_widened_as_well(tmp_path):
    told = replace(SMALL, texture=1)
    torch.manual_seed(5)
    weights = {name: tensor.numpy() for name, tensor in RecurrentSurrogate(told).state_dict().items()}
    file = tmp_path / "told.safetensors"
    write_surrogate(file, weights, replace(CARD, architecture=told.told))
    U, texture = np.ascontiguousarray(stretches(paths=5, size=0.1)), 0.3 * np.eye(27)[5:10]
    times, found = np.linspace(0.0, 1.0, U.shape[1]), []
    for law in (LearnedLaw.from_file(file, "double"), law_of(started(replace(told, hidden=112), file))):
        state = law.init_state(5)
        state["texture"][:] = texture
        found.append(drive(law, U, times, state))
    np.testing.assert_allclose(found[1], found[0], rtol=0.0, atol=1e-12 * np.abs(found[0]).max())


def test_what_is_new_learns():
    module = started(replace(SMALL, texture=1, hidden=88))
    reads, gives = module.input, module.targets
    assert not reads[SMALL.inputs :, : SMALL.hidden].all()
    assert not gives[SMALL.hidden :].any()  # nothing is heard of further units
    assert reads[:, SMALL.hidden :].all()  # but they read


@pytest.mark.parametrize(
    ("large", "match"),
    [
        ({"groups": 5}, "has groups = 4, asked is 5: give --groups 4"),
        ({"scalars": 1}, "has scalars = 6, asked is 1: give --scalars 6"),
        ({"hidden": 40}, "has hidden = 80, expected at most the 40 asked: give --hidden 80 or more"),
    ],
)
def test_other_sizes_are_refused(large, match):
    with pytest.raises(InputError, match=match):
        started(replace(SMALL, **large))


@pytest.mark.parametrize(("name", "flag"), [("texture", "--any-texture"), ("holds", "--holds")])
def test_what_it_was_trained_with_is_not_dropped(tmp_path, name, flag):
    told, asked = (replace(SMALL, **{name: flag}) for flag in (1, 0))
    weights = {n: tensor.numpy() for n, tensor in RecurrentSurrogate(told).state_dict().items()}
    write_surrogate(tmp_path / "w.safetensors", weights, replace(CARD, architecture=told.told))
    with pytest.raises(InputError, match=f"was trained with {flag}: give it here too"):
        started(asked, tmp_path / "w.safetensors")
