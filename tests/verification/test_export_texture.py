"""An exported law that is told textures is that of Python; the numbers are constants of the material."""

import ctypes
import json
import re
import shutil
import subprocess
import warnings

import numpy as np
import pytest
from exported_hosts import VOIGT, Umat, Vumat
from exported_law import DT, compiled, driven, driver, loaded, paths, pointer, run

from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture.described import distribution
from microscale.crystals.texture.harmonics import harmonics
from microscale.errors import InputError
from microscale.spatial_tangent import jaumann_moduli, voigt_matrix
from microscale.tensors import FloatArray, cauchy_from_piola, polar_decomposition
from multiscale.cli import export
from multiscale.laws import make_law
from multiscale.surrogate.extrapolation import ExtrapolationWarning
from multiscale.surrogate.store import ANY_TEXTURE

F = paths()[::3]
POINTS, SAMPLES = F.shape[:2]
PLATE = {"texture": "rolled:12,20", "texture_axes": "z,x,y"}
ORDER = ([0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2])
"""Of a UMAT."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Those that are shipped: random ones blow rounding up, on some paths to more than is asked."""
    file = tmp_path_factory.mktemp("told") / "told.safetensors"
    for suffix in (".safetensors", ".json"):
        shutil.copy(ANY_TEXTURE.with_suffix(suffix), file.with_suffix(suffix))
    return file


