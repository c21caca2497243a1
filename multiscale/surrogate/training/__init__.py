"""What the training of any surrogate needs: schedule, checkpoint, log, processes."""
