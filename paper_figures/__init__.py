"""One script for each figure: loads results, draws, never imports JAX."""
