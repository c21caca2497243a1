"""Runs that are ended before their time: what they leave goes on as if they had never been."""

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from taylor_anvil import taylor_anvil

from microscale.errors import DeformationError, InputError
from multiscale.dynamics.simulation import Simulation
from multiscale.run.stopped import Stopped

DEMO = Path(__file__).parents[2] / "demos" / "taylor_anvil.py"
MPIRUN = Path(sys.executable).parent / "mpirun"

#: Its waves are fast: many steps.
COPPER = Path(__file__).with_name("copper_j2.json")
SMALL = {"law": "j2", "constants": COPPER, "elements": 100, "end_time": 0.6, "model": "quarter"}

# The anvil whose rank 0 is killed in the middle of its third checkpoint.
KILLED = """
import os
import signal
import sys

from multiscale.run.checkpoint_file import CheckpointFile

sys.path.insert(0, sys.argv.pop(1))
finish, count = CheckpointFile.finish, 0


def killed(self):
    global count
    count += 1
    if count == 3:
        self._file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    return finish(self)


CheckpointFile.finish = killed
from multiscale.run.command import launch
from taylor_anvil import taylor_anvil

launch(taylor_anvil)
"""


def flags(**inputs):
    return [f"--{name.replace('_', '-')}={value}" for name, value in inputs.items()]


