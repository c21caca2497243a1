"""How accurate is the time integration of the crystals, at every rate?

    python demos/studies/time_integration.py --output results/time_integration

The paths of data sets are followed with the default tolerance and with one 60 times smaller. What is
compared is the deviator along each path, and what a bias would show in: twinned volume at the end of paths
and von Mises stress, means over all paths. Slow paths depend on which twin wins and on grains half twinned,
which lock; their error stands beside the scatter that turning a path in front of the grains makes.

Every case is written as soon as it is there, and a case that is there is not run again.
"""

import json
from pathlib import Path
from time import process_time
from typing import Literal, get_args

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.transform import Rotation

from microscale import TaylorPolycrystal, drive
from microscale.crystals.crystal import read_crystal
from microscale.errors import InputError
from microscale.files.one_study import of_one_study
from microscale.paths.protocols import StrainPaths
from microscale.progress import tracked
from microscale.tensors import FloatArray, deviator, von_mises
from multiscale.run.command import launch
from multiscale.surrogate.histories import Histories, relative_errors
from multiscale.surrogate.invariances import anisotropy

Material = Literal["even", "m = 0.2", "basal"]
"""128 evenly spread grains; the same with less rate sensitivity; c axes within 5 degrees of z."""
PROTOCOLS = {
    "R 50 %": ("R", 0.5),
    "R 10 %": ("R", 0.1),
    "F": ("F", 0.5),
    "L-U": ("L-U", 0.5),
    "I": ("I", 1.0),
}
REFERENCE, COARSER, CHECKED = 1e-3, 3e-3, 10
"""Tolerance of the reference, GPa; the one it is compared with on some paths, to show its convergence."""
SLOW = 5.0
"""Durations, us, from which on turning is measured."""


def time_integration(
    *,
    paths: int = 50,
    durations: tuple[float, ...] = (0.05, 0.2, 1.0, 2.0, 5.0, 20.0),
    materials: tuple[Material, ...] = get_args(Material),
    protocols: tuple[str, ...] = tuple(PROTOCOLS),
    frames: int = 6,
    output: Path = Path("results/time_integration"),
) -> dict[str, dict[str, float]]:
    """Measure errors and cost; write, print and draw them.

    Args:
        paths: Paths of 200 steps of each protocol.
        durations: T, us.
        materials: Which polycrystals.
        protocols: Which of the names of ``PROTOCOLS``.
        frames: Rotations in front of the polycrystal, for the scatter.
        output: Folder of figures, table and picture; cases that it holds are kept.

    Returns:
        By case: relative errors (deviator mean and worst, twinned volume, von Mises stress), ``reference``,
        the change of the deviator from the coarser to the finest tolerance, ``turning``, the scatter, and
        grain-steps a second of processor time.
    """
    if unknown := set(protocols) - set(PROTOCOLS):
        raise InputError(f"protocols = {', '.join(unknown)}, expected some of {', '.join(PROTOCOLS)}")
    of_one_study(output, {"frames": frames})
    file = output / f"time_integration_{paths}.json"
    found: dict[str, dict[str, float]] = json.loads(file.read_text()) if file.exists() else {}
    cases = [(m, p, T) for m in materials for T in sorted(durations) for p in protocols]
    for material, protocol, T in tracked(cases, "cases"):
        name = f"{material}, {protocol}, {T:g} us"
        if name not in found:
            found[name] = measure(material, protocol, T, paths, frames)
            file.write_text(json.dumps(found, indent=1) + "\n")
        print(row(name, found[name]), flush=True)
    draw(found, durations, output / "time_integration.png")
    return found


