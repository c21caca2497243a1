"""Table SI-2 of the paper: the network of principal components, trained and tested in 25 ways.

Each row stands beside the paper's, with the sizes used here. Errors are means over paths of the relative L2
error of the stress history: total, as the paper's, and deviatoric (in two dimensions of the deviator in the
plane). PCA errors are those of projecting the training paths. A network is trained once and kept by its data,
size and modes; of its training paths 4 % only watch. Larger batches than the paper's and more than ten times
its learning rate make fewer epochs do for its 1500 (500 in two dimensions). Few paths are turned, to be more.

    mpirun -n 2 python demos/paper/data.py                          the data, on several ranks, first
    python demos/paper/table_si2.py --output results/paper          all rows
    python demos/paper/table_si2.py 19 22 --output results/paper    some of them
    python demos/paper/table_si2.py --fast                          tiny networks and data, in seconds

Run again to resume. Weights of the solid rows are laws: `--weights` of the impact demos takes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from data import SETS
from runs import write_figures
from scipy.spatial.transform import Rotation
from table_si2_text import markdown

from microscale.data.dataset import read_provenance
from microscale.errors import InputError
from microscale.inputs.numbers import Fraction, OutFolder
from microscale.paths.protocols import SHEARED
from multiscale.cli import generate
from multiscale.results.provenance import plain
from multiscale.run.command import launch
from multiscale.surrogate.histories import Histories, joined, relative_errors
from multiscale.surrogate.pca.fit import fit_histories, read_pca
from multiscale.surrogate.pca.network import PcaArchitecture, PcaSurrogate, fractions_of, packed
from multiscale.surrogate.recurrent.fit import VALIDATION_SHARE
from multiscale.surrogate.sources import Sources, read_sources, split, training_range
from multiscale.surrogate.store import Card

HIDDEN, RATE, BATCH = 1000, 1.5e-3, 128
UPDATES, FEWEST_EPOCHS, MOST_EPOCHS, WATCHED_EPOCHS = 5000, 40, 1000, 200
DECAY = 0.1
"""Weight decay in two dimensions, where training paths are few."""
PLANE, SOLID = 3, 6
"""Components of a symmetric tensor in two dimensions and in three."""
_IN_PLANE = Rotation.create_group("D16").as_matrix()[:, :2, :2]
TURNS = {
    PLANE: np.concatenate([_IN_PLANE[:8], _IN_PLANE[16:24]]),
    SOLID: Rotation.create_group("O").as_matrix().round(),
}
"""Turns by 22.5 degrees with and without a mirror (16, 2, 2), and of a cube (24, 3, 3): few training paths
that change volume are turned by them, as if the polycrystal were isotropic; else they are overfitted."""
TURNED_MORE = 4.5
"""How many times more updates are made then."""
MEASURED = 2000
"""Training paths whose errors are measured."""
EXACT_PRESSURE = (11, 12, 13, 19, 22, 23, 24)
"""Rows that show a second network too, whose mean stress is computed."""
SMALL, NARROW = 3200, 0.4
"""Networks are narrower by this factor for so few training paths, and where the mean stress is computed."""
SMALLEST = 2
FAST: dict[str, Any] = {
    "hidden": 40,
    "updates": 60,
    "scale": 0.003,
    "cheaper": {"fft2d": {"resolution": 8, "grains": 4}, "taylor": {"grains": 8}},
}
"""Tiny networks on tiny data, for tests."""


@dataclass(frozen=True)
class Row:
    """A row of the table, and the paper's figures in it, %.

    Attributes:
        case: Number in the paper.
        train: Data set.
        test: Data set.
        paths: Numbers of training and test paths.
        modes: Principal components of each component.
        pca: Errors of projecting input and output.
        errors: Training and test error.
    """

    case: int
    train: str
    test: str
    paths: tuple[int, int]
    modes: int
    pca: tuple[float, float]
    errors: tuple[float, float]


ROWS = (
    Row(1, "fft2d_R10_train", "fft2d_R10_test", (3200, 1000), 32, (0.08, 0.13), (5, 5)),
    Row(2, "fft2d_R10_train", "fft2d_F10_test", (3200, 1000), 32, (0.08, 0.13), (5, 5)),
    Row(3, "fft2d_R10_train", "fft2d_U10_test", (3200, 100), 32, (0.08, 0.13), (5, 9)),
    Row(4, "fft2d_R10_train", "fft2d_LU10_test", (3200, 100), 32, (0.08, 0.13), (5, 10)),
    Row(5, "fft2d_R10_train", "fft2d_C10_test", (3200, 100), 32, (0.08, 0.13), (5, 8)),
    Row(6, "fft2d_F10_train", "fft2d_F10_test", (3200, 1000), 32, (1.3e-3, 0.02), (5, 5)),
    Row(7, "fft2d_F10_train", "fft2d_R10_test", (3200, 1000), 32, (1.3e-3, 0.02), (5, 33)),
    Row(8, "fft2d_F10_train", "fft2d_U10_test", (3200, 1000), 32, (1.3e-3, 0.02), (5, 30)),
    Row(9, "fft2d_LU10_train", "fft2d_R10_test", (900, 100), 32, (1.3e-3, 0.07), (1.2, 90)),
    Row(10, "fft2d_R10_m02_train", "fft2d_R10_m02_test", (3200, 1000), 32, (1.3e-3, 0.02), (5, 5)),
    Row(11, "taylor_R10_train", "taylor_R10_test", (3200, 1000), 100, (0.18, 0.46), (5, 5)),
    Row(12, "taylor_R10_train", "taylor_F10_test", (3200, 1000), 100, (0.18, 0.46), (5, 4)),
    Row(13, "taylor_R10_train", "taylor_U10_test", (3200, 100), 100, (0.18, 0.46), (5, 8)),
    Row(14, "taylor_F10_train", "taylor_F10_test", (3200, 1000), 100, (0.011, 0.05), (4, 4)),
    Row(15, "taylor_F10_train", "taylor_R10_test", (3200, 1000), 100, (0.011, 0.05), (4, 30)),
    Row(16, "taylor_R50_train", "taylor_R50_test", (4000, 2000), 100, (1.2, 1.1), (3.7, 17)),
    Row(17, "taylor_R50_train", "taylor_R50_test", (8000, 2000), 100, (1.2, 1.1), (3.1, 15)),
    Row(18, "taylor_R50_train", "taylor_R50_test", (16000, 2000), 100, (1.2, 1.1), (2.8, 13)),
    Row(19, "taylor_R50_train", "taylor_R50_test", (30000, 6000), 100, (1.2, 1.1), (2.5, 10)),
    Row(20, "taylor_R50_train", "taylor_R50_test", (30000, 6000), 60, (1.2, 1.1), (2.5, 11)),
    Row(21, "taylor_R50_train", "taylor_R50_test", (30000, 6000), 30, (1.2, 1.1), (2.5, 15)),
    Row(22, "taylor_R50_train", "taylor_U50_test", (30000, 100), 100, (1.2, 1.1), (2.5, 12)),
    Row(23, "taylor_R50_train", "taylor_LU50_test", (30000, 100), 100, (1.2, 1.1), (2.5, 13)),
    Row(24, "taylor_R50_train", "taylor_C50_test", (30000, 100), 100, (1.2, 1.1), (2.5, 12)),
    Row(25, "taylor_R10_m02_train", "taylor_R10_m02_test", (3200, 1000), 100, (0.18, 0.45), (4, 4)),
)


def table_si2(
    *cases: int, output: OutFolder = Path("results/paper"), scale: Fraction = 1.0, fast: bool = False
) -> dict[str, Any]:
    """Train, measure and write table_si2.md and table_si2.json.

    Args:
        cases: Rows, by the paper's numbers; all by default.
        output: Folder of the table; data in its folder ``data``, networks in ``table_si2``.
        scale: Numbers of paths relative to the paper's, of data that are not there yet.
        fast: Tiny data and networks, for a test.
    """
    rows = [row for row in ROWS if not cases or row.case in cases]
    if unknown := set(cases) - {row.case for row in ROWS}:
        raise InputError(f"case {min(unknown)}, expected some of 1 to {len(ROWS)}")
    study = Study.of(output, scale, fast)
    figures = {str(row.case): study.row(row) for row in rows}
    text = markdown(figures)
    (output / "table_si2.md").write_text(text)
    print(text)
    return write_figures(output / "table_si2.json", figures)


@dataclass(frozen=True)
class Study:
    """Networks and data of the table.

    Attributes:
        output: Folder of data and networks.
        hidden: Width of the hidden layers.
        updates: Steps of the optimiser, at least; more where that is less than 40 epochs.
        scale: Numbers of paths relative to the paper's, of data that are to be made.
        cheaper: What else is told `multiscale generate` of a law.
    """

    output: Path
    hidden: int = HIDDEN
    updates: int = UPDATES
    scale: Fraction = 1.0
    cheaper: Mapping[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, output: Path, scale: Fraction = 1.0, fast: bool = False) -> Study:
        """Return the study of the paper, with fewer paths, or a tiny one."""
        return cls(output, **FAST) if fast else cls(output, scale=scale)

    def histories(self, name: str, paths: int | None = None) -> Histories:
        """Return the paths of a data set, all or the first ones; in the plane for two dimensions."""
        found = read_sources([self.file(name)]).histories[:paths]
        return found.in_plane if name.startswith("fft2d") else found

    def file(self, name: str) -> Path:
        """Return a data set's file; it is made, as data.py does, unless it is there."""
        file, told = self.output / "data" / f"{name}.h5", SETS[name]
        if not file.exists():
            paths = max(SMALLEST, round(self.scale * told["paths"]))
            generate(out=file, **told | {"paths": paths} | self.cheaper.get(told["law"], {}))
        return file

    def network(self, name: str, paths: int, modes: int, exact_pressure: bool = False) -> PcaSurrogate:
        """Return the network trained on the first paths of a data set; it is trained unless it is there."""
        stem = f"{name.removesuffix('_train')}_{paths}_{modes}" + (
            "_exact_pressure" if exact_pressure else ""
        )
        out = self.output / "table_si2" / f"{stem}.safetensors"
        if not out.exists():
            sources, some = self._sources(name, paths)
            training, watching = split(some, VALIDATION_SHARE, seed=0)
            # What is isotropic is the pressure, above all: paths without any are not turned.
            turned = paths <= SMALL and SETS[name]["protocol"] not in SHEARED
            self._train(out, sources, training, watching, modes, exact_pressure, turned=turned)
        return read_pca(out)

    def watched(self, name: str, paths: int, modes: int, test: Histories) -> Path:
        """Return the log of a training on which test paths look; it is trained unless it is there."""
        stem = f"{name.removesuffix('_train')}_{paths}_{modes}_watched"
        out = self.output / "table_si2" / f"{stem}.safetensors"
        if not out.exists():
            epochs = min(WATCHED_EPOCHS, self.updates)
            self._train(out, *self._sources(name, paths), test, modes, epochs=epochs)
        return out.with_suffix(".csv")

    def _sources(self, name: str, paths: int) -> tuple[Sources, Histories]:
        sources = read_sources([self.file(name)])
        some = sources.histories[:paths]
        return replace(sources, histories=some), some.in_plane if name.startswith("fft2d") else some

    def _train(
        self,
        out: Path,
        sources: Sources,
        training: Histories,
        test: Histories,
        modes: int,
        exact_pressure: bool = False,
        epochs: int | None = None,
        turned: bool = False,
    ) -> None:
        components = packed(training.stretch[:1]).shape[-1]
        small = len(training) <= SMALL
        hidden = round(NARROW * self.hidden) if small or exact_pressure else self.hidden
        architecture = PcaArchitecture(modes, hidden, components=components, exact_pressure=exact_pressure)
        batch = BATCH // 2 if small else BATCH
        if turned:
            training = joined([training.turned(Q) for Q in TURNS[components]])
            epochs = math.ceil(TURNED_MORE * self.updates / math.ceil(len(training) / batch))
        elif epochs is None:
            epochs = math.ceil(self.updates / math.ceil(len(training) / batch))
            epochs = min(max(epochs, FEWEST_EPOCHS), MOST_EPOCHS)
        limits = training_range(sources.histories, sources.material.shear_modulus)
        card = Card("pca", asdict(architecture), sources.material, limits, sources.records)
        decay = DECAY if small and components == PLANE else 0.0
        fit_histories(training, test, card, out, epochs, RATE, batch, seed=0, decay=decay)

    def row(self, row: Row) -> dict[str, Any]:
        """Return the figures of a row."""
        paths = min(row.paths[0], read_provenance(self.file(row.train))["paths"]["count"])
        modes = min(row.modes, paths // 2)  # where --fast leaves fewer paths than modes
        network = self.network(row.train, paths, modes)
        seen, test = self.histories(row.train, min(paths, MEASURED)), self.histories(row.test, row.paths[1])
        fractions = fractions_of(seen.times)
        figures = {
            **plain(asdict(row)),
            "paths_here": [paths, len(test)],
            "pca_here": [
                float(100.0 * modes.error(packed(tensors), fractions).mean())
                for modes, tensors in ((network.stretch, seen.stretch), (network.stress, seen.stress))
            ],
            "train_here": mean_errors(network, seen),
            "test_here": mean_errors(network, test),
        }
        if row.case in EXACT_PRESSURE:
            exact = self.network(row.train, paths, modes, exact_pressure=True)
            figures["test_with_exact_pressure"] = mean_errors(exact, test)
        if SETS[row.test]["protocol"] in SHEARED:
            held = self.histories(row.test.replace("_test", "_held_test"), row.paths[1])
            figures["test_held"] = held_errors(network, held)
        return figures


def held_errors(network: PcaSurrogate, held: Histories) -> dict[str, float]:
    """Return mean total errors, %, on paths with their sides held, as in the name "uniaxial strain".

    Small strains weigh as much as others, and there the stress that the network gives to rest is large
    beside that of the path: so also of the paths that strain more than half as much as the most strained one,
    and of the stress less that at rest, as the law in a simulation has it.
    """
    moved = held.stretch - np.eye(held.stretch.shape[-1])
    strain = np.linalg.norm(moved, axis=(2, 3)).max(axis=1)
    at_rest = network.predict(held.times[:1], held.stretch[:1] - moved[:1])
    less_rest = network.predict(held.times, held.stretch) - at_rest
    return {
        "all": mean_errors(network, held)["total"],
        "larger_strains": mean_errors(network, held[strain >= 0.5 * strain.max()])["total"],
        "less_rest": float(100.0 * relative_errors(less_rest, held.stress, held.times).total.mean()),
    }


def mean_errors(network: PcaSurrogate, test: Histories) -> dict[str, float]:
    """Return mean total and deviatoric errors, %."""
    errors = relative_errors(network.predict(test.times, test.stretch), test.stress, test.times)
    return {name: float(100.0 * np.mean(values)) for name, values in vars(errors).items()}


if __name__ == "__main__":
    launch(table_si2)
