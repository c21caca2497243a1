"""Damage small .msh files at random and load them: counted by what comes of it.

    python tests/unit/damaged_meshes.py FOLDER --count 2000 --seed 1

A crash ends this program, so it is run in another process (test_mesh_files.py). A count of "wrong" is of
anything but a mesh or an error in one line within the time and memory given.
"""

import argparse
import collections
import re
import resource
import signal
from pathlib import Path

import numpy as np

from meshes.impact_mesh import load
from microscale.errors import InputError

SECONDS, BYTES = 20, 8 << 30
NUMBER = re.compile(rb"-?\d[\d.e+-]*")
NUMBERS = (b"0", b"-1", b"99", b"1e300", b"nan", b"inf", b"4294967296", b"9223372036854775807", b"0.5", b"")


def bytes_changed(data, rng):
    """Put random bytes in random places."""
    places = rng.integers(len(data), size=rng.choice([1, 3, 10]))
    changed = bytearray(data)
    for place in places:
        changed[place] = rng.integers(256)
    return bytes(changed)


def cut(data, rng):
    """Lose the end, or a piece in the middle."""
    start, end = sorted(rng.integers(len(data), size=2))
    return data[:start] if rng.random() < 0.5 else data[:start] + data[end:]


def doubled(data, rng):
    """Have a piece twice."""
    start, end = sorted(rng.integers(len(data), size=2))
    return data[:end] + data[start:]


def number_changed(data, rng):
    """Put another number in the place of one written as text."""
    found = list(NUMBER.finditer(data))
    chosen = found[rng.integers(len(found))]
    return data[: chosen.start()] + NUMBERS[rng.integers(len(NUMBERS))] + data[chosen.end() :]


def word_changed(data, rng):
    """Put an extreme binary integer somewhere."""
    place = int(rng.integers(len(data) - 8))
    value = rng.choice([0, -1, 2**31 - 1, 2**40, 2**62, -(2**63)])
    return data[:place] + int(value).to_bytes(8, "little", signed=True) + data[place + 8 :]


DAMAGE = (bytes_changed, cut, doubled, number_changed, word_changed)


def outcome(path):
    """Load a mesh; return what came of it, and what was said."""
    signal.alarm(SECONDS)
    try:
        load(path)
        return "loaded", ""
    except InputError as error:
        return ("refused" if str(error).isprintable() else "wrong: many lines"), str(error)
    except BaseException as error:
        return f"wrong: {type(error).__name__}", str(error)
    finally:
        signal.alarm(0)


def main():
    """Damage the .msh files of a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    sources = [path.read_bytes() for path in sorted(given.folder.glob("*.msh"))]
    rng, counts, damaged = np.random.default_rng(given.seed), collections.Counter(), given.folder / "damaged"
    for index in range(given.count):
        source = sources[index % len(sources)]
        damaged.write_bytes(DAMAGE[rng.integers(len(DAMAGE))](source, rng))
        kind, said = outcome(damaged)
        counts[kind] += 1
        if given.show or kind.startswith("wrong"):
            print(index, kind, said, flush=True)
    print(dict(sorted(counts.items())))


if __name__ == "__main__":
    main()
