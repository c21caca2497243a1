"""The learnt law: the compiled kernel against the network it came from, and the files it is read from."""

import json
import warnings
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
import torch
from autograd_recurrent import AutogradRecurrent
from scipy.stats import special_ortho_group

from microscale.errors import InputError
from microscale.law import drive
from multiscale.surrogate.extrapolation import ExtrapolationWarning
from multiscale.surrogate.histories import refined
from multiscale.surrogate.kinds import kind_of
from multiscale.surrogate.recurrent.architecture import Architecture
from multiscale.surrogate.recurrent.increments import Increments, increments
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.recurrent.learner import stress_from
from multiscale.surrogate.recurrent.substeps import cut
from multiscale.surrogate.store import (
    Card,
    Material,
    TrainingRange,
    card_path,
    read_surrogate,
    seal_card,
    write_surrogate,
)

ARCHITECTURE = Architecture(groups=2, tensors=3, scalars=4, hidden=20)
MATERIAL = Material("test", shear_modulus=25.0, lambda_e=24.0, density=10.0)
WIDE = TrainingRange(shape=2.0, strain_rate=1e3, smallest_volume=0.1, largest_volume=5.0)
STEP = 0.02


def card(limits: TrainingRange = WIDE) -> Card:
    return Card("recurrent", asdict(ARCHITECTURE), MATERIAL, limits)


@pytest.fixture(scope="module")
def network() -> AutogradRecurrent:
    torch.manual_seed(3)
    return AutogradRecurrent(ARCHITECTURE)


@pytest.fixture(scope="module")
def weights(network) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in network.state_dict().items()}


ROUNDING = {"double": 1e-12, "single": 1e-6}
"""Of the stress, relative to its largest, beside the network in double precision."""


@pytest.fixture(scope="module", params=ROUNDING)
def precision(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def law(weights, precision) -> LearnedLaw:
    return LearnedLaw(weights, card(), precision=precision)


def stretches(samples: int = 20, points: int = 11, size: float = 0.2) -> np.ndarray:
    """Smooth stretch histories from rest, shape (points, samples, 3, 3)."""
    A, B = np.random.default_rng(5).standard_normal((2, points, 1, 3, 3)) * size
    t = np.linspace(0.0, 1.0, samples)[None, :, None, None]
    H = t * A + np.sin(np.pi * t) * B
    return np.eye(3) + 0.25 * (H + np.swapaxes(H, 2, 3))


def test_the_kernel_computes_the_network(monkeypatch, network, law, precision):
    U = stretches()
    times = STEP * np.arange(U.shape[1])
    stress = drive(law, U, times)
    paths = cut(np.broadcast_to(times, U.shape[:2]), U)
    assert paths.dt.shape[1] > U.shape[1]  # some steps are long enough to be cut
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor)  # the network in double precision
    steps = increments(torch.from_numpy(paths.stretch).transpose(0, 1), torch.from_numpy(paths.dt).mT)
    double = AutogradRecurrent(ARCHITECTURE).double()
    double.load_state_dict(network.state_dict())
    with torch.no_grad():
        strain, _ = double(Increments(*steps))
    in_unit = 64.0 * strain.transpose(0, 1).numpy()[np.arange(len(U))[:, None], paths.ends]
    expected = stress_from(in_unit, np.linalg.det(U[:, 1:]), MATERIAL)
    rounding = ROUNDING[precision] * np.abs(expected).max()
    np.testing.assert_allclose(stress[:, 1:], expected, rtol=0.0, atol=rounding)


def test_to_rotate_a_path_rotates_its_stress(law, precision):
    Q, U = special_ortho_group(dim=3, seed=1).rvs(), stretches()
    times = STEP * np.arange(U.shape[1])
    stress, turned = drive(law, U, times), drive(law, Q @ U @ Q.T, times)
    promised = {"double": 1e-10, "single": 1e-6}[precision]
    np.testing.assert_allclose(turned, Q @ stress @ Q.T, rtol=0.0, atol=promised * np.abs(stress).max())


