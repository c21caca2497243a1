"""Exact solutions in three dimensions and at finite plastic strain, with the slopes of convergence."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from meshes.box import box
from multiscale.dynamics.elements.registry import ELEMENTS, cell_shape
from multiscale.dynamics.simulation import Simulation
from multiscale.laws.j2 import J2
from multiscale.laws.neo_hooke import NeoHooke

CELLS = {"hex8-fbar": (4, 8, 16), "hex8-one-point": (4, 8, 16), "tet10": (2, 4, 8)}


def period_error(element, cells):
    """Relative error of the period of an isochoric mode of a cube between frictionless walls.

    u = (s c c, -c s c, 0) of pi x, pi y, pi z, with s the sine and c the cosine, moves no wall and has no
    shear traction there: omega = sqrt(3) pi sqrt(G / rho) for a side of 1 mm.
    """
    supports = {"left": 0, "right": 0, "front": 1, "back": 1, "bottom": 2, "top": 2}

    def mode(X):
        (sx, sy, _), (cx, cy, cz) = np.sin(np.pi * X), np.cos(np.pi * X)
        return np.stack([sx * cy * cz, -cx * sy * cz, 0.0 * cz])

    law = NeoHooke(25.0, 24.0)
    cube = Simulation(
        box((1.0, 1.0, 1.0), (cells,) * 3, cell_shape(element)), law, element, supports=supports, courant=0.5,
        initial_velocity=lambda X: 1e-6 * mode(X),
    )  # fmt: skip
    shape = mode(cube.positions.T).T
    exact = 2.0 * np.pi / (np.sqrt(3.0) * np.pi * np.sqrt(law.shear_modulus / law.density))
    times, amplitudes = [0.0], [0.0]
    while len(times) < 3 or amplitudes[-1] > 0.0:
        cube.step()
        times.append(cube.time)
        amplitudes.append(np.sum(shape * cube.u.x.array.reshape(-1, 3)))
    (t0, t1), (q0, q1) = times[-2:], amplitudes[-2:]
    return abs(2.0 * (t0 + (t1 - t0) * q0 / (q0 - q1)) / exact - 1.0)


@pytest.mark.parametrize("element", ELEMENTS)
def test_period_of_a_mode_in_three_dimensions_converges_with_slope_two(element):
    errors = np.array([period_error(element, cells) for cells in CELLS[element]])
    assert np.log2(errors[:-1] / errors[1:]) == pytest.approx(2.0, abs=0.25)
    assert errors[-1] < 1.5e-2


INNER, OUTER, SPEED = 1.0, 2.0, 0.25
METAL = J2(youngs_modulus=75.0, poissons_ratio=0.495, yield_stress=0.2, hardening_modulus=0.2, density=10.0)


def largest_inner_radius():
    """Of an incompressible tube in plane strain whose inner wall starts outwards with ``SPEED``.

    r^2 = R^2 + a^2 - A^2 leaves one degree of freedom, so all comes to rest at once: the initial kinetic
    energy, pi rho A^2 V^2 ln(B/A), is the work of an equivalent strain of 2 ln(r/R) / sqrt(3) on every ring.
    """

    def work(strain):
        G, limit, H = METAL.shear_modulus, METAL.yield_stress, METAL.hardening_modulus
        plastic = max(0.0, (3.0 * G * strain - limit) / (3.0 * G + H))
        return 1.5 * G * (strain - plastic) ** 2 + limit * plastic + 0.5 * H * plastic**2

    def balance(a):
        def ring(R):
            return 2.0 * np.pi * R * work(np.log((R**2 + a**2 - INNER**2) / R**2) / np.sqrt(3.0))

        return quad(ring, INNER, OUTER)[0] - kinetic

    kinetic = np.pi * METAL.density * (INNER * SPEED) ** 2 * np.log(OUTER / INNER)
    return brentq(balance, INNER, 4.0 * INNER, xtol=1e-12)


def tube(element, cells):
    """A quarter of the tube, one cell high: a box bent to polar coordinates."""
    size = (OUTER - INNER, 0.5 * np.pi, 1.0 / cells)
    quarter = box(size, (cells, 2 * cells, 1), cell_shape(element))
    x = quarter.mesh.geometry.x
    r, angle = INNER + x[:, 0], x[:, 1].copy()
    x[:, 0], x[:, 1] = r * np.cos(angle), r * np.sin(angle)
    return Simulation(
        quarter, METAL, element, supports={"front": 1, "back": 0, "bottom": 2, "top": 2},
        initial_velocity=lambda X: SPEED * INNER * np.stack([X[0], X[1], 0.0 * X[0]]) / (X[0]**2 + X[1]**2),
    )  # fmt: skip


def expansion_error(element, cells):
    """Error of the largest inner radius, relative to how far it has moved."""
    body, exact = tube(element, cells), largest_inner_radius()
    inner = np.hypot(*body.positions[:, :2].T) < INNER + 1e-9
    radii = [INNER]
    while len(radii) < 100 or radii[-1] > radii[-100]:
        body.step()
        x = body.positions[inner, :2] + body.u.x.array.reshape(-1, 3)[inner, :2]
        radii.append(np.hypot(*x.T).mean())
    assert abs(body.energy.error) < 1e-3
    assert body.energy.hourglass < 0.05 * body.initial_energy
    return abs(max(radii) - exact) / (exact - INNER)


@pytest.mark.parametrize("element", ELEMENTS)
def test_plastic_expansion_of_a_tube_converges_with_slope_two(element):
    errors = np.array([expansion_error(element, n) for n in ((2, 4) if element == "tet10" else (2, 4, 8))])
    assert np.log2(errors[:-1] / errors[1:]).min() > 1.5
    assert errors[-1] < 1e-2
