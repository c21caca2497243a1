"""Textures: described ones are what they say, few grains stand for them, densities are exact where known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.spatial.transform import Rotation

from microscale import TaylorPolycrystal, drive
from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture import sources
from microscale.crystals.texture.axes import part_axes
from microscale.crystals.texture.density import _gathered, inverse_pole_density, pole_density, smoothed
from microscale.crystals.texture.described import distribution, grains_of
from microscale.crystals.texture.euler import from_bunge, to_bunge
from microscale.crystals.texture.harmonics import carried, coefficients, harmonics, rotation_matrix
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.misfit import density_misfit
from microscale.crystals.texture.of_harmonics import of_harmonics
from microscale.crystals.texture.projection import disc_grid, from_disc, to_disc
from microscale.crystals.texture.representative import representative
from microscale.crystals.texture.tensors import harmonic_tensors
from microscale.crystals.texture.texture import Texture, mixture
from microscale.errors import InputError

MAGNESIUM = read_crystal()
COPPER = read_crystal("demos/copper.yaml")
HEXAGONAL, CUBIC = lattice_of(MAGNESIUM), lattice_of(COPPER)
C_AXIS = HEXAGONAL.direction("0001")
SPHERE = sources.everywhere(points=1000).orientations[:, :, 2]
"""Directions that cover the sphere evenly."""


def test_many_poles_are_gathered_by_the_cell_they_lie_in():
    """The same cells, in the same order, as rows of three sorted as such."""
    points = np.random.default_rng(0).standard_normal((6000, 3))
    points /= np.linalg.norm(points, axis=1)[:, None]
    points[0], points[1] = (0.0, 0.0, 1.0), (-1.0, 0.0, 0.0)
    weights, side = np.arange(1.0, 6001.0), 0.2
    means, held = _gathered(points, weights, side)
    rows, cell = np.unique(np.round(points / side).astype(int), axis=0, return_inverse=True)
    assert len(rows) < 1000
    np.testing.assert_array_equal(held, np.bincount(cell.reshape(-1), weights))
    np.testing.assert_allclose(np.linalg.norm(means, axis=1), 1.0)
    assert (np.abs(means - rows * side).max(axis=1) < side).all()


def test_more_grains_than_a_description_has_are_refused():
    with pytest.raises(InputError, match=r"grains = 5000, expected at most 4096 of the texture rolled:15,25"):
        grains_of("rolled:15,25", MAGNESIUM, 5000)


def test_spreads_that_may_be_radians_are_doubted():
    with pytest.warns(UserWarning, match=r"rolled, 0\.26 degrees to RD, 0\.44 to TD: expected degrees"):
        distribution("rolled:0.26,0.44", MAGNESIUM)


def test_an_orientation_by_hand():
    """Angles (90, 90, 30): c along the sample's x; a, 30 degrees from the prism normal, in the y-z plane."""
    Q = from_bunge(np.array([[90.0, 90.0, 30.0], [0.0, 90.0, 0.0]]))
    np.testing.assert_allclose(Q[0, :, 2], [1.0, 0.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(Q[0, :, 0], [0.0, np.cos(np.pi / 6), np.sin(np.pi / 6)], atol=1e-15)
    np.testing.assert_allclose(Q[1], [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-15)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_angles_and_matrices_are_inverse(seed):
    Q = Rotation.random(20, rng=seed).as_matrix()
    Q[:2] = Rotation.from_euler("z", [[20.0], [-30.0]], degrees=True).as_matrix()
    Q[1] = Q[1] @ np.diag([1.0, -1.0, -1.0])
    np.testing.assert_allclose(from_bunge(to_bunge(Q)), Q, atol=1e-12)


def test_where_a_sample_lies():
    bar = part_axes("z,x,y")
    np.testing.assert_array_equal(bar @ [1.0, 0.0, 0.0], [0.0, 0.0, 1.0])  # RD along the bar
    np.testing.assert_array_equal(bar @ [0.0, 0.0, 1.0], [0.0, 1.0, 0.0])  # ND along y
    np.testing.assert_allclose(part_axes("45,0,0") @ [1, 0, 0], np.sqrt([0.5, 0.5, 0.0]), atol=1e-15)
    with pytest.raises(InputError, match=r"'z,y,x' is left-handed.*such as z,y,-x"):
        part_axes("z,y,x")
    for wrong in ("z,x", "x,x,z", "x,y,u", "1,2,nan", "x,y,-", "700,0,0"):
        with pytest.raises(InputError, match=r"texture-axes = .*expected"):
            part_axes(wrong)


def test_harmonics_turn_as_what_they_are_of():
    R = Rotation.random(3, rng=0).as_matrix()
    for order in (2, 5, 6):
        D = rotation_matrix(order, R[0])
        c = np.arange(1.0, 2 * order + 2)
        np.testing.assert_allclose(
            harmonics(order, SPHERE) @ (D @ c), harmonics(order, SPHERE @ R[0]) @ c, atol=1e-10
        )
        for lattice in (HEXAGONAL, CUBIC):
            together = carried(order, lattice.group, R[0] @ R)
            np.testing.assert_allclose(together, carried(order, lattice.group, R) @ D.T, atol=1e-12)


def test_how_many_numbers_a_symmetry_leaves():
    def numbers(lattice):
        found = coefficients((2, 4, 6), lattice.group, np.eye(3)[None], np.ones(1))
        return [value.size for value in found.values()]

    assert numbers(HEXAGONAL) == [5, 9, 26]
    assert numbers(CUBIC) == [0, 9, 13]


def test_coefficients_of_known_textures():
    """One for a single crystal, Legendre's mean for a ring of c axes, nothing for all orientations."""
    Q = Rotation.random(rng=1).as_matrix()[None]
    single = coefficients((2, 4, 6), HEXAGONAL.group, Q, np.ones(1))
    for value in single.values():
        np.testing.assert_allclose(np.linalg.norm(value, axis=1), 1.0, atol=1e-12)
    # the moments of order 2 of the c axis: <P2(c . z)>
    np.testing.assert_allclose(single[2][0, 2], 1.5 * Q[0, 2, 2] ** 2 - 0.5, atol=1e-12)
    ring = Rotation.from_euler("ZX", [[k, 30.0] for k in range(0, 360, 10)], degrees=True).as_matrix()
    found = coefficients((2,), HEXAGONAL.group, ring, np.full(36, 1 / 36))[2][0]
    np.testing.assert_allclose(found, [0, 0, 1.5 * 0.75 - 0.5, 0, 0], atol=1e-12)
    none = sources.everywhere()
    assert all(
        np.abs(v).max() < 0.01
        for v in coefficients((2, 4, 6), HEXAGONAL.group, none.orientations, none.weights).values()
    )


def test_coefficients_are_tensors_that_turn():
    R, v = Rotation.random(rng=5).as_matrix(), SPHERE[:50]
    found = coefficients((2, 4, 6), HEXAGONAL.group, *_parts(sources.rolled(20.0, 10.0, points=64)))
    turned = coefficients(
        (2, 4, 6), HEXAGONAL.group, *_parts(sources.rolled(20.0, 10.0, points=64).turned(R))
    )
    for order, letters in ((2, "ab"), (4, "abcd"), (6, "abcdef")):
        T = harmonic_tensors(order, found[order])
        assert T.shape == (found[order].shape[0], *(3,) * order)
        value = np.einsum(f"m{letters},{','.join('n' + x for x in letters)}->nm", T, *[v] * order)
        np.testing.assert_allclose(value, harmonics(order, v) @ found[order].T, atol=1e-10)
        assert np.abs(np.trace(T, axis1=1, axis2=2)).max() < 1e-10
        rotated = np.einsum(
            f"m{letters},{','.join(x.upper() + x for x in letters)}->m{letters.upper()}", T, *[R] * order
        )
        np.testing.assert_allclose(harmonic_tensors(order, turned[order]), rotated, atol=1e-10)
    c = sources.rolled(20.0, 10.0, points=64).orientations[:, :, 2]
    moment = np.einsum("ni,nj->ij", c, c) / 64 - np.eye(3) / 3
    np.testing.assert_allclose(harmonic_tensors(2, found[2])[0], 1.5 * np.sqrt(5.0) * moment, atol=1e-10)


def test_a_uniform_texture_is_one_times_random_everywhere():
    none = sources.everywhere(points=6_000)
    for lattice, poles in ((HEXAGONAL, ("0001", "10-10")), (CUBIC, ("111",))):
        for indices in poles:
            density = pole_density(none, lattice.direction(indices), lattice.group, SPHERE[:200], 15.0)
            np.testing.assert_allclose(density, 1.0, atol=0.03)
        np.testing.assert_allclose(
            inverse_pole_density(none, [1, 2, 3], lattice.group, SPHERE[:200], 15.0), 1.0, atol=0.03
        )


@pytest.mark.parametrize("text", ["rolled:15,25", "extruded:10", "fibre:x,5"])
def test_the_mean_of_any_pole_figure_is_one(text):
    found = distribution(text, MAGNESIUM)
    for indices in ("0001", "11-20"):
        density = pole_density(found, HEXAGONAL.direction(indices), HEXAGONAL.group, SPHERE)
        assert density.mean() == pytest.approx(1.0, abs=0.01)
        assert density.max() > 1.5


def test_a_fibre_has_its_analytic_profile():
    """Tilts of Rayleigh's distribution: density t exp(-t^2 / 2 s^2) / (s^2 sin t) over both senses of c."""
    spread = np.radians(25.0)
    angles = np.radians([2.0, 10.0, 20.0, 30.0, 45.0, 60.0])
    directions = np.stack([np.sin(angles), 0.0 * angles, np.cos(angles)], axis=-1)
    found = sources.fibre(25.0, points=40_000)
    density = pole_density(found, C_AXIS, HEXAGONAL.group, directions)

    def one_sense(t):
        return 2.0 * t / np.sin(t) * np.exp(-(t**2) / (2.0 * spread**2)) / spread**2

    sphere = sources.everywhere(points=40_000).orientations[:, :, 2]
    tilt = np.arccos(np.clip(sphere[:, 2], -1.0 + 1e-12, 1.0 - 1e-12))
    exact = 0.5 * (one_sense(tilt) + one_sense(np.pi - tilt))
    assert exact.mean() == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(density, smoothed(sphere, exact / len(sphere), directions), rtol=0.03)
    np.testing.assert_allclose(density[2:4], 0.5 * one_sense(angles[2:4]), rtol=0.1)  # smoothed a little


def test_rolled_and_extruded_point_where_they_say():
    sheet, rod = sources.rolled(10.0, 30.0), sources.extruded(0.0)
    tilt = np.degrees(np.std(sheet.orientations[:, :2, 2], axis=0))
    assert tilt[0] == pytest.approx(10.0, rel=0.1)
    assert tilt[1] == pytest.approx(28.0, rel=0.1)  # of the sine of the tilt
    np.testing.assert_allclose(
        rod.orientations @ HEXAGONAL.direction("10-10"), np.tile([0, 0, 1], (4096, 1)), atol=1e-12
    )
    across = rod.orientations[:, :, 2]
    np.testing.assert_allclose(across[:, 2], 0.0, atol=1e-12)
    np.testing.assert_allclose(across.mean(axis=0), 0.0, atol=0.01)
    gathered = distribution("fibre:y,0,111", COPPER).orientations @ np.full(3, 3**-0.5)
    np.testing.assert_allclose(gathered, np.tile([0, 1, 0], (4096, 1)), atol=1e-12)


def test_the_disc_keeps_areas():
    _, directions = disc_grid(41)
    inside = directions[:, 2] > 1e-9
    np.testing.assert_allclose(from_disc(to_disc(directions[inside])), directions[inside], atol=1e-12)
    grid = from_disc(np.random.default_rng(0).uniform(-1, 1, (20000, 2)))
    z = grid[(grid[:, 2] > 0.0)][:, 2]
    assert z.mean() == pytest.approx(0.5, abs=0.01)  # of a hemisphere, uniform in z


def test_the_descent_has_the_right_slope():
    from microscale.crystals.texture import representative as module

    seen = {}

    def caught(function, x, **options):
        seen["f"] = function
        raise StopIteration

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "minimize", caught)
        with pytest.raises(StopIteration):
            representative(sources.rolled(15.0, 25.0, points=64), 5, HEXAGONAL.group)
    q = np.random.default_rng(0).normal(size=20)
    slope = np.linalg.norm(seen["f"](q)[1])
    assert check_grad(lambda x: seen["f"](x)[0], lambda x: seen["f"](x)[1], q) < 1e-5 * (1.0 + slope)


def test_few_grains_stand_for_a_texture():
    whole = sources.rolled(15.0, 25.0, points=1024)
    for grains, most in ((16, 0.1), (128, 0.01)):
        found = representative(whole, grains, HEXAGONAL.group)
        assert len(found.texture) == grains
        assert max(found.errors.values()) < min(most, 0.5 * max(found.sampled.values()))
    again = representative(whole, 128, HEXAGONAL.group)
    np.testing.assert_array_equal(found.texture.orientations, again.texture.orientations)
    other = representative(whole, 128, HEXAGONAL.group, seed=1)
    assert np.abs(found.texture.orientations - other.texture.orientations).max() > 0.1
    assert density_misfit(whole, whole, HEXAGONAL.group) == 0.0
    near = density_misfit(whole, found.texture, HEXAGONAL.group)
    assert near < 0.5 * density_misfit(whole, sources.everywhere(points=128), HEXAGONAL.group)


def test_weights_count():
    """Two crystals, one of a tenth of the volume: one grain in ten is it; a given volume is kept."""
    Q = Rotation.from_euler("x", [[0.0], [90.0]], degrees=True).as_matrix()
    unequal = Texture.of(Q, [0.9, 0.1])
    many = Texture.of(np.repeat(Q, 50, axis=0), np.repeat([0.9, 0.1], 50))
    found = representative(many, 10, HEXAGONAL.group)
    assert max(found.errors.values()) < 1e-6
    assert representative(unequal, 10, HEXAGONAL.group).texture is unequal
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    kept = representative(many, 4, HEXAGONAL.group, weights=shares).texture
    np.testing.assert_array_equal(kept.weights, shares)
    with pytest.raises(InputError, match=r"weights from -1 to 2, expected shares"):
        Texture.of(Q, [2.0, -1.0])
    both = mixture([(unequal, 3.0), (Texture.of(Q[:1]), 1.0)])
    np.testing.assert_allclose(both.weights, [0.675, 0.075, 0.25])


def test_grains_with_given_harmonics():
    wanted = coefficients((2, 4), HEXAGONAL.group, *_parts(sources.rolled(15.0, 25.0)))
    found = of_harmonics({str(k): v for k, v in wanted.items()}, HEXAGONAL.group, grains=64)
    there = coefficients((2, 4), HEXAGONAL.group, *_parts(found))
    for order in (2, 4):
        np.testing.assert_allclose(there[order], wanted[order], atol=1e-3)
    with pytest.raises(InputError, match=r"harmonics of order 2 with norm 2: the nearest .* are off by"):
        of_harmonics({"2": [[0.0, 0.0, 2.0, 0.0, 0.0]]}, HEXAGONAL.group, grains=8)
    with pytest.raises(InputError, match=r"of order 4 have shape \(1, 5\), expected \(1, 9\)"):
        of_harmonics({"4": [[0.0] * 5]}, HEXAGONAL.group)
    with pytest.raises(InputError, match="harmonics of order '3'"):
        of_harmonics({"3": [[0.0] * 7]}, HEXAGONAL.group)


def _parts(texture):
    return texture.orientations, texture.weights


def test_texture_and_path_turned_together_turn_the_stress():
    grains = grains_of("rolled:15,25", MAGNESIUM, 16).texture
    R = Rotation.random(rng=3).as_matrix()
    F = np.eye(3) + np.linspace(0.0, 0.03, 16)[:, None, None] * np.array(
        [[1.0, 0.4, 0], [0, -0.5, 0.2], [0, 0, -0.5]]
    )
    times = np.linspace(0.0, 1.0, 16)
    stress = drive(TaylorPolycrystal.of(grains), F[None], times)
    turned = drive(TaylorPolycrystal.of(grains.turned(R)), (R @ F @ R.T)[None], times)
    np.testing.assert_allclose(turned, R @ stress @ R.T, atol=1e-9)


def test_the_part_turns_the_texture():
    one = grains_of("rolled:10,20", MAGNESIUM, 32, axes="z,x,y").texture
    pole = pole_density(one, C_AXIS, HEXAGONAL.group, np.eye(3))
    assert pole[1] > 5.0 > 0.5 > max(pole[0], pole[2])  # ND lies along y


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rolled:15", "texture = 'rolled:15', expected rolled:RD,TD"),
        ("rolled", "texture = 'rolled', expected rolled:RD,TD"),
        ("rolled:15,-3", "spread = -3.0 degrees, expected at least 0"),
        ("extruded:x", "texture = 'extruded:x', expected extruded:SPREAD"),
        ("fibre:q,3", "expected fibre:AXIS,SPREAD"),
        ("fibre:z,10,10-11", "pole 10-11 depends on c/a"),
        ("fibre:z,10,1-111", "h \\+ k \\+ i = 0"),
        ("uniform:3", "expected uniform without anything behind it"),
        ("sheet", "texture 'sheet' is no file that is there, expected one, or one of: uniform"),
    ],
)
def test_what_is_no_texture_is_one_line(text, message):
    with pytest.raises(InputError, match=message) as raised:
        distribution(text, MAGNESIUM)
    assert "\n" not in str(raised.value)


def test_c_axes_are_of_hexagonal_crystals():
    with pytest.raises(InputError, match="expected fibre: c axes are of hexagonal crystals"):
        distribution("rolled:10,10", COPPER)
    with pytest.raises(InputError, match="expected the crystal's axis too, as fibre:z,10,111"):
        distribution("fibre:z,10", COPPER)
