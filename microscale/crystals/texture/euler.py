"""Bunge's Euler angles, the one convention at the edges: how orientations are written down.

The crystal frame begins on the sample frame and is turned by phi1 about its z, by Phi about its new x, and by
phi2 about its new z. Its axes then are the columns of Q = Rz(phi1) Rx(Phi) Rz(phi2): a vector v of the
crystal is Q v in the sample. Bunge's matrix g, which turns coordinates of the sample into those of the
crystal, is the transpose of Q ("passive"); the angles are the same. Degrees.

In hexagonal crystals x is along a = [2-1-10] and z along c. So the angles (90, 90, 30) put c along the x of
the sample, for c = Q (0, 0, 1) = (sin phi1 sin Phi, -cos phi1 sin Phi, cos Phi).
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from microscale.tensors import FloatArray

POLE = 1e-7
"""Sine of Phi below which phi1 and phi2 turn about the same axis: then phi2 is zero."""


def from_bunge(degrees: FloatArray) -> FloatArray:
    """Return crystal axes as columns (n, 3, 3) of angles phi1, Phi, phi2 (n, 3), degrees."""
    return np.asarray(Rotation.from_euler("ZXZ", degrees, degrees=True).as_matrix())


def to_bunge(orientations: FloatArray) -> FloatArray:
    """Return phi1, Phi, phi2 (n, 3), degrees, in [0, 360), [0, 180], [0, 360), of crystal axes (n, 3, 3)."""
    Q = orientations
    sine = np.hypot(Q[:, 0, 2], Q[:, 1, 2])
    regular = sine > POLE
    phi1 = np.where(regular, np.arctan2(Q[:, 0, 2], -Q[:, 1, 2]), np.arctan2(Q[:, 1, 0], Q[:, 0, 0]))
    phi2 = np.where(regular, np.arctan2(Q[:, 2, 0], Q[:, 2, 1]), 0.0)
    degrees = np.degrees(np.stack([phi1, np.arctan2(sine, Q[:, 2, 2]), phi2], axis=-1))
    degrees[:, [0, 2]] %= 360.0
    return degrees


def written_bunge(orientations: FloatArray) -> FloatArray:
    """Return the angles as they are written into records: 8 decimals, from which the same matrices follow."""
    degrees = to_bunge(orientations).round(8)
    degrees[:, [0, 2]] %= 360.0
    return degrees
