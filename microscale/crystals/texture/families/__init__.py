"""Families of textures to learn from and to be judged by; see :mod:`.family`."""
