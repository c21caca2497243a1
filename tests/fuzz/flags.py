"""Give the programs flags with values that are wrong, huge, tiny, empty or foreign, and count how they end.

    python tests/fuzz/flags.py --number-of-tries 400 --seed 1 --output results/flags.json

Right are success, and one line with an exit code that is not zero. Each try is a process of its own, forked
from one that has loaded the libraries.
"""

import inspect
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import typing
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "demos"), str(ROOT / "demos" / "studies")]

from microscale.inputs.numbers import Count, Positive, Seed  # noqa: E402
from multiscale.run.command import application, launch  # noqa: E402

MEMORY = 16 * 2**30
"""Bytes a try may take: a number that is not checked must not harm the machine."""
GOOD = ("success", "refused in one line")

WHOLE = [
    "-1",
    "0",
    "1",
    "2",
    "1.5",
    "-0",
    "1e9",
    "1000000000",
    "2147483648",
    "9223372036854775808",
    "nan",
    "",
]
WHOLE += ["9" * 30, "9" * 5000, "-9223372036854775809", "0x10", "\u0661", "1_0", "\u00b2", "x", "100", "3000"]
REAL = [
    "-1",
    "0",
    "1",
    "nan",
    "inf",
    "-inf",
    "1e-320",
    "1e-30",
    "1e-9",
    "1e9",
    "1e30",
    "1e308",
    "1e400",
    "",
    "x",
]
FILES = ["", ".", "/", "..", "/proc/none/x", "nowhere", "x" * 300, "a\nb", "{folder}", "{data}", "{weights}"]
FILES += ["{empty}", "/dev/null", "/dev/full", "{crystal}", "-", "\u00e9\x1b[31m"]
WORDS = [
    "",
    "x",
    "learned",
    "taylor",
    "fft2d",
    "fft3d",
    "johnson-cook",
    "j2",
    "neo-hooke",
    "U",
    "F",
    "I",
    "pca",
]
WORDS += ["random", "uniform", "tet10", "quarter", "stop", "spectral", "2", "3"]


@dataclass(frozen=True)
class Program:
    """A program: the function that declares its flags, and words with which it is quick."""

    module: str
    function: str
    arguments: tuple[str, ...] = ()
    flags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def cli(cls, function: str, *arguments: str, **flags: str) -> "Program":
        """A command of ``multiscale``."""
        return cls("multiscale.cli", function, (function, *arguments), flags)

    @classmethod
    def demo(cls, name: str, **flags: str) -> "Program":
        """A demo."""
        return cls(name, name, (), {"output": "{folder}/o"} | flags)

    def load(self) -> typing.Any:
        """What is launched: a function, or the application with all commands."""
        module = __import__(self.module, fromlist=[self.function])
        return getattr(module, "app", None) or getattr(module, self.function)

    def declared(self) -> dict[str, typing.Any]:
        """The annotation of each flag."""
        function = getattr(__import__(self.module, fromlist=[self.function]), self.function)
        hints = typing.get_type_hints(function)
        named = (p for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY)
        return {parameter.name: hints[parameter.name] for parameter in named}


SMALL = {"paths": "2", "steps": "4", "max_strain": "0.05"}
TRAINING = {"out": "{folder}/w.safetensors", "epochs": "1", "hidden": "8"}
IMPACT = {"law": "j2", "end_time": "0.05"}
BAR = {"uniaxial": "0.01", "steps": "4"}
PROGRAMS = [
    Program.cli("generate", out="{folder}/j2.h5", law="j2", **SMALL),
    Program.cli("generate", out="{folder}/t.h5", grains="2", **SMALL),
    Program.cli("generate", out="{folder}/f.h5", law="fft3d", grains="2", resolution="4", **SMALL),
    Program.cli("generate", out="{folder}/x.h5", grains="2", textures="various", **SMALL),
    Program.cli("generate", out="{folder}/a.h5", grains="2", protocol="A", paths="2", steps="20"),
    Program.cli("train", "{data}", out="{folder}/w.safetensors", epochs="1", hidden="8"),
    Program.cli(
        "train", "{data}", out="{folder}/w.safetensors", epochs="1", hidden="8", model="pca", modes="5"
    ),
    Program.cli("inspect", "{data}"),
    Program.cli("evaluate", "{weights}", "{data}", out="{folder}/pictures"),
    Program.cli("export", "{weights}", to="vumat", out="{folder}/law"),
    Program.cli("calibrate", out="{folder}/c.json", law="j2", grains="2"),
    Program("multiscale.cli", "material_test", ("test",), {"output": "{folder}/t", "law": "j2", **BAR}),
    Program("multiscale.cli", "material_test", ("test",), {"output": "{folder}/t", "grains": "2", **BAR}),
    Program.cli("calibrate", out="{folder}/c.json", law="j2", curve="{curve}", steps="10"),
    Program(
        "multiscale.cases.texture_command",
        "texture",
        ("texture", "rolled:15,25"),
        {"out": "{folder}/x", "grains": "2"},
    ),
    Program.demo("taylor_anvil", elements="60", **IMPACT),
    Program.demo("taylor_anvil", elements="60", end_time="0.05", law="taylor", grains="2", model="quarter"),
    Program.demo("taylor_anvil", elements="60", end_time="0.05"),
    Program.demo("plate_impact", layers="1", width="6", **IMPACT),
    Program.demo("copper_bar", cells="20", end_time="0.5"),
    Program.demo("concurrent_fft", cells="1", resolution="4", grains="2", end_time="0.05"),
    Program.demo("unit_cell", resolution="4", grains="2", steps="4", strains="0.01"),
    Program.demo("crystal_mechanisms", samples="5", grains="2"),
    Program.demo("time_step_study", paths="2", grains="2", steps="4", finest="8"),
    Program.demo("rolled_plate", grains="2", directions="4", steps="4"),
    Program.demo("textured_anvil", elements="60", grains="2", end_time="0.05"),
    Program.demo("texture_sampling", grains="2", reference="4", draws="1", paths="2"),
]


