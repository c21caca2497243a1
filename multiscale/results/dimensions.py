"""Figures of a deformed body, measured in its result file."""

from __future__ import annotations

import numpy as np

from microscale.tensors import FloatArray
from multiscale.results.vtkhdf import Results

#: The foot is what stands within this share of the body's length from its lowest point.
FOOT_SHARE = 0.1


def bar_shape(results: Results, step: int = -1) -> dict[str, float]:
    """Return the figures of an impacted bar along z whose foot is its lower end.

    Args:
        results: Result file of the run. The axis is in the middle of the reference body, or where the planes
            of symmetry x = 0 and y = 0 of a quarter or half model meet.
        step: Step to measure.

    Returns:
        ``final_length_mm``, the extent of the deformed body along the axis, and ``foot_radius_mm``, the
        largest distance from the axis within :data:`FOOT_SHARE` of that length from the lowest point.
    """
    position = results.points + results.field("displacement_mm", step)
    height = position[:, 2] - position[:, 2].min()
    length = float(height.max())
    foot = position[height <= FOOT_SHARE * length]
    radius = np.linalg.norm(foot[:, :2] - _axis(results.points), axis=1).max()
    return {"final_length_mm": length, "foot_radius_mm": float(radius)}


def barrel_shape(results: Results, step: int = -1) -> dict[str, float]:
    """Return length and largest radius, mm, of a compressed cylinder along z; see :func:`bar_shape`."""
    position = results.points + results.field("displacement_mm", step)
    radius = np.linalg.norm(position[:, :2] - _axis(results.points), axis=1).max()
    return {"final_length_mm": float(np.ptp(position[:, 2])), "barrel_radius_mm": float(radius)}


def _axis(reference: FloatArray) -> FloatArray:
    """Where the axis of a bar along z is, shape (2,), mm; a part of one has nodes where its planes meet."""
    plan = reference[:, :2]
    low, high = plan.min(axis=0), plan.max(axis=0)
    near = 1e-6 * (high - low).max()
    middle = 0.5 * (low + high)
    meet = np.where(np.abs(low) < near, 0.0, middle)
    return meet if (np.linalg.norm(plan - meet, axis=1) < near).any() else middle


def plate_shape(results: Results, step: int = -1) -> dict[str, float]:
    """Return the figures of a plate hit from above: deepest displacement of each face, mm, positive down."""
    sinking = -results.field("displacement_mm", step)[:, 2]
    z = results.points[:, 2]
    near = 1e-6 * np.ptp(z)
    return {
        "struck_face_depth_mm": float(sinking[z > z.max() - near].max()),
        "rear_face_bulge_mm": float(sinking[z < z.min() + near].max()),
    }


def extremes(results: Results, step: int = -1) -> dict[str, float]:
    """Return the largest value of every scalar field of cells at one step, and the smallest ``e_v``."""
    fields = {name: results.field(name, step) for name in results.cell_fields}
    largest = {f"max_{name}": float(values.max()) for name, values in fields.items() if values.ndim == 1}
    return {**largest, "min_e_v": float(results.field("e_v", step).min())}


def body_shape(results: Results, step: int = -1) -> dict[str, float]:
    """Return the extents of the deformed body along x, y and z, mm."""
    position = results.points + results.field("displacement_mm", step)
    return {f"extent_{axis}_mm": float(np.ptp(position[:, k])) for k, axis in enumerate("xyz")}
