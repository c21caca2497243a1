"""Data sets: histories of a law along sampled paths."""
