"""Data sets: what a file promises, whatever interrupts its making."""

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from microscale.data.dataset import ARRAYS, read_dataset
from microscale.data.generate import BLOCK, Generation, finish, generate, shared, stress_block
from microscale.errors import ConvergenceError, InputError
from microscale.law import ConstitutiveLaw, drive
from microscale.paths.protocols import StrainPaths
from microscale.tensors import to_mandel
from multiscale.laws.j2 import J2

LAW = {"name": "j2", "hash": "of the test", "options": {}}
VERSIONS = {"multiscale": "test"}


def job(count: int = 2 * BLOCK + 5, law: ConstitutiveLaw | None = None, **paths: object) -> Generation:
    strain_paths = StrainPaths("R", **{"max_strain": 0.3, "steps": 20, "seed": 3, **paths})
    return Generation(law or J2(), LAW, strain_paths, count, VERSIONS)


def make(task: Generation, out: Path) -> Path:
    assert generate(task, out)
    finish(task, out)
    return out


def test_holds_what_the_law_says_along_the_paths(tmp_path):
    task = job()
    data = read_dataset(make(task, tmp_path / "set.h5"))
    times, stretch = task.paths.batch(range(task.count))
    np.testing.assert_array_equal(data.stretch, to_mandel(stretch))
    np.testing.assert_array_equal(data.times, times)
    np.testing.assert_allclose(data.stress_tensors, drive(J2(), stretch, times), atol=1e-14)
    assert len(data) == task.count
    assert data.provenance["paths"]["seed"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["set.h5"]  # no parts are left


def test_same_file_whatever_the_ranks_and_interruptions(tmp_path):
    one = make(job(), tmp_path / "one.h5")
    several = tmp_path / "several.h5"
    with ThreadPoolExecutor(3) as ranks:
        assert list(ranks.map(lambda rank: generate(job(), several, rank, 3), (2, 0, 1))) == [True] * 3
    finish(job(), several)
    assert one.read_bytes() == several.read_bytes()


def test_a_rank_that_is_done_helps_the_others(tmp_path):
    blocks = [range(k, k + 1) for k in range(7)]
    assert [block.start for block in shared(blocks, 1, 3)] == [1, 4, 6, 5, 3, 2, 0]
    one, alone = make(job(), tmp_path / "one.h5"), tmp_path / "alone.h5"
    generate(job(), alone, rank=1, size=3)  # the others are slow to begin
    finish(job(), alone)
    assert one.read_bytes() == alone.read_bytes()


def test_resumes_what_is_finished_and_repeats_nothing(tmp_path, monkeypatch):
    out, task, made = tmp_path / "set.h5", job(), []

    def failing(task, block):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(block)
        return stress_block(task, block)

    monkeypatch.setattr("microscale.data.generate.stress_block", failing)
    with pytest.raises(KeyboardInterrupt):
        generate(task, out)
    monkeypatch.setattr(
        "microscale.data.generate.stress_block",
        lambda task, block: made.append(block) or stress_block(task, block),
    )
    make(task, out)
    assert sorted(block.start for block in made) == [0, BLOCK, 2 * BLOCK]
    assert generate(task, out) is False  # complete: nothing to do
    assert out.read_bytes() == make(job(), tmp_path / "again.h5").read_bytes()


SCRIPT = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from test_dataset import job, make
make(job(count=40 * 32), Path({out!r}))
"""


def test_survives_sigkill_at_any_moment(tmp_path):
    expected = make(job(count=40 * BLOCK), tmp_path / "expected.h5").read_bytes()
    out = tmp_path / "killed.h5"
    script = SCRIPT.format(path=[str(Path(__file__).parent)], out=str(out))
    rng, kills = np.random.default_rng(0), 0
    for _ in range(40):
        process = subprocess.Popen([sys.executable, "-c", script])
        parts = out.with_name(out.name + ".parts")
        started = time.monotonic()
        while not parts.exists() and process.poll() is None and time.monotonic() - started < 60.0:
            time.sleep(0.01)
        try:
            process.wait(timeout=rng.uniform(0.0, 0.3))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
        if out.exists():
            break
        if kills == 3:
            process = subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
            break
    assert kills >= 1
    assert out.read_bytes() == expected


def test_other_parameters_are_refused_and_the_file_stays(tmp_path):
    out = make(job(), tmp_path / "set.h5")
    before = out.read_bytes()
    for other in (job(seed=4), job(count=10), job(max_strain=0.2)):
        with pytest.raises(InputError, match="was made with"):
            generate(other, out)
    half_made = tmp_path / "half.h5"
    generate(job(), half_made, 0, 2)
    with pytest.raises(InputError, match="was made with paths seed = 3, asked is 4"):
        generate(job(seed=4), half_made)
    assert out.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not hdf5", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_foreign_and_damaged_files_are_refused_and_stay(tmp_path, content):
    out = tmp_path / "set.h5"
    out.write_bytes(content)
    for act in (lambda: generate(job(), out), lambda: read_dataset(out)):
        with pytest.raises(InputError, match=r"set\.h5"):
            act()
    assert out.read_bytes() == content


def test_no_changed_bit_goes_unnoticed(tmp_path):
    """Either the change meets nothing that is read, or the file is refused."""
    out = make(job(count=3), tmp_path / "set.h5")
    sound, content = read_dataset(out), out.read_bytes()
    rng, refused = np.random.default_rng(0), 0
    for place in rng.integers(len(content), size=300):
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.integers(8)
        out.write_bytes(damaged)
        try:
            data = read_dataset(out)
        except InputError:
            refused += 1
            with pytest.raises(InputError, match=r"set\.h5"):
                generate(job(count=3), out)
            assert out.read_bytes() == damaged
            continue
        assert data.provenance == sound.provenance
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(data, name), getattr(sound, name))
    assert refused > 100


def test_an_unfinished_set_is_called_so(tmp_path):
    generate(job(), tmp_path / "set.h5", 0, 2)
    with pytest.raises(InputError, match="unfinished"):
        read_dataset(tmp_path / "set.h5")


def test_a_set_that_is_open_elsewhere_is_not_called_damaged(tmp_path):
    """A notebook that has it open, or one that was killed so: HDF5 marks the file in either case."""
    file = make(job(5), tmp_path / "set.h5")
    left_open = "import h5py, os, sys; file = h5py.File(sys.argv[1], 'r+'); file.flush(); os._exit(0)"
    subprocess.run([sys.executable, "-c", left_open, str(file)], check=True)
    with pytest.raises(InputError, match=r"set\.h5 is open for writing in another program.* close") as error:
        read_dataset(file)
    assert "damaged" not in str(error.value)
    assert "remove" not in str(error.value)


def test_another_hdf5_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "set.h5", "w") as stored:
        stored["x"] = [1.0]
    with pytest.raises(InputError, match="format"):
        generate(job(), tmp_path / "set.h5")


def test_a_damaged_part_is_named_and_made_again(tmp_path):
    out, task = tmp_path / "set.h5", job()
    generate(task, out)
    part = next((tmp_path / "set.h5.parts").glob("0*.h5"))
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(InputError, match="run the same command again"):
        finish(task, out)
    make(task, out)
    assert out.read_bytes() == make(job(), tmp_path / "again.h5").read_bytes()


def test_a_full_disk_is_said_and_leaves_nothing_half_written(tmp_path, monkeypatch):
    out, task = tmp_path / "set.h5", job()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match="No space left on device"):
        generate(task, out)
    assert [path.name for path in (tmp_path / "set.h5.parts").iterdir()] == ["parameters.json"]
    monkeypatch.undo()
    make(task, out)


@pytest.mark.parametrize("room", [20_000, 100_000, 300_000])
def test_a_limit_met_in_a_part_or_in_the_whole_costs_nothing_that_is_finished(tmp_path, room):
    """HDF5 itself crashes where a write fails; the room of a file is reserved before HDF5 sees it."""
    out, task = tmp_path / "set.h5", job(count=5 * BLOCK)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(InputError, match="File too large"):
            make(task, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    kept = sorted(path.name for path in (tmp_path / "set.h5.parts").glob("*.h5"))
    assert len(kept) == (5 if room == 300_000 else 0)
    make(task, out)


class Fragile(J2):
    """Fails on strong shear: what a law does that does not converge."""

    def _update(self, F, dt, state, out):
        if np.abs(F[:, 0, 1]).max() > 0.35:
            raise ConvergenceError("no")
        super()._update(F, dt, state, out)


def test_paths_the_law_fails_on_are_drawn_again_and_counted(tmp_path):
    data = read_dataset(make(job(law=Fragile()), tmp_path / "set.h5"))
    assert data.attempt.sum() > 0
    assert np.abs(data.stretch_tensors[:, :, 0, 1]).max() <= 0.35
    assert np.isfinite(data.stress).all()
    untouched = data.attempt == 0
    plain = read_dataset(make(job(), tmp_path / "plain.h5"))
    np.testing.assert_array_equal(data.stress[untouched], plain.stress[untouched])


class OneByOne(Fragile):
    """Counts the paths it is driven along."""

    worth_batching = False
    driven = 0

    def init_state(self, n_points):
        self.driven += n_points
        return super().init_state(n_points)


def test_only_a_path_that_failed_is_driven_again():
    law = OneByOne()
    attempt = stress_block(job(law=law), range(BLOCK))["attempt"]
    assert attempt.sum() > 0
    assert law.driven == BLOCK + attempt.sum()


def test_keeps_every_so_many_samples_and_says_so(tmp_path):
    task = job(count=3)
    kept = read_dataset(make(replace(task, keep_every=5), tmp_path / "kept.h5"))
    whole = stress_block(task, range(3))
    for name in ("times", "stretch", "stress"):
        np.testing.assert_array_equal(getattr(kept, name), whole[name][:, ::5])
    assert kept.provenance["paths"]["keep_every"] == 5
    with pytest.raises(InputError, match="keep_every = 3, expected a number that divides 20"):
        replace(task, keep_every=3)


def test_provenance_is_plain_text_and_every_array_has_a_unit(tmp_path):
    out = make(job(count=3), tmp_path / "set.h5")
    with h5py.File(out) as stored:
        assert set(json.loads(stored.attrs["units"])) == set(ARRAYS) == set(stored)
        assert json.loads(stored.attrs["provenance"])["versions"] == VERSIONS


def test_an_empty_set_is_refused():
    with pytest.raises(InputError, match="paths = 0"):
        job(count=0)
