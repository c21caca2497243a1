"""Room that is asked for: what is free, what is refused, and how it reads."""

import math
import resource

import pytest

from microscale.crystals.crystal import read_crystal
from microscale.crystals.single_crystal import SingleCrystal
from microscale.errors import InputError
from microscale.inputs import memory
from microscale.unit_cell.cell import FullFieldCell
from multiscale.laws import make_law
from multiscale.surrogate.training.data_parallel import ranks_of_launcher


def test_what_is_lacking_is_named_with_what_needs_it(tmp_path):
    with pytest.raises(InputError, match=r"grains = 7, max-size = 8: need some 3 EB of memory, .* give less"):
        memory.require_memory(3e18, grains=7, max_size=8)
    with pytest.raises(InputError, match=r"paths = 9: need some 3 EB of room in .*/new/folder, .* elsewhere"):
        memory.require_disk(3e18, tmp_path / "new" / "folder", paths=9)
    assert not list(tmp_path.iterdir())


def test_what_is_free_is_granted(tmp_path):
    memory.require_memory(1.0, grains=1)
    memory.require_memory(0.5 * memory.free_memory(), grains=1)
    memory.require_disk(100e6, tmp_path, paths=1)


def test_the_limits_of_a_control_group_count(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    free = memory.free_memory()
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5000\n")
    assert memory.free_memory() == pytest.approx(free, rel=0.5)
    (tmp_path / "memory.max").write_text("200005000\n")
    assert memory.free_memory() == 2e8


def test_the_limits_of_a_process_count(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (1, 1))
    assert memory.free_memory() < 0.0
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert 0.0 < memory.free_memory() < math.inf
    assert memory.stack_bytes() == 8 * 2**20


def test_a_state_that_does_not_fit_is_refused_before_it_is_made():
    law = make_law("j2")
    numbers = sum(math.prod(variable.shape) for variable in law.state_spec)
    assert law.bytes_of_a_point == 8 * numbers
    with pytest.raises(InputError, match=f"points = {10**14}, bytes-of-each = {8 * numbers}: need some"):
        law.init_state(10**14)


def test_a_wrong_number_of_processes_is_named(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "two")
    with pytest.raises(InputError, match="WORLD_SIZE = 'two', expected a number of processes"):
        ranks_of_launcher().__enter__()


def test_a_unit_cell_that_does_not_fit_is_refused_before_it_is_made():
    crystal = SingleCrystal(crystal=read_crystal("two_slip.yaml"))
    with pytest.raises(InputError, match="resolution = 20000, memory-of-secants = 20: need some"):
        FullFieldCell(crystal, (20_000, 20_000))


@pytest.mark.parametrize(
    ("shape", "derivative"), [((64, 64), None), ((64, 64), "rotated"), ((12, 12, 12), None)]
)
def test_what_a_unit_cell_asks_for_holds_its_state_and_less_than_two_more(shape, derivative, monkeypatch):
    crystal, asked = SingleCrystal(crystal=read_crystal("two_slip.yaml")), []
    monkeypatch.setattr("microscale.unit_cell.room.require_memory", lambda needed, **_: asked.append(needed))
    cell = FullFieldCell(crystal, shape, derivative=derivative)
    assert cell.bytes_of_a_point < asked[0] < 3.0 * cell.bytes_of_a_point
