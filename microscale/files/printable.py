"""Texts of files and flags made safe to print: nothing in them steers a terminal, a table or a picture."""

from __future__ import annotations

LONGEST = 300
"""Characters shown of a text: more is of no use in a line."""


def printable(text: object, longest: int = LONGEST) -> str:
    r"""Return a text in which every character that does not print is written as its escape.

    Control and escape characters, marks that turn the direction of writing and bytes that are no text (which
    a file name may hold) become ``\x1b``, ``\u202e``, ``\udcff``. Nothing that is left moves a cursor.

    Args:
        text: Anything; its ``str`` is taken.
        longest: Characters kept; the rest is three dots.
    """
    shown = str(text)
    shown = shown if len(shown) <= longest else shown[: longest - 3] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def drawable(text: object, longest: int = LONGEST) -> str:
    """Return a text as matplotlib draws it letter by letter: no formulas, and no name that hides a legend."""
    shown = printable(text, longest).replace("$", r"\$")
    return "\u200a" + shown if shown.startswith("_") else shown  # a leading underscore leaves a legend out
