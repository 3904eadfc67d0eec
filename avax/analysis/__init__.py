"""From results to statements: order parameters, boundaries, mean-field predictions. NumPy only."""
