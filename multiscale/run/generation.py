"""A data set made on all ranks, or without mpirun on all cores of this machine; the file is the same."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

from mpi4py import MPI

from microscale.crystals.crystal import read_crystal
from microscale.crystals.texture.families.family import TextureFamily
from microscale.data.generate import BLOCK, Generation, Paths, finish, generate
from microscale.data.law_of_paths import LawOfPaths
from microscale.data.microstructures import Microstructures
from microscale.data.textures import TexturedPolycrystals, TexturesOfPaths
from microscale.errors import InputError
from microscale.law import ConstitutiveLaw
from microscale.native.library import default_threads
from microscale.unit_cell.cell import FullFieldCell
from multiscale.laws import is_registered, make_law
from multiscale.parallel.sole_writer import sole_writer
from multiscale.results.provenance import law_record, versions
from multiscale.run.data_progress import PathProgress

FEWEST_BLOCKS = 4
"""Of a set that is worth other processes: each takes a second to start. Fewer are left to threads."""


@dataclass(frozen=True)
class DataSet:
    """What a data set is to hold, as plain values that another process can be given.

    Attributes:
        law: Name of the law.
        options: Its options, all of them; with ``textures`` those of :func:`textured_polycrystals`, with
            ``paths_per_cell`` those of :func:`microstructures`.
        paths: The strain paths, drawn or recorded.
        count: Number of paths.
        keep_every: Samples kept: every so many steps.
    """

    law: str
    options: Mapping[str, Any]
    paths: Paths
    count: int
    keep_every: int = 1

    def job(self) -> Generation:
        """Return what there is to do, with the law."""
        told = dict(self.options)
        law: ConstitutiveLaw | LawOfPaths
        if "textures" in told:
            law = textured_polycrystals(**told)
        elif "paths_per_cell" in told:
            law = microstructures(self.law, **told)
        else:
            law = make_law(self.law, **told)
        # Which textures or cells they are is recorded by the set, for each few paths.
        own = ("textures", "textures_each", "paths_per_cell", "seed") if isinstance(law, LawOfPaths) else ()
        used = {name: told[name] for name in told if name not in own}
        return Generation(law, law_record(law, used), self.paths, self.count, versions(), self.keep_every)


def textured_polycrystals(
    textures: str,
    seed: int,
    grains: int,
    crystal: Path | None,
    rate_sensitivity: float | None,
    textures_each: int = 1,
) -> TexturedPolycrystals:
    """Return the polycrystals of a family of textures.

    Args:
        textures: Name of the family.
        seed: Of its textures.
        grains: Grains of each.
        crystal: Material file; magnesium by default.
        rate_sensitivity: m of the crystal instead of its own.
        textures_each: Textures of each path.

    Raises:
        InputError: The crystal has no such textures, or blocks do not end where paths do.
    """
    material = read_crystal(crystal).with_options(rate_sensitivity)
    family = TextureFamily(textures, seed)
    family.kinds(material)  # or an InputError, before anything is written
    if textures_each == 1:
        return TexturedPolycrystals(material, grains, family)
    if BLOCK % textures_each:
        raise InputError(f"textures-each = {textures_each}, expected a number that divides {BLOCK}")
    return TexturesOfPaths(material, grains, family, textures_each)


def microstructures(law: str, paths_per_cell: int, seed: int, **options: Any) -> Microstructures:
    """Return unit cells of seeds that follow one another.

    Args:
        law: Name of the law.
        paths_per_cell: Paths of each cell.
        seed: Of the first cell.
        options: Of the law, all others.
    """

    def make(of: int) -> FullFieldCell:
        cell = make_law(law, seed=of, **options)
        assert isinstance(cell, FullFieldCell)
        return cell

    common = {name: value for name, value in options.items() if name != "crystal"}  # which each cell has
    return Microstructures(law, common, make, seed, paths_per_cell)


def make_data_set(data: DataSet, out: Path, comm: MPI.Comm = MPI.COMM_WORLD) -> bool:
    """Make a data set, or go on with one that was begun; collective.

    Returns:
        Whether there was anything to do: False where the file is there already, with these parameters.

    Raises:
        InputError: See :func:`microscale.data.generate.generate`, or another process writes the file.
    """
    there = comm.bcast(out.exists())
    processes = cores_for(data) if comm.size == 1 and not there else 1
    with one_thread() if processes > 1 else nullcontext():
        job = data.job()
        # A file that is there is complete, and only read.
        with nullcontext() if there else sole_writer(comm, out):
            with PathProgress(data.count, comm.rank) as progress:
                if processes > 1:
                    made = _on_cores(data, job, out, processes, progress)
                else:
                    made = generate(job, out, comm.rank, comm.size, progress)
            comm.Barrier()
            if comm.rank == 0 and made:
                finish(job, out)
    return made


@contextmanager
def one_thread() -> Iterator[None]:
    """Let laws that are made here, and in processes started here, take one thread each."""
    threads = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        os.environ.pop("OMP_NUM_THREADS")
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads


def cores_for(data: DataSet) -> int:
    """Return how many processes share a data set: one for each core, and at most one for each block.

    OMP_NUM_THREADS is the number of cores where it is set. A law that a script has registered is known to
    its own process only.
    """
    blocks = -(-data.count // BLOCK)
    return 1 if blocks < FEWEST_BLOCKS or is_registered(data.law) else min(default_threads(), blocks)


def _on_cores(
    data: DataSet, job: Generation, out: Path, processes: int, report: Callable[[int, int], None]
) -> bool:
    """Let other processes help until all blocks are there; one that dies is not missed, only slower."""
    context = multiprocessing.get_context("spawn")  # a fork would share MPI and threads
    others = [
        context.Process(target=_share, args=(data, out, k, processes), daemon=True)
        for k in range(1, processes)
    ]
    try:
        with _interrupts_held_back():  # which the others inherit: Ctrl-C is reported here, and ends them
            for other in others:
                other.start()
        return generate(job, out, 0, processes, report)
    finally:
        begun = [other for other in others if other.pid is not None]
        for other in begun:
            other.terminate()
        for other in begun:
            other.join()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let an interrupt wait until the end, here and in processes that are started: in those for ever."""
    resource_tracker.ensure_running()  # it would let interrupts through again as it starts
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _share(data: DataSet, out: Path, rank: int, size: int) -> None:
    """Work off a share in a process of its own, which ends with the one that asked.

    What fails here fails there too, where it is reported: who asked does all that is left.
    """
    parent = multiprocessing.parent_process()

    def report(done: int, total: int) -> None:
        if parent is not None and not parent.is_alive():
            raise SystemExit(1)

    with suppress(Exception):
        generate(data.job(), out, rank, size, report)
