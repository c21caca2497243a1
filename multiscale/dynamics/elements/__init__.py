"""Elements of the explicit step, by their names."""
