"""Figure 1 of the paper: its network learns the two-dimensional polycrystal, case 1 of Table SI-2.

(a) Test error over epochs, by number of training paths. (b, c) Stretch and stress of a training and of a test
path, dashed as the network has it. (d) Test error by the resolution of test paths in time, from 50 to 1000
steps, for several numbers of modes; dotted, the error of the reduction alone. The paths are the same
functions of time, driven again at each resolution. (e, f, g) Uniaxial loading, load and unload, and shear.

    python demos/paper/figure1.py --output results/paper
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from data import SETS, TEST
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from runs import write_figures
from table_si2 import Study, mean_errors

from microscale.data.dataset import read_provenance
from microscale.inputs.numbers import Fraction, OutFolder
from microscale.law import drive
from microscale.paths.protocols import StrainPaths
from multiscale.laws import make_law
from multiscale.run.command import launch
from multiscale.surrogate.histories import Histories
from multiscale.surrogate.pca.network import PcaSurrogate, fractions_of, packed

TRAIN, TEST_SET = "fft2d_R10_train", "fft2d_R10_test"
SIZES = (400, 1600)
MODES = (8, 32)
STEPS = (50, 100, 200, 500, 1000)
PATHS = 20
"""Paths driven again at each resolution."""
OTHERS = {
    "e: uniaxial": "fft2d_U10_test",
    "f: load and unload": "fft2d_LU10_test",
    "g: shear": "fft2d_C10_test",
}
COMPONENTS = {"11": (0, 0), "22": (1, 1), "12": (0, 1)}


def figure1(
    *, output: OutFolder = Path("results/paper"), scale: Fraction = 1.0, fast: bool = False
) -> dict[str, Any]:
    """Draw figure1.png and measure figure1.json.

    Args:
        output: Folder of picture and figures; data and networks as of table_si2.py.
        scale: Numbers of paths relative to the paper's, of data that are not there yet.
        fast: Tiny data and networks, for a test.
    """
    study = Study.of(output, scale, fast)
    training, test = study.histories(TRAIN), study.histories(TEST_SET)
    modes = [min(count, len(training) // 2) for count in MODES]
    networks = {count: study.network(TRAIN, len(training), count) for count in modes}
    whole = networks[modes[-1]]
    figure = Figure(figsize=(13.0, 11.0), layout="constrained")
    panels = figure.subplots(3, 3)
    figures: dict[str, Any] = {"paths": {"training": len(training), "test": len(test)}}
    sizes = [
        min(size, len(training)) for size in (SIZES if not fast else (len(training) // 2, len(training)))
    ]
    figures["test_error_by_size"] = learning_curves(panels[0, 0], study, sizes, test)
    for axes, (label, path) in zip(
        panels[0, 1:], {"b: training": training, "c: test": test}.items(), strict=True
    ):
        draw_sample(axes, whole, path[0], label)
    driven = {steps: resampled(study, steps, 4 if fast else PATHS) for steps in STEPS}
    figures["test_error_by_resolution"] = draw_resolution(panels[1, 0], networks, driven)
    for axes, (label, name) in zip(panels.ravel()[4:7], OTHERS.items(), strict=True):
        draw_sample(axes, whole, study.histories(name)[0], label)
    for axes in panels.ravel()[7:]:
        axes.set_axis_off()
    draw_legend(panels[2, 1])
    figure.savefig(output / "figure1.png", dpi=90)
    return write_figures(output / "figure1.json", figures)


def learning_curves(axes: Any, study: Study, sizes: list[int], test: Histories) -> dict[str, float]:
    """Draw the test error over epochs by number of training paths; return the last ones, %."""
    last = {}
    for size in dict.fromkeys(sizes):
        log = study.watched(TRAIN, size, min(MODES[-1], size // 2), test)
        table = np.atleast_2d(np.loadtxt(log, delimiter=",", skiprows=1))
        axes.plot(table[:, 0], 100.0 * table[:, 4], label=f"{size} paths")
        last[str(size)] = 100.0 * table[-1, 4]
    axes.set(title="a: learning", xlabel="epoch", ylabel="test error, %", yscale="log", xscale="log")
    plain_numbers(axes)
    axes.legend()
    axes.grid(alpha=0.3)
    return last


def plain_numbers(axes: Any) -> None:
    """Label a logarithmic axis of per cent as 5, 10, 20."""
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())


def draw_sample(axes: Any, network: PcaSurrogate, path: Histories, label: str) -> None:
    """Draw the components of stress of one path, and of stretch on the right."""
    path = Histories(path.times[None], path.stretch[None], path.stress[None])
    fractions, found = fractions_of(path.times), network.predict(path.times, path.stretch)[0]
    right = axes.twinx()
    for colour, (i, j) in enumerate(COMPONENTS.values()):
        axes.plot(fractions, path.stress[0, :, i, j], f"C{colour}")
        axes.plot(fractions, found[:, i, j], f"C{colour}--")
        right.plot(fractions, path.stretch[0, :, i, j] - (i == j), f"C{colour}:", lw=1.0)
    axes.set(title=label, xlabel="t / T", ylabel="Cauchy stress, GPa")
    right.set_ylabel("U - I")


def draw_legend(axes: Any) -> None:
    """Draw the legend of all samples in a panel of its own: in theirs it would hide a line."""
    components = [Line2D([], [], color=f"C{k}", label=f"component {ij}") for k, ij in enumerate(COMPONENTS)]
    kinds = {"Cauchy stress of the cell": "-", "Cauchy stress of the network": "--", "stretch U - I": ":"}
    styles = [Line2D([], [], color="0.3", ls=style, label=name) for name, style in kinds.items()]
    axes.legend(handles=components + styles, loc="upper left", title="b, c, e, f, g", alignment="left")


def resampled(study: Study, steps: int, paths: int) -> Histories:
    """Return some test paths, driven at another number of steps by the law of the training data."""
    law = make_law("fft2d", **read_provenance(study.file(TRAIN))["law"]["options"])
    told = SETS[TEST_SET]
    durations = (told["duration"], told["duration"])
    protocol = StrainPaths(told["protocol"], told["max_strain"], 200, durations, TEST, dimension=2)
    times, stretch = replace(protocol, steps=steps).batch(range(paths))
    return Histories(times, stretch, drive(law, stretch, times)).in_plane


def draw_resolution(
    axes: Any, networks: dict[int, PcaSurrogate], driven: dict[int, Histories]
) -> dict[str, dict[str, float]]:
    """Draw total test errors over the number of steps; return them, %, by modes and steps."""
    found: dict[str, dict[str, float]] = {}
    for colour, (modes, network) in enumerate(networks.items()):
        errors = {str(steps): mean_errors(network, data)["total"] for steps, data in driven.items()}
        reduction = [
            100.0 * network.stress.error(packed(data.stress), fractions_of(data.times)).mean()
            for data in driven.values()
        ]
        axes.plot(list(driven), list(errors.values()), f"C{colour}o-", label=f"{modes} modes")
        axes.plot(list(driven), reduction, f"C{colour}:")
        found[f"{modes} modes"] = errors
        found[f"{modes} modes, reduction alone"] = dict(zip(errors, map(float, reduction), strict=True))
    axes.set(title="d: resolution", xlabel="time steps", ylabel="test error, %", xscale="log", yscale="log")
    plain_numbers(axes)
    axes.legend(fontsize="small")
    axes.grid(alpha=0.3)
    return found


if __name__ == "__main__":
    launch(figure1)
