"""The first line of a program, said before its libraries load: finite elements take seconds."""

from __future__ import annotations

import os
from collections.abc import Sequence

#: Where launchers leave the rank of a process: asked for before MPI itself is loaded.
RANKS = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID")
#: Flags whose answer is all that is wanted.
ASKING = ("--help", "-h", "--version")


def starting(program: str, words: Sequence[str]) -> None:
    """Say at once what is starting, on the first rank; nothing where only help or the version is asked for.

    Args:
        program: Its name.
        words: Its command line.
    """
    rank = next((os.environ[name] for name in RANKS if name in os.environ), "0")
    if rank == "0" and not set(words) & set(ASKING):
        print(f"{program}: loading libraries", flush=True)
