"""One writer at a time: another is told who holds the lock, and a killed one holds nothing."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from microscale.errors import InputError
from microscale.files import one_writer as module
from microscale.files.one_writer import one_writer

HOLD = """
import sys
from pathlib import Path
from microscale.files.one_writer import one_writer
with one_writer(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None):
    print("held", flush=True)
    input()
"""


@contextmanager
def another(*paths):
    """Another process that holds a lock."""
    command = [sys.executable, "-c", HOLD, *map(str, paths)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_another_writer_is_refused_with_who_and_where_and_since_when(tmp_path):
    out = tmp_path / "data.h5"
    with another(out) as process, pytest.raises(InputError) as caught, one_writer(out):
        pass
    told = rf"process {process.pid} on {socket.gethostname()} since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
    assert caught.match(rf"^{out} is being written by {told}: wait for it, end it, or choose another place$")


def test_the_lock_of_a_killed_writer_is_free_and_its_file_is_removed(tmp_path):
    out = tmp_path / "data.h5"
    with another(out) as process:
        process.kill()
        process.wait()
    assert [path.name for path in tmp_path.iterdir()] == [".data.h5.lock"]
    with one_writer(out):
        assert (tmp_path / ".data.h5.lock").read_text().startswith(f"process {os.getpid()} on ")
    assert list(tmp_path.iterdir()) == []


def test_an_error_releases_the_lock(tmp_path):
    with pytest.raises(ZeroDivisionError), one_writer(tmp_path / "x"):
        raise ZeroDivisionError
    with (
        one_writer(tmp_path / "x"),
        pytest.raises(InputError, match="being written"),
        one_writer(tmp_path / "x"),
    ):
        pass


def test_many_that_begin_and_end_at_once_never_write_together(tmp_path):
    script = """
import sys, time
from pathlib import Path
from microscale.errors import InputError
from microscale.files.one_writer import one_writer
out, inside = Path(sys.argv[1]), Path(sys.argv[2])
held = 0
end = time.monotonic() + 1.5
while time.monotonic() < end:
    try:
        with one_writer(out):
            inside.mkdir()  # fails where another one is inside
            inside.rmdir()
            held += 1
    except InputError:
        pass
print(held)
"""
    command = [sys.executable, "-c", script, str(tmp_path / "out"), str(tmp_path / "inside")]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    held = [int(writer.communicate(timeout=60)[0]) for writer in writers]
    assert all(writer.returncode == 0 for writer in writers)
    assert sum(held) > 10


def test_what_a_lock_file_says_is_shown_as_plain_text(tmp_path):
    out, lock = tmp_path / "data.h5", tmp_path / "lock"
    with another(out, lock):
        lock.write_bytes(b"\x1b[31mred\n\xff" + b"x" * 10000)
        with pytest.raises(InputError) as caught, one_writer(out, lock):
            pass
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_lock_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"), one_writer(tmp_path / "file" / "data.h5"):
        pass
    (tmp_path / ".data.h5.lock").symlink_to(tmp_path / "file")
    with pytest.raises(InputError, match="cannot be written"), one_writer(tmp_path / "data.h5"):
        pass
    assert (tmp_path / "file").read_bytes() == b""


def test_a_file_system_without_locks_is_said_and_used(tmp_path, monkeypatch):
    def refuse(handle, operation):
        raise OSError(38, os.strerror(38))

    monkeypatch.setattr(module.fcntl, "flock", refuse)
    with pytest.warns(UserWarning, match="is not locked"), one_writer(tmp_path / "data.h5"):
        pass
    assert list(Path(tmp_path).iterdir()) == []
