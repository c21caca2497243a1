"""What must a surrogate remember? A polycrystal forgets a part of its state half way, and goes on.

    python demos/studies/forgetting.py --output results/forgetting

Taylor polycrystals follow random paths (protocol R) up to some sample, forget something in every grain, and
go on. How far their deviators are from those of polycrystals that forgot nothing, once the elastic stress has
adapted, is what a surrogate without that memory misses. What is forgotten at random is drawn several times:
the mean stress over draws is compared, so that the accident of a draw does not count, and what is left of it,
the variance over the number of draws, is taken off.
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.transform import Rotation

from microscale import TaylorPolycrystal, drive
from microscale.crystals.uniform_texture import uniform_orientations
from microscale.errors import InputError
from microscale.inputs.numbers import Count, OutFolder, Repeats, Strain, Time, checked
from microscale.law import State
from microscale.paths.protocols import StrainPaths
from microscale.progress import tracked
from microscale.tensors import FloatArray, deviator
from multiscale.run.command import launch

Forget = Callable[[TaylorPolycrystal, State, np.random.Generator], None]
ADAPTING, COMPARED = 10, 6
"""Samples after the loss in which the elastic stress adapts, 8 to 37 % of strain, and those compared then."""


def slip_of_systems(law: TaylorPolycrystal, state: State, generator: np.random.Generator) -> None:
    """Give all systems of a family in a grain the same slip."""
    for family in law.crystal.family_slices().values():
        state["slip"][:, family] = state["slip"][:, family].mean(axis=1, keepdims=True)


def slip_of_grains(law: TaylorPolycrystal, state: State, generator: np.random.Generator) -> None:
    """Give all systems of a family in all grains the same slip."""
    for family in law.crystal.family_slices().values():
        state["slip"][:, family] = state["slip"][:, family].mean(axis=(1, 2), keepdims=True)


def twins(law: TaylorPolycrystal, state: State, generator: np.random.Generator) -> None:
    """Spread the twinned volume over all twin systems of all grains."""
    state["twin_fraction"][:] = state["twin_fraction"].mean(axis=(1, 2), keepdims=True)


def turn_lattices(state: State, turns: Rotation) -> None:
    """Turn the lattice of each grain of each point by a rotation in crystal axes; its stress stays.

    F_e = F F_in^-1 becomes F_e R, and elasticity is isotropic.
    """
    points, _, grains = state["plastic_inverse"].shape
    R = turns.as_matrix().reshape(points, grains, 3, 3)
    inverse = state["plastic_inverse"].reshape(points, 3, 3, grains)
    state["plastic_inverse"][:] = np.einsum("pijg,pgjk->pikg", inverse, R).reshape(points, 9, grains)


def about_c(law: TaylorPolycrystal, state: State, generator: np.random.Generator) -> None:
    """Turn lattices about their c axes by any angle."""
    angles = generator.uniform(0.0, 2.0 * np.pi, state["twin_fraction"][:, 0].size)
    turn_lattices(state, Rotation.from_rotvec(angles[:, None] * np.array([0.0, 0.0, 1.0])))


def blurred(degrees: float) -> Forget:
    """Turn lattices by a normal angle about each axis of the crystal."""

    def forget(law: TaylorPolycrystal, state: State, generator: np.random.Generator) -> None:
        angles = np.deg2rad(degrees) * generator.standard_normal((state["twin_fraction"][:, 0].size, 3))
        turn_lattices(state, Rotation.from_rotvec(angles))

    return forget


LOSSES: dict[str, tuple[Forget, bool]] = {
    "slip of each system": (slip_of_systems, False),
    "slip of each grain": (slip_of_grains, False),
    "twins of each grain": (twins, False),
    "lattice about c": (about_c, True),
    "lattice within 5 degrees": (blurred(5.0), True),
    "lattice within 10 degrees": (blurred(10.0), True),
    "lattice within 20 degrees": (blurred(20.0), True),
}
"""What is forgotten, how, and whether at random."""


@checked
def forgetting(
    *,
    paths: Count = 60,
    grains: Count = 128,
    max_strain: Strain = 0.5,
    duration: Time = 1.0,
    samples: tuple[Count, ...] = (60, 120, 180),
    draws: Repeats = 10,
    output: OutFolder = Path("results/forgetting"),
) -> dict[str, list[float]]:
    """Measure and draw what each loss changes; return the mean relative changes of the deviator, by sample.

    Args:
        paths: Random paths (protocol R) of 200 steps.
        grains: Evenly spread grains.
        max_strain: Largest strain of a path.
        duration: T, us.
        samples: When something is forgotten.
        draws: Draws of what is forgotten at random; at least two.
        output: Folder of figures and picture.
    """
    last = 200 - ADAPTING - COMPARED
    if not samples or min(samples) < 1 or max(samples) > last:
        raise InputError(f"samples = {samples}, expected some from 1 to {last}")
    if draws < 2:
        raise InputError(f"draws = {draws}, expected at least 2, to tell their scatter")
    law = TaylorPolycrystal(uniform_orientations(grains))
    times, stretch = StrainPaths("R", max_strain, 200, (duration, duration), seed=1).batch(range(paths))
    state, before = law.init_state(paths), 0
    found: dict[str, list[float]] = {name: [] for name in LOSSES}
    for sample in tracked(sorted(samples), "samples"):
        way = slice(before, sample + 1)
        drive(law, stretch[:, way], times[:, way], state)
        before = sample
        for name, (forget, random) in LOSSES.items():
            way = slice(sample, sample + ADAPTING + COMPARED + 1)
            lost = change(law, state, times[:, way], stretch[:, way], forget, draws if random else 1)
            found[name].append(lost)
            print(f"sample {sample}, {name}: {100 * lost:.2f} %", flush=True)
    output.mkdir(parents=True, exist_ok=True)
    figures = {"paths": paths, "grains": grains, "max_strain": max_strain, "duration": duration}
    text = json.dumps({**figures, "samples": sorted(samples), **found}, indent=2)
    (output / "forgetting.json").write_text(text + "\n")
    draw(sorted(samples), found, output / "forgetting.png")
    return found


def change(
    law: TaylorPolycrystal,
    state: State,
    times: FloatArray,
    stretch: FloatArray,
    forget: Forget,
    draws: int,
) -> float:
    """Return the relative change of the deviator after a loss at the first sample, mean over paths."""

    def onwards(loss: Forget | None, seed: int) -> FloatArray:
        then = state.copy()
        if loss is not None:
            loss(law, then, np.random.default_rng(seed))
        return deviator(drive(law, stretch, times, then))[:, -COMPARED:]

    exact = onwards(None, 0)
    drawn = np.array([onwards(forget, seed) for seed in range(draws)])
    axes = (1, 2, 3)
    scatter = drawn.var(axis=0, ddof=1).sum(axes) / draws if draws > 1 else 0.0
    square = ((drawn.mean(0) - exact) ** 2).sum(axes) - scatter
    return float(np.sqrt(np.maximum(square, 0.0) / (exact**2).sum(axes)).mean())


def draw(samples: list[int], found: dict[str, list[float]], picture: Path) -> None:
    """Draw what each loss changes, a bar for each sample."""
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.add_subplot(xlabel="change of the deviator, %")
    place = np.arange(len(found))[::-1]
    height = 0.8 / len(samples)
    for k, sample in enumerate(samples):
        values = [100.0 * changes[k] for changes in found.values()]
        axes.barh(place + 0.4 - (k + 0.5) * height, values, height, label=f"forgotten at sample {sample}")
    axes.set_yticks(place, list(found))
    axes.grid(axis="x", alpha=0.3)
    axes.legend()
    figure.savefig(picture, dpi=120)
    print(f"picture: {picture}")


if __name__ == "__main__":
    launch(forgetting)
