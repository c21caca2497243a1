"""Crystals with slip and twinning, polycrystals, their orientations and material files."""
