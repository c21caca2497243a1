"""Generate data sets: resumable after a kill at any moment, on any number of ranks, always to the same file.

Paths are worked off in blocks. A finished block is a small data-set file of its own in the folder
``<out>.parts``, written under another name, flushed and renamed: it is there whole or not at all. When all
blocks are there, rank 0 joins them, in order, into ``<out>`` (written and renamed the same way) and removes
the folder.
A run that is started again with the same parameters finds its blocks and goes on; with others it refuses.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from microscale.data.dataset import ARRAYS, blocks_of, check_file, parts_folder, read_part, read_provenance
from microscale.data.law_of_paths import LawOfPaths
from microscale.data.schema import Provenance
from microscale.data.shared_grains import SharedGrains
from microscale.data.writing import write_file
from microscale.errors import ConvergenceError, DeformationError, InputError
from microscale.files.documents import read_document
from microscale.files.printable import printable
from microscale.files.schema import validated
from microscale.files.whole_file import write_json
from microscale.inputs.memory import require_disk, require_memory
from microscale.inputs.numbers import Count, check_fields
from microscale.inputs.options import named
from microscale.law import ConstitutiveLaw, drive
from microscale.paths.protocols import StretchPath
from microscale.tensors import FloatArray, to_mandel

BLOCK = 32
"""Paths of a block: what a kill can cost each rank."""
BYTES_A_SAMPLE = 300
"""While a block is driven, at least."""
MAX_ATTEMPTS = 20
"""A law that fails on so many draws of one path has a defect that drawing again does not cure."""

Report = Callable[[int, int], None]
"""Called with the numbers of finished paths and of all paths."""


@runtime_checkable
class Paths(Protocol):
    """Paths that a law is driven along: those of a protocol, or of simulations."""

    @property
    def steps(self) -> int:
        """Steps of a path."""

    def path(self, index: int, attempt: int = 0) -> StretchPath:
        """Return a path, or its replacement where a law failed on it."""

    def provenance(self) -> dict[str, Any]:
        """Return what determines the paths, as plain values."""


@dataclass(frozen=True)
class Generation:
    """What is to be generated.

    Attributes:
        law: The law whose stress is recorded, or another one for each few paths.
        law_record: Plain values that identify the law and its parameters.
        paths: The strain paths.
        count: Number of paths.
        versions: Versions of the packages that make the numbers; kept in the file, not compared.
        keep_every: Samples kept: every so many steps of a path.
    """

    law: ConstitutiveLaw | LawOfPaths
    law_record: dict[str, Any]
    paths: Paths
    count: Count
    versions: dict[str, str]
    keep_every: Count = 1

    def __post_init__(self) -> None:
        """Refuse an empty set, and samples that miss the end of a path."""
        with named(count="paths"):
            check_fields(self)
        if self.paths.steps % self.keep_every:
            raise InputError(
                f"keep_every = {self.keep_every}, expected a number that divides {self.paths.steps} steps"
            )

    @property
    def provenance(self) -> dict[str, Any]:
        """What determines every number of the set, and the versions."""
        paths = {**self.paths.provenance(), "count": self.count}
        if self.keep_every > 1:
            paths["keep_every"] = self.keep_every
        if isinstance(self.law, LawOfPaths) and self.law.textures_each > 1:
            paths["textures_each"] = self.law.textures_each
        values = {"law": self._law_record, "paths": paths, "versions": self.versions}
        return dict(json.loads(json.dumps(values)))  # as it will be read back

    @cached_property
    def _law_record(self) -> dict[str, Any]:
        if isinstance(self.law, LawOfPaths):
            return {**self.law_record, **self.law.record(self.count)}
        return self.law_record

    @property
    def rows(self) -> dict[str, tuple[int, ...]]:
        """Shapes of a path's part of each array."""
        samples = self.paths.steps // self.keep_every + 1
        rows: dict[str, tuple[int, ...]] = dict.fromkeys(ARRAYS, ())
        rows |= {"times": (samples,), "stretch": (samples, 6), "stress": (samples, 6)}
        if isinstance(self.law, LawOfPaths):
            rows |= self.law.rows()
        return rows