def followed(weights, **texture) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Stress P, state without the texture and tangent after each step, as the law in Python has them."""
    law = make_law("learned", weights=weights, precision="double", **texture)
    state, P, A = law.init_state(POINTS), np.empty_like(F), np.empty((*F.shape, 3, 3))
    states = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtrapolationWarning)
        for k in range(1, SAMPLES):
            here, stress, tangent = np.ascontiguousarray(F[:, k]), np.empty((POINTS, 3, 3)), A[:, k].copy()
            law.tangent(here, DT, state, tangent)
            law.update(here, DT, state, stress)
            P[:, k], A[:, k] = stress, tangent
            kept = (array.reshape(POINTS, -1) for name, array in state.items() if name != "texture")
            states.append(np.concatenate(list(kept), axis=1))
    return P, np.array([np.zeros_like(states[0]), *states]), A


@pytest.fixture(scope="module")
def expected(weights):
    return followed(weights, **PLATE)


@pytest.fixture(scope="module")
def props(weights):
    return make_law("learned", weights=weights, **PLATE).init_state(1)["texture"][0]


def assert_same(P: FloatArray, states: FloatArray, expected) -> None:
    stress, state, _ = expected
    np.testing.assert_allclose(P[:, 1:], stress[:, 1:], rtol=0.0, atol=1e-12 * np.abs(stress[:, 1:]).max())
    np.testing.assert_allclose(states[1:], state[1:], rtol=0.0, atol=1e-12 * np.abs(state[1:]).max())


def test_the_texture_counts(weights, expected):
    plain = followed(weights)[0]
    change = np.linalg.norm(plain[:, 1:] - expected[0][:, 1:]) / np.linalg.norm(plain[:, 1:])
    assert change > 0.01


@pytest.mark.parametrize("flags", [(), ("-DONE_LANE",)], ids=["vectors", "plain C99"])
def test_c_takes_a_texture(tmp_path, weights, expected, props, flags):
    library = loaded(tmp_path, "c", *flags, weights=weights, precision="double")
    library.magnesium_update.restype = ctypes.c_long
    state, P, states = np.zeros((POINTS, expected[1].shape[-1])), np.empty_like(F), np.empty_like(expected[1])
    for k in range(1, SAMPLES):
        here, out = np.ascontiguousarray(F[:, k]), np.empty((POINTS, 3, 3))
        arrays = map(pointer, (here, props, state, out))
        assert library.magnesium_update(ctypes.c_long(POINTS), ctypes.c_double(DT), *arrays) == 0
        P[:, k], states[k] = out, state
    assert_same(P, states, expected)
    for odd in (1.5, np.nan):
        wrong = np.where(np.arange(len(props)) == 26, odd, props)
        arrays = map(pointer, (here, wrong, state, out))
        assert library.magnesium_update(ctypes.c_long(POINTS), ctypes.c_double(DT), *arrays) == -2
    np.testing.assert_array_equal(state, states[-1])


def test_vumat_has_it_in_its_props(tmp_path, weights, expected, props):
    library = loaded(tmp_path, "vumat", weights=weights, precision="double")
    call, none = Vumat(library, POINTS, props, expected[1].shape[-1]), np.zeros((6, POINTS))
    R, U = polar_decomposition(F)
    P, states = np.empty_like(F), np.empty_like(expected[1])
    for k in range(1, SAMPLES):
        call(np.ascontiguousarray(U[:, k][:, *VOIGT].T), none, DT, np.ones(POINTS))
        stress = np.empty((POINTS, 3, 3))
        for m, (i, j) in enumerate(zip(*VOIGT, strict=True)):
            stress[:, i, j] = stress[:, j, i] = call.stress[m]
        cauchy = R[:, k] @ stress @ np.swapaxes(R[:, k], 1, 2)
        P[:, k] = np.linalg.det(F[:, k])[:, None, None] * cauchy @ np.linalg.inv(np.swapaxes(F[:, k], 1, 2))
        states[k] = call.state.T
    assert_same(P, states, expected)


def test_umat_has_it_in_its_props_with_its_tangent(tmp_path, weights, expected, props):
    library = loaded(tmp_path, "umat", weights=weights, precision="double")
    P, states, A = expected
    umats = [Umat(library, props, states.shape[-1]) for _ in range(POINTS)]
    largest = np.abs(P[:, 1:]).max()
    for k in range(1, SAMPLES):
        here = np.ascontiguousarray(F[:, k])
        sigma = cauchy_from_piola(P[:, k], here)
        moduli = voigt_matrix(jaumann_moduli(A[:, k], P[:, k], here))
        for point, umat in enumerate(umats):
            tangent = umat.keep(here[point], DT)
            np.testing.assert_allclose(umat.stress, sigma[point][ORDER], rtol=0.0, atol=1e-12 * largest)
            np.testing.assert_allclose(
                umat.state, states[k, point], rtol=0.0, atol=1e-12 * np.abs(states).max()
            )
            np.testing.assert_allclose(tangent, moduli[point], rtol=0.0, atol=1e-10 * np.abs(moduli).max())


@pytest.mark.parametrize("to", ["c", "vumat", "umat"])
def test_drivers_have_the_texture_of_the_export(tmp_path, weights, expected, to):
    point = 5
    printed = driven(driver(tmp_path, to, weights=weights, precision="double", **PLATE), F[point])
    sigma = cauchy_from_piola(expected[0][point, 1:], np.ascontiguousarray(F[point, 1:]))
    shown = sigma[:, [0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    np.testing.assert_allclose(printed[:, :6], shown, rtol=0.0, atol=1e-12 * np.abs(sigma).max())


def test_the_readme_and_the_record_have_the_numbers(tmp_path, weights, props):
    export(weights, to="vumat", out=tmp_path, **PLATE)
    record = json.loads((tmp_path / "told_record.json").read_text())
    assert record["texture"]["numbers"] == props.tolist()
    assert record["texture"]["made"] == "rolled:12,20, RD, TD and ND along z,x,y"
    readme = (tmp_path / "told_README.md").read_text()
    card = re.search(r"CONSTANTS=27\n((?: {4}.*\n){4})", readme)
    assert [float(x) for x in card[1].replace("\n", ",").split(",") if x.strip()] == props.tolist()
    assert all(len(line.strip()) <= 256 for line in card[1].splitlines())  # of Abaqus
    numbers = record["state"][-1]["to"]
    assert f"    *DEPVAR\n    {numbers}\n" in readme
    assert "texture" not in {entry["name"] for entry in record["state"]}


def test_the_numbers_are_the_means_the_readme_says(tmp_path, weights):
    """Real harmonics of the c axes, in the axes of the sample."""
    export(weights, to="c", out=tmp_path, texture="rolled:12,20")
    numbers = json.loads((tmp_path / "told_record.json").read_text())["texture"]["numbers"]
    plate = distribution("rolled:12,20", read_crystal())
    c = plate.orientations[:, :, 2]
    means = [plate.weights @ harmonics(order, c) / np.sqrt(2 * order + 1) for order in (2, 4, 6)]
    np.testing.assert_allclose(numbers, np.concatenate(means), atol=1e-12)
    assert numbers[2] == pytest.approx(plate.weights @ (1.5 * c[:, 2] ** 2 - 0.5))


def test_without_a_texture_the_numbers_are_zeros(tmp_path, weights):
    export(weights, to="c", out=tmp_path)
    assert not any(json.loads((tmp_path / "told_record.json").read_text())["texture"]["numbers"])


def test_other_numbers_of_constants_end_the_program(tmp_path, weights):
    for to in ("vumat", "umat"):
        folder = tmp_path / to
        made = compiled(folder, to, "-O0", weights=weights)
        for old, new, told in (
            ("27_c_int", "14_c_int", r"nprops = +14 , expected 27, the numbers of the texture"),
            ("0.0_c_double &", "2.0_c_double &", "expected numbers of a texture, from -1 to 1"),
        ):
            text = (folder / "magnesium_driver.f90").read_text()
            assert old in text
            wrong = folder / "wrong.f90"
            wrong.write_text(text.replace(old, new))
            sources = (wrong, folder / f"magnesium_{to}.f")
            run(["gfortran", "-w", *sources, made, "-lm", "-J", folder, "-o", folder / "wrong"])
            done = subprocess.run(
                [folder / "wrong"],
                input="0.1 1 0 0 0 1 0 0 0 1\n",
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 1
            assert re.search(told, " ".join(done.stdout.split()).replace("14,", "14 ,")), done.stdout


@pytest.mark.parametrize(
    ("of", "options", "message"),
    [
        ("magnesium", {"texture": "rolled:5,5"}, "texture = 'rolled:5,5' of a surrogate that is told none"),
        ("magnesium", {"texture_axes": "z,x,y"}, "texture-axes = 'z,x,y' of a surrogate that is told none"),
        ("told", {"texture_axes": "z,x,y"}, "texture-axes = 'z,x,y' has no use for texture = 'uniform'"),
        ("told", {"texture": "rolled:5"}, "texture = 'rolled:5', expected"),
        ("told", {"texture": "nowhere.ang"}, r"nowhere\.ang"),
    ],
)
def test_what_has_no_use_is_refused(tmp_path, weights, of, options, message):
    with pytest.raises(InputError, match=message) as error:
        export(weights if of == "told" else of, to="c", out=tmp_path / "law", **options)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "law").exists()
