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
import json
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from hostile_mutations import Random, changed_bytes, changed_data, changed_hdf5, changed_text
from safetensors.numpy import load, save

from microscale.crystal import read_crystal
from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.generate import Generation, finish, generate
from microscale.law import drive
from microscale.paths import StrainPaths
from multiscale.io.checkpoint import read_checkpoint, write_checkpoint
from multiscale.io.data_report import report
from multiscale.io.origin import Origin
from multiscale.io.provenance import identity, law_record, recorded_law
from multiscale.laws import make_law
from multiscale.laws.constants_file import read_constants
from multiscale.surrogate.fit import fit_recurrent
from multiscale.surrogate.pca_fit import fit_pca, read_pca
from multiscale.surrogate.sources import read_sources, training_range
from multiscale.surrogate.store import card_path, seal_card
from multiscale.surrogate.train import Training
from multiscale.surrogate.training_log import draw_losses

SECONDS = 30.0
"""A try that takes longer hangs."""
BAD = ("silent", "traceback", "crash", "hang", "not one line")
SIZES = {
    "groups": 1,
    "tensors": 1,
    "scalars": 1,
    "hidden": 8,
    "epochs": 1,
    "rate": 1e-3,
    "batch": 32,
    "seed": 0,
}


@dataclass(frozen=True)
class Kind:
    """A kind of files.

    Attributes:
        name: For the count.
        file: The sound file, in the folder of all.
        change: Makes the file in a folder hostile; tells whether a check sum should find the change.
        read: Reads it as the program does; returns what came of it.
    """

    name: str
    file: Path
    change: Callable[[Path, Random], bool]
    read: Callable[[Path], Any]


def bytes_of(path: Path, random: Random) -> bool:
    path.write_bytes(changed_bytes(path.read_bytes(), random))
    return True


def hdf5(path: Path, random: Random) -> bool:
    changed_hdf5(path, random)
    return False


def document(path: Path, random: Random) -> bool:
    """Change a JSON or YAML file: its data, its lines or its bytes."""
    text, is_json = path.read_text(), path.suffix == ".json"
    kind = int(random.integers(4))
    if kind < 2:
        data = changed_data(json.loads(text) if is_json else yaml.safe_load(text), random)
        path.write_text(json.dumps(data) if is_json else yaml.dump(data))
    elif kind == 2:
        path.write_text(changed_text(text, random))
    else:
        bytes_of(path, random)
    return False


def sealed_card(path: Path, random: Random) -> bool:
    """Change a card, half of the times with a check sum that fits."""
    document(card_path(path), random)
    if random.integers(2):
        with contextlib.suppress(InputError):
            seal_card(path)
            return False
    return True


def tensors(path: Path, random: Random) -> bool:
    """Change arrays of weights, with check sums that fit, or bytes."""
    if random.integers(2):
        return bytes_of(path, random)
    arrays = load(path.read_bytes())
    name = sorted(arrays)[int(random.integers(len(arrays)))]
    array = arrays.pop(name)
    others = [
        array[:1],
        array.T,
        array.astype(np.float16),
        array.astype(np.int8),
        np.full_like(array, np.nan),
    ]
    others += [array.reshape(-1), np.zeros((0, 3), np.float32), array > 0]
    if (k := int(random.integers(len(others) + 1))) < len(others):
        arrays[name] = np.ascontiguousarray(others[k])
    path.write_bytes(save(arrays))
    return seal_weights(path)


def seal_weights(path: Path) -> bool:
    from hashlib import sha256

    entries = json.loads(card_path(path).read_text())
    entries["weights_sha256"] = sha256(path.read_bytes()).hexdigest()
    card_path(path).write_text(json.dumps(entries))
    seal_card(path)
    return False


def read_data(path: Path) -> Any:
    sources = read_sources([path])
    from microscale.dataset import read_dataset

    report(path, read_dataset(path))
    with contextlib.suppress(InputError):
        recorded_law(path)
    return sources.histories.stress, asdict(training_range(sources.histories)), sources.material


def job() -> Generation:
    options = {"grains": 2, "texture": "random", "seed": 0}
    law = make_law("taylor", **options)
    return Generation(law, law_record(law, options), StrainPaths("R", 0.1, 12, seed=4), 40, {"test": "1"})


def resume(path: Path) -> Any:
    """Go on with a data set whose parts lie beside, until it is there."""
    out = path.parent.parent / "set.h5"
    for _ in range(3):
        try:
            generate(job(), out)
            finish(job(), out)
        except InputError as error:
            if "run the same command again" not in str(error):
                raise
    return out.read_bytes()


def read_learned(path: Path) -> Any:
    law = make_law("learned", weights=path, duration=1.0)
    strain = np.linspace(0.0, 0.05, 11)
    F = np.exp(strain[:, None] * np.array([1.0, -0.5, -0.5]))[:, :, None] * np.eye(3)
    with np.errstate(all="ignore"):
        return drive(law, F[None], strain)


def read_histories(path: Path) -> Any:
    return read_learned(path), read_pca(path).arrays()


def read_fitted(path: Path) -> Any:
    return vars(make_law("johnson-cook", **read_constants(path, "johnson-cook")))


