"""Meshes of gmsh's .msh files, formats 2.2 and 4.1, text and binary, read without gmsh.

gmsh runs a file that does not begin as a mesh as a script, and reads options beside it, so a file of a
stranger is not given to it. Format: the chapters "MSH file format" of gmsh's manual.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from meshes import msh2, msh4
from meshes.blocks import Blocks, shown
from microscale.errors import InputError

HEADER = re.compile(rb"\$MeshFormat[ \t]*\r?\n[ \t]*(\d[\d.]*)[ \t]+(\d+)[ \t]+(\d+)[ \t]*\r?\n")
MARK = re.compile(rb"\s*\$([A-Za-z]{1,40})[ \t]*\r?\n")
NAME = re.compile(r'\s*([0-3])\s+(\d{1,9})\s+"(.*)"\s*')
ONE = {b"\x01\x00\x00\x00": "<", b"\x00\x00\x00\x01": ">"}

#: Sections that a mesh must have; all others but these and $PhysicalNames, $Entities are passed over.
NEEDED = ("Nodes", "Elements")
PARTITIONED = "PartitionedEntities"


@dataclass(frozen=True)
class _Format:
    """Version, "<" or ">" for binary and "" for text, and where the header ends."""

    version: str
    order: str
    end: int


def read_msh(path: Path) -> Blocks:
    """Read a .msh file.

    Raises:
        InputError: It cannot be read, does not begin as a mesh, is of another format, or damaged.
    """
    data = _bytes_of(path)
    form = _format(data)
    sections = _sections(data, form.end)
    for name in NEEDED:
        if name not in sections:
            raise InputError(f"there is no section ${name}: the file is cut off or no mesh")
    if PARTITIONED in sections:
        raise InputError("the mesh is partitioned, expected one without partitions: save it without")
    read = msh2.read if form.version == "2.2" else msh4.read
    return read(sections, _names(sections.get("PhysicalNames", b"0")), form.order)


def _bytes_of(path: Path) -> bytes:
    """Return what is in a regular file that fits into memory; others, such as pipes, are not waited for."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError("it is not a regular file, expected a gmsh .msh file")
            memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
            if status.st_size > memory:
                raise InputError(
                    f"it has {status.st_size} bytes, expected fewer than this machine's memory, {memory}"
                )
            return file.read()
    except FileNotFoundError as error:
        raise InputError("it does not exist, expected a gmsh .msh file") from error
    except InputError:
        raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"it cannot be read ({why}), expected a gmsh .msh file") from error


def _format(data: bytes) -> _Format:
    match = HEADER.match(data)
    if match is None:
        raise InputError(
            "it does not begin with the lines $MeshFormat and a version, expected a mesh saved by gmsh in "
            "format 4.1 or 2.2; scripts and other formats are not read: open it in gmsh and save it as .msh"
        )
    version, binary, size = (text.decode() for text in match.groups())
    if version not in ("2.2", "4.1") or binary not in ("0", "1") or size != "8":
        raise InputError(
            f"it is of format {version[:20]} (kind {binary[:20]}, numbers of {size[:20]} bytes), expected "
            "4.1 or 2.2 (0 text or 1 binary, 8 bytes): save it again with gmsh"
        )
    end, order = match.end(), ""
    if binary == "1":
        order, end = ONE.get(data[end : end + 4], ""), end + 4
        if not order:
            raise InputError("the binary number one of the header is damaged")
    closing = re.compile(rb"\s*\$EndMeshFormat").match(data, end)
    if closing is None:
        raise InputError("the header does not end with $EndMeshFormat: the file is damaged")
    return _Format(version, order, closing.end())


def _sections(data: bytes, at: int) -> dict[str, bytes]:
    """Return what stands between $Name and $EndName, by name."""
    sections: dict[str, bytes] = {}
    while data[at : at + 100].strip() or data[at:].strip():
        mark = MARK.match(data, at)
        if mark is None:
            raise InputError(f"byte {at} begins no section $Name: the file is damaged")
        name, closing = mark[1].decode(), b"$End" + mark[1]
        end = data.find(closing, mark.end())
        if end < 0:
            raise InputError(f"section ${name} has no end: the file is cut off")
        if name in sections and name in (*NEEDED, "Entities", "PhysicalNames"):
            raise InputError(f"there are two sections ${name}, expected one")
        sections[name], at = data[mark.end() : end], end + len(closing)
    return sections


def _names(section: bytes) -> dict[tuple[int, int], str]:
    """Return the names of the physical groups by dimension and tag."""
    count, *lines = section.decode("utf-8", errors="backslashreplace").strip().split("\n")
    names: dict[tuple[int, int], str] = {}
    for line in lines:
        match = NAME.fullmatch(line)
        if match is None or (int(match[1]), int(match[2])) in names:
            raise InputError(f"the physical name {shown(line)} is no dimension, new number and name")
        names[int(match[1]), int(match[2])] = match[3]
    if count.strip() != str(len(names)):
        raise InputError(f"section $PhysicalNames claims {shown(count)} names and has {len(names)}")
    return names
