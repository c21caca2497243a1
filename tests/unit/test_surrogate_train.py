"""Training: learning from files, the same weights from the same seed, and from a run that was killed."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from microscale.data.dataset import read_provenance
from microscale.data.generate import Generation, finish, generate
from microscale.errors import ConvergenceError, InputError
from microscale.paths.protocols import StrainPaths
from multiscale.laws import make_law
from multiscale.results.provenance import law_record
from multiscale.run.data_origin import recorded_law
from multiscale.surrogate.histories import RelativeErrors
from multiscale.surrogate.invariances import influence_of_the_future, keeps_still, objectivity
from multiscale.surrogate.pca.fit import fit_pca, read_pca
from multiscale.surrogate.recurrent.fit import fit_recurrent
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.recurrent.learner import RecurrentLearner
from multiscale.surrogate.report import record, report
from multiscale.surrogate.sources import (
    KnownPathsWarning,
    read_sources,
    require_data_of,
    split,
    training_range,
)
from multiscale.surrogate.store import read_surrogate
from multiscale.surrogate.training.muon import Muon, orthogonalised
from multiscale.surrogate.training.train import Schedule, Training

GRAINS, STEPS = 2, 24
SMALL = {"groups": 2, "tensors": 2, "scalars": 3, "hidden": 12, "rate": 5e-3, "batch": 64, "seed": 0}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """A small data set of real crystals."""
    out = tmp_path_factory.mktemp("data") / "small.h5"
    law = make_law("taylor", grains=GRAINS)
    record = {
        "name": law.name,
        "hash": "0",
        "options": {"grains": GRAINS, "seed": 0},
        "crystal": {
            "name": law.crystal.name,
            "shear_modulus": law.crystal.shear_modulus,
            "lambda_e": law.crystal.lambda_e,
            "density": law.crystal.density,
        },
    }
    job = Generation(law, record, StrainPaths("R", 0.1, STEPS, seed=4), 96, {})
    generate(job, out)
    finish(job, out)
    return out


def weights_of(path: Path) -> dict[str, np.ndarray]:
    return read_surrogate(path)[0]


def test_the_recurrent_surrogate_learns_crystals(dataset, tmp_path, capsys):
    out = tmp_path / "small.safetensors"
    fit_recurrent([dataset], out, epochs=150, **SMALL)
    errors = np.loadtxt(out.with_suffix(".csv"), delimiter=",", skiprows=1)
    assert errors[-1, 3] < 0.5 * errors[0, 3]
    assert out.with_suffix(".png").stat().st_size > 1000
    assert re.search(r"epoch 150/150 .* 0 s left", capsys.readouterr().out)
    card = read_surrogate(out)[1]
    assert card.datasets[0]["file"] == dataset.name
    assert card.material.shear_modulus == 25.0

    law = LearnedLaw.from_file(out)
    data = read_sources([dataset]).histories
    from microscale.law import drive

    def predict(times, stretch):
        return drive(law, stretch, times)

    assert influence_of_the_future(predict, data) == 0.0
    assert keeps_still(law, data)
    assert objectivity(law, data) < 1e-10
    figures = report(predict, law, [dataset], tmp_path, lambda file: make_law("taylor", grains=GRAINS))
    assert {"4x finer", "as trained", "4x coarser"} < set(figures["sets"]["small"]["deviatoric_mean_by_step"])
    assert (tmp_path / "small_worst.png").exists()
    assert (tmp_path / "errors.png").exists()
    record(out, figures)
    assert read_surrogate(out)[1].errors["sets"]["small"]["paths"] == 96


def test_the_same_seed_gives_the_same_weights(dataset, tmp_path):
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fit_recurrent([dataset], tmp_path / f"{name}.safetensors", epochs=2, **(SMALL | {"seed": seed}))
        found.append(weights_of(tmp_path / f"{name}.safetensors"))
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
    assert not np.array_equal(found[0]["input"], found[2]["input"])


KILLED = """
import sys
from pathlib import Path
import multiscale.surrogate.training.train as train
train.SECONDS_BETWEEN_CHECKPOINTS = 0.0
from multiscale.surrogate.recurrent.fit import fit_recurrent
size = {"groups": 2, "tensors": 2, "scalars": 3, "hidden": 12, "rate": 5e-3, "batch": 64, "seed": 0}
fit_recurrent([Path(sys.argv[1])], Path(sys.argv[2]), epochs=12, **size)
"""


def test_a_killed_training_ends_with_the_same_weights(dataset, tmp_path):
    whole, killed = tmp_path / "whole.safetensors", tmp_path / "killed.safetensors"
    fit_recurrent([dataset], whole, epochs=12, **SMALL)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-c", KILLED, dataset, killed], env=environment)
    checkpoint, log = killed.with_suffix(".checkpoint"), killed.with_suffix(".csv")
    deadline = time.monotonic() + 120
    while not (checkpoint.exists() and len(log.read_text().splitlines()) > 3):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not killed.exists()
    fit_recurrent([dataset], killed, epochs=12, **SMALL)
    a, b = weights_of(whole), weights_of(killed)
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert [line.split(",")[0] for line in log.read_text().splitlines()[1:]] == [str(k) for k in range(1, 13)]


def test_a_checkpoint_of_another_run_is_refused(dataset, tmp_path):
    out = tmp_path / "run.safetensors"
    fit_recurrent([dataset], out, epochs=1, **SMALL)
    with pytest.raises(InputError, match="other data or settings"):
        fit_recurrent([dataset], out, epochs=2, **SMALL)
    out.with_suffix(".checkpoint").write_bytes(b"nothing")
    with pytest.raises(InputError, match="damaged"):
        fit_recurrent([dataset], out, epochs=1, **SMALL)


def test_the_papers_surrogate_trains_and_is_read_back(dataset, tmp_path, capsys):
    out = tmp_path / "pca.safetensors"
    fit_pca([dataset], out, modes=6, hidden=16, epochs=15, rate=1e-3, batch=16, seed=0)
    log = np.loadtxt(out.with_suffix(".csv"), delimiter=",", skiprows=1)
    assert log[-1, 2] < log[0, 2]
    data = read_sources([dataset]).histories
    stress = read_pca(out).predict(data.times, data.stretch)
    assert stress.shape == data.stress.shape
    law = make_law("learned", weights=out)
    figures = report(read_pca(out).predict, law, [dataset], tmp_path, recorded_law)
    assert "4x coarser, against the data" in figures["sets"]["small"]["deviatoric_mean_by_step"]
    assert "is another one in this version" in capsys.readouterr().out  # the hash there is made up
    assert {"total_mean_as_a_law", "deviatoric_mean_as_a_law"} < set(figures["sets"]["small"])
    assert figures["checks"]["a zero increment changes nothing, to the bit"]
    assert figures["checks"]["largest difference after rotation"] < 1e-5  # single precision
    assert figures["checks"]["change of the past with the future, relative"] > 0.0
    with pytest.raises(InputError, match="expected 'recurrent'"):
        LearnedLaw.from_file(out)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch": 10}, "multiple of 32"),
        ({"batch": 160}, "at most 96 for 92 training paths"),
        ({"epochs": 0}, "epochs = 0"),
        ({"rate": -1.0}, "rate = -1.0"),
        ({"hidden": 24_300, "groups": 4, "tensors": 6, "scalars": 6}, r"largest served.*--hidden 15904$"),
        ({"tensors": 150, "groups": 4, "scalars": 6, "hidden": 80}, r"--tensors 128$"),
        ({"tensors": 10**6}, r"largest served, the others as they are: --tensors 131$"),
    ],
)
def test_sizes_without_meaning_are_refused(dataset, tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        fit_recurrent([dataset], tmp_path / "x.safetensors", **(SMALL | {"epochs": 1} | change))


@pytest.mark.parametrize(
    ("fit", "sizes"),
    [(fit_recurrent, {**SMALL, "rate": 1e30}), (fit_pca, {"modes": 6, "hidden": 16, "rate": 1e30})],
)
def test_a_training_that_diverges_says_so_and_writes_nothing(dataset, tmp_path, fit, sizes):
    with pytest.raises(ConvergenceError, match=r"diverged in epoch 1 of 3 .* smaller --rate"):
        fit([dataset], tmp_path / "x.safetensors", **(sizes | {"epochs": 3}))
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_training_that_diverges_late_keeps_its_best_weights(dataset, tmp_path, monkeypatch):
    learnt = RecurrentLearner.epoch
    losses = []

    def epoch(self, generator, schedule):
        losses.append(learnt(self, generator, schedule))
        if len(losses) == 3:
            next(self.module.parameters()).data[:] = torch.nan
        return losses[-1]

    kept = tmp_path / "kept.safetensors"
    monkeypatch.setattr(RecurrentLearner, "epoch", epoch)
    with pytest.raises(ConvergenceError, match=r"best weights, of epoch [12],"):
        fit_recurrent([dataset], kept, epochs=8, **SMALL)
    weights, card = read_surrogate(kept)
    assert card.training["best_epoch"] in (1, 2)
    assert 0.0 < card.errors["validation"]["deviatoric_mean"] < 1.5
    assert all(np.isfinite(array).all() for array in weights.values())


def test_paths_too_short_to_be_judged_are_refused(tmp_path):
    law = make_law("taylor", grains=GRAINS)
    made = Generation(law, law_record(law, {}), StrainPaths("U", 0.1, 3), 2, {})
    generate(made, tmp_path / "short.h5")
    finish(made, tmp_path / "short.h5")
    with pytest.raises(InputError, match=r"has 3 step\(s\) a path, expected at least 4"):
        report(None, law, [tmp_path / "short.h5"], tmp_path, recorded_law)


def test_paths_that_are_there_already_are_refused(dataset, tmp_path):
    """The same file, or fewer paths of the same seed; another seed is welcome."""
    law, record = make_law("taylor", grains=GRAINS), read_provenance(dataset)["law"]
    for seed, name in ((4, "again.h5"), (5, "others.h5")):
        job = Generation(law, record, StrainPaths("R", 0.1, STEPS, seed=seed), 3, {})
        generate(job, tmp_path / name)
        finish(job, tmp_path / name)
    for file in (dataset, tmp_path / "again.h5"):
        with pytest.raises(InputError, match=r"has paths of small\.h5 again \(protocol R, seed 4\)"):
            read_sources([dataset, file])
    assert len(read_sources([dataset, tmp_path / "others.h5"]).histories) == 99


def test_test_data_of_the_training_are_doubted(dataset, tmp_path):
    fit_recurrent([dataset], tmp_path / "w.safetensors", epochs=1, **SMALL)
    card = read_surrogate(tmp_path / "w.safetensors")[1]
    with pytest.warns(KnownPathsWarning, match=r"small\.h5 has paths that the surrogate was trained on"):
        require_data_of(card, dataset)


def test_no_data_is_refused():
    with pytest.raises(InputError, match="no data set"):
        read_sources([])


def test_the_range_covers_the_data(dataset):
    data = read_sources([dataset]).histories
    limits, J = training_range(data, shear_modulus=25.0), np.linalg.det(data.stretch)
    assert J.min() <= limits.smallest_volume < 1.0 < limits.largest_volume <= J.max()
    assert 0.0 < limits.strain_rate < 100.0
    assert 0.0 < limits.shape < 0.5


def test_paths_are_split_once_each(dataset):
    data = read_sources([dataset]).histories
    training, validation = split(data, 0.1, seed=0)
    assert (len(training), len(validation)) == (86, 10)
    together = np.concatenate([training.stretch, validation.stretch]).reshape(96, -1)
    assert len(np.unique(together, axis=0)) == 96


def test_orthogonalised_has_singular_values_near_one():
    for shape in ((5, 9), (9, 5)):
        singular = torch.linalg.svdvals(
            orthogonalised(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
        )
        assert float(singular.min()) > 0.6
        assert float(singular.max()) < 1.3


def test_muon_descends_and_survives_an_explosion():
    torch.manual_seed(0)
    W, b, A, goal = (
        torch.zeros(4, 3, requires_grad=True),
        torch.zeros(3, requires_grad=True),
        torch.randn(20, 4),
        0.5,
    )
    optimiser, losses, moves = Muon([W, b], rate=0.01), [], []
    schedule = Schedule(optimiser, 0.02, 300)
    target = A @ torch.randn(4, 3) + goal
    for step in range(300):
        schedule.next()
        optimiser.zero_grad()
        loss = (A @ W + b - target).square().mean()
        (loss * (1e6 if step == 100 else 1.0)).backward()
        before = torch.cat([W.detach().clone(), b.detach().clone()[None]])
        optimiser.step()
        moves.append(float((torch.cat([W.detach(), b.detach()[None]]) - before).norm()))
        losses.append(float(loss.detach()))
    assert losses[-1] < 1e-3 * losses[0]
    assert max(moves[100:120]) < 1.5 * max(moves[:100])


class Stubborn:
    """One weight that each epoch raises by one; errors fall until it is three."""

    judged = "total"
    updates_per_epoch = 1

    def __init__(self):
        self.module = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.module.weight)
        self.optimiser = torch.optim.SGD(self.module.parameters(), lr=1.0)

    def epoch(self, generator, schedule) -> float:
        with torch.no_grad():
            self.module.weight += 1.0
        return 1.0

    def validate(self) -> RelativeErrors:
        weight = float(self.module.weight.detach())
        return RelativeErrors(np.array([abs(weight - 3.0)]), np.array([abs(weight - 9.0)]))


def test_training_stops_early_with_the_weights_of_the_best_epoch(tmp_path):
    learner = Stubborn()
    progress = Training(learner, tmp_path / "x.safetensors", 100, 1.0, 0, {}, patience=5).run()
    assert (progress.epoch, progress.best_epoch, progress.best_error) == (8, 3, 0.0)
    assert float(learner.module.weight.detach()) == 3.0
    learner.judged, learner.module.weight.data[:] = "deviatoric", 0.0
    progress = Training(learner, tmp_path / "y.safetensors", 100, 1.0, 0, {}, patience=5).run()
    assert (progress.epoch, progress.best_epoch) == (14, 9)
