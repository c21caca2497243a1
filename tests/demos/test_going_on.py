"""A restart goes on with a record of the same run that reaches its checkpoint, or changes nothing."""

import json
import re
import shutil
from pathlib import Path

import gmsh
import numpy as np
import pytest
from taylor_anvil import taylor_anvil

from microscale.errors import InputError
from multiscale.results import vtkhdf
from multiscale.results.vtkhdf import Results

#: Its waves are fast: many steps.
COPPER = Path(__file__).with_name("copper_j2.json")
SMALL = {
    "law": "j2",
    "constants": COPPER,
    "elements": 100,
    "end_time": 0.6,
    "model": "quarter",
    "steps_between_outputs": 1,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The record of a run of 29 steps with a checkpoint at 0.5 us, and an output at each step."""
    folder = tmp_path_factory.mktemp("whole")
    taylor_anvil(**SMALL, output=folder, checkpoint_every=0.25)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "run"))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def rows(ledger):
    return ledger.read_text().splitlines(keepends=True)


def write(ledger, lines):
    ledger.write_text("".join(lines))


def without_end(folder):
    write(folder / "energy.csv", rows(folder / "energy.csv")[:10])


def with_a_hole(folder):
    lines = rows(folder / "energy.csv")
    write(folder / "energy.csv", lines[:10] + lines[11:])


def with_a_torn_row(folder):
    lines = rows(folder / "energy.csv")
    write(folder / "energy.csv", [*lines[:10], lines[10][:7] + "\n", *lines[11:]])


def without_ledger(folder):
    (folder / "energy.csv").unlink()


def without_results(folder):
    (folder / "results.vtkhdf").unlink()


def with_results_that_end_early(folder):
    vtkhdf.keep(folder / "results.vtkhdf", 10)


def with_results_that_begin_late(folder):
    first = Results(folder / "results.vtkhdf")
    fields = {name: first.field(name, 0) for name in first.cell_fields}
    points = {name: first.field(name, 0) for name in ("displacement_mm", "velocity_mm_per_us")}
    step = vtkhdf.Step(0.0, points, fields)
    mesh = first.points, first.cells, first.vtk_cell_type
    vtkhdf.create(folder / "results.vtkhdf", *mesh, first.attributes, step)
    for k in range(5, 29):
        vtkhdf.append(folder / "results.vtkhdf", [vtkhdf.Step(first.times[k], points, fields)])


def with_results_of_another_run(folder):
    (folder / "results.vtkhdf").unlink()
    taylor_anvil(**SMALL | {"velocity": 100.0, "end_time": 0.1}, output=folder / "other")
    (folder / "other" / "results.vtkhdf").rename(folder / "results.vtkhdf")
    shutil.rmtree(folder / "other")


def with_a_folder_as_checkpoint(folder):
    (folder / "checkpoint.h5").rename(folder.parent / "checkpoint.h5")
    (folder / "checkpoint.h5").mkdir()


def with_a_link_as_ledger(folder):
    (folder / "energy.csv").rename(folder.parent / "energy.csv")
    (folder / "energy.csv").symlink_to(folder.parent / "energy.csv")


FAULTS = {
    without_end: "energy.csv has no row of step 9, the checkpoint is of step 23",
    with_a_hole: "energy.csv has no row of step 9",
    with_a_torn_row: "energy.csv has no row of step 9",
    without_ledger: "results.vtkhdf has no energy.csv beside it",
    without_results: "energy.csv has no results.vtkhdf beside it",
    with_results_that_end_early: "holds outputs 1 to 10 up to the checkpoint",
    with_results_that_begin_late: "holds outputs 1 to 19 up to the checkpoint",
    with_results_of_another_run: "velocity = 100.0, this run has 200.0",
    with_a_folder_as_checkpoint: "checkpoint.h5 is a folder, expected a file or none",
    with_a_link_as_ledger: "energy.csv is a link, expected a file or none",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_record_that_does_not_reach_the_checkpoint_is_refused_and_not_touched(whole, folder, fault):
    fault(folder)
    before = contents(folder)
    with pytest.raises(InputError) as caught:
        taylor_anvil(**SMALL, output=folder, restart=whole / "checkpoint.h5")
    assert FAULTS[fault] in str(caught.value)
    assert re.search(r"(another|choose another) --output|--restart", str(caught.value))
    assert "\n" not in str(caught.value)
    assert contents(folder) == before


@pytest.mark.parametrize("given", [{"steps_between_outputs": 0}, {"end_time": 0.2}, {"elements": 300}])
def test_a_restart_of_wrong_inputs_does_not_touch_the_record(folder, given):
    before = contents(folder)
    with pytest.raises(InputError):
        taylor_anvil(**{**SMALL, **given}, output=folder, restart=folder / "checkpoint.h5")
    assert contents(folder) == before


def test_a_record_begun_at_a_checkpoint_is_begun_again_there(whole, folder, tmp_path):
    other, restart = tmp_path / "other", folder / "checkpoint.h5"
    for _ in range(2):
        taylor_anvil(**SMALL, output=other, restart=restart, checkpoint_every=0.05)
        assert rows(other / "energy.csv")[1:] == rows(whole / "energy.csv")[25:]
        times = Results(other / "results.vtkhdf").times
        np.testing.assert_array_equal(times, Results(whole / "results.vtkhdf").times[24:])
    # and goes on with the checkpoint of its own.
    before = contents(other)
    taylor_anvil(**SMALL, output=other, restart=other / "checkpoint.h5")
    assert contents(other)["energy.csv"] == before["energy.csv"]
    assert contents(other)["results.vtkhdf"] == before["results.vtkhdf"]


def test_folders_links_and_leftovers_in_the_way_of_a_checkpoint(tmp_path):
    kept = tmp_path / "kept"
    kept.write_text("not to be touched")
    (tmp_path / "checkpoint.h5.unfinished").symlink_to(kept)
    taylor_anvil(**{**SMALL, "end_time": 0.1}, output=tmp_path, checkpoint_every=0.05)
    assert kept.read_text() == "not to be touched"
    assert (tmp_path / "checkpoint.h5").is_file()
    (tmp_path / "checkpoint.h5.unfinished").mkdir()
    with pytest.raises(InputError, match=r"checkpoint .*checkpoint.h5 cannot be written \(.*directory"):
        taylor_anvil(**{**SMALL, "end_time": 0.1}, output=tmp_path, checkpoint_every=0.05)
    with pytest.raises(InputError, match=r"is a folder: give the checkpoint.h5 in it"):
        taylor_anvil(**SMALL, output=tmp_path / "next", restart=tmp_path)


def constants(path, **changed):
    values = {"youngs_modulus": 117.0, "poissons_ratio": 0.35, "density": 8.93}
    values |= {"yield_stress": 0.2, "hardening_modulus": 0.5, **changed}
    path.write_text(json.dumps({"law": "j2", "units": "mm, us, GPa, g/cm^3", "constants": values}))
    return path


def test_constants_are_compared_by_what_is_in_them(tmp_path):
    inputs = {**SMALL, "end_time": 0.1}
    given = constants(tmp_path / "a.json")
    inputs |= {"constants": given}
    taylor_anvil(**inputs, output=tmp_path / "run", checkpoint_every=0.05)
    again = {**inputs, "output": tmp_path / "run", "restart": tmp_path / "run" / "checkpoint.h5"}
    taylor_anvil(**again | {"constants": constants(tmp_path / "b.json")})
    before = contents(tmp_path / "run")
    with pytest.raises(InputError, match=r"is of another law \(j2 .* than this run \(j2 "):
        taylor_anvil(**again, constants=constants(given, yield_stress=0.21))
    assert contents(tmp_path / "run") == before


def block(path, height):
    """Write a gmsh file of a block of hexahedra that stands on z = 0."""
    gmsh.initialize(interruptible=False)
    try:
        gmsh.option.setNumber("General.Terminal", 0)
        gmsh.model.occ.addBox(-0.5, -0.5, 0.0, 1.0, 1.0, height)
        gmsh.model.occ.synchronize()
        (foot,) = gmsh.model.getEntitiesInBoundingBox(-0.6, -0.6, -0.1, 0.6, 0.6, 0.1, dim=2)
        for _, curve in gmsh.model.getEntities(1):
            gmsh.model.mesh.setTransfiniteCurve(curve, 4)
        for _, surface in gmsh.model.getEntities(2):
            gmsh.model.mesh.setTransfiniteSurface(surface)
            gmsh.model.mesh.setRecombine(2, surface)
        gmsh.model.mesh.setTransfiniteVolume(1)
        gmsh.model.addPhysicalGroup(2, [foot[1]], name="foot")
        gmsh.model.addPhysicalGroup(3, [1], name="body")
        gmsh.model.mesh.generate(3)
        gmsh.write(str(path))
    finally:
        gmsh.finalize()
    return path


def test_meshes_are_compared_by_what_is_in_them(tmp_path):
    inputs = {"law": "j2", "end_time": 0.1}
    given = block(tmp_path / "a.msh", 2.0)
    taylor_anvil(**inputs, mesh=given, output=tmp_path / "run", checkpoint_every=0.05)
    again = {**inputs, "output": tmp_path / "run", "restart": tmp_path / "run" / "checkpoint.h5"}
    taylor_anvil(**again, mesh=block(tmp_path / "b.msh", 2.0))
    before = contents(tmp_path / "run")
    with pytest.raises(InputError, match=r"is of another mesh"):
        taylor_anvil(**again, mesh=block(given, 2.1))
    assert contents(tmp_path / "run") == before
