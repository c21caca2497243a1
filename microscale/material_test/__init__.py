"""A material test without a mesh: one point of a law under any mixture of prescribed stretch and stress."""
