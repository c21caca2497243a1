"""Every kind of file that is read: how a sound one is made, changed and read as the program reads it."""

import contextlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from hostile_mutations import Random, changed_bytes, changed_data, changed_hdf5, changed_text
from safetensors.numpy import load, save

from microscale.crystals.crystal import read_crystal
from microscale.data.generate import Generation, finish, generate
from microscale.errors import InputError
from microscale.law import drive
from microscale.paths.protocols import StrainPaths
from multiscale.laws import make_law
from multiscale.laws.constants_file import read_constants
from multiscale.results.data_report import report
from multiscale.results.provenance import identity, law_record
from multiscale.run.checkpoint import read_checkpoint, write_checkpoint
from multiscale.run.data_origin import recorded_law
from multiscale.run.same_run import Origin
from multiscale.surrogate.pca.fit import fit_pca, read_pca
from multiscale.surrogate.recurrent.fit import fit_recurrent
from multiscale.surrogate.sources import read_sources, training_range
from multiscale.surrogate.store import card_path, seal_card
from multiscale.surrogate.training.log import draw_losses
from multiscale.surrogate.training.train import Training

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
    from microscale.data.dataset import read_dataset

    report(path, read_dataset(path))
    with contextlib.suppress(InputError):
        recorded_law(path)
    return (
        sources.histories.stress,
        asdict(training_range(sources.histories, sources.material.shear_modulus)),
        sources.material,
    )


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
    from multiscale.results.field_writer import ResultWriter

    body = anvil()
    writer = ResultWriter(folder / "results.vtkhdf", body, {"inputs": "{}"})
    for _ in range(3):
        body.step()
        writer.add(writer.state(body))
    writer.flush()
    write_checkpoint(folder / "checkpoint.h5", body, Origin(body, identity(body.law), {}), {"largest": 0.1})


def restart(path: Path) -> Any:
    body = anvil()
    record = read_checkpoint(path, body, Origin(body, identity(body.law), {}))
    body.step()
    state = body.saved_state()
    return record, state.clock, state.nodes, state.cells


def read_results(path: Path) -> Any:
    from multiscale.results.dimensions import extremes
    from multiscale.results.vtkhdf import Results

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
    shutil.copy("multiscale/laws/constants/johnson-cook.json", folder / "constants" / "c.json")
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
