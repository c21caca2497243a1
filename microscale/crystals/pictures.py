"""Pictures of the mechanisms at work (matplotlib)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from microscale.tensors import FloatArray


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
