"""Families of textures: reproducible, of the kinds they say; those to be judged by are not learnt from."""

import numpy as np
import pytest
from numpy.polynomial.legendre import Legendre
from scipy.spatial.transform import Rotation

from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture.euler import from_bunge, written_bunge
from microscale.crystals.texture.families.family import FAMILIES, KEPT_BACK, LEARNT, TextureFamily
from microscale.crystals.texture.harmonics import coefficients
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.moments import ENDS, texture_numbers, turned_numbers
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError

MAGNESIUM, COPPER = read_crystal(), read_crystal("demos/copper.yaml")
GROUP = lattice_of(MAGNESIUM).group


@pytest.mark.parametrize("name", FAMILIES)
def test_a_texture_depends_on_name_seed_and_number_alone(name):
    family = TextureFamily(name, 3)
    first = family.grains(1, MAGNESIUM, 12)
    again = TextureFamily(name, 3).grains(1, MAGNESIUM, 12)
    np.testing.assert_array_equal(first.orientations, again.orientations)
    np.testing.assert_array_equal(first.orientations, from_bunge(written_bunge(first.orientations)))
    np.testing.assert_allclose(first.weights, 1.0 / 12)
    assert first.made == family.texture(1, MAGNESIUM).made
    for other in (family.grains(2, MAGNESIUM, 12), TextureFamily(name, 4).grains(1, MAGNESIUM, 12)):
        assert np.abs(first.orientations - other.orientations).max() > 0.1


def test_grains_have_the_numbers_of_their_texture_and_only_none_has_none():
    for name in FAMILIES:
        family = TextureFamily(name, 1)
        whole = texture_numbers(family.texture(0, MAGNESIUM), GROUP)
        few = texture_numbers(family.grains(0, MAGNESIUM, 128), GROUP)
        np.testing.assert_allclose(few, whole, atol=0.02)
        assert (np.linalg.norm(few) < 0.02) == (name == "none")


def test_those_to_be_judged_by_are_never_among_those_to_learn_from():
    assert not set(KEPT_BACK) & set(LEARNT)
    words = {"girdle", "split", "drawn harmonic", "compressed"}
    made = [TextureFamily("various", 7).texture(k, MAGNESIUM).made for k in range(60)]
    assert not [text for text in made if any(word in text for word in words)]
    kinds = {
        kind
        for kind in ("no texture", "fibre", "rolled", "extruded", " of ", "twinned")
        for t in made
        if kind in t
    }
    assert len(kinds) == 6
    learnt = TextureFamily("rolled", 7).texture(0, MAGNESIUM).orientations
    assert all(
        np.abs(learnt - TextureFamily("various", 7).texture(k, MAGNESIUM).orientations).max() > 0.1
        for k in range(60)
        if len(TextureFamily("various", 7).texture(k, MAGNESIUM)) == len(learnt)
    )


def test_numbers_of_a_single_crystal_and_of_what_is_turned():
    numbers = texture_numbers(Texture.of(np.eye(3)[None]), GROUP)
    expected = np.zeros(27)
    expected[[2, 5 + 4, 14 + 6]] = 1.0  # P_2, P_4 and P_6 of c along z
    np.testing.assert_allclose(numbers, expected, atol=1e-12)
    Q = Rotation.random(rng=np.random.default_rng(0)).as_matrix()
    texture = TextureFamily("rolled", 2).grains(0, MAGNESIUM, 20)
    turned = texture_numbers(texture.turned(Q), GROUP)
    np.testing.assert_allclose(
        turned_numbers(texture_numbers(texture, GROUP)[None], Q)[0], turned, atol=1e-12
    )


def test_numbers_of_two_crystals_multiply_to_legendres_polynomials_of_the_angle_between_their_c_axes():
    pair = Rotation.random(2, rng=np.random.default_rng(4)).as_matrix()
    cosine = pair[0][:, 2] @ pair[1][:, 2]
    numbers = [np.split(texture_numbers(Texture.of(Q[None]), GROUP), ENDS) for Q in pair]
    for order, one, other in zip((2, 4, 6), *numbers, strict=True):
        np.testing.assert_allclose(one @ other, Legendre.basis(order)(cosine), atol=1e-12)


def test_turns_about_c_and_the_second_function_of_order_six_are_not_told():
    turned = Rotation.from_euler("z", 17.0, degrees=True).as_matrix()
    whole, told = (
        [of(Texture.of(Q[None])) for Q in (np.eye(3), turned)]
        for of in (
            lambda t: coefficients((6,), GROUP, t.orientations, t.weights)[6],
            lambda t: texture_numbers(t, GROUP),
        )
    )
    assert len(whole[0]) == 2
    assert np.abs(whole[1][1] - whole[0][1]).max() > 0.1
    np.testing.assert_allclose(told[1], told[0], atol=1e-12)


def test_crystals_without_a_c_axis_have_no_numbers_of_order_two():
    for name in ("various", "fibre", "deformed"):
        found = texture_numbers(TextureFamily(name, 5).grains(0, COPPER, 20), lattice_of(COPPER).group)
        np.testing.assert_array_equal(found[:5], 0.0)
        assert np.linalg.norm(found[5:]) > 1e-3
    with pytest.raises(InputError, match=r"textures = 'rolled' of copper, .*: expected one of various, none"):
        TextureFamily("rolled").texture(0, COPPER)


def test_a_family_that_is_none_is_refused():
    with pytest.raises(InputError, match="textures = 'rolling', expected one of various, none, fibre"):
        TextureFamily("rolling")