def test_mean_stress_is_exact(law):
    U = stretches()
    stress = drive(law, U, STEP * np.arange(U.shape[1]))
    J = np.linalg.det(U)
    mean = np.trace(stress, axis1=2, axis2=3) / 3.0
    np.testing.assert_allclose(mean, 2.0 * MATERIAL.lambda_e * (J - 1.0), atol=1e-12)


def test_refining_the_steps_converges_at_first_order(law):
    U = stretches(samples=4)
    times = np.broadcast_to(0.3 * np.arange(4), (len(U), 4))
    ends = [drive(law, refined(U, n), refined(times, n))[:, -1] for n in (64, 128, 256, 512, 1024)]
    changes = [np.linalg.norm(fine - coarse) for coarse, fine in pairwise(ends)]
    slopes = [np.log2(coarse / fine) for coarse, fine in pairwise(changes)]
    assert min(slopes[-2:]) > 0.8, slopes


def test_a_zero_increment_changes_no_bit(law):
    U = stretches()
    state, P = law.init_state(len(U)), np.empty((len(U), 3, 3))
    for k in range(U.shape[1]):
        law.update(np.ascontiguousarray(U[:, k]), STEP, state, P)
    before, again = state.copy(), np.empty_like(P)
    law.update(np.ascontiguousarray(U[:, -1]), 0.0, state, again)
    np.testing.assert_array_equal(again, P)
    for name in state:
        np.testing.assert_array_equal(state[name], before[name], err_msg=name)


def test_rest_stays_at_rest_exactly(law):
    state, P = law.init_state(3), np.ones((3, 3, 3))
    for _ in range(5):
        law.update(np.tile(np.eye(3), (3, 1, 1)), STEP, state, P)
    assert not P.any()
    for variable in law.state_spec:
        np.testing.assert_array_equal(
            state[variable.name], np.broadcast_to(variable.at_rest, state[variable.name].shape)
        )


def test_a_stressed_point_flows_while_it_is_held(law):
    F, P, held = np.diag([1.02, 0.99, 0.99])[None].copy(), np.empty((1, 3, 3)), np.empty((1, 3, 3))
    state = law.init_state(1)
    law.update(F, STEP, state, P)
    law.update(F, 1.0, state, held)
    assert np.abs(held - P).max() > 1e-3


