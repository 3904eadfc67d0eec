"""What is to be run: sweeps, their axes, and what makes one that can be."""
