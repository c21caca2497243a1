"""Two programs that write the same thing: the second one ends in one line, and nothing is lost."""

import subprocess
import sys
from pathlib import Path

import pytest
from taylor_anvil import taylor_anvil

from microscale.data.dataset import read_dataset
from microscale.errors import InputError
from microscale.files.one_writer import one_writer
from multiscale.surrogate.recurrent.fit import fit_recurrent

DEMO = Path(__file__).parents[2] / "demos" / "taylor_anvil.py"
MPIRUN = Path(sys.executable).parent / "mpirun"
SMALL = {"law": "j2", "elements": 100, "end_time": 0.2, "model": "quarter"}
GENERATE = [
    "-m",
    "multiscale.cli",
    "generate",
    "--protocol=R",
    "--max-strain=0.1",
    "--steps=20",
    "--grains=4",
]


def run(ranks, *arguments):
    """Exit code and lines of standard error."""
    command = [MPIRUN, "-n", ranks, sys.executable, *arguments]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stderr.splitlines()


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_runs_with_one_folder(tmp_path):
    taylor_anvil(**SMALL, output=tmp_path, checkpoint_every=0.1)
    with one_writer(tmp_path, tmp_path / ".lock"):
        before = contents(tmp_path)
        for restart in (None, tmp_path / "checkpoint.h5"):
            with pytest.raises(InputError, match=r"is being written by process \d+ on .* since 20"):
                taylor_anvil(**SMALL, output=tmp_path, restart=restart)
        code, lines = run(2, DEMO, "--law=j2", "--elements=100", "--model=quarter", f"--output={tmp_path}")
        assert (code, len(lines)) == (1, 1), lines
        assert lines[0].startswith(f"error: rank 0: {tmp_path} is being written by process")
        assert contents(tmp_path) == before


def test_two_generations_of_one_file(tmp_path):
    out = tmp_path / "r.h5"
    with one_writer(out):
        code, lines = run(2, *GENERATE, "--paths=40", f"--out={out}")
        assert (code, len(lines)) == (1, 1), lines
        assert lines[0].startswith(f"error: rank 0: {out} is being written by process")
    pair = [
        subprocess.Popen([sys.executable, *GENERATE, "--paths=40", f"--out={out}"], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for process in pair:
        message = process.communicate(timeout=120)[1].decode()
        assert process.returncode == 0 or "is being written by process" in message
    assert 0 in [process.returncode for process in pair]
    assert len(read_dataset(out)) == 40
    assert [path.name for path in tmp_path.iterdir()] == ["r.h5"]
    # A file that is there is only read.
    with one_writer(out):
        assert run(1, *GENERATE, "--paths=40", f"--out={out}")[0] == 0


def test_two_trainings_of_one_surrogate(tmp_path):
    data, out = tmp_path / "r.h5", tmp_path / "made" / "w.safetensors"
    assert run(1, *GENERATE, "--paths=40", f"--out={data}")[0] == 0
    sizes = {"groups": 2, "tensors": 2, "scalars": 2, "hidden": 8}
    with one_writer(out, out.with_name(".w.lock")):
        with pytest.raises(InputError, match=r"w.safetensors is being written by process"):
            fit_recurrent([data], out, **sizes, epochs=1, rate=1e-3, batch=32, seed=0)
        assert [path.name for path in out.parent.iterdir()] == [".w.lock"]
    fit_recurrent([data], out, **sizes, epochs=1, rate=1e-3, batch=32, seed=0)
    assert not list(out.parent.glob(".*"))
