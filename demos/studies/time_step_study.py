"""How accurate and how fast the polycrystal is: error against the time step, and the price of the defaults.

Paths of a protocol are driven once with steps 64 times finer than the 200 of a data set, without sub-steps:
that is the truth. The same paths with coarser steps, without sub-steps, give the order of the method; with
the sub-steps of the defaults they give the accuracy of the data sets, and the grain-steps a second it costs.
The paper's model made about 780 a second (164 s for a path of 1000 steps and 128 grains).

    python demos/studies/time_step_study.py --protocol R --max-strain 0.5 --paths 100 --output
    results/time_step
"""

import json
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter

from microscale import TaylorPolycrystal, drive, random_orientations
from microscale.errors import InputError
from microscale.inputs.numbers import Count, OutFolder, Seed, Steps, Strain, checked
from microscale.paths.protocols import StrainPaths
from microscale.tensors import FloatArray, deviator
from multiscale.run.command import launch

PAPER_GRAIN_STEPS_PER_SECOND = 128 * 1000 / 164.0


def relative_errors(stress: FloatArray, truth: FloatArray) -> tuple[float, float]:
    """Mean over paths of the relative L2 error of the history: of the deviator, and of the whole stress."""

    def norms(a: FloatArray) -> FloatArray:
        return np.linalg.norm(a.reshape(len(a), -1), axis=1)

    of_deviator = norms(deviator(stress) - deviator(truth)) / norms(deviator(truth))
    return float(of_deviator.mean()), float((norms(stress - truth) / norms(truth)).mean())


def refined(times: FloatArray, F: FloatArray, factor: int) -> tuple[FloatArray, FloatArray]:
    """The same piecewise linear paths with ``factor`` times more samples."""
    samples = np.arange(F.shape[1])
    x = np.linspace(0.0, samples[-1], samples[-1] * factor + 1)
    left = np.minimum(x.astype(int), samples[-1] - 1)
    part = (x - left)[:, None, None]
    return np.stack([np.interp(x, samples, t) for t in times]), F[:, left] + part * (
        F[:, left + 1] - F[:, left]
    )


@checked
def time_step_study(
    *,
    protocol: str = "R",
    max_strain: Strain = 0.5,
    paths: Count = 20,
    grains: Count = 128,
    steps: Steps = 200,
    finest: Steps = 64,
    seed: Seed = 100,
    output: OutFolder = Path("results/time_step"),
) -> dict[str, Any]:
    """Measure and draw; return and write the figures.

    Args:
        protocol: Strain-path protocol.
        max_strain: Its largest strain.
        paths: Number of paths.
        grains: Grains of the polycrystal.
        steps: Steps of a path in a data set.
        finest: Refinement of the truth, a power of two.
        seed: Seed of the paths.
        output: Folder for the picture and the figures.
    """
    if finest < 8 or finest & (finest - 1):
        raise InputError(f"finest = {finest}, expected a power of two of at least 8")
    output.mkdir(parents=True, exist_ok=True)
    texture = random_orientations(grains, 0)
    times, F = StrainPaths(protocol, max_strain, steps, seed=seed).batch(range(paths))
    plain = TaylorPolycrystal(texture, step_tolerance=np.inf)
    factors = [2**k for k in range(finest.bit_length() - 2)]
    truth = drive(plain, *refined(times, F, finest)[::-1])[:, ::finest]
    errors = {k: relative_errors(drive(plain, *refined(times, F, k)[::-1])[:, ::k], truth) for k in factors}
    slopes = np.diff(np.log([errors[k][0] for k in factors])) / -np.log(2.0)

    law = TaylorPolycrystal(texture, threads=1)
    start = perf_counter()
    stress = drive(law, F, times)
    speed = paths * grains * steps / (perf_counter() - start)
    deviatoric, total = relative_errors(stress, truth)
    result = {
        "protocol": protocol,
        "paths": paths,
        "deviatoric_error_by_refinement": {k: errors[k][0] for k in factors},
        "slopes": slopes.tolist(),
        "deviatoric_error_with_substeps": deviatoric,
        "total_error_with_substeps": total,
        "grain_steps_per_second_and_core": speed,
        "ratio_to_the_paper": speed / PAPER_GRAIN_STEPS_PER_SECOND,
    }
    (output / f"{protocol}.json").write_text(json.dumps(result, indent=2))
    _draw(output / f"{protocol}.png", result, times[0, -1] / steps)
    print(json.dumps(result, indent=2))
    return result


def _draw(path: Path, result: dict[str, Any], step: float) -> None:
    figure, plot = plt.subplots(figsize=(5.5, 4.2), constrained_layout=True)
    by_refinement = result["deviatoric_error_by_refinement"]
    dt = step / np.array(list(by_refinement))
    error = np.array(list(by_refinement.values()))
    plot.loglog(dt, error, "o-", label="plain steps")
    plot.loglog(dt, error[-1] * (dt / dt[-1]) ** 2, "k:", label="slope 2")
    plot.loglog(step, result["deviatoric_error_with_substeps"], "r*", ms=14, label="default: with sub-steps")
    plot.set(
        xlabel="time step (us)",
        ylabel="mean relative deviatoric error",
        title=f"protocol {result['protocol']}, {result['paths']} paths",
    )
    plot.xaxis.set_minor_formatter(NullFormatter())  # within a decade its labels overlap
    plot.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    plot.xaxis.set_major_formatter("{x:g}")
    plot.grid(which="both", alpha=0.3)
    plot.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    launch(time_step_study)
