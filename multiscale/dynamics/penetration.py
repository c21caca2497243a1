"""Whether a node is inside an obstacle: contact acts on nodes of the surface only, and sees no others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from multiscale.dynamics.contact import Obstacle
from multiscale.dynamics.nodes import Nodes

# Contact lets a node just touch, up to round-off: a node deeper than this part of the body's extent is not
# held out.
TOLERANCE = 1e-6


def deepest_node(obstacles: Sequence[Obstacle], nodes: Nodes, time: float) -> str:
    """Say which of this rank's own nodes is deepest inside an obstacle; nothing where none is inside.

    Args:
        obstacles: All obstacles.
        nodes: The nodes; displacements are those at ``time``.
        time: Present time, us.
    """
    X, u = nodes.X[: nodes.owned], nodes.displacement[: nodes.owned]
    if not len(X):
        return ""
    limit = TOLERANCE * float(np.ptp(X, axis=0).max())
    for obstacle in obstacles:
        depth = -obstacle.gap(X + u - time * obstacle.velocity)
        node = int(depth.argmax())
        if depth[node] > limit:
            kind = "surface" if np.isin(node, nodes.surface) else "inner"
            held = not (nodes.inverse_mass[node] * obstacle.facing**2).any()
            x, y, z = X[node].round(9) + 0.0
            return (
                f"{kind} node with reference position ({x:.4g}, {y:.4g}, {z:.4g}) mm is {depth[node]:.3g} mm "
                f"inside the obstacle {obstacle.name}, expected outside"
                + (" (a support holds it there: hold another group, or move the obstacle)" if held else "")
            )
    return ""
