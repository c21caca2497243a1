"""A folder in which files are kept from run to run holds those of one study: of the same settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from microscale.errors import InputError
from microscale.files.documents import read_document
from microscale.files.whole_file import write_json

SETTINGS = "settings.json"


def of_one_study(output: Path, settings: Mapping[str, Any]) -> None:
    """Keep the settings of a study beside its files, which are kept, or refuse others.

    Args:
        output: Folder of the study; it is made.
        settings: Plain values of what the files that are kept depend on.

    Raises:
        InputError: The folder holds files of other settings, or cannot be written.
    """
    file = output / SETTINGS
    now = json.loads(json.dumps(settings))  # as they read back
    if file.exists() and (before := _read(file)) != now:
        differ = [name for name in dict.fromkeys((*now, *before)) if now.get(name) != before.get(name)]
        held, asked = (", ".join(f"{name} {which.get(name)}" for name in differ) for which in (before, now))
        raise InputError(f"{output} holds a study of {held}, asked for {asked}: choose another --output")
    output.mkdir(parents=True, exist_ok=True)
    write_json(file, settings)


def _read(file: Path) -> dict[str, Any]:
    remedy = "remove it if the files beside it are of the settings asked for, or choose another --output"
    found = read_document(file, "settings of a study", remedy)
    if not isinstance(found, dict):
        raise InputError(f"settings of a study {file} are no table; {remedy}")
    return found
