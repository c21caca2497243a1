"""The demos are scripts, not a package: tests import them from their folder."""

import sys
from pathlib import Path

DEMOS = Path(__file__).parents[2] / "demos"
sys.path[:0] = [str(DEMOS), str(DEMOS / "studies")]
