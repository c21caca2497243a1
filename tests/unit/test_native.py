"""Compiled kernels: what is in the cache is checked before it is run; a compiler of no use is named."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from microscale.errors import InputError
from microscale.native import compiler, private_folder
from microscale.native import library as native

ANSWER = "int answer(void) { return NUMBER; }\n"
CRASH = "int answer(void) { return *(volatile int *)0; }\n"


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    """The folder of kernels in a cache of the test's own, and a source."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    forget()
    (tmp_path / "answer.c").write_text(ANSWER)
    yield tmp_path / "cache" / "multiscale" / "kernels"
    forget()


def forget():
    private_folder.private_folder.cache_clear()
    private_folder._temporary.cache_clear()
    native._threads.cache_clear()


def answer(kernels, number=42):
    return native.load_kernel(kernels.parents[2] / "answer.c", {"NUMBER": number}).answer()


def test_a_kernel_is_compiled_once(kernels, monkeypatch):
    assert answer(kernels) == 42
    monkeypatch.setenv("CC", "no-such-compiler")
    assert answer(kernels) == 42
    assert (kernels.stat().st_mode & 0o777, len(list(kernels.iterdir()))) == (0o700, 1)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other code"])
def test_a_damaged_or_foreign_kernel_is_built_again(kernels, damage, capsys):
    answer(kernels)
    (library,) = kernels.iterdir()
    whole = library.read_bytes()
    library.unlink()  # its pages may still be in use
    other = kernels.parent / "crash.so"
    (kernels.parent / "crash.c").write_text(CRASH)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", other, kernels.parent / "crash.c"], check=True)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x40
    damaged = {
        "flip": flipped,
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "other code": other.read_bytes(),
    }
    library.write_bytes(damaged[damage])
    forget()
    assert answer(kernels) == 42
    assert "is damaged, or not this user's alone: it is compiled again" in capsys.readouterr().err
    assert library.read_bytes() == whole


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_could_write_is_closed_and_emptied(kernels, mode, capsys):
    answer(kernels)
    (library,) = kernels.iterdir()
    planted = kernels / library.name.replace(library.stem[-native.DIGITS :], "0" * native.DIGITS)
    planted.write_bytes(b"planted")
    (kernels / "inner").mkdir()
    kernels.chmod(mode)
    forget()
    assert answer(kernels) == 42
    assert "others could write" in capsys.readouterr().err
    assert kernels.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in kernels.iterdir()] == [library.name]


def test_a_kernel_that_others_can_write_is_built_again(kernels, capsys):
    answer(kernels)
    (library,) = kernels.iterdir()
    library.chmod(0o766)
    forget()
    assert answer(kernels) == 42
    assert "it is compiled again" in capsys.readouterr().err
    assert library.stat().st_mode & 0o777 == 0o700


def test_a_cache_below_a_folder_that_everybody_can_write_is_not_used(kernels, capsys):
    kernels.parent.mkdir(parents=True)
    kernels.parent.chmod(0o777)
    assert answer(kernels) == 42
    assert f"everybody can write {kernels.parent}" in capsys.readouterr().err
    assert not any(kernels.iterdir())


def test_a_cache_that_cannot_be_made_gives_way_to_a_private_temporary_folder(kernels, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    forget()
    assert answer(kernels) == 42
    said = capsys.readouterr().err
    temporary = kernels.parents[2] / f"multiscale-{os.geteuid()}"
    assert said.count("\n") == 1
    assert "/proc/none/multiscale/kernels (No such file or directory); it goes to " in said
    assert temporary.stat().st_mode & 0o777 == 0o700
    assert list(temporary.rglob("answer-*.so"))


def test_a_foreign_temporary_folder_is_not_used(kernels, monkeypatch):
    foreign = kernels.parents[2] / f"multiscale-{os.geteuid()}"
    foreign.mkdir(mode=0o777)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    forget()
    assert answer(kernels) == 42
    assert not list(foreign.rglob("*"))


def test_a_user_without_a_home_has_a_cache(kernels, monkeypatch, capsys):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(private_folder.Path, "home", no_home)
    monkeypatch.setattr(private_folder, "NOWHERE", Path("/proc/none"))
    assert answer(kernels) == 42
    assert "it goes to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("no-such-compiler", "CC = 'no-such-compiler' is no program that can be run"),
        ("gcc '", "CC = 'gcc '' cannot be read"),
        ("true", "compiling answer.c with true failed: it made no library"),
        ("false -x", "compiling answer.c with false -x failed"),
    ],
)
def test_a_wrong_compiler_is_named(kernels, monkeypatch, given, message):
    monkeypatch.setenv("CC", given)
    with pytest.raises(InputError) as refused:
        answer(kernels)
    assert message in str(refused.value)
    assert "set CC to a C compiler that works, or unset it" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", ["", "gcc -O1"])
def test_a_compiler_may_come_with_flags(kernels, monkeypatch, given):
    monkeypatch.setenv("CC", given)
    assert answer(kernels) == 42


def test_a_compiler_that_hangs_ends_with_what_it_started(kernels, monkeypatch):
    hangs = kernels.parents[2] / "hangs"
    hangs.write_text("#!/bin/sh\nsleep 1000 &\necho $! > $0.pid\nwait\n")
    hangs.chmod(0o755)
    monkeypatch.setenv("CC", str(hangs))
    monkeypatch.setattr(compiler, "PATIENCE", 1.0)
    with pytest.raises(InputError, match=r"took more than 1 s; set CC to a C compiler"):
        answer(kernels)
    child = Path("/proc", hangs.with_suffix(".pid").read_text().strip(), "stat")
    end = time.monotonic() + 20.0
    while is_running(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_running(child)


def is_running(stat):
    """Whether a process is there and no zombie, by its file in /proc."""
    try:
        return stat.read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("given", ["abc", "0", "-2", "1.5", "99999999999999999999", "x,2"])
def test_a_number_of_threads_that_is_none_is_named(kernels, monkeypatch, given):
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    with pytest.raises(InputError, match=f"OMP_NUM_THREADS = '{given}', expected a number of threads"):
        native.default_threads()


def test_threads_of_the_outermost_level_are_used(kernels, monkeypatch, capsys):
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert (native.default_threads(), native.default_threads()) == (4, 4)
    assert capsys.readouterr().err.count("OMP_NUM_THREADS = '4,2'") == 1


def test_numba_keeps_its_code_in_a_private_folder(tmp_path):
    """Importing the package settles it, even where the folder that was named cannot be made."""
    settings = {"NUMBA_CACHE_DIR": "/proc/none", "TMPDIR": str(tmp_path)}
    program = "import microscale, numba; print(numba.config.CACHE_DIR)"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | settings, capture_output=True, text=True, check=True
    )
    folder = Path(done.stdout.strip())
    assert folder.is_relative_to(tmp_path / f"multiscale-{os.geteuid()}")
    assert folder.is_dir()
    assert done.stderr.startswith("warning: compiled code cannot be kept in /proc/none")
    assert done.stderr.count("\n") == 1
