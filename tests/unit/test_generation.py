"""Data sets made on all cores of a machine: the same numbers, errors in one line, nobody left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from interrupts import heed_interrupts

from microscale.data.dataset import parts_folder
from microscale.errors import InputError
from microscale.paths.protocols import StrainPaths
from multiscale.cli import generate, inspect
from multiscale.run.generation import DataSet, cores_for

ASKED = {"law": "taylor", "grains": 2, "paths": 130, "steps": 5, "max_strain": 0.02}


@pytest.fixture
def cores(monkeypatch):
    return lambda number: monkeypatch.setenv("OMP_NUM_THREADS", str(number))


def test_more_cores_make_the_same_file(tmp_path, cores):
    for number in (1, 2):
        cores(number)
        generate(out=tmp_path / f"{number}.h5", **ASKED)
    with h5py.File(tmp_path / "1.h5") as one, h5py.File(tmp_path / "2.h5") as two:
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
        assert dict(one.attrs) == dict(two.attrs)


@pytest.mark.parametrize(("count", "number", "expected"), [(96, 8, 1), (128, 8, 4), (999, 8, 8), (999, 1, 1)])
def test_a_core_has_at_least_a_block(cores, count, number, expected):
    cores(number)
    assert cores_for(DataSet("neo-hooke", {}, StrainPaths("R", 0.1, 4), count)) == expected


@pytest.fixture
def begun(tmp_path):
    """A generation on two cores that has made some blocks, and how to go on with it."""
    out, asked = tmp_path / "out.h5", {**ASKED, "steps": 100, "paths": 500}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in asked.items()]
    command = [sys.executable, "-m", "multiscale", "generate", f"--out={out}", *flags]
    options = {"env": {**os.environ, "OMP_NUM_THREADS": "2"}, "text": True, "stderr": subprocess.PIPE}
    running = subprocess.Popen(command, start_new_session=True, preexec_fn=heed_interrupts, **options)
    while len(list(parts_folder(out).glob("0*.h5"))) < 3:
        assert running.poll() is None
        time.sleep(0.02)
    yield running
    assert not processes_of(running, patience=5.0)
    if running.returncode:
        assert 3 <= len(list(parts_folder(out).glob("0*.h5"))) < 16
        subprocess.run(command, check=True, **options)
    with h5py.File(out) as made:
        assert made["stress"].shape == (500, 101, 6)


def processes_of(running: subprocess.Popen, patience: float = 0.0) -> list[int]:
    end = time.monotonic() + patience
    listing = ["ps", "-ww", "-o", "pid=,args=", "-s", str(running.pid)]
    while True:
        lines = subprocess.run(listing, capture_output=True, text=True).stdout.splitlines()
        if not lines or time.monotonic() >= end:
            return [int(line.split()[0]) for line in lines if "spawn_main" in line]
        time.sleep(0.05)


def test_an_interrupt_ends_all_and_the_work_goes_on_afterwards(begun):
    os.killpg(begun.pid, signal.SIGINT)  # as a terminal does
    _, said = begun.communicate(timeout=60)
    assert begun.returncode == 130
    assert said.strip() == "interrupted: the files written so far are complete up to their last output"


def test_the_work_of_a_process_that_is_killed_is_done_by_the_other(begun):
    (other,) = processes_of(begun)
    os.kill(other, signal.SIGKILL)
    _, said = begun.communicate(timeout=60)
    assert begun.returncode == 0
    assert not said.strip()


def test_a_family_that_a_crystal_does_not_have_is_refused_before_anything_is_written(tmp_path):
    asked = {**ASKED, "textures": "rolled", "crystal": Path("demos/copper.yaml")}
    with pytest.raises(InputError, match="textures = 'rolled' of copper, which has no such"):
        generate(out=tmp_path / "out.h5", **asked)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_something_else_is_not_told_to_be_removed_first():
    with pytest.raises(InputError, match=r"\.yaml cannot be read as a data set.*give another file, or if"):
        inspect(Path("demos/copper.yaml"))
