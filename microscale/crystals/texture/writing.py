"""Orientations as a file for other programs.

``NAME.ori`` is Neper's (``-ori "file(NAME.ori)"``): Rodrigues vectors of the equivalent orientation of the
smallest rotation, without weights. Any other name holds Bunge angles in degrees and weights: MTEX reads it by
``orientation.load('NAME.txt', cs, 'ColumnNames', {'phi1' 'Phi' 'phi2' 'weights'})``, orix by
``Orientation.from_euler(np.loadtxt('NAME.txt')[:, :3], symmetry=..., degrees=True)``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.crystals.texture.euler import to_bunge
from microscale.crystals.texture.texture import Texture
from microscale.errors import InputError
from microscale.files.printable import printable
from microscale.files.whole_file import write_whole
from microscale.tensors import FloatArray


def write_orientations(path: Path, texture: Texture, group: Rotation) -> None:
    """Write the orientations of a texture.

    Args:
        path: The file; its ending is the format.
        texture: Orientations and weights.
        group: Rotations of the crystal's symmetry.

    Raises:
        InputError: The file cannot be written, or is Neper's and the weights differ.
    """
    if path.suffix.lower() == ".ori":
        if np.ptp(texture.weights) > 1e-9:
            raise InputError(
                f"{path}: Neper's files hold no weights, which differ here: reduce to equal grains first"
            )
        rows = _rodrigues(texture.orientations, group)
        write_whole(path, _lines(rows))
        return
    head = (
        f"# {printable(texture.made, 200)}\n"
        "# Bunge angles phi1, Phi, phi2 in degrees, and the share of the volume; hexagonal crystals have x\n"
        "# along a = [2-1-10] and z along c\n# phi1 Phi phi2 weight\n"
    )
    rows = np.column_stack([to_bunge(texture.orientations), texture.weights])
    write_whole(path, head.encode() + _lines(rows))


def _lines(rows: FloatArray) -> bytes:
    return "".join(" ".join(f"{value:.10g}" for value in row) + "\n" for row in rows).encode()


def _rodrigues(orientations: FloatArray, group: Rotation) -> FloatArray:
    """Rodrigues vectors (n, 3) of the equivalent rotations by the smallest angles."""
    q = Rotation.from_matrix(orientations)
    every = np.stack([(q * s).as_quat() for s in group])  # (s, n, 4), real part last
    best = np.abs(every[..., 3]).argmax(axis=0)
    chosen = every[best, np.arange(len(orientations))]
    return np.asarray(chosen[:, :3] / chosen[:, 3:])
