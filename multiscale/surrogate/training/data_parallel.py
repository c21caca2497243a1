"""Several processes that train one network, each on a share of every batch, as torchrun starts them.

    torchrun --nproc-per-node 4 -m multiscale.cli train DATA --out WEIGHTS --batch 256

Gradients are added up, so that the result is that of one process, up to rounding.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import torch
from torch import distributed, nn

from microscale.errors import InputError
from microscale.files.one_writer import one_writer


@dataclass(frozen=True)
class Ranks:
    """The processes of a training.

    Attributes:
        rank: Of this process.
        size: Number of processes.
    """

    rank: int = 0
    size: int = 1

    def share(self, batch: torch.Tensor) -> torch.Tensor:
        """Return this process's part of a batch; it may be empty."""
        return batch[self.rank :: self.size]

    def wait(self) -> None:
        """Return when all processes have come here."""
        if self.size > 1:
            distributed.barrier()

    def add_gradients(self, module: nn.Module) -> None:
        """Replace the gradients by their sum over all processes."""
        if self.size > 1:
            for parameter in module.parameters():
                if parameter.grad is None:  # nothing of this batch fell to this process
                    parameter.grad = torch.zeros_like(parameter)
                on_host = parameter.grad.cpu()
                distributed.all_reduce(on_host)
                parameter.grad.copy_(on_host)

    def raise_first(self, error: InputError | None) -> None:
        """Raise the first process's error, if it has one, on every process."""
        if self.size > 1:
            message = [str(error) if error else None]
            distributed.broadcast_object_list(message)
            self.wait()
            error = error or (InputError(message[0]) if message[0] else None)
        if error is not None:
            raise error

    def total(self, value: float) -> float:
        """Return the sum of a number over all processes."""
        if self.size == 1:
            return value
        sum_of_all = torch.tensor([value], dtype=torch.float64)
        distributed.all_reduce(sum_of_all)
        return float(sum_of_all)


@contextmanager
def ranks_of_launcher() -> Iterator[Ranks]:
    """Join the processes torchrun has started, for a while; a process of its own otherwise."""
    given = os.environ.get("WORLD_SIZE", "1")
    if not (given.isascii() and given.isdigit()):
        raise InputError(f"WORLD_SIZE = '{given}', expected a number of processes, as torchrun sets it")
    if int(given) <= 1:
        yield Ranks()
        return
    distributed.init_process_group("gloo")
    try:
        distributed.barrier()  # the first one, if it leaves early, takes along what others connect through
        yield Ranks(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


@contextmanager
def place_of(ranks: Ranks, out: Path) -> Iterator[Path]:
    """Where a process writes: the first one beside ``out``; the others start from its checkpoint, unseen.

    The first one holds the lock of ``out`` and of what goes beside it.

    Raises:
        InputError: Another training writes there; on every process.
    """
    with ExitStack() as held:
        error = None
        if ranks.rank == 0:
            try:
                held.enter_context(one_writer(out, out.with_name(f".{out.stem}.lock")))
            except InputError as caught:
                error = caught
        ranks.raise_first(error)
        if ranks.rank == 0:
            ranks.wait()
            yield out
            return
        place = held.enter_context(_unseen(out))
        ranks.wait()
        yield place


@contextmanager
def _unseen(out: Path) -> Iterator[Path]:
    """A place like ``out``, with its checkpoint and log, that is removed in the end."""
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        place = Path(folder) / out.name
        checkpoint = out.with_suffix(".checkpoint")
        if checkpoint.exists():
            shutil.copy(checkpoint, place.with_suffix(".checkpoint"))
            if out.with_suffix(".csv").is_file():
                shutil.copy(out.with_suffix(".csv"), place.with_suffix(".csv"))
        yield place


def device_of(rank: int) -> torch.device:
    """Return the GPU of a process, if there is one; the processor otherwise."""
    if torch.cuda.is_available():
        return torch.device("cuda", rank % torch.cuda.device_count())
    return torch.device("cpu")


def has_fast_bfloat16(device: torch.device) -> bool:
    """Tell whether products in bfloat16 are several times faster than in single precision."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
