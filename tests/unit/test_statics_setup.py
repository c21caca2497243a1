"""What statics refuses, and what it says."""

import numpy as np
import pytest

import multiscale as ms
from microscale.errors import ConvergenceError, InputError
from multiscale.laws.neo_hooke import NeoHooke
from multiscale.statics.load_steps import LoadSteps
from multiscale.statics.over_time import OverTime
from multiscale.statics.petsc_options import read_options
from multiscale.statics.statics import Statics

HELD = {"bottom": (0, 1, 2)}


@pytest.fixture(scope="module")
def block():
    return ms.box((1.0, 1.0, 1.0), (1, 1, 1))


def test_a_table_is_linear_in_between_and_has_corners():
    table = OverTime("pressure on top", [[0.0, 1.0], [2.0, 3.0], [4.0, 3.0]])
    assert float(table.at(1.0)) == 2.0
    assert table.corners == (0.0, 2.0, 4.0)
    with pytest.raises(
        InputError, match="given from t = 0 to 4 us, expected a table that reaches from 0 to 5 us"
    ):
        table.require_until(0.0, 5.0)
    np.testing.assert_array_equal(OverTime("force", (1.0, 2.0, 3.0), 3).at(7.0), [1.0, 2.0, 3.0])
    assert OverTime("force", (1.0, 2.0, 3.0), 3).corners == ()
    assert float(OverTime("p", lambda time: 2.0 * time).at(3.0)) == 6.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[0.0, 1.0], [0.0, 2.0]], "times that increase from row to row"),
        ([[0.0, np.nan], [1.0, 2.0]], "expected finite numbers"),
        ([[0.0, 1.0]], "two rows at least"),
        ([1.0, 2.0, 3.0, 4.0], r"has shape \(4,\), expected a function of time, a number"),
        ("fast", "pressure = 'fast', expected a function of time, a number"),
    ],
)
def test_what_is_nothing_over_time_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        OverTime("pressure", given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"supports": {"roof": 0}}, "no facet group named roof"),
        ({"supports": {"top": 3}}, r"support of 'top' = 3, expected components among 0, 1, 2"),
        (
            {"displacements": {"top": {"w": 0.1}}},
            r"displacement of 'top' = \['w'\], expected components x, y or z",
        ),
        ({"displacements": {"top": 0.1}}, "displacements = 0.1, expected names with values"),
        ({"forces": {"floor": (0, 0, 1.0)}}, "no facet group named floor"),
        ({"forces": {"top": 1.0}}, r"force on top has shape \(\), expected a function of time, 3 numbers"),
        ({"pressures": {"top": "big"}}, "pressure"),
        ({"law": "j2"}, "law"),
    ],
)
def test_a_setup_that_means_nothing_is_refused(block, given, message):
    with pytest.raises(InputError, match=message):
        Statics(block, **{"law": NeoHooke(), "supports": HELD} | given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"displacements": {"left": {"x": 0.1}}}, r"displacement x of left is 0.1 mm at .*make them agree"),
        ({"displacements": {"top": {"z": lambda t, X: X}}}, r"displacement z of top has shape \(3, 4\)"),
        ({"displacements": {"top": {"z": lambda t, X: np.nan * t}}}, "expected finite numbers"),
        (
            {"pressures": {"top": lambda t: (t, t)}},
            r"pressure on top has shape \(2,\), expected a number in GPa",
        ),
        ({"forces": {"top": lambda t: t}}, r"force on top has shape \(\), expected x, y and z in kN"),
        ({"pressures": {"top": [[0, 0], [0.5, 1]]}}, "expected a table that reaches from 0 to 1 us"),
        ({"petsc_options": {"ksp_typo": "cg"}}, "PETSc option ksp_typo = cg is taken by nothing here"),
    ],
)
def test_a_load_that_is_none_is_refused_when_it_is_asked(block, given, message):
    body = Statics(block, NeoHooke(), supports=HELD, **given)
    with pytest.raises(InputError, match=message):
        body.run(1.0)


def test_options_of_petsc_reach_its_solvers(block):
    options = read_options(["ksp_type=cg", "-pc_type=jacobi", "ksp_rtol=1e-12", "snes_rtol=1e-6"])
    body = Statics(block, NeoHooke(), supports=HELD, forces={"top": (0, 0, 0.1)}, petsc_options=options)
    body.run(1.0, first_step=1.0)
    solver = body._newton._snes
    assert (solver.getKSP().getType(), solver.getKSP().getPC().getType()) == ("cg", "jacobi")
    assert solver.getTolerances()[0] == 1e-6
    for words in (["=cg"], ["ksp_type="]):
        with pytest.raises(InputError, match="expected NAME=VALUE"):
            read_options(words)


def test_a_body_that_nothing_holds_is_no_equilibrium(block):
    free = Statics(block, NeoHooke(), forces={"top": (0.0, 0.0, 0.1)})
    with pytest.raises(ConvergenceError, match="no equilibrium after t = 0 us"):
        free.run(1.0)
    assert free.time == 0.0
    assert np.abs(free.u.x.array).max() == 0.0


def test_steps_are_cut_grown_and_end_at_corners():
    steps = LoadSteps(10.0, 1.0, 4.0, [0.0, 3.0, 12.0])
    time, sizes = 0.0, []
    while time < 10.0:
        dt = steps.ahead(time)
        steps.accepted(dt, 3)
        time += dt
        sizes.append(dt)
    assert sizes[:3] == pytest.approx([1.0, 1.0, 1.0])  # to the corner: 1, then half of what is left
    assert sum(sizes) == pytest.approx(10.0)
    assert max(sizes) <= 4.0
    steps = LoadSteps(10.0, 1.0, 4.0, [])
    for cuts in range(1, 14):
        steps.failed(steps.size, 0.0, "why")
        assert (steps.size, steps.cuts) == (0.5**cuts, cuts)
    with pytest.raises(ConvergenceError, match=r"no equilibrium after t = 2 us .*\(why\)"):
        steps.failed(steps.size, 2.0, "why")
    with pytest.raises(InputError, match="first-step = 2 us, expected at most the longest-step = 1 us"):
        Statics(ms.box((1.0, 1.0, 1.0), (1, 1, 1)), NeoHooke(), supports=HELD).run(
            4.0, first_step=2.0, longest_step=1.0
        )
