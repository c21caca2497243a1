"""The far side of a training range: measured on paths that are known, marked, warned of and counted."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest
from untrained_pca import untrained_pca

from microscale.errors import InputError
from microscale.law import drive
from multiscale.laws import make_law
from multiscale.surrogate.extrapolation import KINDS, ExtrapolationWarning
from multiscale.surrogate.histories import Histories, joined
from multiscale.surrogate.pca.law import PcaLaw
from multiscale.surrogate.recurrent.law import LearnedLaw
from multiscale.surrogate.slow_paths import elastic_limit, far_side
from multiscale.surrogate.store import (
    FAR_SIDE,
    SHIPPED,
    TrainingRange,
    card_path,
    read_surrogate,
    write_surrogate,
)

LIMIT = 0.005
NAMES = [kind.name for kind in KINDS]


def tension(strains):
    """Stretches of isochoric tension along x, shape (1, samples, 3, 3)."""
    stretch = np.exp(np.asarray(strains))
    return np.stack([np.diag([s, s**-0.5, s**-0.5]) for s in stretch])[None]


def histories(strains, times):
    U = tension(strains)
    return Histories(np.asarray(times)[None], U, np.zeros_like(U))


def norm(strain):
    """Norm of the deviatoric strain of tension."""
    return np.sqrt(1.5) * strain


def test_the_far_side_of_known_paths():
    steady = histories(np.linspace(0.0, 0.1, 101), np.linspace(0.0, 2.0, 101))
    held = histories([*np.linspace(0.0, 0.05, 51), *[0.05] * 100], np.linspace(0.0, 3.0, 151))
    found = far_side(joined([steady, held]), LIMIT)
    assert found["elastic_limit"] == LIMIT
    assert found["slowest_rate"] == pytest.approx(norm(0.05), rel=0.02)
    assert found["longest_hold"] == pytest.approx(2.0, rel=0.02)
    assert found["smallest_cycle"] == pytest.approx(2.0 * LIMIT)  # none but large ones


def test_the_elastic_limit_is_that_of_the_stress():
    U = tension([0.0, 0.1, 0.2, 0.3])
    stress = np.zeros_like(U)
    stress[:, 1:] = 3.0 * np.eye(3) + np.diag([0.2, -0.1, -0.1])
    found = elastic_limit(Histories(np.arange(4.0)[None], U, stress), shear_modulus=25.0)
    assert found == pytest.approx(np.linalg.norm([0.2, -0.1, -0.1]) / 50.0 * 0.75, rel=0.34)


def shipped(**limits):
    weights, card = read_surrogate(SHIPPED)
    return LearnedLaw(weights, replace(card, range=replace(card.range, **limits)))


def kinds_after(law, strains, times):
    """Drive a law; return the kinds in which it left the range, with how far."""
    F, steps = tension(strains)[0], np.diff(times)
    state, P = law.init_state(1), np.empty((1, 3, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        for after, dt in zip(F[1:], steps, strict=True):
            law.update(np.ascontiguousarray(after[None]), dt, state, P)
    return dict(zip(NAMES, state["beyond"][0], strict=True)), state


LOADED = np.linspace(0.0, 0.05, 201)
KNOWN = {"elastic_limit": LIMIT, "slowest_rate": 0.02, "longest_hold": 1.0, "smallest_cycle": 0.002}


@pytest.mark.parametrize("parts", [1, 5])
@pytest.mark.parametrize(("hold", "excess"), [(0.9, 0.0), (3.0, 2.0)])
def test_a_hold_beyond_the_longest_is_marked(hold, excess, parts):
    strains = [*LOADED, *[0.05] * 40 * parts]
    times = [*np.linspace(0.0, 0.5, 201), *(0.5 + hold * np.arange(1, 40 * parts + 1) / (40 * parts))]
    found, state = kinds_after(shipped(**KNOWN), strains, times)
    assert found.pop("hold") == pytest.approx(excess, rel=1e-6, abs=1e-12)
    assert set(found.values()) == {0.0}
    assert state["extrapolation"][0] == pytest.approx(excess, rel=1e-6, abs=1e-12)
    assert state["outside_for"][0, 0] == pytest.approx(max(hold - 1.0, 0.0), abs=hold / 40)


@pytest.mark.parametrize(("rate", "slow"), [(0.04, False), (0.01, True), (0.001, True)])
def test_flow_slower_than_the_slowest_is_marked(rate, slow):
    end = 0.05
    found, _ = kinds_after(shipped(**KNOWN), LOADED, np.linspace(0.0, norm(end) / rate, 201))
    assert found.pop("slow") == pytest.approx(0.02 / rate - 1.0 if slow else 0.0, rel=1e-3)
    assert set(found.values()) == {0.0}


@pytest.mark.parametrize(("flow", "small"), [(0.004, False), (0.001, True)])
def test_cycles_smaller_than_the_smallest_are_marked(flow, small):
    turn = (2.0 * LIMIT + flow) / norm(1.0)
    corners = [0.05 - turn * (k % 2) for k in range(1, 61)]
    strains = np.interp(np.arange(0, 61, 0.05), np.arange(61), [0.05, *corners])
    found, _ = kinds_after(
        shipped(**KNOWN), [*LOADED, *strains], np.linspace(0.0, 2.0, 201 + len(strains)) * 0.5
    )
    assert (found["cycle"] > 0.0) == small
    assert found["hold"] == found["slow"] == 0.0


def test_rest_and_small_waves_before_flow_are_not_marked():
    strains = [*[0.0] * 50, *1e-4 * np.sin(np.arange(400))]
    found, state = kinds_after(shipped(**KNOWN), strains, np.linspace(0.0, 500.0, 450))
    assert set(found.values()) == {0.0}
    assert state["extrapolation"][0] == 0.0


def test_cards_of_before_know_no_far_side_and_mark_none():
    unknown = dict.fromkeys(FAR_SIDE)
    strains, times = [*LOADED, *[0.05] * 10], [*np.linspace(0.0, 50.0, 201), *(50.0 + np.arange(1, 11))]
    found, _ = kinds_after(shipped(**unknown), strains, times)
    assert set(found.values()) == {0.0}


def test_each_kind_is_warned_of_once_and_can_stop_a_run():
    law, state, P = shipped(**KNOWN), None, np.empty((2, 3, 3))
    state = law.init_state(2)
    F = np.stack([np.eye(3), tension([0.05])[0, 0]])
    law.update(F, 0.1, state, P)
    with pytest.warns(ExtrapolationWarning, match=r"\(holds up to 1 us\), the farthest by 400 %"):
        law.update(F, 5.0, state, P)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        law.update(F, 5.0, state, P)
    worst = law.worst_extrapolation(state, 10.1)
    assert [(entry.kind, entry.points, entry.point) for entry in worst] == [("hold", 1, 1)]
    assert worst[0].excess == pytest.approx(9.0)
    assert worst[0].left_at == pytest.approx(5.1)
    resumed = shipped(**KNOWN)
    resumed.resume(state)
    assert resumed.extrapolating_points == law.extrapolating_points == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resumed.update(F, 5.0, state, P)
    weights, card = read_surrogate(SHIPPED)
    strict = LearnedLaw(weights, replace(card, range=replace(card.range, **KNOWN)), on_extrapolation="stop")
    state = strict.init_state(2)
    strict.update(F, 0.1, state, P)
    with pytest.raises(InputError, match=r"holds up to 1 us.*expected none with --on-extrapolation stop"):
        strict.update(F, 5.0, state, P)


def test_both_networks_mark_the_same():
    known = KNOWN | {"longest_hold": 0.2}
    limits = replace(read_surrogate(SHIPPED)[1].range, **known)
    weights, card = untrained_pca(limits)[1:]
    strains = [*LOADED, *[0.05] * 20, *np.linspace(0.05, 0.02, 30), *np.linspace(0.02, 0.05, 300)]
    times = np.linspace(0.0, 1.9, len(strains))
    laws = (shipped(**known), PcaLaw(weights, card))
    marks = [kinds_after(law, strains, times)[1] for law in laws]
    for name in ("beyond", "extrapolation", "flow_clocks", "outside_for"):
        np.testing.assert_allclose(marks[1][name], marks[0][name], rtol=1e-6, atol=1e-9, err_msg=name)


def test_the_card_keeps_the_far_side_or_does_without(tmp_path):
    path = tmp_path / "w.safetensors"
    weights, card = read_surrogate(SHIPPED)
    write_surrogate(path, weights, replace(card, range=replace(card.range, **KNOWN)))
    assert read_surrogate(path)[1].range == replace(card.range, **KNOWN)
    entries = json.loads(card_path(path).read_text())
    for name, value in (("slowest_rate", -1.0), ("longest_hold", "long"), ("smallest_cycle", float("nan"))):
        broken = entries | {"range": entries["range"] | {name: value}}
        card_path(path).write_text(json.dumps(broken))
        with pytest.raises(InputError, match=name):
            read_surrogate(path)
    older = {name: value for name, value in entries["range"].items() if name not in FAR_SIDE}
    assert not TrainingRange(**older).knows_slow_paths


def test_the_shipped_surrogate_holds_as_long_as_it_claims_and_marks_what_is_longer():
    """The case of a strain held: right where it claims to be, else marked."""
    longest = read_surrogate(SHIPPED)[1].range.longest_hold
    for hold in (0.9 * longest, 1.5 * longest):
        strains = np.log([*np.linspace(1.0, 1.1, 101), *[1.1] * 100])
        times = np.append(np.linspace(0.0, 1.0, 101), 1.0 + hold * np.arange(1, 101) / 100)
        law, exact = LearnedLaw.from_file(), make_law("taylor")
        found, _ = kinds_after(law, strains, times)
        assert (found["hold"] > 0.0) == (hold > longest)
        if hold < longest:
            stress = [drive(one, tension(strains), times)[0, -1] for one in (law, exact)]
            deviators = [s - np.trace(s) / 3.0 * np.eye(3) for s in stress]
            assert np.linalg.norm(deviators[0] - deviators[1]) < 0.05 * np.linalg.norm(deviators[1])
