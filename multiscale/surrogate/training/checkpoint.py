"""The checkpoint of a training: safetensors with a check sum over all of it, and a schema on reading."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from microscale.errors import InputError
from microscale.files.documents import parse_json
from microscale.files.schema import STRICT, NotNegative, validated
from microscale.files.whole_file import write_whole

Tensors = dict[str, torch.Tensor]
REMEDY = "remove it to start afresh"
Number = Annotated[int, Field(ge=0)]


@dataclass
class Progress:
    """Where a training is: what a checkpoint holds besides tensors."""

    __pydantic_config__ = STRICT

    epoch: Number = 0
    updates: Number = 0
    best_error: NotNegative = math.inf
    best_epoch: Number = 0
    seconds: NotNegative = 0.0


def write_checkpoint(path: Path, tensors: Tensors, progress: Progress, settings: str) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        InputError: It cannot be written.
    """
    metadata = {"progress": json.dumps(asdict(progress)), "settings": settings}
    write_whole(path, save(tensors, metadata | {"sha256": _check_sum(tensors, metadata)}))


def read_checkpoint(path: Path, settings: str) -> tuple[Tensors, Progress]:
    """Read a checkpoint of these settings.

    Raises:
        InputError: It is damaged, was changed, or is of other settings.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, RuntimeError, KeyError) as error:
        raise InputError(f"checkpoint {path} is damaged ({error}); {REMEDY}") from error
    if metadata.pop("sha256", None) != _check_sum(tensors, metadata):
        raise InputError(f"checkpoint {path} is damaged (its check sum does not fit); {REMEDY}")
    if metadata.get("settings") != settings:
        raise InputError(
            f"{path} belongs to a training with other data or settings; {REMEDY}, or repeat the command it "
            "was made with"
        )
    try:
        entries = parse_json(metadata["progress"])
    except (KeyError, ValueError) as error:
        raise InputError(f"checkpoint {path} is damaged (progress: {error}); {REMEDY}") from error
    return tensors, validated(Progress, entries, f"progress of checkpoint {path}", REMEDY)


def _check_sum(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> str:
    """Return the SHA-256 over names, types, shapes and bits of all tensors, and the texts beside them."""
    digest = hashlib.sha256(json.dumps(metadata, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def part_of(tensors: Tensors, prefix: str) -> Tensors:
    """Return the tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def weights_of(tensors: Tensors, module: nn.Module, path: Path) -> Tensors:
    """Return tensors if they are weights of a module: all of its names, shapes and types, and finite.

    Raises:
        InputError: They are not.
    """
    wanted = module.state_dict()
    for name in {*wanted, *tensors}:
        mine, found = wanted.get(name), tensors.get(name)
        alike = (
            mine is not None and found is not None and (mine.shape, mine.dtype) == (found.shape, found.dtype)
        )
        if not alike or found is None or not bool(torch.isfinite(found).all()):
            raise InputError(f"checkpoint {path} does not fit the network ('{name}'); {REMEDY}")
    return tensors


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Tensors, path: Path) -> None:
    """Put an optimiser where it was.

    Args:
        optimiser: The one that goes on.
        tensors: Its state: ``index.name`` of a parameter's entry, a number or of the parameter's shape.
        path: The checkpoint, for messages.

    Raises:
        InputError: They are not the state of such an optimiser.
    """
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        index, _, key = name.partition(".")
        known = index.isdecimal() and int(index) < len(parameters) and key
        if not known or tensor.shape not in ((), parameters[int(index)].shape):
            raise InputError(f"checkpoint {path} does not fit the optimiser ('{name}'); {REMEDY}")
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
