"""Names of files are data: in a terminal, in rich's tables and in matplotlib's pictures."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console

from microscale.data.dataset import read_dataset
from microscale.data.generate import Generation, finish, generate
from microscale.files.printable import drawable, printable
from microscale.paths.protocols import StrainPaths
from multiscale.cli import inspect
from multiscale.laws.j2 import J2
from multiscale.run.command import one_line

NAMES = [
    "[red]x[/]",
    "[/]",
    "$x^{$",
    r"$\frac{$",
    "\x1b[31mred",
    "a\nb",
    "\u202egnp.exe",
    "_hidden",
    b"\xff".decode(errors="surrogateescape"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_printable_name_obeys_nothing(name):
    shown = printable(name)
    assert shown.isprintable()
    assert shown.encode()  # no half of a character
    assert one_line(f"error in {name}").isprintable()


def test_what_prints_stays_as_it_is():
    assert printable("Größe 5 µm, 鋼.h5") == "Größe 5 µm, 鋼.h5"
    assert printable("\x1b[31m") == r"\x1b[31m"
    assert printable("x" * 400) == "x" * 297 + "..."


@pytest.mark.parametrize("name", NAMES)
def test_names_are_drawn_letter_by_letter(name):
    figure = Figure()
    axes = figure.add_subplot(title=drawable(name))
    axes.plot([0, 1], label=drawable(name))
    legend = axes.legend()
    figure.canvas.draw()  # a formula that is none raises here
    drawn = legend.get_texts()[0]
    assert drawn._preprocess_math(drawn.get_text())[1] is False
    assert figure.axes[0].title.get_text() == drawable(name)


@pytest.mark.parametrize("name", ["[red]", "$x^{$", "\x1b[31m", "d.png"])
def test_inspect_shows_and_draws_a_set_of_any_name(tmp_path, capsys, name):
    made = Generation(
        J2(),
        {"name": "[/]", "hash": "$", "options": {"a": "[red]"}},
        StrainPaths("R", 0.1, 5),
        2,
        {"[b]": "1"},
    )
    out = tmp_path / name
    generate(made, out)
    finish(made, out)
    before = read_dataset(out)
    inspect(out)
    shown = capsys.readouterr().out
    assert printable(name) in shown.replace("\n", "")
    assert "\x1b" not in shown
    assert "[/]" in shown
    assert np.array_equal(read_dataset(out).stress, before.stress)  # its picture is another file
    assert len(list(Path(tmp_path).glob("*.png"))) >= 1


def test_a_table_of_rich_takes_names_as_text():
    from multiscale.surrogate.report import _cell, _say

    console = Console(width=80, record=True)
    console.print(_cell("[red]name[/]"))
    _say(console, "[bold]line\x1b[0m")
    assert "[red]name[/]" in console.export_text(clear=False)
    assert r"[bold]line\x1b[0m" in console.export_text()
