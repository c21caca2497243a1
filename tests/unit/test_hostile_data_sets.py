"""Data sets that are whole as files but not as data: one line each, soon, and nothing outside is touched."""

import json
import shutil

import h5py
import numpy as np
import pytest

from microscale.crystals.crystal import read_crystal
from microscale.data.dataset import check_file, read_dataset
from microscale.data.generate import Generation, finish, generate
from microscale.errors import InputError
from microscale.paths.protocols import StrainPaths
from multiscale.laws import make_law
from multiscale.results.provenance import law_record
from multiscale.run.data_origin import recorded_law
from multiscale.surrogate.sources import read_sources

PATHS, SAMPLES = 6, 11


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    out = tmp_path_factory.mktemp("sound") / "d.h5"
    options = {"grains": 2, "texture": "random", "seed": 0, "crystal": "demos/copper.yaml"}
    law = make_law("taylor", **options)
    made = Generation(law, law_record(law, options), StrainPaths("R", 0.1, SAMPLES - 1), PATHS, {})
    generate(made, out)
    finish(made, out)
    return out


def stored(name, change):
    def put(file):
        values = change(file[name][...])
        del file[name]
        file[name] = values

    return put


def element(name, place, value):
    def change(values):
        values[place] = value
        return values

    return stored(name, change)


def recorded(change):
    def put(file):
        made = json.loads(file.attrs["provenance"])
        change(made)
        file.attrs["provenance"] = np.bytes_(json.dumps(made).encode())

    return put


def instead(name, make):
    def put(file):
        del file[name]
        make(file)

    return put


def claims(paths):
    def put(file):
        recorded(lambda made: made["paths"].update(count=paths))(file)
        for name, row in (
            ("times", (5,)),
            ("stretch", (5, 6)),
            ("stress", (5, 6)),
            ("attempt", ()),
            ("rejected", ()),
        ):
            dtype = file[name].dtype
            del file[name]
            file.create_dataset(name, (paths, *row), dtype, chunks=(100, *row))

    return put


def virtual(file):
    layout = h5py.VirtualLayout((PATHS, SAMPLES, 6), "f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", layout.shape)
    file.create_virtual_dataset("stress", layout)


def outside(file):
    file.create_dataset("stress", (PATHS, SAMPLES, 6), "f8", external=[("/etc/passwd", 0, 10**9)])


