"""Mean-field theory of errors that compound in filtered self-training.

Let e be the share of wrong completions at the frontier. A filter with error rates FPR and FNR lets
through a share q of wrong labels, and training on them makes the next round's share of wrong
completions e' = e_gen + kappa q: what a step in difficulty costs even with clean labels, plus the
amplification kappa of label errors. Near q = 0 errors are multiplied by kappa FPR / (1 - FNR) in
every round, so the loop compounds below FPR / (1 - FNR) = 1 / kappa and avalanches above.
"""

from __future__ import annotations

import numpy as np


def filtered_error(error, fpr, fnr):
    """Share of wrong labels among the accepted completions; NaN where nothing is accepted."""
    wrong, right = error * fpr, (1 - error) * (1 - fnr)
    with np.errstate(invalid="ignore", divide="ignore"):
        return wrong / (wrong + right)


def next_error(error, fpr, fnr, kappa, error_floor):
    """Share of wrong completions one round later, at most 1."""
    return np.minimum(error_floor + kappa * filtered_error(error, fpr, fnr), 1.0)


def trajectory(error, fpr, fnr, kappa, error_floor, num_rounds: int) -> np.ndarray:
    """Shares of wrong completions in rounds 1 to `num_rounds`, the first being `error`."""
    errors = [error]
    for _ in range(num_rounds - 1):
        errors.append(next_error(errors[-1], fpr, fnr, kappa, error_floor))
    return np.array(errors)
