"""Files are there whole or not at all."""

import os

import pytest

from microscale.errors import InputError
from microscale.files.whole_file import replacing, write_json, write_whole


def test_a_file_is_replaced(tmp_path):
    file = tmp_path / "x"
    write_whole(file, b"one")
    write_whole(file, b"two")
    assert file.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("place", ["fsync", "replace"])
def test_what_fails_leaves_the_file_before(tmp_path, monkeypatch, place):
    file = tmp_path / "x"
    write_whole(file, b"one")

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, place, fails)
    if place == "replace":
        monkeypatch.setattr("pathlib.Path.replace", fails)
    with pytest.raises(InputError, match=r"cannot write .*x: No space left on device; free space"):
        write_whole(file, b"two")
    assert file.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [file]


def test_an_interrupt_leaves_nothing_else(tmp_path):
    file = tmp_path / "x"

    def interrupted():
        with replacing(file) as unfinished:
            unfinished.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


def test_a_folder_or_a_name_that_cannot_be_written_is_named(tmp_path):
    for file in (tmp_path, tmp_path / "no folder" / "x", tmp_path / ("x" * 300)):
        with pytest.raises(InputError, match="cannot write"):
            write_whole(file, b"")


def test_json_holds_finite_numbers(tmp_path):
    with pytest.raises(InputError, match="not finite"):
        write_json(tmp_path / "x.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())
