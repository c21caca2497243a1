"""Checkpoints: all a restart needs in one HDF5 file, by the input mesh's numbers of cells and nodes.

The file does not depend on how the mesh was distributed, so it restarts on any number of ranks. It is
written under another name, flushed to the disk and renamed: a run killed at any moment leaves the last good
one. Arrays go through rank 0 in blocks, so no rank ever holds the whole state; each rank reads only the
chunks that hold rows of its own. Arrays and metadata carry check sums: damage is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from microscale.errors import InputError
from microscale.files.documents import parse_json
from microscale.files.hdf5 import numbers_of, opened, text_of
from microscale.files.printable import printable
from microscale.files.schema import Record, Strict, validated
from microscale.tensors import FloatArray
from multiscale.dynamics.saved_state import SavedState
from multiscale.parallel.gather import Gather, IndexArray, degree_of_freedom_labels
from multiscale.parallel.ranks import raise_shared, shared_errors
from multiscale.results.recorded import Recorded
from multiscale.run.checkpoint_file import FORMAT, CheckpointFile, chunk_rows
from multiscale.run.same_run import Origin

REMEDY = "restart from another, or from the start"


class _Found(Record):
    """The origin of a checkpoint, as :class:`multiscale.run.same_run.Origin` has it."""

    inputs: dict[str, Any]
    element: str
    law: str
    mesh: str


class _Header(Strict):
    """What a checkpoint holds besides arrays."""

    origin: _Found
    clock: dict[str, float]
    record: dict[str, float | None]


@dataclass(frozen=True)
class _Rows:
    """This rank's rows of the arrays of one kind, sorted by their labels in the input mesh."""

    labels: IndexArray
    order: NDArray[np.int64]
    count: int

    def between(self, first: int, last: int) -> slice:
        """Which of the sorted rows have labels in [first, last)."""
        return slice(*np.searchsorted(self.labels, (first, last)))


def write_checkpoint(path: Path, simulation: Recorded, origin: Origin, record: Mapping[str, float]) -> None:
    """Write a checkpoint of ``simulation``; collective.

    Args:
        path: File to write or replace; the unfinished one beside it has the suffix ``.unfinished``.
        simulation: The simulation, between two steps.
        origin: What the run is of; a restart must agree with it.
        record: Numbers of the record of the run that a restart goes on from.

    Raises:
        InputError: The file cannot be written; the one before is untouched. On every rank.
    """
    comm = simulation.mesh.comm
    with shared_errors(comm):
        state = simulation.saved_state()
    rows = {kind: _sorted_rows(comm, labels) for kind, labels in _labels(simulation).items()}
    booked = comm.gather(state.booked)
    file = None
    if booked is not None:
        header = {"origin": origin.content, "clock": state.clock, "record": dict(record)}
        layout = {name: (rows[kind].count, *array.shape[1:]) for kind, name, array in _arrays(state)}
        file = CheckpointFile(path, header, np.array(booked), layout)
    for kind, kind_rows in rows.items():
        arrays = {name: array for which, name, array in _arrays(state) if which == kind}
        _send(comm, kind_rows, arrays, file)
    raise_shared(comm, file.finish() if file else None)


def _send(comm: MPI.Comm, rows: _Rows, arrays: Mapping[str, FloatArray], file: CheckpointFile | None) -> None:
    """Bring arrays to the file of rank 0, block by block in the order of their labels; collective."""
    size = min(chunk_rows(array.shape[1:], BLOCK_BYTES) for array in arrays.values())
    for first in range(0, rows.count, size):
        here = rows.between(first, first + size)
        gather = Gather(comm, rows.labels[here])
        for name, array in arrays.items():
            block = gather(array[rows.order[here]])
            if file is not None:
                file.write(name, gather.labels, block)


#: Size of a block of an array; rank 0 holds about three of them at once.
BLOCK_BYTES = 2**24


