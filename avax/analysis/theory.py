"""Mean-field theory of errors that compound in filtered self-training.

Let e be the share of wrong completions at the frontier. A filter with error rates FPR and FNR lets
through a share q of wrong labels, and training on them makes the next round's share of wrong
completions e' = e_gen + kappa q: what a step in difficulty costs even with clean labels, plus the
amplification kappa of label errors. Near q = 0 errors are multiplied by kappa FPR / (1 - FNR) in
every round, so the loop compounds below FPR / (1 - FNR) = 1 / kappa and avalanches above.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from avax.analysis.intervals import jackknife


class Amplification(NamedTuple):
    """A line through (share of wrong labels, share of wrong completions in the next round)."""

    kappa: float  # slope
    low: float  # 95 % interval over bases; NaN with one
    high: float
    error_floor: float  # e_gen, the intercept
    wrong_labels: np.ndarray  # f[S, N], the measured points of each seed
    next_error: np.ndarray  # f[S, N]


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


def amplification(wrong_labels: np.ndarray, next_error: np.ndarray) -> Amplification:
    """kappa from a one-shot injection of label noise, by least squares; each base is left out once
    for the interval.

    Args:
      wrong_labels: f[S, N], share of wrong labels that the base's run s was trained on.
      next_error: f[S, N], share of wrong completions of the following round.

    Returns:
      Numbers are NaN if no seed has all its points; seeds without are left out.
    """
    # A seed that accepted nothing at some rate has no share of wrong labels there.
    known = np.isfinite(wrong_labels + next_error).all(1)
    wrong_labels, next_error = wrong_labels[known], next_error[known]
    if not known.any():
        return Amplification(*[float("nan")] * 4, wrong_labels, next_error)
    kappa = jackknife(
        np.arange(len(wrong_labels)), lambda i: float(slope(wrong_labels[i], next_error[i]))
    )
    floor = float((next_error - kappa.value * wrong_labels).mean())  # of each base its own
    return Amplification(*kappa[:3], floor, wrong_labels, next_error)


def slope(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How y f[S, N, ...] changes with x f[S, N], least squares f[...]: shared by all seeds, each of
    which has an intercept of its own, as it has its own base. 0 if x never changes.
    """
    dx, dy = (v - v.mean(1, keepdims=True) for v in (x, y))
    return np.einsum("sn,sn...->...", dx, dy) / max((dx**2).sum(), 1e-12)