def generate(job: Generation, out: Path, rank: int = 0, size: int = 1, report: Report | None = None) -> bool:
    """Work off this rank's share of the blocks; call :func:`finish` when all ranks have.

    Args:
        job: What is to be generated.
        out: The data-set file.
        rank: This rank.
        size: Number of ranks.
        report: Progress, over all ranks.

    Returns:
        Whether there was anything to do: False where ``out`` is there already, with these parameters.

    Raises:
        InputError: ``out`` or its parts are foreign, damaged or of other parameters, or the disk is full.
    """
    if out.exists():
        _refuse_other(job, read_provenance(out), out)
        check_file(out)
        if rank == 0:  # a kill between joining and tidying leaves the parts
            shutil.rmtree(parts_folder(out), ignore_errors=True)
        return False
    samples = job.paths.steps // job.keep_every + 1
    require_memory(BYTES_A_SAMPLE * min(job.count, BLOCK) * job.paths.steps, steps=job.paths.steps)
    numbers = job.count * sum(math.prod(row) for row in job.rows.values())
    require_disk(8 * numbers, out.parent, paths=job.count, samples_of_each=samples)
    parts = _claim_parts(job, out)
    blocks = list(blocks_of(job.count, BLOCK))
    if report is not None:
        report(finished(job, out), job.count)
    for block in shared(blocks, rank, size):
        part = parts / f"{block.start:09d}.h5"
        if part.exists():
            continue
        write_file(part, stress_block(job, block), job.provenance, scratch=parts)
        if report is not None:
            report(finished(job, out), job.count)
    return True


def shared(blocks: Sequence[range], rank: int, size: int) -> list[range]:
    """Return the blocks in the order in which a rank looks for work: its own, then what others would do last.

    A rank that started late or runs on a slower core is helped. Two may do one block at the very end; both
    write the same bits.
    """
    others = [block for k, block in enumerate(blocks) if k % size != rank]
    return [*blocks[rank::size], *reversed(others)]


def finished(job: Generation, out: Path) -> int:
    """Return about how many paths are finished, over all ranks."""
    return min(job.count, BLOCK * sum(1 for _ in parts_folder(out).glob("0*.h5")))


def finish(job: Generation, out: Path) -> None:
    """Join the parts into the data set; on one rank, when all blocks are there.

    Raises:
        InputError: A part is damaged (it is removed; run again), or the disk is full.
    """
    parts = _claim_parts(job, out)
    rows = job.rows
    for _ in _blocks(job, parts, rows):
        pass  # all of it is sound before anything is written
    whole = {name: ((job.count, *row), _column(job, parts, name, row)) for name, row in rows.items()}
    write_file(out, whole, job.provenance, parts)
    shutil.rmtree(parts, ignore_errors=True)  # who finds the whole file removes what is left


def stress_block(job: Generation, block: range) -> dict[str, Any]:
    """Return the arrays of a data set for some paths."""
    if not isinstance(job.law, LawOfPaths):
        return _driven(job, job.law, block)
    found: list[dict[str, Any]] = []
    for share in job.law.shares(block):
        law = job.law.law(share)
        found.append(_driven(job, law, job.law.paths(share)) | job.law.arrays(law, len(share)))
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def _driven(job: Generation, law: ConstitutiveLaw | SharedGrains, block: range) -> dict[str, Any]:
    """Return the arrays of a law along some paths; those on which it fails are redrawn.

    Grains that several polycrystals share give as many stresses of each path, one after another.
    """
    drawn = [job.paths.path(index) for index in block]
    attempt = np.zeros(len(block), dtype=np.int64)
    stress: list[FloatArray | None] = list(_drive(law, drawn))
    while left := [k for k, history in enumerate(stress) if history is None]:
        for k in left:
            attempt[k] += 1
            if attempt[k] > MAX_ATTEMPTS:
                raise ConvergenceError(f"path {block[k]}: the law failed on {MAX_ATTEMPTS} draws of it")
            drawn[k] = job.paths.path(block[k], int(attempt[k]))
        for k, history in zip(left, _drive(law, [drawn[k] for k in left]), strict=True):
            stress[k] = history
    rejected = np.array([path.rejected for path in drawn], dtype=np.int64)
    kept = slice(None, None, job.keep_every)
    sigma = np.concatenate([history[:, kept] for history in stress if history is not None])
    of_paths = {
        "times": np.stack([path.times[kept] for path in drawn]),
        "stretch": to_mandel(np.stack([path.stretch[kept] for path in drawn])),
        "attempt": attempt,
        "rejected": rejected,
    }
    each = len(sigma) // len(drawn)
    repeated = {name: np.repeat(array, each, axis=0) for name, array in of_paths.items()}
    return repeated | {"stress": to_mandel(0.5 * (sigma + np.swapaxes(sigma, -1, -2)))}