def polycrystal(material: Material, **options: float) -> TaylorPolycrystal:
    """Return one of the polycrystals, on one thread."""
    orientations = None
    if material == "basal":
        draw = np.random.default_rng(0)
        tilt = np.radians(5.0) * np.column_stack([draw.standard_normal((128, 2)), np.zeros(128)])
        about_c = np.outer(draw.uniform(0.0, 2.0 * np.pi, 128), [0.0, 0.0, 1.0])
        orientations = (Rotation.from_rotvec(tilt) * Rotation.from_rotvec(about_c)).as_matrix()
    crystal = read_crystal().with_options(rate_sensitivity=0.2 if material == "m = 0.2" else None)
    return TaylorPolycrystal(orientations, crystal=crystal, threads=1, **options)


def measure(material: Material, protocol: str, T: float, paths: int, frames: int) -> dict[str, float]:
    """Follow the paths of one case with the default and with the reference's tolerance."""
    name, strain = PROTOCOLS[protocol]
    times, stretch = StrainPaths(name, strain, 200, (T, T), seed=777).batch(range(paths))
    law = polycrystal(material)
    follow(law, stretch[:1, :2], times[:1, :2])  # what is compiled is read before the clock starts
    start = process_time()
    stress, twins = follow(law, stretch, times)
    seconds = process_time() - start
    right, twins_right = follow(polycrystal(material, step_tolerance=REFERENCE), stretch, times)
    some = slice(CHECKED)
    coarser, _ = follow(polycrystal(material, step_tolerance=COARSER), stretch[some], times[some])
    errors = relative_errors(stress, right, times).deviatoric
    result = {
        "deviator": float(errors.mean()),
        "worst": float(errors.max()),
        "twins": twins.mean() / twins_right.mean() - 1.0,
        "twinned": twins_right.mean(),
        "von_mises": float(von_mises(stress).mean() / von_mises(right).mean() - 1.0),
        "reference": float(relative_errors(coarser, right[some], times[some]).deviatoric.mean()),
        "speed": paths * 200 * law.grains / seconds,
    }
    if T >= SLOW and material != "basal":  # there turning shows the texture
        data = Histories(times, stretch, right)
        result["turning"] = anisotropy(lambda times, U: deviator(drive(law, U, times)), data, frames)
    return result


def follow(law: TaylorPolycrystal, stretch: FloatArray, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return stresses, GPa, (paths, samples, 3, 3), and the twinned volume at the end of each path."""
    state = law.init_state(len(stretch))
    stress = drive(law, stretch, times, state)
    return stress, law.fields(state)["twin_volume"]


def row(name: str, case: dict[str, float]) -> str:
    """Return a row of the table: in %, but the last, million grain-steps a second."""
    shown = ("deviator", "worst", "turning", "twinned", "twins", "von_mises", "reference")
    numbers = [f"{100.0 * case[key]:.2f}" if key in case else "" for key in shown]
    return " | ".join(["", *name.split(", "), *numbers, f"{case['speed'] / 1e6:.2f}", ""]).strip()


def draw(found: dict[str, dict[str, float]], durations: tuple[float, ...], picture: Path) -> None:
    """Draw error, and the limit that turning sets, against the duration."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, material in zip(figure.subplots(1, 3, sharey=True), get_args(Material), strict=True):
        for colour, protocol in enumerate(PROTOCOLS):
            names = {T: f"{material}, {protocol}, {T:g} us" for T in sorted(durations)}
            there = [T for T in names if names[T] in found]
            errors = [100.0 * found[names[T]]["deviator"] for T in there]
            axes.loglog(there, errors, "o-", color=f"C{colour}", label=protocol)
            slow = [T for T in there if "turning" in found[names[T]]]
            limits = [100.0 * found[names[T]]["turning"] / 3.0 for T in slow]
            axes.loglog(slow, limits, "_", ms=12, color=f"C{colour}")
        axes.set(title=material, xlabel="duration of a path, us")
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("error of the deviator, %\n(bars: a third of the scatter by turning)")
    figure.axes[0].legend(fontsize="small")
    figure.savefig(picture, dpi=120)
    print(f"picture: {picture}")


if __name__ == "__main__":
    launch(time_integration)
