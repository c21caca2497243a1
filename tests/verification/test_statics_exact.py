"""Statics beside exact solutions and beside explicit dynamics that is run slowly."""

import sys
from pathlib import Path

import numpy as np
import pytest

import multiscale as ms
from microscale.differences import differences
from multiscale.laws.j2 import J2
from multiscale.statics.statics import Statics

sys.path.insert(0, str(Path(__file__).parents[2] / "demos" / "studies"))
from necking import HARDENING, TabulatedJ2, bar
from statics_exact import COOK, cook, elastic, lame, rivlin, slopes, small_tube, tube


@pytest.mark.parametrize("nu", [0.3, 0.4999])
def test_a_tube_widens_as_lame_says_and_does_not_lock(nu):
    """Second order, and as good where the material hardly changes its volume."""
    law = elastic(1.0, nu)
    errors = [small_tube(across, law) / lame(law, 1e-4) - 1.0 for across in (4, 8)]
    assert abs(errors[1]) < 0.002
    assert slopes(errors)[0] > 1.9


def test_quadratic_tetrahedra_do_not_lock_either():
    law = elastic(1.0, 0.4999)
    assert small_tube(4, law, "tetrahedron") / lame(law, 1e-4) == pytest.approx(1.0, abs=0.002)


def test_an_incompressible_tube_widens_by_half_as_rivlin_says():
    """The pressure follows the surface: on the reference area it would be 50 % too low."""
    law = elastic(1.0, 0.4999)
    assert tube(8, law, rivlin(law.shear_modulus, 0.5), steps=5) == pytest.approx(0.5, rel=0.003)


def test_cooks_membrane_converges_to_its_published_displacement():
    errors = [cook(across) / COOK - 1.0 for across in (8, 16)]
    assert slopes(errors)[0] > 1.7
    # What is left at that slope, extrapolated, is below half a per cent.
    assert abs(errors[1] + (errors[1] - errors[0]) / 3.0) < 0.005


def test_explicit_dynamics_run_slowly_comes_to_the_same():
    """A block held at its foot is pressed by a tenth between smooth plates, in 100 us and without inertia."""
    law, depth, time = J2(), 0.1, 100.0
    slow = Statics(
        ms.box((1.0, 1.0, 1.0), (4, 4, 4)),
        law,
        supports={"bottom": (0, 1, 2)},
        displacements={"top": {"z": [[0.0, 0.0], [time, -depth]]}},
    )
    forces = []
    slow.run(time, [lambda at: forces.append((at.time, at.reactions["top"][2]))])
    plate = ms.RigidPlane((0.0, 0.0, 1.0), (0.0, 0.0, -1.0), velocity=(0.0, 0.0, -depth / time))
    fast = ms.Simulation(
        ms.box((1.0, 1.0, 1.0), (4, 4, 4)), law, "hex8-fbar", [plate], supports={"bottom": (0, 1, 2)}
    )
    impulses = []
    fast.run(time, [lambda at: impulses.append((at.time, at.contact_impulse[2]))], every=10)
    late, pushed = np.array(impulses)[-100:].T
    push = np.polyfit(late, pushed, 1)[0]
    assert push == pytest.approx(np.interp(late, *np.array(forces).T).mean(), rel=0.005)
    assert np.abs(fast.u.x.array - slow.u.x.array).max() < 0.005 * depth
    strain = [body.points.state["equivalent_plastic_strain"].mean() for body in (fast, slow)]
    assert strain[0] == pytest.approx(strain[1], rel=0.001)


def test_hardening_by_a_table_is_that_of_its_lines():
    """The law of the necking study, drawn in one stroke and in many, ends on the table."""
    law = TabulatedJ2(200.0, 0.3, HARDENING)
    for steps in (1, 40):
        state, P = law.init_state(1), np.empty((1, 3, 3))
        for k in range(1, steps + 1):
            stretch = np.exp(0.2 * k / steps)
            law.update(np.diag([stretch, stretch**-0.5, stretch**-0.5])[None], 1.0, state, P)
        strain = float(state["equivalent_plastic_strain"][0])
        sigma = P[0, 0, 0] * stretch - P[0, 1, 1] * stretch**-0.5  # J = 1
        assert strain == pytest.approx(0.2 - sigma / 230.8, abs=1e-4)
        assert sigma == pytest.approx(np.interp(strain, *HARDENING.T), rel=1e-9)


def test_a_neck_takes_at_most_six_iterations_a_step():
    """Where it begins steps are cut: sixty would take up to nine."""
    force, neck, iterations = bar(100, 4.5, 60)[:, 1:].T
    assert force[-1] < 0.94 * force.max()
    assert neck[-1] < 5.6  # 5.9 mm where the bar would be drawn evenly
    assert iterations.max() <= 6
    assert len(iterations) > 61


def test_the_tangent_of_hardening_by_a_table_is_that_of_the_line_that_is_right():
    law, lines = TabulatedJ2(200.0, 0.3, HARDENING), len(HARDENING) - 1
    stretch = np.exp(np.linspace(0.0, 0.6, 40))
    F = np.stack([np.diag([s, s**-0.5, s**-0.5]) for s in stretch]) + 0.01
    state, A = law.init_state(40), np.empty((40, 3, 3, 3, 3))
    law.tangent(F, 1.0, state, A)
    assert not state["equivalent_plastic_strain"].any()
    differenced = np.empty_like(A)
    differences(law, F, 1.0, state, differenced)
    off = np.abs(A - differenced).max(axis=(1, 2, 3, 4)) / np.abs(A).max(axis=(1, 2, 3, 4))
    assert (off < 1e-6).sum() > 40 - lines  # but for points at a corner of the table
    law.update(F, 1.0, state, np.empty((40, 3, 3)))
    assert np.ptp(np.searchsorted(HARDENING[:, 0], state["equivalent_plastic_strain"])) >= 5
