"""Ranks: shared errors, one writer, arrays gathered; the order FEniCSx is imported in."""
