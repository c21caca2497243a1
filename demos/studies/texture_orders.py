"""How much of a texture does the stress depend on, order by order, and how well does a network know it?

    python demos/studies/texture_orders.py --output results/texture_orders
    python demos/studies/texture_orders.py --weights any-texture

Under the Taylor assumption the stress along a path is linear in the texture: the mean over its grains. So it
is a sum over the texture's harmonic coefficients, whose factors are fitted to the stresses of many single
crystals. First, errors of the stress of textures of each family where orders beyond one are left out; of
order 6 also where only its first function is kept, the moments of the c axes. Then, with weights, how far the
network's stress without texture is off, and its derivatives by the numbers that it is told, order by order.
Each is relative L2 over time, deviator only.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from texture_families import LOADS

from microscale.crystals.crystal import read_crystal
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.texture.families.family import KEPT_BACK, TextureFamily
from microscale.crystals.texture.harmonics import carried
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.moments import ENDS, NUMBERS
from microscale.crystals.texture.moments import ORDERS as TOLD_ORDERS
from microscale.crystals.texture.sources import everywhere
from microscale.files.whole_file import write_whole
from microscale.inputs.numbers import Count, OutFolder, Seed, checked
from microscale.law import ConstitutiveLaw, drive
from microscale.progress import tracked
from microscale.tensors import FloatArray, deviator
from multiscale.laws import make_law
from multiscale.run.command import launch

UP_TO_FOUR = {2: None, 4: None}
TOLD = "6, first function"
KEPT: Mapping[str, Mapping[int, int | None]] = {
    "2": {2: None},
    "4": UP_TO_FOUR,
    TOLD: UP_TO_FOUR | {6: 1},
    "6": UP_TO_FOUR | {6: None},
    "8": UP_TO_FOUR | {6: None, 8: None},
}
"""Orders that are kept, and how many functions of each where not all are: those of a network, and others."""
WALKS = ("R 10 %", "R 50 %")
GROUP = lattice_of(read_crystal()).group
CHANGE = 0.02
"""Of a coefficient, for the network's derivative."""


@checked
def texture_orders(
    *,
    weights: Path | None = None,
    crystals: Count = 2000,
    paths: Count = 4,
    textures: Count = 5,
    grains: Count = 128,
    seed: Seed = 5,
    output: OutFolder = Path("results/texture_orders"),
) -> dict[str, Any]:
    """Measure the errors and write them as a table.

    Args:
        weights: A network that is told textures, or its name.
        crystals: Orientations that the factors are fitted to.
        paths: Paths of each load.
        textures: Textures of each family.
        grains: Grains of each texture.
        seed: Of paths and textures; no training has it.
        output: Folder of table and figures.
    """
    Q = everywhere(points=crystals, seed=seed).orientations
    found: dict[str, Any] = {}
    for load in tracked(WALKS, "loads"):
        times, U = LOADS[load](paths, seed)
        single = stresses(Q, times, U)
        factors = {kept: fitted(Q, kept, single) for kept in KEPT}
        entry: dict[str, Any] = {"left out": left_out(factors, times, U, textures, grains, seed)}
        if weights is not None:
            entry["network"] = of_network(make_law("learned", weights=weights), factors[TOLD], times, U)
        found[load] = entry
        print(f"{load}: {json.dumps(entry)}", flush=True)
    output.mkdir(parents=True, exist_ok=True)
    write_whole(output / "texture_orders.json", (json.dumps(found, indent=2) + "\n").encode())
    write_whole(output / "texture_orders.md", table(found).encode())
    return found


def stresses(Q: FloatArray, times: FloatArray, U: FloatArray) -> FloatArray:
    """Return deviators of the stress of single crystals, shape (crystals, paths, samples, 3, 3), GPa."""
    law, found = SingleCrystal(), np.empty((len(Q), *U.shape))
    for k, path in enumerate(U):
        state = law.init_state(len(Q))
        state["orientation"][:] = Q
        found[:, k] = drive(law, np.broadcast_to(path, (len(Q), *path.shape)), times, state)
    return deviator(found)


def functions(Q: FloatArray, kept: str) -> FloatArray:
    """Return one and the harmonic functions that are kept, shape (crystals, functions)."""
    parts = [carried(order, GROUP, Q)[:, :count].reshape(len(Q), -1) for order, count in KEPT[kept].items()]
    return np.concatenate([np.ones((len(Q), 1)), *parts], axis=1)


def fitted(Q: FloatArray, kept: str, single: FloatArray) -> FloatArray:
    """Return the factors of the functions, shape (functions, paths, samples, 3, 3)."""
    factors = np.linalg.lstsq(functions(Q, kept), single.reshape(len(Q), -1), rcond=None)[0]
    return factors.reshape(-1, *single.shape[1:])


def left_out(
    factors: dict[str, FloatArray], times: FloatArray, U: FloatArray, textures: int, grains: int, seed: int
) -> dict[str, dict[str, float]]:
    """Return mean errors by family, and by what is kept."""
    found = {}
    for name in ("none", "various", *KEPT_BACK):
        errors: dict[str, list[float]] = {kept: [] for kept in KEPT}
        for k in range(textures):
            Q = TextureFamily(name, seed).grains(k, read_crystal(), grains).orientations
            exact = stresses(Q, times, U).mean(axis=0)
            for kept, factor in factors.items():
                stress = np.tensordot(functions(Q, kept).mean(axis=0), factor, 1)
                errors[kept] += list(relative(stress - exact, exact))
        found[name] = {kept: float(np.mean(values)) for kept, values in errors.items()}
    return found


def of_network(
    law: ConstitutiveLaw, factors: FloatArray, times: FloatArray, U: FloatArray
) -> dict[str, float]:
    """Return relative errors of a network's stress without texture, and of its derivatives by order."""

    def stress(numbers: FloatArray) -> FloatArray:
        state = law.init_state(len(U))
        state["texture"][:] = numbers
        return deviator(drive(law, U, times, state))

    steps = CHANGE * np.eye(NUMBERS)
    slopes = np.array([(stress(step) - stress(-step)) / (2.0 * CHANGE) for step in steps])
    wanted, found = factors[1:], {"no texture": stress(0.0 * steps[0]) - factors[0]}
    errors = {name: float(relative(off, factors[0]).mean()) for name, off in found.items()}
    parts = (np.split(slope, ENDS) for slope in (slopes - wanted, wanted))
    for order, *pair in zip(TOLD_ORDERS, *parts, strict=True):
        off, size = (np.moveaxis(slope, 0, 1) for slope in pair)
        errors[f"by order {order}"] = float(relative(off, size).mean())
    return errors


def relative(off: FloatArray, size: FloatArray) -> FloatArray:
    """Return the ratio of norms over all but the first axis."""
    axes = tuple(range(1, size.ndim))
    return np.asarray(np.sqrt((off**2).sum(axes) / (size**2).sum(axes)))


def table(found: dict[str, Any]) -> str:
    """Return the errors as a table of markdown, per cent."""
    head = " | ".join(f"up to order {kept}" for kept in KEPT)
    lines = [f"| load | textures | {head} |", "| --- | --- |" + " ---: |" * len(KEPT)]
    for load, entry in found.items():
        for family, errors in entry["left out"].items():
            lines.append(f"| {load} | {family} | {' | '.join(f'{100 * e:.1f}' for e in errors.values())} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    launch(texture_orders)
