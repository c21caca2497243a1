"""Periodic unit cells, solved with FFTs."""