@pytest.mark.parametrize("scale", [1e-12, 1.0, 30.0])
def test_no_history_makes_the_state_run_away(law, scale):
    """Steps far larger than any in training: targets are bounded, and so is the stress."""
    A = np.random.default_rng(0).standard_normal((40, 50, 3, 3))
    F = np.linalg.qr(A)[0] @ (np.eye(3) + scale * 0.5 * A @ np.swapaxes(A, 2, 3))
    F *= np.sign(np.linalg.det(F))[..., None, None]
    F[:, 0] = np.eye(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        stress = drive(law, F, STEP * np.arange(50))
    assert np.isfinite(stress).all()


def test_extrapolation_is_marked_and_warned_of_once(weights):
    limits = TrainingRange(shape=0.01, strain_rate=1e3, smallest_volume=0.5, largest_volume=2.0)
    law = LearnedLaw(weights, card(limits))
    F = np.tile(np.eye(3), (4, 1, 1))
    state, P = law.init_state(4), np.empty_like(F)
    law.update(F, STEP, state, P)
    assert law.extrapolating_points == 0
    F[2] = np.diag([1.4, 1.0 / 1.4, 1.0])
    with pytest.warns(ExtrapolationWarning, match="1 point"):
        law.update(F, STEP, state, P)
    np.testing.assert_array_equal(state["extrapolation"] > 0.0, [False, False, True, False])
    F[3] = np.diag([1.6, 1.0 / 1.6, 1.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        law.update(F, STEP, state, P)
    assert law.extrapolating_points == 2
    shape = np.log((1.4 + 1.0 / 1.4 + 1.4 + 1.0 / 1.4 + 2.0) / 6.0)
    assert state["extrapolation"][2] == pytest.approx(shape / 0.01 - 1.0, rel=1e-9)


def test_rounding_in_an_instantaneous_step_is_no_extrapolation(weights):
    """A body at rest that has been turned there and back is not strained at 1e14 per microsecond."""
    law = LearnedLaw(weights, card())
    state, P = law.init_state(1), np.empty((1, 3, 3))
    law.update(np.eye(3)[None] * (1.0 + 1e-15) + 1e-15, 0.0, state, P)
    assert state["extrapolation"] == 0.0
    with pytest.warns(ExtrapolationWarning):
        law.update(np.diag([1.01, 1.0, 1.0])[None].copy(), 0.0, state, P)


def test_wave_speed_is_that_of_the_elasticity(law):
    assert law.wave_speed() == pytest.approx(np.sqrt((4.0 / 3.0 * 25.0 + 48.0) / 10.0))


def test_shipped_weights_are_magnesium_and_small():
    law = LearnedLaw.from_file()
    assert law.card.material.name.startswith("magnesium")
    assert law.card.errors
    assert sum(int(np.prod(v.shape)) for v in law.state_spec) <= 63 + 16  # the watch over the range


@pytest.fixture
def stored(tmp_path, weights):
    path = tmp_path / "small.safetensors"
    write_surrogate(path, weights, card())
    return path


def test_a_surrogate_survives_its_file(stored, law, precision):
    U = stretches()
    times, read = STEP * np.arange(U.shape[1]), LearnedLaw.from_file(stored, precision)
    np.testing.assert_array_equal(drive(read, U, times), drive(law, U, times))


def edit(path, change) -> None:
    entries = json.loads(path.read_text())
    change(entries)
    path.write_text(json.dumps(entries))


def changed(path, change) -> None:
    """Edit a card, and vouch for it."""
    edit(card_path(path), change)
    seal_card(path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: card_path(path).unlink(), "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "hashes differ"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"x"), "hashes differ"),
        (lambda path: card_path(path).write_text("{"), "damaged"),
        (
            lambda path: edit(card_path(path), lambda e: e.update(format=1)),
            f"expected {kind_of('recurrent').format}",
        ),
        (lambda path: edit(card_path(path), lambda e: e.pop("material")), "material is missing"),
        (
            lambda path: changed(path, lambda e: e.update(kind="pca", format=kind_of("pca").format)),
            "expected 'recurrent'",
        ),
        (
            lambda path: changed(path, lambda e: e["architecture"].update(hidden=21)),
            "expected finite",
        ),
        (
            lambda path: changed(path, lambda e: e["architecture"].update(hiden=20)),
            "hiden is no known key, did you mean 'hidden'",
        ),
    ],
    ids=["no weights", "no card", "cut", "altered", "card", "version", "entry", "kind", "shape", "size"],
)
def test_unusable_files_are_refused_in_one_line(stored, damage, message):
    damage(stored)
    with pytest.raises(InputError, match=message) as error:
        LearnedLaw.from_file(stored)
    assert "\n" not in str(error.value)


def test_an_unknown_precision_is_refused(weights):
    with pytest.raises(InputError, match="precision = 'half', expected one of: single, double"):
        LearnedLaw(weights, card(), precision="half")


def test_weights_that_are_not_finite_are_refused(weights):
    with pytest.raises(InputError, match="rates_bias"):
        LearnedLaw(weights | {"rates_bias": np.full_like(weights["rates_bias"], np.nan)}, card())


def test_reading_returns_what_was_written(stored, weights):
    found, described = read_surrogate(stored)
    assert described.range == WIDE
    for name, array in weights.items():
        np.testing.assert_array_equal(found[name], array)
