"""Table SI-2 as text: the paper's figures and ours in each column."""

from typing import Any

from data import SETS

COLUMNS = (
    *("case", "law, strain", "train, test", "paths, paper", "paths, ours", "modes", "PCA in", "PCA out"),
    *("training", "test", "test over the paper's", "deviatoric: training, test"),
    *("with exact pressure: test, deviatoric", "sides held: test, larger strains, less rest"),
)


def markdown(figures: dict[str, Any]) -> str:
    """Return the table, the paper's figures and ours in each column."""
    lines = [
        "Errors in %: the paper's | ours. Total error, and of ours the deviatoric error too.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"| ---: | --- | --- |{' ---: |' * (len(COLUMNS) - 3)}",
    ]
    for entry in figures.values():
        law, strain, protocols = _described(entry)
        numbers = [" / ".join(map(str, entry[name])) for name in ("paths", "paths_here")]
        pca = [
            f"{paper:.2g} \\| {ours:.2g}" for paper, ours in zip(entry["pca"], entry["pca_here"], strict=True)
        ]
        ours = [entry[name]["total"] for name in ("train_here", "test_here")]
        errors = [f"{paper:g} \\| {value:.1f}" for paper, value in zip(entry["errors"], ours, strict=True)]
        ratio = f"{ours[1] / entry['errors'][1]:.2f}"
        deviatoric = ", ".join(f"{entry[name]['deviatoric']:.1f}" for name in ("train_here", "test_here"))
        exact = entry.get("test_with_exact_pressure")
        last = f"{exact['total']:.1f}, {exact['deviatoric']:.1f}" if exact else ""
        last += " | " + ", ".join(f"{value:.1f}" for value in entry.get("test_held", {}).values())
        cells = [str(entry["case"]), f"{law}, {strain} %", protocols, *numbers, f"{entry['modes']}"]
        lines.append(f"| {' | '.join([*cells, *pca, *errors, ratio, deviatoric, last])} |")
    return "\n".join(lines) + "\n"


def _described(entry: dict[str, Any]) -> tuple[str, str, str]:
    """Return law, largest strain and protocols of a row."""
    train, test = SETS[entry["train"]], SETS[entry["test"]]
    law = {"fft2d": "2DFFT", "taylor": "3DTaylor"}[train["law"]]
    law += ", m = 0.2" if "rate_sensitivity" in train else ""
    return law, f"{100 * train['max_strain']:g}", f"{train['protocol']}, {test['protocol']}"
