"""The picture of a run drawn again."""

import pytest

from microscale.errors import InputError
from multiscale.cases.anvil import anvil
from multiscale.cli import plot
from multiscale.results import pictures
from multiscale.results.redraw import quantity_of, redraw
from multiscale.results.run_folder import RunFolder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    anvil(law="j2", elements=60, end_time=0.1, output=path)
    return path


def test_it_is_the_same_picture_without_flags(folder):
    before = (folder / "section.png").read_bytes()
    (folder / "section.png").unlink()
    assert redraw(folder) == folder / "section.png"
    assert (folder / "section.png").read_bytes() == before


def test_fields_and_times_are_chosen(folder, tmp_path, monkeypatch, capsys):
    asked = {}
    draw = pictures.draw_sections

    def drawn(results, picture, times, quantities, **how):
        asked.update(times=times, fields=[q.field for q in quantities], titles=[q.title for q in quantities])
        draw(results, picture, times, quantities, **how)

    monkeypatch.setattr("multiscale.results.redraw.draw_sections", drawn)
    out = tmp_path / "pictures" / "p.png"
    plot(folder, field=("pressure_GPa", "e_d"), times=(0.05, 0.1), out=out)
    assert out.stat().st_size > 5_000
    assert str(out) in capsys.readouterr().out
    assert asked["times"] == (0.05, 0.1)
    assert asked["titles"][0] == "pressure (GPa)"
    assert quantity_of(RunFolder(folder), "pressure_GPa").signed


def test_a_field_that_is_not_there_is_named(folder, tmp_path):
    with pytest.raises(InputError, match=r"field = 'stress', expected one of .*von_mises_GPa"):
        redraw(folder, ["stress"])
    with pytest.raises(InputError, match=r"results\.vtkhdf"):
        redraw(tmp_path)
