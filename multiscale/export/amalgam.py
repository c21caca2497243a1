"""One C source of many: what it includes of ours takes the place of the line that includes it, once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""Of the packages: headers are included by their names below it, or beside the file that includes them."""
INCLUDE = re.compile(r'#include "(.+)"\n')


def amalgamated(source: Path, generated: Mapping[str, str]) -> str:
    """Return a source that needs no header of ours.

    Args:
        source: A C file. Conditions around what it includes are kept, and so are guards.
        generated: Text of headers that are no files, by the names they are included by.

    Raises:
        FileNotFoundError: A header is nowhere.
    """
    return _expanded(source.resolve(), generated, set())


def _expanded(file: Path, generated: Mapping[str, str], seen: set[Path]) -> str:
    seen.add(file)

    def text_of(include: re.Match[str]) -> str:
        if include[1] in generated:
            return generated[include[1]]
        header = _found(include[1], file.parent)
        return "" if header in seen else _expanded(header, generated, seen)

    return f"/* ---- {file.name} ---- */\n" + INCLUDE.sub(text_of, file.read_text(encoding="utf-8"))


def _found(name: str, folder: Path) -> Path:
    for place in (folder / name, ROOT / name):
        if place.is_file():
            return place.resolve()
    raise FileNotFoundError(f"{name}, included in {folder}")
