"""Programs end on every rank with one clear line and the right exit code, whichever rank fails and how."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from interrupts import heed_interrupts

PROGRAM = """
import sys, time
from mpi4py import MPI
from microscale.errors import DeformationError, InputError
from multiscale.run.command import launch

def program(*, velocity: float = 200.0, fail: str = ""):
    '''A program.

    Args:
        velocity: Velocity, m/s.
        fail: How to fail.
    '''
    comm = MPI.COMM_WORLD
    if fail == "everywhere":
        raise InputError(f"velocity = {velocity} m/s,\\n expected a positive one")
    if fail == "one rank":
        if comm.rank == comm.size - 1:
            raise DeformationError("det F = -1")
        comm.Barrier()
    if fail == "defect":
        raise ZeroDivisionError("a defect")
    if fail == "wait":
        print("waiting", flush=True)
        time.sleep(60.0)

launch(program)
"""

MPIRUN = Path(sys.executable).parent / "mpirun"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("command") / "program.py"
    path.write_text(PROGRAM)
    return path


def run(program, ranks, *flags):
    """Run the program and return exit code, standard output, lines of standard error; a hang times out."""
    prefix = [str(MPIRUN), "-n", str(ranks)] if ranks > 1 else []
    done = subprocess.run(
        [*prefix, sys.executable, str(program), *flags], capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr.splitlines()


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--speed", "3"], 2, "Unknown option: --speed"),
        (["--velocity", "fast"], 2, 'unable to convert "fast" into float'),
        (["7"], 2, "Unused Tokens"),
        (["--fail", "everywhere", "--velocity", "-5"], 1, "velocity = -5.0 m/s, expected a positive one"),
    ],
)
def test_bad_input_is_one_line(program, ranks, flags, code, message):
    returned, out, lines = run(program, ranks, *flags)
    assert returned == code
    assert out == ""
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert message in lines[0]


@pytest.mark.parametrize("ranks", [1, 2, 8])
def test_one_failing_rank_ends_all(program, ranks):
    code, _, lines = run(program, ranks, "--fail", "one rank")
    assert code == 1
    assert lines.count("error: det F = -1") == 1


def test_help_is_printed_once(program):
    code, out, lines = run(program, 2, "--help")
    assert (code, lines) == (0, [])
    assert out.count("Velocity, m/s.") == 1


def test_defect_shows_its_traceback(program):
    code, _, lines = run(program, 1, "--fail", "defect")
    assert code == 1
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "ZeroDivisionError: a defect"


def test_interrupt_ends_cleanly(program):
    command = [sys.executable, str(program), "--fail", "wait"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=heed_interrupts, **pipes) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors.startswith("interrupted: ")
    assert len(errors.splitlines()) == 1


def test_pictures_need_no_backend_of_the_shell():
    """matplotlib refuses one it does not know on import, at the end of a run."""
    program = PROGRAM.replace("comm = MPI", "from matplotlib import pyplot; comm = MPI", 1)
    environment = {**os.environ, "MPLBACKEND": "none such"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
