"""Pictures of texture and of the mechanisms at work (matplotlib)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Circle

from microscale.tensors import FloatArray


def basal_pole_figures(
    path: Path,
    panels: Sequence[tuple[str, FloatArray, FloatArray]],
    axes_of_sample: tuple[str, str] = ("1", "2"),
) -> None:
    """Draw (0001) pole figures, equal area, looking down the third sample axis.

    Args:
        path: PNG to write.
        panels: Title, crystal axes (orientations, 3, 3) and the volume fraction each stands for.
        axes_of_sample: Names of the horizontal and vertical sample axis.
    """
    figure, plots = plt.subplots(1, len(panels), figsize=(4.2 * len(panels), 4.2), constrained_layout=True)
    for plot, (title, orientations, volume) in zip(np.atleast_1d(plots), panels, strict=True):
        _pole_figure(plot, orientations[:, :, 2], volume)
        plot.set_title(title)
        plot.text(1.08, 0.0, axes_of_sample[0], va="center", ha="center")
        plot.text(0.0, 1.08, axes_of_sample[1], va="center", ha="center")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def mechanisms(
    path: Path, cases: Mapping[str, tuple[FloatArray, Mapping[str, FloatArray]]], horizontal: str
) -> None:
    """Draw the activity of each mechanism along loading, one panel a case.

    Args:
        path: PNG to write.
        cases: For each title, the horizontal coordinate (samples,) and the activities (samples,) by name.
        horizontal: Label of the horizontal axis.
    """
    figure, plots = plt.subplots(
        1, len(cases), figsize=(5.0 * len(cases), 4.0), sharey=True, constrained_layout=True, squeeze=False
    )
    for plot, (title, (x, curves)) in zip(plots[0], cases.items(), strict=True):
        for name, values in curves.items():
            plot.plot(x, values, label=name, lw=2)
        plot.set(title=title, xlabel=horizontal)
        plot.grid(alpha=0.3)
    plots[0, 0].set_ylabel("accumulated shear of the mechanism")
    plots[0, 0].legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _pole_figure(plot: Axes, poles: FloatArray, volume: FloatArray) -> None:
    upward = poles * np.where(poles[:, 2:] < 0.0, -1.0, 1.0)
    # Lambert's equal-area projection: equal volume of a random texture on equal areas of paper
    flat = upward[:, :2] / np.sqrt(1.0 + upward[:, 2:])
    seen = volume > 1e-4 * volume.max()
    plot.add_patch(Circle((0.0, 0.0), 1.0, fill=False))
    size = 12.0 * volume[seen] / volume[seen].mean()
    plot.scatter(flat[seen, 0], flat[seen, 1], s=size, alpha=0.6, lw=0)
    plot.set(xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
    plot.axis("off")
