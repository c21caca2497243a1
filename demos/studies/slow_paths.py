"""Why are slow paths harder for a surrogate? Twins grow, and grains half twinned lock.

    python demos/studies/slow_paths.py --output results/slow_paths

The same random stretches (protocol R) are followed in 0.5 to 5 us. Twins grow and never shrink. Where half of
a grain has twinned, slip in parent and twin cancel each other for some stresses (their mean, eq. (36) of the
paper, is singular), and the grain locks: it carries tens of GPa. Which grains do is an accident of where the
128 lie. So the polycrystal itself becomes anisotropic: its stress scatters when a path is turned in front of
it, and an isotropic surrogate cannot be nearer to it than that.
"""

import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from microscale import TaylorPolycrystal, drive
from microscale.crystals.diagnostics import elastic_deformation
from microscale.errors import InputError
from microscale.inputs.numbers import Count, OutFolder, Repeats, Strain, Time, checked
from microscale.law import State
from microscale.paths.protocols import StrainPaths
from microscale.progress import tracked
from microscale.tensors import FloatArray, deviator, von_mises
from multiscale.run.command import launch
from multiscale.surrogate.histories import Histories, relative_errors
from multiscale.surrogate.invariances import anisotropy
from multiscale.surrogate.recurrent.law import LearnedLaw

TWIN_EDGES = np.array([0.0, 0.01, 0.1, 0.3, 0.45, 0.55, 0.7, 0.9, 1.0])
HALF_TWINNED = (0.3, 0.7)
"""Bins of the twinned volume of a grain, and what is called half twinned."""
LABELS = {
    "twinned": "twinned volume",
    "locked": "grains half twinned",
    "anisotropy": "anisotropy of the polycrystal",
    "error": "error of the surrogate",
}


@checked
def slow_paths(
    *,
    paths: Count = 25,
    max_strain: Strain = 0.5,
    durations: tuple[Time, ...] = (0.5, 1.0, 2.0, 5.0),
    frames: Repeats = 12,
    weights: Path | None = None,
    output: OutFolder = Path("results/slow_paths"),
) -> dict[str, list[float]]:
    """Measure and draw twins, anisotropy of the deviator and error of a surrogate against the duration.

    Args:
        paths: Random paths of 200 steps, the same for all durations; anisotropy is that of the first 25.
        max_strain: Largest strain of a path.
        durations: T, us.
        frames: Rotations in front of the polycrystal.
        weights: A recurrent surrogate of magnesium; by default the shipped one.
        output: Folder of figures and picture.

    Returns:
        By quantity, one figure for each duration: mean twinned volume and share of half twinned grains at the
        end of paths, anisotropy (standard deviation over rotations), mean error of the surrogate. Then, for
        the longest, the mean von Mises stress (GPa) of the grains in each bin of their twinned volume.
    """
    if not durations:
        raise InputError(f"durations = {durations}, expected positive times in us")
    polycrystal, surrogate = TaylorPolycrystal(), LearnedLaw.from_file(weights)
    found: dict[str, list[float]] = {name: [] for name in LABELS}
    for T in tracked(sorted(durations), "durations"):
        times, stretch = StrainPaths("R", max_strain, 200, (T, T), seed=1).batch(range(paths))
        state = polycrystal.init_state(paths)
        data = Histories(times, stretch, drive(polycrystal, stretch, times, state))
        twins = state["twin_fraction"].sum(axis=1)
        errors = relative_errors(drive(surrogate, stretch, times), data.stress, times).deviatoric
        turning = anisotropy(lambda times, U: deviator(drive(polycrystal, U, times)), data, frames)
        half = ((twins > HALF_TWINNED[0]) & (twins < HALF_TWINNED[1])).mean()
        for name, value in zip(LABELS, (twins.mean(), half, turning, errors.mean()), strict=True):
            found[name].append(float(value))
        print(f"{T:g} us: " + ", ".join(f"{k} {100 * found[k][-1]:.2f} %" for k in LABELS), flush=True)
    found["stress"] = mean_by_twins(twins, grain_stress(polycrystal, stretch[:, -1], state))
    print("von Mises stress of grains by twinned volume, GPa:", *(f"{s:.2f}" for s in found["stress"]))
    output.mkdir(parents=True, exist_ok=True)
    figures = {"paths": paths, "max_strain": max_strain, "durations": sorted(durations), **found}
    figures["twin_edges"] = TWIN_EDGES.tolist()
    figures["stress"] = [None if np.isnan(s) else s for s in found["stress"]]  # JSON knows no nan
    (output / "slow_paths.json").write_text(json.dumps(figures, indent=2) + "\n")
    draw(sorted(durations), found, output / "slow_paths.png")
    return found


def grain_stress(law: TaylorPolycrystal, U: FloatArray, state: State) -> FloatArray:
    """Return the von Mises Mandel stress of grains, GPa, (paths, grains), at stretches U (paths, 3, 3)."""
    Fe = elastic_deformation(U, law.orientations, state["plastic_inverse"])
    modulus = law.crystal.shear_modulus * np.linalg.det(U) ** (-2.0 / 3.0)
    return modulus[:, None] * von_mises(np.swapaxes(Fe, 2, 3) @ Fe)


def mean_by_twins(twins: FloatArray, stress: FloatArray) -> list[float]:
    """Return the mean stress of grains in each bin of the twinned volume; nan where there is none."""
    bins = np.digitize(twins.ravel(), TWIN_EDGES[1:-1])
    count = np.bincount(bins, minlength=len(TWIN_EDGES) - 1)
    with np.errstate(invalid="ignore"):
        return list(np.bincount(bins, stress.ravel(), minlength=len(count)) / count)


def draw(durations: list[float], found: dict[str, list[float]], picture: Path) -> None:
    """Draw twins, the stress of twinned grains, and anisotropy and error."""
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    _against_duration(left, durations, found, ("twinned", "locked"), "at the end of paths, %")
    middle.stairs(found["stress"], TWIN_EDGES, baseline=None, lw=2)
    middle.set(
        xlabel=f"twinned volume of a grain after {durations[-1]:g} us", ylabel="its von Mises stress, GPa"
    )
    middle.set(yscale="log")
    middle.grid(alpha=0.3)
    _against_duration(right, durations, found, ("anisotropy", "error"), "of the deviator, %")
    figure.savefig(picture, dpi=120)
    print(f"picture: {picture}")


def _against_duration(
    axes: Axes, durations: list[float], found: dict[str, list[float]], names: tuple[str, ...], quantity: str
) -> None:
    for name in names:
        axes.plot(durations, 100.0 * np.array(found[name]), "o-", label=LABELS[name])
    axes.set(xlabel="duration, us", ylabel=quantity, xscale="log", ylim=(0.0, None))
    axes.set_xticks(durations, [f"{T:g}" for T in durations])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()


if __name__ == "__main__":
    launch(slow_paths)