def start(ranks, *arguments):
    command = [str(MPIRUN), "-n", str(ranks), sys.executable, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def steps(folder):
    with (folder / "energy.csv").open() as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def assert_same_record(one, other):
    """Ledgers, results and final figures of two folders agree bit by bit."""
    assert (one / "energy.csv").read_text() == (other / "energy.csv").read_text()
    with h5py.File(one / "results.vtkhdf") as mine, h5py.File(other / "results.vtkhdf") as its:
        names = []
        mine.visit(names.append)
        for name in names:
            if isinstance(mine[name], h5py.Dataset):
                np.testing.assert_array_equal(mine[name][()], its[name][()], err_msg=name)
        assert mine["VTKHDF/Steps"].attrs["NSteps"] == its["VTKHDF/Steps"].attrs["NSteps"]
    differs = {"wall_seconds", "output_share", "bytes_per_element", "inputs", "ranks"}
    summaries = [json.loads((folder / "summary.json").read_text()) for folder in (one, other)]
    for name in summaries[0].keys() - differs:
        assert summaries[0][name] == summaries[1][name], name


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The record of a run that was never ended, with a checkpoint at 0.5 us."""
    folder = tmp_path_factory.mktemp("whole")
    taylor_anvil(**SMALL, output=folder, checkpoint_every=0.25)
    return folder


def test_record_after_a_restart_is_that_of_a_run_that_was_never_ended(whole, tmp_path):
    folder = tmp_path / "restarted"
    shutil.copytree(whole, folder)
    with (folder / "energy.csv").open("a") as file:
        file.write("39,0.61,0.0")  # a row cut short by a kill
    taylor_anvil(**SMALL, output=folder, restart=folder / "checkpoint.h5", checkpoint_every=0.25)
    assert_same_record(whole, folder)


def test_restart_into_another_folder_begins_a_record_there(whole, tmp_path):
    taylor_anvil(**SMALL, output=tmp_path, restart=whole / "checkpoint.h5")
    all_steps, new = steps(whole), steps(tmp_path)
    assert 0 < len(new) < len(all_steps)
    assert new == all_steps[-len(new) :]


def test_a_run_restarted_at_its_end_is_finished_in_its_folder_and_refused_in_another(tmp_path):
    brief = {**SMALL, "end_time": 0.05}
    first = taylor_anvil(**brief, output=tmp_path / "run", checkpoint_every=0.05)
    restart = tmp_path / "run" / "checkpoint.h5"
    again = taylor_anvil(**brief, output=tmp_path / "run", restart=restart, checkpoint_every=0.05)
    assert again["final_length_mm"] == first["final_length_mm"]
    with pytest.raises(InputError, match="give a later --end-time"):
        taylor_anvil(**brief, output=tmp_path / "other", restart=restart)


def test_results_of_another_run_are_not_touched(whole, tmp_path):
    taylor_anvil(**{**SMALL, "velocity": 100.0}, output=tmp_path)
    before = (tmp_path / "results.vtkhdf").read_bytes()
    with pytest.raises(InputError, match=r"velocity = 100.0, this run has 200.0"):
        taylor_anvil(**SMALL, output=tmp_path, restart=whole / "checkpoint.h5")
    assert (tmp_path / "results.vtkhdf").read_bytes() == before


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"velocity": 300.0}, "velocity = 200.0, this run has 300.0"),
        ({"law": "johnson-cook", "constants": None}, "law = j2, this run has johnson-cook"),
        ({"element": "hex8-fbar"}, "element = hex8-one-point, this run has hex8-fbar"),
        ({"elements": 300}, "elements = 100, this run has 300"),
        ({"end_time": 0.1}, "give a later --end-time"),
        ({"restart": DEMO}, "cannot be read as a checkpoint: damaged, or none"),
        ({"restart": Path("nowhere.h5")}, "nowhere.h5 does not exist"),
        ({"checkpoint_every": 0.0}, "checkpoint-every = 0.0 us"),
        ({"max_wall": -1.0}, "max-wall = -1.0 s"),
    ],
)
def test_a_restart_that_does_not_fit_is_named(whole, tmp_path, given, message):
    with pytest.raises(InputError, match=re.escape(message)):
        taylor_anvil(**{**SMALL, "output": tmp_path, "restart": whole / "checkpoint.h5", **given})


def test_wall_time_ends_a_run_that_goes_on_with_the_same_bits(whole, tmp_path):
    with pytest.raises(Stopped, match="--max-wall") as stopped:
        taylor_anvil(**SMALL, output=tmp_path, max_wall=1e-3)
    assert stopped.value.code == 75
    assert steps(tmp_path) == [0, 1]
    again = {**SMALL, "output": tmp_path, "restart": tmp_path / "checkpoint.h5"}
    with pytest.raises(Stopped):
        taylor_anvil(**again, max_wall=1e-3)
    assert steps(tmp_path) == [0, 1, 2]
    taylor_anvil(**again)
    assert_same_record(whole, tmp_path)


def test_an_error_says_what_was_last_good(tmp_path, monkeypatch):
    step = Simulation.step

    def fail(simulation):
        if simulation.step_count == 20:
            raise DeformationError("cell 7 has inverted")
        step(simulation)

    monkeypatch.setattr(Simulation, "step", fail)
    with pytest.raises(DeformationError) as caught:
        taylor_anvil(**SMALL, output=tmp_path, checkpoint_every=0.25)
    (note,) = caught.value.__notes__
    assert re.match(r"last output at t = 0\.\d+ us in .*results.vtkhdf, last checkpoint .* at t = 0\.2", note)


def test_sigterm_to_mpirun_leaves_a_checkpoint_that_goes_on(tmp_path):
    inputs = {**SMALL, "end_time": 1e5, "output": tmp_path}
    run = start(2, DEMO, *flags(**inputs))
    wait_for(tmp_path / "energy.csv", 1000)
    run.send_signal(signal.SIGUSR1)
    wait_for(tmp_path / "checkpoint.h5", 1)
    assert run.poll() is None
    begin = time.monotonic()
    run.send_signal(signal.SIGTERM)
    _, message = run.communicate(timeout=60)
    assert time.monotonic() - begin < 10.0
    assert run.returncode == 143
    *warnings, line = message.splitlines()
    assert all(warning.startswith("warning: the run will take some ") for warning in warnings)
    found = re.match(r"stopped at t = .* us, step (\d+) \(SIGTERM\): go on with --restart (.*)", line)
    assert found[2] == str(tmp_path / "checkpoint.h5")
    run = start(1, DEMO, *flags(**inputs, restart=tmp_path / "checkpoint.h5", max_wall=1e-3))
    _, message = run.communicate(timeout=60)
    assert run.returncode == 75, message
    assert steps(tmp_path) == list(range(int(found[1]) + 2))


def test_kill_while_a_checkpoint_is_written_leaves_the_one_before(whole, tmp_path):
    script, folder = tmp_path / "killed.py", tmp_path / "killed"
    script.write_text(KILLED)
    run = start(2, script, DEMO.parent, *flags(**SMALL, output=folder, checkpoint_every=0.1))
    run.communicate(timeout=60)
    assert run.returncode != 0
    assert (folder / "checkpoint.h5.unfinished").exists()
    taylor_anvil(**SMALL, output=folder, restart=folder / "checkpoint.h5", checkpoint_every=0.1)
    assert steps(folder) == steps(whole)
    assert not (folder / "checkpoint.h5.unfinished").exists()
    final = [json.loads((path / "summary.json").read_text())["final_length_mm"] for path in (whole, folder)]
    assert final[0] == pytest.approx(final[1], rel=1e-12)


def wait_for(path, size):
    """Wait until a file has some bytes."""
    deadline = time.monotonic() + 60.0
    while not path.exists() or path.stat().st_size < size:
        assert time.monotonic() < deadline, f"no {path}"
        time.sleep(0.05)
