"""Textures: where the crystals of a polycrystal point, from a description or a file, in and out."""

from microscale.crystals.texture.texture import Texture

__all__ = ["Texture"]
