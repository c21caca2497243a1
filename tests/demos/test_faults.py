"""What may go wrong in the middle of a run: it ends on all ranks, at once, and says what was last good."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from taylor_anvil import taylor_anvil

from microscale.errors import DeformationError, InputError
from multiscale.dynamics.simulation import Simulation
from multiscale.results.vtkhdf import Results

DEMOS = Path(__file__).parents[2] / "demos"
MPIRUN = Path(sys.executable).parent / "mpirun"
#: Its waves are fast: many steps.
COPPER = Path(__file__).with_name("copper_j2.json")
SMALL = {"law": "j2", "constants": COPPER, "elements": 100, "end_time": 0.6, "model": "quarter"}

# The anvil with a fault of choice at its 15th step, on the rank where it can happen.
FAULTY = """
import os
import signal
import sys

import numpy as np

sys.path.insert(0, sys.argv.pop(1))
fault = sys.argv.pop(1)
from mpi4py import MPI
from multiscale.dynamics.simulation import Simulation
from multiscale.run.command import launch
from multiscale.results.ledger import LedgerWriter
from multiscale.laws.j2 import J2
from taylor_anvil import taylor_anvil

comm, step, update, write = MPI.COMM_WORLD, Simulation.step, J2._update, LedgerWriter.__call__
last = comm.rank == comm.size - 1


def faulty_step(self):
    if self.step_count == 14 and fault == "unstable":
        self._step_size.courant = 4.0
    if self.step_count == 14 and fault == "killed" and last:
        os.kill(os.getpid(), signal.SIGKILL)
    self.law.broken = self.step_count >= 14 and fault == "nan" and last
    step(self)


def faulty_update(self, F, dt, state, out):
    update(self, F, dt, state, out)
    if getattr(self, "broken", False):
        out[7, 1, 2] = np.nan


def faulty_write(self, simulation):
    if simulation.step_count == 14 and fault == "full" and comm.rank == 0:
        self._table._file = open("/dev/full", "w", buffering=1)
    write(self, simulation)


Simulation.step, J2._update, LedgerWriter.__call__ = faulty_step, faulty_update, faulty_write
launch(taylor_anvil)
"""

PLACE = r"cell \d+ with reference centre \(.*\) mm, t = .* us, step "


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("unstable", r"(energy error of|cell .* det F|.* cell \d+ is crushed|velocities are not finite)"),
        ("nan", PLACE + "15: the law j2 gave a stress that is not finite"),
        (
            "full",
            r"ledger .*energy.csv cannot be extended at t = .* us .*No space left on device.*: free space",
        ),
    ],
)
def test_a_fault_ends_two_ranks_in_one_line_that_says_what_was_last_good(tmp_path, fault, message):
    code, lines = run(tmp_path, fault)
    assert code == 1
    (line,) = lines
    assert re.match(rf"error: rank \d: {message}|error: {message}", line), line
    assert re.search(r"; last output at t = 0\.\d+ us in .*, last checkpoint .* at t = 0\.\d+ us$", line)
    assert len(Results(tmp_path / "run" / "results.vtkhdf").times) > 1


def test_a_killed_rank_ends_the_others_and_leaves_its_checkpoint(tmp_path):
    code, _ = run(tmp_path, "killed")
    assert code != 0
    folder = tmp_path / "run"
    again = SMALL | {"end_time": 1.0}
    summary = taylor_anvil(**again, output=folder, restart=folder / "checkpoint.h5", checkpoint_every=0.1)
    assert summary["final_time_us"] == pytest.approx(1.0)
    rows = (folder / "energy.csv").read_text().splitlines()
    assert [int(row.split(",")[0]) for row in rows[1:]] == list(range(summary["steps"] + 1))


def run(tmp_path, fault):
    """Run the anvil with a fault on two ranks; return exit code and lines of standard error."""
    script = tmp_path / "faulty.py"
    script.write_text(FAULTY)
    every = {"checkpoint_every": 0.1, "steps_between_outputs": 10}
    inputs = SMALL | every | {"end_time": 3.0, "output": tmp_path / "run"}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in inputs.items()]
    command = [MPIRUN, "-n", "2", sys.executable, script, DEMOS, fault, *flags]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr.splitlines()


def test_an_inverted_element_is_named(tmp_path):
    with pytest.raises(DeformationError, match=PLACE + r".* det F = .*inverted") as caught:
        taylor_anvil(**{**SMALL, "velocity": 4000.0}, element="hex8-fbar", output=tmp_path)
    assert "last output at t = 0" in caught.value.__notes__[0]


def test_a_crushed_element_ends_a_run_that_would_not(tmp_path, monkeypatch):
    monkeypatch.setattr("multiscale.dynamics.step_size.SMALLEST_STEP", 0.9)
    with pytest.raises(DeformationError, match=r"stable step fell from .* us: cell \d+ is crushed"):
        taylor_anvil(**{**SMALL, "velocity": 400.0}, output=tmp_path)


def test_a_full_disk_ends_a_run_at_its_last_output(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"results.vtkhdf cannot be extended at .*: free space"):
            taylor_anvil(**SMALL, steps_between_outputs=1, output=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    results = Results(tmp_path / "results.vtkhdf")
    assert 2 < len(results.times) < 29  # of those held together, what fitted
    assert np.isfinite(results.field("displacement_mm", -1)).all()


def test_a_failing_observer_of_the_last_step_still_fails(tmp_path, monkeypatch):
    finished = Simulation._observe

    def observe(self, observers):
        finished(self, observers)
        if self.time >= 0.6:
            self.fail(InputError("the last row was lost"))

    monkeypatch.setattr(Simulation, "_observe", observe)
    with pytest.raises(InputError, match="the last row was lost"):
        taylor_anvil(**SMALL, output=tmp_path)
