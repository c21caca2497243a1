"""Strain paths: random stretch histories along which laws are driven."""

from microscale.paths.protocols import StrainPaths

__all__ = ["StrainPaths"]
