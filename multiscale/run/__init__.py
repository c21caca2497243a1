"""One run, from what was asked to its record: launch, control, checkpoints, progress."""
