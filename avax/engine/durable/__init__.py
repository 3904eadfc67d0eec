"""What survives: checkpoints, and the folder that one process holds."""
