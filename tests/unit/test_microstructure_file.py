"""Microstructures from files: labelled arrays, laws of phases, units; and what is refused, in one line."""

import h5py
import numpy as np
import pytest

from microscale.errors import InputError
from microscale.unit_cell.labels import read_labels
from multiscale.laws import make_law
from multiscale.laws.microstructure_file import read_microstructure
from multiscale.results.provenance import law_record

LABELS = np.arange(24).reshape(2, 3, 4) % 3

FILE = """
[cell]
resolution = 8
[geometry]
kind = "spheres"
fraction = "25 %"
count = 2
[phases.metal]
label = 0
law = "j2"
youngs_modulus = "70 GPa"
poissons_ratio = 0.33
yield_stress = "100 MPa"
hardening_modulus = 0.7
density = "2700 kg/m^3"
[phases.pores]
label = 1
law = "pore"
"""


def written(folder, text=FILE, name="cell.toml"):
    file = folder / name
    file.write_text(text)
    return file


def stored(folder, kind):
    file = folder / f"labels{kind}"
    if kind == ".npy":
        np.save(file, LABELS)
    elif kind == ".h5":
        with h5py.File(file, "w") as out:
            out["phase"] = LABELS
    else:
        import pyvista

        grid = pyvista.ImageData(dimensions=[n + 1 for n in LABELS.shape])
        grid.cell_data["phase"] = LABELS.ravel(order="F")
        grid.save(file)
    return file


@pytest.mark.parametrize("kind", [".npy", ".h5", ".vti"])
def test_arrays_are_read_as_they_were_written(tmp_path, kind):
    np.testing.assert_array_equal(read_labels(stored(tmp_path, kind)), LABELS)


@pytest.mark.parametrize("kind", [".h5", ".vti"])
def test_arrays_have_names(tmp_path, kind):
    file = stored(tmp_path, kind)
    np.testing.assert_array_equal(read_labels(file, "phase"), LABELS)
    with pytest.raises(InputError, match="other"):
        read_labels(file, "other")


def test_what_is_no_labelled_array_is_refused(tmp_path):
    for name, content, message in (
        ("a.npy", np.ones((2, 2, 2)), "whole numbers"),
        ("b.npy", np.ones(4, dtype=int), "two or three axes"),
        ("c.npy", np.array([None]), "damaged"),
    ):
        np.save(tmp_path / name, content, allow_pickle=True)
        with pytest.raises(InputError, match=message):
            read_labels(tmp_path / name)
    with pytest.raises(InputError, match=r"its name ends in '\.txt'"):
        read_labels(tmp_path / "a.txt")
    for name in ("none.npy", "none.h5", "none.vti"):
        with pytest.raises(InputError, match=name):
            read_labels(tmp_path / name)
        (tmp_path / name).write_bytes(b"nothing of the kind")
        with pytest.raises(InputError, match=name):
            read_labels(tmp_path / name)


def test_a_file_makes_the_laws_it_names_in_our_units(tmp_path):
    found = read_microstructure(written(tmp_path))
    metal, pores = found.laws
    assert (metal.yield_stress, metal.hardening_modulus) == pytest.approx((0.1, 0.7))
    assert metal.density == pytest.approx(2.7)
    assert pores.moduli() == pytest.approx(tuple(1e-3 * m for m in metal.moduli()), rel=1e-4)
    assert found.phase.shape == (8, 8, 8)
    assert found.phase.mean() == 0.25
    assert read_microstructure(written(tmp_path), resolution=4).phase.shape == (4, 4, 4)


def test_grains_of_crystals_are_turned_each_its_own_way(tmp_path):
    text = FILE[: FILE.index("[phases.metal]")]
    text += '[phases.mg]\nlabel = 0\nlaw = "crystal"\ngrains = 5\n[phases.pores]\nlabel = 1\nlaw = "pore"\n'
    found = read_microstructure(written(tmp_path, text))
    assert len(np.unique(found.orientations[0].round(9), axis=0)) == 5
    assert found.described["phases"]["mg"]["crystal"]["name"] == "magnesium"


def test_labels_of_an_array_choose_the_phase(tmp_path):
    stored(tmp_path, ".npy")
    elastic = 'law = "neo-hooke"\nshear_modulus = "{} GPa"\nlambda_e = "30 GPa"\ndensity = "1 g/cm^3"\n'
    text = '[geometry]\nkind = "array"\nfile = "labels.npy"\n'
    text += "".join(f"[phases.p{k}]\nlabel = {k}\n" + elastic.format(k + 1) for k in (2, 0, 1))
    found = read_microstructure(written(tmp_path, text))
    shear = np.array([law.shear_modulus for law in found.laws])
    np.testing.assert_array_equal(shear[found.phase], LABELS + 1.0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("resolution", "resolutoin", "did you mean 'resolution'"),
        ("count = 2", "cuont = 2", "did you mean 'count'"),
        ("hardening_modulus = 0.7", "", "hardening_modulus is missing"),
        ("hardening_modulus = 0.7", "hardening = 0.7", "did you mean 'hardening_modulus'"),
        ('"100 MPa"', '"100 mm"', "expected a unit of GPa"),
        ('law = "j2"', 'law = "j3"', "phases.metal.law = 'j3', expected one of"),
        ('law = "j2"', "", "phases.metal.law is missing"),
        ("label = 1", "label = 0", "expected different ones"),
        ("label = 1", "label = 7", "of which 1 is no phase's"),
        ('fraction = "25 %"', "fraction = 1.5", "fraction"),
        ('kind = "spheres"', 'kind = "cubes"', "kind"),
        ("2700 kg/m^3", "2700 g/cm^3", "check the unit"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, old, new, message):
    assert old in FILE
    with pytest.raises(InputError, match=message) as caught:
        read_microstructure(written(tmp_path, FILE.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_a_phase_without_voxels_and_pores_alone_are_refused(tmp_path):
    more = FILE + '[phases.more]\nlabel = 2\nlaw = "pore"\n'
    with pytest.raises(InputError, match="no voxel has the label 2"):
        read_microstructure(written(tmp_path, more))
    text = FILE[: FILE.index("[phases.metal]")] + '[phases.a]\nlabel = 0\nlaw = "pore"\n'
    with pytest.raises(InputError, match="all phases are pores"):
        read_microstructure(written(tmp_path, text + '[phases.b]\nlabel = 1\nlaw = "pore"\n'))


def test_what_a_cell_is_does_not_depend_on_where_its_file_lies(tmp_path):
    records = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        file = written(folder, FILE.replace("resolution = 8", "resolution = 4"))
        law = make_law("phases", microstructure=file)
        records.append(law_record(law, {"microstructure": file, "resolution": None}))
    assert records[0] == records[1]
    made = records[0]["microstructure"]
    assert len(made["elasticity"]) == 21
    assert 30.0 < made["elasticity"][0] < 104.0
    assert made["density"] == pytest.approx(0.75 * 2.7, abs=1e-3)
    assert made["phases"]["metal"]["yield_stress"] == pytest.approx(0.1)


def test_the_law_needs_a_file():
    with pytest.raises(InputError, match="needs a microstructure"):
        make_law("phases")
