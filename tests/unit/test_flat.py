"""Options in dataclasses become keywords: of a call, of its checks, of its help and of the command line."""

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from cyclopts import App

from microscale.errors import InputError
from microscale.inputs.flat import flat
from microscale.inputs.numbers import Count, Speed


@dataclass(frozen=True, kw_only=True)
class Paint:
    """Paint.

    Attributes:
        colour: What it looks like,
            from afar.
        coats: Coats of it.
    """

    colour: Literal["red", "blue"] = "red"
    coats: Count | None = None


@flat
def ride(place: str, *, speed: Speed = 20.0, paint: Paint, out: Path = Path("x")) -> tuple:
    """Ride.

    Args:
        place: Where to.
        speed: How fast, m/s.
        out: A folder.

    Returns:
        What was given.
    """
    return place, speed, paint, out


def test_fields_are_keywords_with_their_defaults():
    assert ride("home") == ("home", 20.0, Paint(), Path("x"))
    assert ride("home", coats=2, speed=1.0) == ("home", 1.0, Paint(coats=2), Path("x"))
    assert [*inspect.signature(ride).parameters] == ["place", "speed", "colour", "coats", "out"]


@pytest.mark.parametrize(
    ("given", "message"),
    [({"coats": 0}, "coats = 0, expected at least 1"), ({"speed": -1.0}, "speed = -1.0 m/s, expected a pos")],
)
def test_they_are_checked(given, message):
    with pytest.raises(InputError, match=message):
        ride("home", **given)


def test_what_none_takes_is_refused():
    with pytest.raises(TypeError, match="unexpected keyword argument 'paint'"):
        ride("home", paint=Paint())


def test_help_and_flags_are_made_of_the_same_texts(capsys):
    assert (
        "    colour: What it looks like,\n        from afar.\n    coats: Coats of it.\n\nReturns"
        in ride.__doc__
    )
    app = App("ride")
    app.default(ride)
    given = ["home", "--colour", "blue", "--coats", "3"]
    assert app(given, result_action="return_value")[2] == Paint(colour="blue", coats=3)
    app(["--help"], result_action="return_value")
    shown = " ".join(capsys.readouterr().out.split())
    assert "--coats INT Coats of it." in shown
    assert "What it looks like, from afar. [choices: red, blue]" in shown