class Small:
    """A learner of a moment: each epoch moves two weights by drawn numbers."""

    judged = "total"
    updates_per_epoch = 1

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.module = torch.nn.Linear(3, 2)
        self.optimiser = torch.optim.Adam(self.module.parameters())

    def epoch(self, generator: Random, schedule: Any) -> float:
        schedule.next()
        self.optimiser.zero_grad()
        loss = (self.module(torch.from_numpy(generator.standard_normal((5, 3))).float()) ** 2).mean()
        loss.backward()
        self.optimiser.step()
        return float(loss.detach())

    def validate(self) -> Any:
        from multiscale.surrogate.histories import RelativeErrors

        size = np.array([float(self.module.weight.detach().square().sum())])
        return RelativeErrors(size, size)


def train_small(path: Path) -> Any:
    """Train on, from the checkpoint of two epochs to four."""
    out, learner = path.with_suffix(".safetensors"), Small()
    Training(learner, out, 4, 0.1, 0, {}, patience=4).run()
    draw_losses(out.with_suffix(".csv"), out.with_suffix(".png"))
    return {name: tensor.numpy() for name, tensor in learner.module.state_dict().items()}


def begin_small(out: Path) -> None:
    """Leave the checkpoint and the log of a training that was killed after two epochs of four."""
    training = Training(Small(), out, 4, 0.1, 0, {}, patience=4)
    training.epochs = 2
    training.run()


def anvil() -> Any:
    from mpi4py import MPI

    from meshes.cylinder import cylinder
    from multiscale.dynamics.contact import RigidPlane
    from multiscale.dynamics.simulation import Simulation

    body = cylinder(2.0, 1.0, 60, comm=MPI.COMM_SELF)
    return Simulation(
        body, make_law("j2"), "hex8-one-point", [RigidPlane()], initial_velocity=(0.0, 0.0, -0.3)
    )


def write_run(folder: Path) -> None:
    """Leave the checkpoint and the results of a small run."""
    from multiscale.io.results import ResultWriter

    body = anvil()
    writer = ResultWriter(folder / "results.vtkhdf", body, {"inputs": "{}"})
    for _ in range(3):
        body.step()
        writer(body)
    writer.flush()
    write_checkpoint(folder / "checkpoint.h5", body, Origin(body, identity(body.law), {}), {"largest": 0.1})


def restart(path: Path) -> Any:
    body = anvil()
    record = read_checkpoint(path, body, Origin(body, identity(body.law), {}))
    body.step()
    state = body.saved_state()
    return record, state.clock, state.nodes, state.cells


def read_results(path: Path) -> Any:
    from multiscale.io.shape import extremes
    from multiscale.io.vtkhdf import Results

    results = Results(path)
    return (
        results.points,
        results.cells,
        results.times,
        extremes(results),
        results.field("displacement_mm", -1),
    )


def sound_files(folder: Path) -> list[Kind]:
    """Make a sound file of each kind."""
    out = folder / "set" / "set.h5"
    out.parent.mkdir()
    generate(job(), out)
    parts = out.with_name("set.h5.parts")
    shutil.copytree(parts, folder / "resumed" / "set.h5.parts")
    finish(job(), out)
    learned = folder / "learned" / "w.safetensors"
    fit_recurrent([out], learned, **SIZES)
    histories = folder / "histories" / "w.safetensors"
    fit_pca([out], histories, modes=3, hidden=8, epochs=1, rate=1e-3, batch=32, seed=0)
    for name in ("training", "log"):
        (folder / name).mkdir()
        begin_small(folder / name / "t.safetensors")
    for name, file in {"yaml": "microscale/magnesium.yaml", "hcp": "demos/copper.yaml"}.items():
        (folder / name).mkdir()
        shutil.copy(file, folder / name / "m.yaml")
    (folder / "constants").mkdir()
    shutil.copy("demos/paper/constants/johnson-cook.json", folder / "constants" / "c.json")
    (folder / "run").mkdir()
    write_run(folder / "run")
    resumed = folder / "resumed" / "set.h5.parts"
    return [
        Kind("data set", out, hdf5, read_data),
        Kind("data set, bytes", out, bytes_of, read_data),
        Kind("part of a data set", resumed / "000000032.h5", hdf5, resume),
        Kind("note of a data set", resumed / "parameters.json", document, resume),
        Kind("material, hexagonal", folder / "yaml" / "m.yaml", document, lambda p: read_crystal(p)),
        Kind("material, cubic", folder / "hcp" / "m.yaml", document, lambda p: read_crystal(p)),
        Kind("constants", folder / "constants" / "c.json", document, read_fitted),
        Kind("card", learned, sealed_card, read_learned),
        Kind("weights", learned, tensors, read_learned),
        Kind("card of histories", histories, sealed_card, read_histories),
        Kind("weights of histories", histories, tensors, read_histories),
        Kind("training checkpoint", folder / "training" / "t.checkpoint", bytes_of, train_small),
        Kind("training log", folder / "log" / "t.csv", bytes_of, train_small),
        Kind("checkpoint of a run", folder / "run" / "checkpoint.h5", hdf5, restart),
        Kind("checkpoint of a run, bytes", folder / "run" / "checkpoint.h5", bytes_of, restart),
        Kind("results of a run", folder / "run" / "results.vtkhdf", hdf5, read_results),
    ]


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