def _drive(law: ConstitutiveLaw | SharedGrains, paths: Sequence[StretchPath]) -> list[FloatArray | None]:
    """Stresses (each, samples, 3, 3) of paths, None where a law fails; others are driven at most twice."""
    if len(paths) > 1 and not law.worth_batching:
        return [history for path in paths for history in _drive(law, [path])]
    try:
        stretch, times = np.stack([path.stretch for path in paths]), np.stack([path.times for path in paths])
        if isinstance(law, SharedGrains):
            found = law.histories(times, stretch)
        else:
            found = drive(law, stretch, times)[:, None]
        return [history if np.isfinite(history).all() else None for history in found]
    except (ConvergenceError, DeformationError):
        if len(paths) == 1:
            return [None]
    return [history for path in paths for history in _drive(law, [path])]


def _claim_parts(job: Generation, out: Path) -> Path:
    """The folder of finished blocks, with a note of what they are blocks of."""
    parts = parts_folder(out)
    note = parts / "parameters.json"
    try:
        parts.mkdir(parents=True, exist_ok=True)
        if not note.exists():
            if any(parts.glob("*.h5")):
                raise InputError(
                    f"{parts} holds parts of unknown parameters; remove it or choose another --out"
                )
            write_json(note, job.provenance)
    except OSError as error:
        raise InputError(f"cannot write {parts}: {error.strerror}; choose another --out") from error
    remedy = f"remove {parts} or choose another --out"
    found: dict[str, Any] = read_document(note, "note of parameters", remedy)
    validated(Provenance, found, f"note of parameters {note}", remedy)
    _refuse_other(job, found, parts)
    return parts


def _refuse_other(job: Generation, found: dict[str, Any], where: Path) -> None:
    """Raise unless the parameters found are those of this job."""
    wanted, there = (
        _flat({group: made.get(group) for group in ("law", "paths")}) for made in (job.provenance, found)
    )
    # A hash says least, so it is named only where nothing else differs.
    for key in sorted({*wanted, *there}, key=lambda key: (key == "law hash", key)):
        if wanted.get(key) != there.get(key):
            raise InputError(
                f"{where} was made with {key} = {_short(there.get(key))}, "
                f"asked is {_short(wanted.get(key))}; choose another --out, or the file's parameters"
            )


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested parameters by one name each: the words that lead to it."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        inner = _flat(value, f"{prefix}{name} ") if isinstance(value, dict) else {f"{prefix}{name}": value}
        flat |= inner
    return flat


def _short(value: Any) -> str:
    return printable(json.dumps(value), 60)


def _column(job: Generation, parts: Path, name: str, row: tuple[int, ...]) -> Iterator[NDArray[Any]]:
    """One array of one block after another."""
    for part in _blocks(job, parts, {name: row}):
        yield part[name]


def _blocks(
    job: Generation, parts: Path, rows: Mapping[str, tuple[int, ...]]
) -> Iterator[dict[str, NDArray[Any]]]:
    """Arrays of one block after another; ``rows`` are the shapes of a path's parts of them."""
    for block in blocks_of(job.count, BLOCK):
        file = parts / f"{block.start:09d}.h5"
        try:
            yield read_part(file, {name: (len(block), *row) for name, row in rows.items()})
        except InputError as error:
            file.unlink(missing_ok=True)
            raise InputError(f"{error}; it was removed, run the same command again") from error
