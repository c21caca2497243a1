"""Write a learnt law as source for another code, with what belongs to it, into a folder."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from microscale.errors import InputError
from microscale.files.documents import read_document
from microscale.files.one_writer import one_writer
from microscale.files.printable import printable
from microscale.files.whole_file import write_json, write_whole
from multiscale.export.facts import facts
from multiscale.export.source import HOSTS, source_of
from multiscale.export.units import UNITS, UnitSystem
from multiscale.surrogate.recurrent.architecture import Precision
from multiscale.surrogate.recurrent.law import architecture_of
from multiscale.surrogate.shipped import weights_file
from multiscale.surrogate.store import Card, read_surrogate

Host = Literal["c", "vumat", "umat"]
IDENTIFIER = r"[a-z][a-z0-9_]{0,19}"
"""Short enough for a line of Fortran."""
FILES: dict[Host, dict[str, str]] = {
    "c": {"c_driver.c.j2": "_driver.c"},
    "vumat": {"vumat.f.j2": "_vumat.f", "vumat_driver.f90.j2": "_driver.f90"},
    "umat": {"umat.f.j2": "_umat.f", "umat_driver.f90.j2": "_driver.f90"},
}
"""Templates and ends of names of what a host gets beside source, header, README and record."""


def export_law(
    weights: str | Path,
    to: Host,
    out: Path,
    *,
    units: UnitSystem = "mm-us-GPa",
    precision: Precision = "single",
    name: str | None = None,
) -> list[Path]:
    """Write a learnt law as source; each file appears whole or not at all, the record last.

    Args:
        weights: A safetensors file, or the name of shipped weights.
        to: Interface: ``c``, or Abaqus' ``vumat`` or ``umat``.
        out: Folder of the files.
        units: Of the other code.
        precision: Of the products of the network.
        name: What functions and files begin with; by default the name of the weights.

    Returns:
        The files.

    Raises:
        InputError: There are no such weights, or of a kind that has no source, or a name or file cannot be.
    """
    file = weights_file(weights)
    arrays, card = read_surrogate(file)
    _require_recurrent(card, file)
    told = facts(card, units) | {"weights": printable(file.name), "precision": precision, "host": to}
    told |= {name: told[name].replace("*/", "* /") for name in ("material", "weights")}  # in comments of C
    told["name"] = _identifier(file.stem if name is None else name)
    texts = _filled(to, told)
    defines = _defines(told["name"], units, precision)
    texts[f"{told['name']}.c"] = source_of(arrays, card, to, _head(told), defines)
    _write(out, texts, told)
    return [out / place for place in (*texts, _record_of(told))]


def _require_recurrent(card: Card, file: Path) -> None:
    if card.kind != "recurrent":
        raise InputError(
            f"{printable(file)} holds a surrogate of kind '{card.kind}', expected 'recurrent': others map "
            "whole histories of a known duration, and are not exported; train one with --model recurrent"
        )
    if architecture_of(card).texture:
        raise InputError(
            f"{printable(file)} is told the texture of a point, which no interface hands over so far: "
            "expected a surrogate of one texture"
        )


def _identifier(name: str) -> str:
    found = re.sub(r"[^a-z0-9_]", "_", name.lower())
    if not re.fullmatch(IDENTIFIER, found):
        raise InputError(
            f"name = '{printable(name)}', expected a letter and up to 19 letters, digits or underscores: "
            "functions begin with it; give another --name"
        )
    return found


def _defines(name: str, units: UnitSystem, precision: Precision) -> dict[str, object]:
    """Return what the interfaces are compiled with."""
    system = UNITS[units]
    defines: dict[str, object] = {
        "LAW(function)": f"{name}_##function",
        "UNIT_OF_TIME": f"{system.time!r} /* us */",
        "UNIT_OF_STRESS": f"{system.stress!r} /* of 1 GPa */",
    }
    return defines | ({"SINGLE": ""} if precision == "single" else {})


def _head(told: dict[str, Any]) -> str:
    name = told["name"]
    return f"""\
/* {name}: {told["material"]}.
 * Made by multiscale {told["version"]} of {told["weights"]}; {name}_README.md tells the rest. */
#include "{name}.h"
"""


def _filled(to: Host, told: dict[str, Any]) -> dict[str, str]:
    """Return the text of files that are templates, by their names."""
    templates = Environment(
        loader=FileSystemLoader(HOSTS),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    name = told["name"]
    files = {"header.h.j2": f"{name}.h", "README.md.j2": f"{name}_README.md"}
    files |= {template: f"{name}{end}" for template, end in FILES[to].items()}
    words = told | {"NAME": name.upper()}
    return {place: templates.get_template(template).render(words) for template, place in files.items()}


def _record_of(told: dict[str, Any]) -> str:
    return f"{told['name']}_record.json"


def _write(out: Path, texts: dict[str, str], told: dict[str, Any]) -> None:
    record = out / _record_of(told)
    with one_writer(out, out / f".{told['name']}.lock"):
        _require_ours(out, record, texts)
        for place, text in texts.items():
            write_whole(out / place, text.encode())
        sums = {place: _sha256(text.encode()) for place, text in texts.items()}
        write_json(record, told | {"files_sha256": sums})


def _require_ours(out: Path, record: Path, texts: dict[str, str]) -> None:
    """Refuse to write over what no export wrote, or beside files of this name for another host."""
    written = _recorded(record)
    for place, text in texts.items():
        there, ours = out / place, (written.get(place), _sha256(text.encode()))
        if there.is_file() and _sha256(there.read_bytes()) not in ours:
            raise InputError(
                f"{printable(there)} is there, and not as an export left it: choose another --out or --name"
            )
    if other := sorted(written.keys() - texts.keys()):
        raise InputError(
            f"{printable(out)} holds the same name for another code ({printable(other[0])}), and some files "
            "would be of one and some of the other: choose another --out or --name"
        )


def _recorded(record: Path) -> dict[str, Any]:
    """Return the hashes of the files of an export that was here before, by name."""
    if not record.exists():
        return {}
    found = read_document(record, "record of an export", "choose another --out or --name")
    sums = found.get("files_sha256") if isinstance(found, dict) else None
    return sums if isinstance(sums, dict) else {}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
