"""How many runs happen: sweeps, tiles on devices, checkpoints, progress."""