def tries(programs: list[Program], seed: int, count: int) -> Iterator[tuple[Program, dict[str, str]]]:
    """Yield programs and their flags, one or two of them with a value that is drawn."""
    draw = random.Random(seed)
    for _ in range(count):
        program = draw.choice(programs)
        flags, declared = dict(program.flags), program.declared()
        for name in draw.sample(sorted(declared), k=min(draw.choice([1, 1, 1, 2]), len(declared))):
            flags[name] = draw.choice(_values(declared[name]))
        yield program, flags


def _values(kind: typing.Any) -> list[str]:
    """The values to try on a flag of a type."""
    parts = typing.get_args(kind) if typing.get_origin(kind) in (UnionType, typing.Union, tuple) else (kind,)
    known = {int: WHOLE, float: REAL + WHOLE[-4:], Path: FILES, bool: ["{yes}", "{no}"]}
    return next((known[part] for part in parts if part in known), WORDS)


def tokens(program: Program, flags: dict[str, str], places: dict[str, str]) -> list[str]:
    """Return the words of the command line, without the program."""
    words = [word.format(**places) for word in program.arguments]
    for name, value in flags.items():
        flag = f"--{name.replace('_', '-')}"
        if value in ("{yes}", "{no}"):
            words.append(flag if value == "{yes}" else f"--no-{name.replace('_', '-')}")
        else:
            words += [flag, value.format(**places)]
    return words


def make_files(folder: Path, run: Callable[[list[str]], object]) -> None:
    """Make the files that flags can name, with a function that runs a command of ``multiscale``."""
    data, weights = str(folder / "data.h5"), str(folder / "weights.safetensors")
    made = ["generate", "--out", data, "--grains", "2", "--paths", "40", "--steps", "10"]
    learnt = ["train", data, "--out", weights, "--epochs", "1", "--hidden", "8"]
    folder.mkdir()
    (folder / "empty").touch()
    shutil.copy(ROOT / "demos" / "copper.yaml", folder)
    shutil.copy(ROOT / "demos" / "curves" / "slow_tension.csv", folder)
    run(made)
    run(learnt)


def in_a_process(words: list[str]) -> None:
    """Run a command of ``multiscale`` in a process of its own."""
    subprocess.run([sys.executable, "-m", "multiscale.cli", *words], check=True, cwd=ROOT)


def places_in(folder: Path) -> dict[str, str]:
    """Return the files of a folder by the names that values use."""
    names = {"empty": "empty", "data": "data.h5", "weights": "weights.safetensors", "crystal": "copper.yaml"}
    names |= {"curve": "slow_tension.csv"}
    return {key: str(folder / name) for key, name in names.items()} | {"folder": str(folder)}


def end_of(program: Program, words: list[str], folder: Path, patience: float) -> tuple[str, str]:
    """Run a program in a process of its own; return the kind of its end and what it said last."""
    out, err = folder / "stdout", folder / "stderr"
    child = os.fork()  # the libraries are loaded: a try need not
    if child == 0:
        _run(program, words, out, err)
    status = _wait(child, patience)
    if status is None:
        told = len(out.read_bytes().splitlines()) > 1
        return ("still at work, with progress" if told else "hang"), _last(out)
    code, said = os.waitstatus_to_exitcode(status), err.read_text(errors="replace")
    lines = [line for line in said.splitlines() if not line.startswith("warning: ")]
    if "Traceback" in said:
        return "traceback", lines[-1]
    if code < 0 or code > 128:
        return "crash", f"{code} {said[-200:]}"
    if code == 0:
        return ("success" if not lines else "success with other words"), said[-200:]
    return ("refused in one line" if len(lines) == 1 else "refused in other words"), said[-300:]


def _run(program: Program, words: list[str], out: Path, err: Path) -> None:
    """Become the program; never return."""
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.chdir(out.parent)
        os.setsid()  # what it starts ends with it
        for stream, path in ((0, os.devnull), (1, out), (2, err)):
            os.dup2(os.open(path, os.O_RDONLY if stream == 0 else os.O_WRONLY | os.O_CREAT), stream)
        launch(program.load(), words)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, patience: float) -> int | None:
    """Return the status of a process, or None if it had to be ended."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _last(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-2:])


def flags(
    *,
    number_of_tries: Count = 400,
    seed: Seed = 1,
    patience: Positive = 120.0,
    output: Path = Path("results/flags.json"),
) -> dict[str, int]:
    """Try flags and count the ends by kind.

    Args:
        number_of_tries: Number of tries.
        seed: Of what is drawn.
        patience: Time a try may take, s.
        output: File of the counts and of every try.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    output, found = output.absolute(), []
    os.environ |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as root:
        make_files(files := Path(root) / "files", in_a_process)
        for number, (program, chosen) in enumerate(tries(PROGRAMS, seed, number_of_tries)):
            folder = Path(root) / f"{number:04d}"
            shutil.copytree(files, folder)
            words = tokens(program, chosen, places_in(folder))
            kind, said = end_of(program, words, folder, patience)
            found.append({"kind": kind, "program": program.function, "words": words, "said": said})
            counts = dict(Counter(entry["kind"] for entry in found))
            output.write_text(json.dumps({"seed": seed, "counts": counts, "tries": found}, indent=1) + "\n")
            if kind not in GOOD:
                print(number, kind, program.function, [word[:60] for word in words], said[-300:], flush=True)
    print(counts)
    return counts


if __name__ == "__main__":
    application(flags)()  # without the thread that tells of progress: tries are forked
