"""What each experiment runs: presets from a smoke test to one GPU."""
