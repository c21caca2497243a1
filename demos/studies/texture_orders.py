"""How much of a texture does the stress depend on, order by order, and how well does a network know it?

    python demos/studies/texture_orders.py --output results/texture_orders
    python demos/studies/texture_orders.py --weights any-texture

Under the Taylor assumption the stress along a path is linear in the texture: the mean over its grains. So it
is a sum over the texture's harmonic coefficients, whose factors are fitted to the stresses of many single
crystals. First, errors of the stress of textures of each family where orders beyond one are left out. Then,
with weights, how far the network's stress without texture is off, and its derivatives by the coefficients of
order 2 and 4; each relative L2 over time, deviator only.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from texture_families import LOADS

from microscale.crystals.crystal import read_crystal
from microscale.crystals.single_crystal import SingleCrystal
from microscale.crystals.texture.families.family import KEPT_BACK, TextureFamily
from microscale.crystals.texture.harmonics import carried
from microscale.crystals.texture.lattice import lattice_of
from microscale.crystals.texture.moments import NUMBERS
from microscale.crystals.texture.sources import everywhere
from microscale.files.whole_file import write_whole
from microscale.inputs.numbers import Count, OutFolder, Seed, checked
from microscale.law import ConstitutiveLaw, drive
from microscale.progress import tracked
from microscale.tensors import FloatArray, deviator
from multiscale.laws import make_law
from multiscale.run.command import launch

ORDERS = (2, 4, 6, 8)
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
        factors = {order: fitted(Q, order, single) for order in ORDERS}
        entry: dict[str, Any] = {"left out": left_out(factors, times, U, textures, grains, seed)}
        if weights is not None:
            entry["network"] = of_network(make_law("learned", weights=weights), factors[ORDERS[1]], times, U)
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


def functions(Q: FloatArray, last: int) -> FloatArray:
    """Return one and the harmonic functions of order up to the last, shape (crystals, functions)."""
    parts = [carried(order, GROUP, Q).reshape(len(Q), -1) for order in ORDERS if order <= last]
    return np.concatenate([np.ones((len(Q), 1)), *parts], axis=1)


def fitted(Q: FloatArray, last: int, single: FloatArray) -> FloatArray:
    """Return the factors of the functions, shape (functions, paths, samples, 3, 3)."""
    factors = np.linalg.lstsq(functions(Q, last), single.reshape(len(Q), -1), rcond=None)[0]
    return factors.reshape(-1, *single.shape[1:])


def left_out(
    factors: dict[int, FloatArray], times: FloatArray, U: FloatArray, textures: int, grains: int, seed: int
) -> dict[str, dict[str, float]]:
    """Return mean errors by family, and by the last order that is kept."""
    found = {}
    for name in ("none", "various", *KEPT_BACK):
        errors: dict[str, list[float]] = {str(order): [] for order in ORDERS}
        for k in range(textures):
            Q = TextureFamily(name, seed).grains(k, read_crystal(), grains).orientations
            exact = stresses(Q, times, U).mean(axis=0)
            for order, factor in factors.items():
                stress = np.tensordot(functions(Q, order).mean(axis=0), factor, 1)
                errors[str(order)] += list(relative(stress - exact, exact))
        found[name] = {order: float(np.mean(values)) for order, values in errors.items()}
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
    for order, part in {2: slice(0, 5), 4: slice(5, NUMBERS)}.items():
        off, size = (np.moveaxis(slope[part], 0, 1) for slope in (slopes - wanted, wanted))
        errors[f"by order {order}"] = float(relative(off, size).mean())
    return errors


def relative(off: FloatArray, size: FloatArray) -> FloatArray:
    """Return the ratio of norms over all but the first axis."""
    axes = tuple(range(1, size.ndim))
    return np.asarray(np.sqrt((off**2).sum(axes) / (size**2).sum(axes)))


def table(found: dict[str, Any]) -> str:
    """Return the errors as a table of markdown, per cent."""
    head = " | ".join(f"up to order {order}" for order in ORDERS)
    lines = [f"| load | textures | {head} |", "| --- | --- |" + " ---: |" * len(ORDERS)]
    for load, entry in found.items():
        for family, errors in entry["left out"].items():
            lines.append(f"| {load} | {family} | {' | '.join(f'{100 * e:.1f}' for e in errors.values())} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    launch(texture_orders)
