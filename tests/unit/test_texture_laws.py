"""Textures in the laws, data sets, cases and on the command line; the texture that deformation makes."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import multiscale as ms
from microscale import SingleCrystal, TaylorPolycrystal
from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture.deformed import deformed_texture
from microscale.crystals.texture.density import pole_density
from microscale.crystals.texture.described import distribution, grains_of
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.moments import texture_numbers
from microscale.crystals.texture.texture import Texture
from microscale.crystals.texture.writing import write_orientations
from microscale.crystals.uniform_texture import uniform_orientations
from microscale.data.dataset import read_provenance
from microscale.errors import InputError
from microscale.law import drive
from multiscale.cases.anvil import anvil_case
from multiscale.cases.case_file import case_text, read_case
from multiscale.cases.run_texture import texture_of_run
from multiscale.cases.texture_command import texture as look
from multiscale.cli import generate
from multiscale.run.data_origin import recorded_law, require_as_recorded
from multiscale.surrogate.material_identity import difference, identity_of

MAGNESIUM = read_crystal()
LATTICE = lattice_of(MAGNESIUM)
C_AXIS = LATTICE.direction("0001")
TINY = {"protocol": "R", "max_strain": 0.02, "paths": 2, "steps": 5}


def test_laws_take_textures():
    plate = ms.make_law("taylor", texture="rolled:10,10", grains=8)
    assert plate.grains == 8
    assert plate.material.startswith("magnesium, 8 grains (seed 0) for: rolled")
    bar = ms.make_law("taylor", texture="rolled:10,10", texture_axes="z,x,y", grains=8)
    assert np.abs(plate.orientations[:, 2, 2]).min() > 0.8
    assert np.abs(bar.orientations[:, 1, 2]).min() > 0.8
    cell = ms.make_law("fft3d", texture="rolled:10,10", grains=6, resolution=4)
    same = ms.make_law("taylor", texture="rolled:10,10", grains=6, resolution=4)
    np.testing.assert_array_equal(cell.texture.orientations, same.orientations)
    np.testing.assert_array_equal(cell.texture.weights, same.weights)
    assert len(np.unique(same.weights)) > 1
    with pytest.raises(InputError, match="texture-axes = 'z,x,y' has no use for texture = 'uniform'"):
        ms.make_law("taylor", texture_axes="z,x,y")


def test_weights_of_a_file_are_those_of_the_law(tmp_path):
    write_orientations(
        tmp_path / "two.txt", Texture.of(Rotation.random(2, rng=0).as_matrix(), [1, 3]), LATTICE.group
    )
    law = ms.make_law("taylor", texture=tmp_path / "two.txt")
    np.testing.assert_allclose(law.weights, [0.25, 0.75])


def test_weights_of_no_texture_refuse_one():
    with pytest.raises(
        InputError, match=r"'rolled:15,25' has harmonic coefficients 0\.\d\d of order 2"
    ) as raised:
        ms.make_law("learned", weights="magnesium", texture="rolled:15,25")
    assert "--weights any-texture" in str(raised.value)


def test_the_learned_law_of_a_texture_has_the_weights_of_any():
    plain, told = (ms.make_law("learned", texture=texture) for texture in ("uniform", "rolled:15,25"))
    assert plain.card == ms.make_law("learned").card
    assert told.card == ms.make_law("learned", weights="any-texture").card
    numbers = texture_numbers(distribution("rolled:15,25", MAGNESIUM), LATTICE.group)
    np.testing.assert_allclose(told.init_state(1)["texture"][0], numbers, atol=1e-12)
    with pytest.raises(InputError, match="texture-axes = 'z,x,y' has no use without --texture"):
        ms.make_law("learned", texture_axes="z,x,y")


def test_a_data_set_keeps_its_grains_whole(tmp_path):
    """They are made again from the record alone, to the bit, where the file is gone."""
    source = tmp_path / "plate.txt"
    write_orientations(source, grains_of("rolled:15,25", MAGNESIUM, 40).texture, LATTICE.group)
    for law, options in (("taylor", {"grains": 6}), ("fft3d", {"grains": 3, "resolution": 4})):
        data = tmp_path / f"{law}.h5"
        generate(out=data, law=law, texture=str(source), texture_axes="z,x,y", **options, **TINY)
    source.unlink()
    for law in ("taylor", "fft3d"):
        require_as_recorded(tmp_path / f"{law}.h5")
        record = read_provenance(tmp_path / f"{law}.h5")["law"]
        assert record["options"]["texture"] == str(source)
        assert len(record["texture"]["bunge_degrees"]) == {"taylor": 6, "fft3d": 3}[law]
        made = [record, {**record, "options": {**record["options"], "texture": "elsewhere.txt"}}]
        assert difference(*map(identity_of, made)) is None
        other = {**record, "texture": {**record["texture"], "sha256": "x"}}
        assert "texture = " in difference(identity_of(other), identity_of(record))
    again = recorded_law(tmp_path / "taylor.h5")
    assert again.texture.digest() == read_provenance(tmp_path / "taylor.h5")["law"]["texture"]["sha256"]


def test_a_case_names_its_texture(tmp_path):
    case = anvil_case(law="taylor", texture="rolled:15,25", texture_axes="z,x,y", grains=4)
    (tmp_path / "case.toml").write_text(case_text(case, tmp_path))
    assert read_case(tmp_path / "case.toml").law == case.law
    (tmp_path / "plate.txt").write_text("10 20 30\n40 50 60\n")
    case = anvil_case(law="taylor", texture=str(tmp_path / "plate.txt"))
    assert case.files() == [tmp_path / "plate.txt"]
    assert 'texture = "plate.txt"' in case_text(case, tmp_path)
    with pytest.raises(InputError, match="law j2 does not take --texture rolled:15,25"):
        anvil_case(law="j2", texture="rolled:15,25")


def test_rest_and_rigid_turns():
    """At rest a texture is what it was; a body that turns takes it along."""
    R = Rotation.random(rng=1).as_matrix()
    grains = grains_of("rolled:15,25", MAGNESIUM, 8).texture
    for law in (TaylorPolycrystal.of(grains), SingleCrystal(grains.orientations[0])):
        state = law.init_state(2)
        before = deformed_texture(law, state)
        F = np.broadcast_to(R, (2, 1, 3, 3)).copy()
        drive(law, F, np.zeros(1), state)
        after = deformed_texture(law, state)
        np.testing.assert_allclose(after.orientations, R @ before.orientations, atol=1e-12)
    with pytest.raises(InputError, match="the law j2 has no crystals"):
        deformed_texture(ms.make_law("j2"), state)


def test_twins_count_with_their_volume():
    """Pulled along c in a tenth of a second: a twin turns c by 86.3 degrees, the shares add up to one."""
    tilted = Rotation.from_rotvec(np.radians(5.0) * np.array([[0.98, 0.2, 0.0]])).as_matrix()
    law = TaylorPolycrystal(tilted)
    state = law.init_state(1)
    F = np.exp(np.linspace(0.0, 0.03, 61)[:, None] * [-0.5, -0.5, 1.0])[:, :, None] * np.eye(3)
    drive(law, F[None], np.linspace(0.0, 1e5, 61), state)
    found = deformed_texture(law, state)
    twinned = float(state["twin_fraction"].sum())
    assert twinned > 0.05
    assert found.weights[0] == pytest.approx(1.0 - twinned, rel=1e-6)
    assert found.weights.sum() == pytest.approx(1.0)
    largest = 1 + int(found.weights[1:].argmax())
    cosine = abs(found.orientations[0, :, 2] @ found.orientations[largest, :, 2])
    assert np.degrees(np.arccos(cosine)) == pytest.approx(86.3, abs=0.2)


def test_a_cell_has_the_texture_of_its_voxels():
    cell = ms.make_law("fft3d", texture="rolled:10,10", grains=4, resolution=4)
    found = deformed_texture(cell, cell.init_state(1))
    assert len(found) == 64
    density = [pole_density(t, C_AXIS, LATTICE.group, np.eye(3)) for t in (found, cell.texture)]
    np.testing.assert_allclose(*density, rtol=1e-9)


def test_the_texture_of_a_run(tmp_path):
    """That of the lowest cells differs from that of the others, which the wave has not reached."""
    bar = {"law": "taylor", "texture": "rolled:15,25", "texture_axes": "z,x,y", "grains": 2, "elements": 60}
    ms.anvil(**bar, end_time=0.3, checkpoint_every=0.3, output=tmp_path / "run")
    whole = texture_of_run(tmp_path / "run")
    assert whole.time == pytest.approx(0.3, abs=0.1)
    top = texture_of_run(tmp_path / "run", (np.array([-1, -1, 4.0]), np.array([1, 1, 5.0])))
    low = texture_of_run(tmp_path / "run", (np.array([-1, -1, 0.5]), np.array([1, 1, 0.0])))
    assert top.cells + low.cells < whole.cells
    start = pole_density(whole.law.texture, C_AXIS, LATTICE.group, np.eye(3))
    moved = [
        np.abs(pole_density(t.texture, C_AXIS, LATTICE.group, np.eye(3)) - start).max() for t in (top, low)
    ]
    assert moved[0] < 1e-3 < 1e-2 < moved[1]
    told = look(str(tmp_path / "run"), box="-1,-1,0,1,1,0.5", out=tmp_path / "seen")
    assert told["cells"] == low.cells
    with pytest.raises(InputError, match=r"no cell of run .* has its centre in the box"):
        look(str(tmp_path / "run"), box="7,7,7,8,8,8", out=tmp_path / "seen")
    with pytest.raises(InputError, match="grains = 3 has no use for the folder of a run"):
        look(str(tmp_path / "run"), grains=3, out=tmp_path / "seen")
    (tmp_path / "run" / "checkpoint.h5").unlink()
    with pytest.raises(InputError, match=r"checkpoint\.h5 does not exist.*--checkpoint-every"):
        texture_of_run(tmp_path / "run")


def test_looking_at_a_texture(tmp_path):
    told = look(
        "rolled:15,25", grains=16, half_width=12.0, along="z", strain=-0.05, duration=1.0, out=tmp_path
    )
    assert list(told["textures"]) == ["4096 orientations", "16 grains", "-5 % along z"]
    assert told["reduction"]["misplaced_volume"] < 0.2
    assert told["largest_density"]["16 grains (0001)"] > 3.0
    for name in ("pole_figures.png", "inverse_pole_figures.png"):
        assert 10_000 < (tmp_path / name).stat().st_size < 300_000
    assert json.loads((tmp_path / "texture.json").read_text())["half_width_degrees"] == 12.0
    back = ms.make_law("taylor", texture=tmp_path / "orientations.txt", grains=10_000)
    assert back.grains == told["textures"]["-5 % along z"]["orientations"]
    for wrong, message in (
        ({"what": "uniform", "axes": "z,x,y"}, "axes = z,x,y has no use for uniform"),
        ({"what": "rolled:1,1", "strain": 0.1}, "strain = 0.1 has no use"),
        ({"what": "rolled:1,1", "along": "x"}, "along = x without a strain"),
        ({"what": "rolled:1,1", "box": "1"}, "box = 1 has no use"),
        ({"what": "rolled:1,1", "pole": ("111",)}, "pole 111, expected four indices"),
    ):
        with pytest.raises(InputError, match=message):
            look(**wrong, out=tmp_path)


def test_cubic_crystals_have_their_own_poles(tmp_path):
    told = look("fibre:z,5,111", crystal=Path("demos/copper.yaml"), grains=8, out=tmp_path)
    largest = told["largest_density"]
    assert largest["8 grains (111)"] > largest["8 grains (100)"]
    assert largest["8 grains (along z)"] > 5.0


def test_a_cell_without_texture_has_none_by_volume():
    """Grains of Voronoi differ in size: even orientations of 64 of them leave a texture."""
    crystal = read_crystal()
    group = lattice_of(crystal).group
    cell = ms.make_law("fft3d", texture="uniform", grains=64, resolution=8)
    drawn = ms.make_law("fft3d", grains=64, resolution=8).texture
    spread = Texture(uniform_orientations(64), drawn.weights)
    of_cell, of_spread = (np.linalg.norm(texture_numbers(t, group)) for t in (cell.texture, spread))
    np.testing.assert_array_equal(cell.texture.weights, drawn.weights)
    assert of_cell < 0.01
    assert of_spread > 10.0 * of_cell
