"""A series of .vtu files is read by VTK and by us, and cut, extended and damaged."""

import numpy as np
import pytest
import pyvista

from microscale.errors import InputError
from multiscale.results import vtu
from multiscale.results.vtkhdf import Results, Step

POINTS = np.array([[x, y, z] for z in (0.0, 1.0) for y in (0.0, 1.0) for x in (0.0, 1.0)])
CELLS = np.array([[0, 1, 3, 2, 4, 5, 7, 6]])


def step(number):
    fields = {"von_mises_GPa": np.array([1.0 * number]), "stress_GPa": np.arange(6.0)[None] + number}
    return Step(0.1 * number, {"displacement_mm": number * POINTS}, fields)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "results.pvd"
    vtu.create(path, POINTS, CELLS, 12, {"origin": "a <run> & more", BEFORE: 3}, step(0))
    vtu.append(path, [step(0), step(1), step(2)])
    return path


BEFORE = "outputs_before"


def test_vtk_reads_every_step(path):
    reader = pyvista.get_reader(path)
    assert reader.time_values == pytest.approx([0.0, 0.1, 0.2])
    for k, time in enumerate(reader.time_values):
        reader.set_active_time_value(time)
        (mesh,) = reader.read()
        np.testing.assert_array_equal(mesh["displacement_mm"], k * POINTS)
        np.testing.assert_array_equal(mesh["stress_GPa"], np.arange(6.0)[None] + k)
        assert mesh.volume == pytest.approx(1.0)


def test_we_read_what_was_written_and_go_on(path):
    results = Results(path)
    assert results.attributes == {"origin": "a <run> & more", BEFORE: 3}
    assert results.times.tolist() == [0.0, 0.1, 0.2]
    np.testing.assert_array_equal(results.cells, CELLS)
    np.testing.assert_array_equal(results.field("stress_GPa", -1), np.arange(6.0)[None] + 2.0)
    vtu.keep(path, 2)
    assert not (path.with_suffix("") / "00002.vtu").exists()
    vtu.append(path, [step(5)])
    assert Results(path).times.tolist() == [0.0, 0.1, 0.5]
    np.testing.assert_array_equal(Results(path).field("von_mises_GPa", 2), [5.0])
    with pytest.raises(InputError, match=r"no field .heat., expected one of displacement_mm, stress_GPa"):
        results.field("heat", 0)


def test_a_killed_write_leaves_the_steps_before(path):
    """The index names a step only after its file is whole; what a kill leaves beside is written over."""
    (path.with_suffix("") / "00003.vtu").write_bytes(b"half")
    assert len(Results(path).times) == 3
    vtu.append(path, [step(3)])
    np.testing.assert_array_equal(Results(path).field("von_mises_GPa", 3), [3.0])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_damaged_file_is_an_error_in_one_line(path, share):
    file = path.with_suffix("") / "00001.vtu"
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"00001.vtu cannot be read as a result file"):
        Results(path).field("von_mises_GPa", 1)
    (path.with_suffix("") / "mesh.vtu").unlink()
    with pytest.raises(InputError, match="cannot be read as a series of results"):
        Results(path)