HOSTILE = {
    "short times": (stored("times", lambda t: t[:3]), r"times has shape \(3, 11\), expected \(6, any\)"),
    "three components": (stored("stretch", lambda u: u[..., :3]), r"expected \(6, 11, 6\)"),
    "strings": (stored("stress", lambda s: np.full(s.shape, b"x")), "expected floating-point numbers"),
    "complex": (stored("stress", lambda s: s.astype(complex)), "expected floating-point numbers"),
    "compound": (instead("stress", lambda f: f.update({"stress": np.zeros(3, [("a", "f8")])})), "holds"),
    "no numbers": (instead("stress", lambda f: f.update({"stress": h5py.Empty("f8")})), "has shape None"),
    "group": (instead("stress", lambda f: f.create_group("stress")), "is a group, expected an array"),
    "missing": (instead("stress", lambda f: None), "stress is missing"),
    "type": (instead("times", lambda f: f.update({"times": np.dtype("f8")})), "is a datatype"),
    "soft link": (instead("stress", lambda f: f.update({"stress": h5py.SoftLink("/stretch")})), "is a link"),
    "external link": (
        instead("stress", lambda f: f.update({"stress": h5py.ExternalLink("/etc/passwd", "/x")})),
        "is a link, which is not followed",
    ),
    "external storage": (instead("stress", outside), "in other files, which are not followed"),
    "virtual": (instead("stress", virtual), "in other files, which are not followed"),
    "nan": (element("stress", (3, 2, 1), np.nan), "path 3: stress is not a number of magnitude up to"),
    "huge stress": (element("stress", (3, 2, 1), 1e300), "path 3: stress is not a number of magnitude"),
    "times stand": (element("times", (4, 3), 0.0), "path 4: times do not increase"),
    "times begin": (stored("times", lambda t: t + 1.0), "path 0: times do not begin at zero"),
    "turned inside out": (element("stretch", (2, 3, 0), -1.0), "path 2: stretch is not positive definite"),
    "negative count": (element("attempt", 0, -1), "path 0: attempt is negative"),
    "count of halves": (stored("attempt", lambda a: a + 0.5), "expected whole numbers"),
    "claims a million million": (claims(10**12), "paths.count = 1000000000000, expected less than"),
    "claims a thousand million": (claims(10**9), "claims 40000000000 bytes of numbers and holds 0"),
    "one sample": (
        lambda f: [stored(n, lambda a: a[:, :1])(f) for n in ("times", "stretch", "stress")],
        "expected at least 2",
    ),
    "no paths": (lambda f: [stored(n, lambda a: a[:0])(f) for n in list(f)], r"expected \(6, any\)"),
    "huge chunk": (
        instead(
            "attempt",
            lambda f: f.create_dataset(
                "attempt", data=np.zeros(PATHS, "i8"), maxshape=(None,), chunks=(10**8,), fletcher32=True
            ),
        ),
        "in chunks of shape",
    ),
    "law is a list": (recorded(lambda made: made.update(law=[])), r"law = \[\], expected keys with values"),
    "no hash": (recorded(lambda made: made["law"].pop("hash")), r"law\.hash is missing"),
    "huge number": (recorded(lambda made: made["paths"].update(seed=10**400)), "expected a whole number of"),
    "soft elasticity": (
        recorded(lambda made: made["law"]["crystal"].update(shear_modulus="soft")),
        r"law\.crystal\.shear_modulus = 'soft', expected a number",
    ),
    "normals without directions": (
        recorded(lambda made: made["law"]["crystal"]["families"][0]["directions"].pop()),
        r"law\.crystal\.families\[0\] = 12 normals, expected as many as directions",
    ),
    "deep": (lambda f: f.attrs.update(provenance=np.bytes_(b"[" * 9000)), "at most 40 levels"),
    "numbers for a text": (lambda f: f.attrs.update(provenance=np.arange(4)), "'provenance' is no text"),
    "compound format": (lambda f: f.attrs.update(format=np.zeros(3, [("a", "f8")])), "'format' is no text"),
    "other format": (lambda f: f.attrs.update(format="\x1b[31m"), r"has format '\\x1b\[31m', expected"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_data_set_is_refused_in_one_line(sound, tmp_path, name):
    change, message = HOSTILE[name]
    file = tmp_path / "d.h5"
    shutil.copy(sound, file)
    with h5py.File(file, "r+") as opened:
        change(opened)
    content = file.read_bytes()
    for read in (read_dataset, check_file):
        with pytest.raises(InputError, match=message) as error:
            read(file)
        assert "\n" not in str(error.value)
        assert str(file) in str(error.value)
    assert file.read_bytes() == content


def test_other_sizes_of_numbers_are_read_as_doubles(sound, tmp_path):
    file = tmp_path / "d.h5"
    shutil.copy(sound, file)
    with h5py.File(file, "r+") as opened:
        stored("stress", lambda s: s.astype(">f8"))(opened)
    assert np.array_equal(read_dataset(file).stress, read_dataset(sound).stress)
    assert read_dataset(file).stress.dtype == np.float64


def test_paths_without_strength_are_refused_for_training(sound, tmp_path):
    file = tmp_path / "d.h5"
    shutil.copy(sound, file)
    with h5py.File(file, "r+") as opened:
        element("stress", 2, np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]))(opened)
    with pytest.raises(InputError, match="path 2 has no deviatoric stress"):
        read_sources([file])


def test_the_law_of_data_is_made_of_what_they_record_not_of_a_path_they_name(sound, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where there is no demos/copper.yaml
    law = recorded_law(sound)
    assert law.crystal.name == "copper"
    file = tmp_path / "d.h5"
    shutil.copy(sound, file)
    with h5py.File(file, "r+") as opened:
        recorded(lambda made: made["law"]["options"].update(grains=10**9))(opened)
    with pytest.raises(InputError, match=r"grains = 1000000000, expected less than or equal to 4096"):
        recorded_law(file)
    assert read_crystal(law.crystal) is law.crystal


def test_a_damaged_note_or_part_of_a_set_does_not_end_in_a_traceback(tmp_path):
    out = tmp_path / "d.h5"
    law = make_law("j2")
    made = Generation(law, law_record(law, {}), StrainPaths("R", 0.1, SAMPLES - 1), PATHS, {})
    generate(made, out)
    part = tmp_path / "d.h5.parts" / "000000000.h5"
    with h5py.File(part, "r+") as opened:
        stored("stress", lambda s: s[..., :2])(opened)
    with pytest.raises(InputError, match="it was removed, run the same command again"):
        finish(made, out)
    generate(made, out)
    note = tmp_path / "d.h5.parts" / "parameters.json"
    sound_note = note.read_text()
    for content in ("[]", '{"law": 5}', "{", '{"law": {}, "law": {}}'):
        note.write_text(content)
        with pytest.raises(InputError, match=r"parameters\.json") as error:
            generate(made, out)
        assert "\n" not in str(error.value)
    note.write_text(sound_note)
    generate(made, out)
    finish(made, out)
    assert len(read_dataset(out)) == PATHS
