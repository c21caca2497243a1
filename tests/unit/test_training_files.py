"""What a training leaves to go on from: damage is found, or costs nothing."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hostile_kinds import begin_small, train_small
from safetensors.torch import load, save

from microscale.errors import InputError
from multiscale.surrogate.training.log import COLUMNS, draw_losses, read_log


@pytest.fixture
def begun(tmp_path) -> Path:
    """The checkpoint of a training that ended after two epochs of four."""
    begin_small(tmp_path / "t.safetensors")
    return tmp_path / "t.checkpoint"


def test_no_flipped_bit_of_a_checkpoint_changes_the_weights(begun):
    content, random, refused = begun.read_bytes(), np.random.default_rng(0), 0
    log = begun.with_suffix(".csv").read_bytes()
    expected = train_small(begun)
    for place in random.integers(len(content), size=60):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(random.integers(8))
        begun.write_bytes(damaged)
        begun.with_suffix(".csv").write_bytes(log)
        try:
            found = train_small(begun)
        except InputError as error:
            assert "remove it to start afresh" in str(error)  # noqa: PT017
            refused += 1
        else:
            assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert refused > 50


def test_a_checkpoint_without_or_with_another_check_sum_is_refused(begun):
    tensors = load(begun.read_bytes())
    for metadata in (None, {"settings": "x"}, {"sha256": "0", "progress": "{}"}):
        begun.write_bytes(save(tensors, metadata))
        with pytest.raises(InputError, match="its check sum does not fit"):
            train_small(begun)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-20],
        lambda text: b"\xff\xfe" + text,
        lambda text: text.replace(b",", b";"),
        lambda text: text.replace(b"0.", b"nan", 3),
        lambda text: b"",
        lambda text: b"1,2\n" * 5,
        lambda text: b"\0" * 4000,
    ],
)
def test_a_damaged_log_costs_no_training(begun, damage):
    log = begun.with_suffix(".csv")
    sound, content = log.read_bytes(), begun.read_bytes()
    expected = train_small(begun)
    begun.write_bytes(content)
    log.write_bytes(damage(sound))
    found = train_small(begun)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    assert set(read_log(log)[:, 0]) >= {3.0, 4.0}
    assert log.read_text().splitlines()[0] == ",".join(COLUMNS)


def test_a_picture_that_cannot_be_drawn_is_said_and_costs_nothing(tmp_path, capsys):
    (tmp_path / "t.png").mkdir()
    draw_losses(tmp_path / "no log.csv", tmp_path / "t.png")
    assert "the losses are not drawn" in capsys.readouterr().out


def test_weights_of_another_network_are_refused(begun, monkeypatch):
    monkeypatch.setattr("multiscale.surrogate.training.checkpoint._check_sum", lambda *_: "vouched for")
    from multiscale.surrogate.training import checkpoint

    with checkpoint.safe_open(str(begun), framework="pt") as file:
        metadata = file.metadata() | {"sha256": "vouched for"}
    sound = load(begun.read_bytes())
    for name, other in (
        ("now.weight", torch.zeros(5)),
        ("best.bias", torch.full((2,), float("nan"))),
        ("optimiser.0.exp_avg", torch.zeros(7)),
        ("optimiser.x.y", torch.zeros(1)),
        ("now.another", torch.zeros(1)),
    ):
        begun.write_bytes(save(sound | {name: other}, metadata))
        with pytest.raises(InputError, match=r"does not fit the (network|optimiser)"):
            train_small(begun)
    for progress in ("[]", '{"epoch": -1}', '{"epoch": "a"}', '{"epochs": 1}', "{", '{"epoch": 1e400}'):
        begun.write_bytes(save(sound, metadata | {"progress": progress}))
        with pytest.raises(InputError, match="remove it to start afresh"):
            train_small(begun)
