"""Compiled code: the only place that runs a compiler, and where what it made is kept."""
