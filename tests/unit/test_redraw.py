"""The picture of a run drawn again."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from microscale.errors import InputError
from multiscale.cases.anvil import anvil
from multiscale.cli import plot
from multiscale.results import pictures
from multiscale.results.history_picture import draw_histories
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


def test_the_picture_of_probes_and_gauges_is_drawn_again_too(tmp_path, capsys):
    anvil(law="j2", elements=60, end_time=0.05, gauges=("foot",), output=tmp_path)
    histories = tmp_path / "histories.png"
    assert f"{histories}\n    probes and gauges over time" in capsys.readouterr().out
    before = histories.read_bytes()
    histories.unlink()
    plot(tmp_path, field=("e_d",))
    assert not histories.exists()
    plot(tmp_path)
    assert histories.read_bytes() == before
    assert f"picture: {histories}" in capsys.readouterr().out


def test_round_off_is_not_drawn_as_a_signal(tmp_path, monkeypatch):
    """A gauge that no wave has reached lies flat beside one that was hit."""
    for name, size in (("hit", 1.0), ("behind", 1e-12)):
        rows = [f"{k},{size * k},{size * k}" for k in range(3)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["time_us,pressure_GPa,elongation_x", *rows]))
    spans = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: spans.extend(spans_of(self)))
    draw_histories({name: tmp_path / f"{name}.csv" for name in ("hit", "behind")}, tmp_path / "p.png")
    assert spans[1] == spans[2] == pytest.approx(2.2)
    assert spans[4] == spans[5] == pytest.approx(2e-4)


def spans_of(figure):
    return [float(np.ptp(axes.get_ylim())) for axes in figure.axes]


def test_a_field_that_is_not_there_is_named(folder, tmp_path):
    with pytest.raises(InputError, match=r"field = 'stress', expected one of .*von_mises_GPa"):
        redraw(folder, ["stress"])
    with pytest.raises(InputError, match=r"results\.vtkhdf"):
        redraw(tmp_path)
