"""A kill at any write of an output, or of a cut, leaves a file whose every step is whole."""

import pytest
from killed_writes import RIGHT, Watch, begun, fault_of, fault_of_vtk, step

from multiscale.results import vtkhdf


# Nodes of the index are full after 64 outputs, chunks of times and offsets after 256.
@pytest.mark.parametrize(("first", "last", "every"), [(0, 2, 4), (63, 66, 10), (255, 257, 60)])
def test_a_kill_while_outputs_are_appended(tmp_path, first, last, every):
    watch = Watch(begun(tmp_path / "killed.vtkhdf", first), every, subsets=1)
    for number in range(first, last):
        watch.append(number)
    assert set(watch.found) == RIGHT, watch.found
    assert watch.found["whole"] > 40 * (last - first)


def test_a_kill_while_outputs_are_cut(tmp_path):
    watch = Watch(begun(tmp_path / "killed.vtkhdf", 70), every=20, subsets=1)
    for count, keep in ((70, 66), (66, 65), (65, 64), (64, 63), (63, 1), (1, 0)):
        watch.cut(count, keep)
    assert set(watch.found) == RIGHT, watch.found


def test_the_watch_finds_a_writer_that_counts_before_it_writes(tmp_path, monkeypatch):
    watch = Watch(begun(tmp_path / "killed.vtkhdf", 2))
    change = vtkhdf.GrowingFile._change

    def hasty(self, numbers, entries=None):
        self._write(self._counter, (self.count + 1).to_bytes(8, "little"))
        change(self, numbers, entries)

    monkeypatch.setattr(vtkhdf.GrowingFile, "_change", hasty)
    watch.append(2)
    assert set(watch.found) - RIGHT


def test_thousands_of_outputs(tmp_path):
    # Beyond 64 times 64 outputs a third level of nodes is filled.
    path = begun(tmp_path / "long.vtkhdf", 4095)
    for number in range(4095, 4099):
        vtkhdf.append(path, [step(number)])
    assert fault_of(path, {4099}) == fault_of_vtk(path, {4099}) == ""
    vtkhdf.keep(path, 4095)
    assert fault_of(path, {4095}) == ""
