"""How words of a command line become values, more strictly than cyclopts reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, get_args

import cyclopts

WithMinus = Annotated[str, cyclopts.Parameter(allow_leading_hyphen=True)]
"""A text that may begin with a minus, as axes and coordinates do."""
WHOLE = re.compile(r"[+-]?(\d+\.0*|0x[0-9a-f]+|0o[0-7]+|0b[01]+|\d[\d_]*)", re.IGNORECASE)
"""Words that are whole numbers; cyclopts would round the others."""
LONGEST = 4000
"""Digits that Python turns into a number without being told to."""


def read_words(kind: Any, words: Sequence[Any]) -> Any:
    """Return the value of a flag; a converter of cyclopts.

    Args:
        kind: Its type.
        words: What stands behind it.

    Raises:
        ValueError: A word is empty, or not a whole number where one is expected.
    """
    whole = _is_whole(kind)
    for word in (token.value for token in words):
        if not word.strip():
            raise ValueError("empty, expected a value")
        if whole and not (WHOLE.fullmatch(word) and len(word) < LONGEST):
            raise ValueError(f'"{word[:40]}", expected a whole number')
    return cyclopts.convert(kind, words)


def _is_whole(kind: Any) -> bool:
    """Tell whether a type is that of whole numbers, or of some, or of none."""
    return kind is int or any(_is_whole(part) for part in get_args(kind))
