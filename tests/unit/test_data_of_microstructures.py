"""Data sets of many microstructures: which cell drove a path is recorded, and it can be made again."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from microscale.data.dataset import read_dataset
from microscale.data.generate import finish, generate
from microscale.errors import InputError
from microscale.law import drive
from microscale.paths.protocols import StrainPaths
from multiscale import cli
from multiscale.laws import make_law
from multiscale.run.data_options import DrivenLaw
from multiscale.run.data_origin import recorded_law, require_as_recorded
from multiscale.run.generation import DataSet
from multiscale.surrogate.sources import read_sources

SIZE = {"grains": 4, "resolution": 2, "texture": "uniform"}
COUNT, EACH = 5, 2


def data(texture_seed=3, seed=9, **options):
    law = DrivenLaw(law="fft3d", texture_seed=texture_seed, **SIZE, **{"paths_per_cell": EACH, **options})
    return DataSet("fft3d", law.resolved(), StrainPaths("U", 0.02, 4, seed=seed), COUNT)


def made(out: Path, job: DataSet) -> Path:
    generate(job.job(), out)
    finish(job.job(), out)
    return out


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return made(tmp_path_factory.mktemp("cells") / "d.h5", data())


def test_each_few_paths_have_the_cell_of_the_next_seed(sound):
    found = read_dataset(sound)
    stresses = []
    for path in range(COUNT):
        cell = make_law("fft3d", seed=3 + path // EACH, **SIZE)
        sigma = drive(cell, found.stretch_tensors[path][None], found.times[path])[0]
        sigma = 0.5 * (sigma + np.swapaxes(sigma, 1, 2))  # to the tolerance of equilibrium it is
        np.testing.assert_allclose(found.stress_tensors[path], sigma, atol=1e-12)
        stresses.append(drive(cell, found.stretch_tensors[0][None], found.times[0])[0])
    assert np.array_equal(stresses[0], stresses[1])
    assert np.abs(stresses[0] - stresses[2]).max() > 1e-3 * np.abs(stresses[0]).max()  # another cell


def test_the_set_records_its_cells_and_is_what_it_says(sound, capsys):
    law = read_dataset(sound).provenance["law"]
    assert (law["microstructures"]["seed"], law["microstructures"]["paths_each"]) == (3, EACH)
    assert "seed" not in law["options"]
    require_as_recorded(sound)
    cli.inspect(sound)
    assert "from seed 3, 2 paths each" in capsys.readouterr().out
    with pytest.raises(InputError, match="polycrystals of their own"):
        recorded_law(sound)


def test_stress_of_another_cell_is_found_out(sound, tmp_path):
    changed = tmp_path / "changed.h5"
    changed.write_bytes(sound.read_bytes())
    with h5py.File(changed, "r+") as opened:
        opened["stress"][0] *= 1.1
    with pytest.raises(InputError, match="path 0: the deviator of its stress is not that of its law"):
        require_as_recorded(changed)


def test_sets_of_other_cells_are_of_one_material(sound, tmp_path):
    other = made(tmp_path / "e.h5", data(texture_seed=50, seed=10))
    sources = read_sources([sound, other])
    assert sources.material.name.endswith("4 grains of uniform texture, many microstructures")
    assert [entry["microstructures"].split(",")[0] for entry in sources.records] == [
        "from seed 3",
        "from seed 50",
    ]
    with pytest.raises(InputError, match="has another law than"):
        read_sources([sound, made(tmp_path / "f.h5", data(paths_per_cell=None, seed=11))])


def test_it_goes_on_with_the_same_cells_only(sound):
    assert not generate(data().job(), sound)
    with pytest.raises(InputError, match="was made with law microstructures"):
        generate(data(texture_seed=4).job(), sound)
    with pytest.raises(InputError, match="was made with law microstructures paths_each = 2, asked is 1"):
        generate(data(paths_per_cell=1).job(), sound)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"law": "taylor"}, "law taylor does not take --paths-per-cell 8 .taken by fft2d, fft3d."),
        (
            {"law": "fft3d", "texture": "rolled:9,9"},
            "--paths-per-cell 8 has no use with --texture rolled:9,9",
        ),
        ({"textures": "various"}, "--paths-per-cell 8 has no use with --textures various"),
    ],
)
def test_flags_that_do_not_go_with_it_are_refused(options, match):
    with pytest.raises(InputError, match=match):
        DrivenLaw(paths_per_cell=8, **options).resolved()


def test_plane_cells_too(tmp_path):
    law = DrivenLaw(law="fft2d", grains=2, resolution=4, paths_per_cell=1).resolved()
    paths = StrainPaths("U", 0.01, 2, (1e6, 1e6), seed=1, dimension=2)
    found = read_dataset(made(tmp_path / "p.h5", DataSet("fft2d", law, paths, 2)))
    assert found.provenance["law"]["microstructures"]["seed"] == 0
    assert found.provenance["law"]["crystal"]["name"] != "magnesium"


def test_a_coarser_equilibrium_is_asked_for_and_recorded():
    assert "tolerance" not in DrivenLaw(law="fft3d").resolved()
    assert DrivenLaw(law="fft3d", tolerance=0.01).resolved()["tolerance"] == 0.01
    assert data(tolerance=0.01).job().law.law(range(1)).tolerance == 0.01
    with pytest.raises(InputError, match=r"law taylor does not take --tolerance 0.01 .taken by fft2d, fft3d"):
        DrivenLaw(tolerance=0.01).resolved()
    with pytest.raises(InputError, match=r"tolerance = 1\.5, expected a number between"):
        data(tolerance=1.5).job()
