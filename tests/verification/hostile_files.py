"""Fuzzing of every file that is read: each change ends in one line, in the same result, or in one as valid.

    python tests/verification/hostile_files.py --count 500 --seed 1

Each try changes one sound file, reads it in a process of its own as the program does, and is counted by what
came of it: ``refused`` in one line, ``same`` result, ``other`` result (the change made other, valid data);
``silent``, a change that check sums should have found; ``traceback``, ``crash`` or ``hang``, or words that
are not one line. The last five must not be.
"""

import argparse
import contextlib
import io
import os
import pickle
import select
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hostile_kinds import Kind, sound_files
from hostile_mutations import Random

from microscale.errors import ConvergenceError, DeformationError, InputError

SECONDS = 30.0
"""A try that takes longer hangs."""
BAD = ("silent", "traceback", "crash", "hang", "not one line")


def attempt(kind: Kind, expected: bytes, folder: Path, random: Random) -> tuple[str, str]:
    """Change a copy of a kind's folder, read it in a process of its own, and return what came of it."""
    top = _top(kind.file, folder)
    with tempfile.TemporaryDirectory() as copied:
        copy = Path(copied) / top.name
        shutil.copytree(top, copy)
        file = copy / kind.file.relative_to(top)
        try:
            sealed = kind.change(file, random)
        except Exception:
            return "not made", traceback.format_exc()
        if all(_same(a, top / a.relative_to(copy)) for a in copy.rglob("*") if a.is_file()):
            return "not made", ""
        outcome, told = in_child(lambda: kind.read(file))
    if outcome == "done":
        return ("same" if told == expected else "silent" if sealed else "other"), ""
    text = told.decode()
    if outcome == "refused" and ("\n" in text or len(text) > 2000):
        return "not one line", text
    return outcome, text


def _top(file: Path, folder: Path) -> Path:
    return folder / file.relative_to(folder).parts[0]


def _same(a: Path, b: Path) -> bool:
    return b.is_file() and a.read_bytes() == b.read_bytes()


def in_child(act: Callable[[], Any]) -> tuple[str, bytes]:
    """Run in a forked process: ``done`` and the bits of the result, or how it ended and its words."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        outcome: tuple[str, bytes]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                outcome = ("done", bits(act()))
            except (InputError, DeformationError, ConvergenceError) as error:
                outcome = ("refused", str(error).encode(errors="replace"))
            except BaseException:
                outcome = ("traceback", traceback.format_exc().encode(errors="replace"))
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(outcome, pipe)
        os._exit(0)
    os.close(writing)
    return _answer(child, reading)


def _answer(child: int, reading: int) -> tuple[str, bytes]:
    data, deadline = b"", time.monotonic() + SECONDS
    with os.fdopen(reading, "rb") as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return "hang", b""
            block = os.read(pipe.fileno(), 2**20)
            if not block:
                break
            data += block
    _, status = os.waitpid(child, 0)
    return pickle.loads(data) if data else ("crash", f"status {status}".encode())


def bits(value: Any) -> bytes:
    """Return bytes that two results share if they are the same."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, dict):
        return b";".join(str(key).encode() + bits(value[key]) for key in sorted(value))
    if isinstance(value, list | tuple):
        return b",".join(bits(item) for item in value)
    return bits(vars(value)) if hasattr(value, "__dict__") and not callable(value) else repr(value).encode()


def fuzz(count: int, seed: int, folder: Path, kinds: list[Kind] | None = None) -> dict[str, Counter[str]]:
    """Try so many changes, in turn of each kind; print what must not be; return counts by kind."""
    kinds = sound_files(folder) if kinds is None else kinds
    expected = {}
    for kind in kinds:
        with tempfile.TemporaryDirectory() as copied:
            top = _top(kind.file, folder)
            copy = Path(copied) / top.name
            shutil.copytree(top, copy)
            outcome, expected[kind.name] = in_child(
                lambda c=copy, k=kind, t=top: k.read(c / k.file.relative_to(t))
            )
        assert outcome == "done", (kind.name, expected[kind.name].decode())
    counts: dict[str, Counter[str]] = {kind.name: Counter() for kind in kinds}
    for number in range(count):
        kind = kinds[number % len(kinds)]
        outcome, told = attempt(kind, expected[kind.name], folder, np.random.default_rng([seed, number]))
        counts[kind.name][outcome] += 1
        if outcome in BAD or (outcome == "not made" and told):
            print(f"{kind.name}, seed {seed}, number {number}: {outcome}\n{told}", flush=True)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = fuzz(arguments.count, arguments.seed, Path(folder))
    outcomes = ("refused", "same", "other", *BAD, "not made")
    print("kind", *outcomes, sep=" | ")
    for name, found in counts.items():
        print(name, *(found[outcome] for outcome in outcomes), sep=" | ")
    total = sum(counts.values(), Counter())
    print("all", *(total[outcome] for outcome in outcomes), sep=" | ")
    raise SystemExit(any(total[outcome] for outcome in BAD))


if __name__ == "__main__":
    main()
