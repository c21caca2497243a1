"""The cycle line and the energy ledger say what the simulation holds, in the right amount."""

import csv
import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from microscale.errors import InputError
from multiscale.dynamics.energy import Energy
from multiscale.results.ledger import LedgerWriter
from multiscale.run.progress import CycleLine, cycle_line


def at(step, steps=1000):
    """A simulation of one microsecond after ``step`` steps of ``steps``."""
    energy = Energy(0.8, 0.15, 0.04, 0.0, 0.003, 0.002, 0.0, 1.0)
    return SimpleNamespace(
        time=step / steps, dt=1.0 / steps, step_count=step, limiting_cell=42, energy=energy
    )


def shown(terminal, width=200):
    text = io.StringIO()
    console = Console(file=text, force_terminal=terminal, soft_wrap=True, width=width)
    with CycleLine(1.0, 0, console) as line:
        for step in range(1001):
            line(at(step))
    return text.getvalue()


def test_plain_lines_name_every_quantity():
    lines = shown(terminal=False).splitlines()
    assert 20 <= len(lines) <= 23
    for word in ("step   1000", "t      1 us", "kinetic  80.0 %", "error -0.500 %", "ETA 0:00"):
        assert word in lines[-1]


@pytest.mark.parametrize("seconds", [None, 3.0, 86399.0, 1e5, 1e9])
def test_a_line_fits_80_columns(seconds):
    energy = Energy(1e9, 1e-9, 0.0, 0.0, 0.0, 0.0, -1.0, 1.0)
    late = SimpleNamespace(time=123456.789, dt=1e-3, step_count=10_000_000, energy=energy)
    line = cycle_line(late, seconds)
    assert len(line) < 80
    assert "error" in line
    assert "ETA" in line


def test_terminal_is_redrawn_in_place():
    for width in (200, 80, 30):  # a narrow one cuts the line, and does not wrap it
        text = shown(terminal=True, width=width)
        assert "\x1b[" in text
        assert text.count("\n") <= 2


def test_other_ranks_are_silent(capsys):
    with CycleLine(1.0, 1) as line:
        line(at(1000))
    assert capsys.readouterr().out == ""


def test_ledger_row_balances(tmp_path):
    ledger = LedgerWriter(tmp_path / "energy.csv", rank=0)
    for step in range(3):
        ledger(at(step))
    with ledger.path.open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [0, 1, 2]
    total = sum(
        float(rows[2][f"{name}_J"]) for name in ("kinetic", "internal", "contact", "hourglass", "viscous")
    )
    assert total == pytest.approx(1.0 + float(rows[2]["error_percent"]) / 100.0)
    assert ledger.largest_error == pytest.approx(0.005)


def test_ledger_in_a_missing_folder_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="choose another folder"):
        LedgerWriter(tmp_path / "nowhere" / "energy.csv", rank=0)
