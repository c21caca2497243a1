"""The result file format, read by VTK's own reader and by ours, and after a kill."""

import resource
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import pyvista
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOHDF import vtkHDFReader

from microscale.errors import InputError
from multiscale.results import vtkhdf

POINTS = np.array([[x, y, z] for z in range(3) for y in (0, 1) for x in (0, 1)], dtype=float)
CELLS = np.array([[0, 1, 3, 2, 4, 5, 7, 6], [4, 5, 7, 6, 8, 9, 11, 10]])
TIMES = [0.0, 0.25, 1.0]


def fields(step):
    return {"displacement_mm": POINTS * step}, {"e_d": np.array([step, 10.0 * step])}


STEPS = [vtkhdf.Step(now, *fields(step)) for step, now in enumerate(TIMES)]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "two_cells.vtkhdf"
    vtkhdf.create(path, POINTS, CELLS, 12, {"inputs": "{}"}, STEPS[0])
    for step, now in enumerate(TIMES):
        vtkhdf.append(path, [vtkhdf.Step(now, *fields(step))])
    return path


def test_vtk_reads_every_step(file):
    reader = vtkHDFReader()
    reader.SetFileName(str(file))
    reader.UpdateInformation()
    assert reader.GetNumberOfSteps() == len(TIMES)
    for step in (2, 0, 1):
        reader.SetStep(step)
        reader.Update()
        grid = reader.GetOutputDataObject(0)
        point_fields, cell_fields = fields(step)
        assert reader.GetTimeValue() == TIMES[step]
        assert grid.GetNumberOfCells() == len(CELLS)
        displacement = vtk_to_numpy(grid.GetPointData().GetArray("displacement_mm"))
        np.testing.assert_array_equal(displacement, point_fields["displacement_mm"])
        np.testing.assert_array_equal(vtk_to_numpy(grid.GetCellData().GetArray("e_d")), cell_fields["e_d"])


def test_reader_that_keeps_the_file_open_does_not_stop_the_run(file):
    reader = [
        sys.executable,
        "-c",
        "import h5py, sys; f = h5py.File(sys.argv[1]); print(1, flush=True); input()",
    ]
    with subprocess.Popen(
        [*reader, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        vtkhdf.append(file, [vtkhdf.Step(2.0, *fields(3))])
        process.communicate("\n")
    assert len(vtkhdf.Results(file).times) == 4


def test_pyvista_reads_sound_hexahedra_at_any_step(file):
    reader = pyvista.get_reader(file)
    reader.reader.SetStep(2)
    grid = reader.read()
    assert grid.volume == pytest.approx(2.0)
    np.testing.assert_array_equal(grid.cell_data["e_d"], [2.0, 20.0])


def test_results_reads_back_what_was_written(file):
    results = vtkhdf.Results(file)
    np.testing.assert_array_equal(results.points, POINTS)
    np.testing.assert_array_equal(results.cells, CELLS)
    np.testing.assert_array_equal(results.times, TIMES)
    np.testing.assert_array_equal(results.field("displacement_mm", 1), POINTS)
    np.testing.assert_array_equal(results.field("e_d", -1), [2.0, 20.0])
    assert results.attributes["inputs"] == "{}"


def test_unknown_field_names_the_known_ones(file):
    with pytest.raises(InputError, match=r"no field 'pressure'.*displacement_mm, e_d"):
        vtkhdf.Results(file).field("pressure", 0)


def test_full_disk_is_an_error_that_leaves_the_steps_before(file):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 300, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            vtkhdf.append(file, [vtkhdf.Step(2.0, *fields(3))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    np.testing.assert_array_equal(vtkhdf.Results(file).times, TIMES)
    vtkhdf.append(file, [vtkhdf.Step(2.0, *fields(3))])
    np.testing.assert_array_equal(vtkhdf.Results(file).field("e_d", 3), [3.0, 30.0])


@pytest.mark.parametrize("content", [None, b"not HDF5", b""])
def test_missing_or_damaged_file_is_an_input_error(tmp_path, content):
    path = tmp_path / "bad.vtkhdf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a result file"):
        vtkhdf.Results(path)


def test_folder_that_does_not_exist_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="choose another folder"):
        vtkhdf.create(tmp_path / "nowhere" / "a.vtkhdf", POINTS, CELLS, 12, {}, STEPS[0])


APPEND_FOR_EVER = """
import sys, numpy as np
from multiscale.results import vtkhdf
path = sys.argv[1]
points, cells = np.zeros((2000, 3)), np.zeros((1000, 8), dtype=int)
def step(k):
    return vtkhdf.Step(k, {"u": points + k}, {"e": np.full(1000, float(k))})
vtkhdf.create(path, points, cells, 12, {}, step(0))
for k in range(10**9):
    vtkhdf.append(path, [step(k)])
    print(k, flush=True)
"""


def test_killed_run_leaves_a_readable_file(tmp_path):
    path = tmp_path / "killed.vtkhdf"
    command = [sys.executable, "-c", APPEND_FOR_EVER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        for _ in range(10):
            last = int(run.stdout.readline())
        time.sleep(0.0137)
        run.send_signal(signal.SIGKILL)
        last = max([last, *map(int, run.stdout.read().split("\n")[:-1])])
    results = vtkhdf.Results(path)
    assert len(results.times) >= last + 1
    for step in (0, last):
        np.testing.assert_array_equal(results.field("u", step), np.full((2000, 3), step))


def test_steps_written_at_once_are_those_written_one_by_one(file, tmp_path):
    at_once = tmp_path / "at_once.vtkhdf"
    vtkhdf.create(at_once, POINTS, CELLS, 12, {"inputs": "{}"}, STEPS[0])
    vtkhdf.append(at_once, [vtkhdf.Step(now, *fields(step)) for step, now in enumerate(TIMES)])
    with h5py.File(file) as one, h5py.File(at_once) as other:
        names = []
        one["VTKHDF"].visit(names.append)
        for name in names:
            if isinstance(one["VTKHDF"][name], h5py.Dataset):
                np.testing.assert_array_equal(
                    one["VTKHDF"][name][()], other["VTKHDF"][name][()], err_msg=name
                )