def read_checkpoint(path: Path, simulation: Recorded, origin: Origin) -> dict[str, float]:
    """Put a simulation, set up as the one of the checkpoint was, where that one was; collective.

    Returns:
        The numbers of the record that :func:`write_checkpoint` was given.

    Raises:
        InputError: The file is missing, damaged, no checkpoint, or of another law, mesh, element or input. On
            every rank.
    """
    comm = simulation.mesh.comm
    rows = {kind: _sorted_rows(comm, labels) for kind, labels in _labels(simulation).items()}
    with shared_errors(comm):
        state = simulation.saved_state()
        with _opened(path) as file:
            header = _header(file, path, state)
            origin.require(header["origin"], path)
            for kind, name, array in _arrays(state):
                stored = numbers_of(file, name, (rows[kind].count, *array.shape[1:]), complete=False)
                _fill(array, stored, rows[kind])
            booked = _share(
                _finite(numbers_of(file, "booked", (None, len(state.booked)))[...], "booked"), comm
            )
    simulation.resume(header["clock"], booked)
    return dict(header["record"])


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    if not path.is_file():
        raise InputError(f"checkpoint {path} does not exist, expected the checkpoint.h5 of a run")
    with opened(path, "checkpoint", REMEDY) as file:
        if (found := text_of(file, "format")) != FORMAT:
            raise ValueError(f"has format '{printable(found, 60)}', expected '{FORMAT}'")
        yield file


def _header(file: h5py.File, path: Path, state: SavedState) -> dict[str, Any]:
    """Origin, clock and record of a checkpoint, of the numbers that this simulation asks for."""
    header = parse_json(text_of(file, "header"))
    validated(_Header, header, f"header of checkpoint {path}", REMEDY)
    if missing := {*state.clock} - {*header["clock"]}:
        raise ValueError(f"its clock has no {min(missing)}")
    return dict(header)


def _fill(array: FloatArray, stored: h5py.Dataset, rows: _Rows) -> None:
    """Read this rank's rows into ``array``, chunk by chunk; chunks without a row of it are skipped."""
    size = stored.chunks[0] if stored.chunks else max(1, rows.count)
    for chunk in np.unique(rows.labels // size):
        here = rows.between(chunk * size, (chunk + 1) * size)
        block = _finite(stored[chunk * size : (chunk + 1) * size], stored.name)
        array[rows.order[here]] = block[rows.labels[here] - chunk * size]


def _finite(numbers: FloatArray, name: str) -> FloatArray:
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} is not finite")
    return numbers


def _share(booked: FloatArray, comm: MPI.Comm) -> FloatArray:
    """This rank's own books; on another number of ranks rank 0 has them all."""
    if len(booked) == comm.size:
        return np.asarray(booked[comm.rank])
    total: FloatArray = booked.sum(axis=0)
    return total if comm.rank == 0 else np.zeros_like(total)


def _labels(simulation: Recorded) -> dict[str, IndexArray]:
    """Numbers in the input mesh of the nodes and cells this rank owns."""
    mesh = simulation.mesh
    owned = mesh.topology.index_map(mesh.topology.dim).size_local
    return {
        "nodes": degree_of_freedom_labels(simulation.u.function_space),
        "cells": mesh.topology.original_cell_index[:owned],
    }


def _sorted_rows(comm: MPI.Comm, labels: IndexArray) -> _Rows:
    order = np.argsort(labels)
    count = comm.allreduce(int(labels.max(initial=-1)) + 1, op=MPI.MAX)
    return _Rows(labels[order], order, count)


def _arrays(state: SavedState) -> list[tuple[str, str, Any]]:
    """Kind, name in the file and values of every array that holds something."""
    kinds = {"nodes": state.nodes, "cells": state.cells}
    return [
        (kind, f"{kind}/{name}", array)
        for kind, arrays in kinds.items()
        for name, array in arrays.items()
        if 0 not in array.shape[1:]
    ]
