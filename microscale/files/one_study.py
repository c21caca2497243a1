"""A folder in which files are kept from run to run holds those of one study: of the same settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from microscale.errors import InputError
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
    if file.exists() and (before := json.loads(file.read_text())) != now:
        names = dict.fromkeys((*now, *before))
        other = ", ".join(f"{name} {before.get(name)}" for name in names if now.get(name) != before.get(name))
        raise InputError(f"{output} holds a study of {other}: choose another --output")
    output.mkdir(parents=True, exist_ok=True)
    write_json(file, settings)
