"""Outcomes that can only fall as a verifier gets worse: monotone fits, and where they cross."""

from __future__ import annotations

import numpy as np


def decreasing(y: np.ndarray, level: float, weight: np.ndarray | None = None) -> np.ndarray:
    """The nearest sequence that never grows, by least squares: neighbours in the wrong order are
    averaged (isotonic regression). Each value is a run with noise of its own; a larger FPR is never
    better. -inf, a run that diverged, counts as the lowest other, and as no more than `level`.

    Args:
      weight: f[N], how much each value counts; all the same by default.
    """
    from scipy.optimize import isotonic_regression  # takes 0.2 s to import

    y = np.asarray(y, float)
    finite = np.isfinite(y)
    y = np.where(finite, y, y[finite].min(initial=level))
    return isotonic_regression(y, weights=weight, increasing=False).x


def merged(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each x once and rising, the mean of what is known (not NaN) there, and of how many it is."""
    known = ~np.isnan(y)
    ticks, which, count = np.unique(np.round(x[known], 9), return_inverse=True, return_counts=True)
    return ticks, np.bincount(which, weights=y[known]) / count, count.astype(float)


def crossing(x: np.ndarray, y: np.ndarray, level: float) -> float:
    """The smallest x at which y, seen from the left, falls to `level`; x grows and may start at 0.

    Between two points y is taken as linear in log x, in x where one of them is 0. NaN if y stays
    above; the first x if it starts below.
    """
    below = np.flatnonzero(~(y > level))
    if len(below) == 0:
        return float("nan")
    i = below[0]
    if i == 0:
        return float(x[0])
    weight = (y[i - 1] - level) / (y[i - 1] - y[i])
    if x[i - 1] <= 0:
        return float(x[i - 1] + weight * (x[i] - x[i - 1]))
    return float(np.exp(np.log(x[i - 1]) + weight * np.log(x[i] / x[i - 1])))


def located(
    x: np.ndarray, y: np.ndarray, level: float, weight: np.ndarray | None = None
) -> tuple[float, int]:
    """Where the monotone fit of y falls to `level`: the place and 0; the last x and 1 if it lies
    beyond; the first x above 0 and -1 if it lies below. NaN where nothing tells.

    Args:
      x: f[N], grows and may start at 0.
      y: f[N], NaN where nothing was run.
    """
    known = ~np.isnan(y)
    x, y = x[known], y[known]
    if not len(x) or x[-1] <= 0:
        return float("nan"), 0
    fit = decreasing(y, level, None if weight is None else weight[known])
    lowest = x[x > 0][0]
    if not fit[0] > level:
        return float(lowest), -1
    found = crossing(x, fit, level)
    if np.isnan(found):
        return float(x[-1]), 1
    return (float(found), 0) if found >= lowest else (float(lowest), -1)


def crossings_of_band(
    x: np.ndarray, value: np.ndarray, half: np.ndarray, level: float = 0.0
) -> tuple[float, float, float]:
    """Where a curve that falls reaches `level`, and the x at which that can't be told from its
    pointwise interval value +- half (Fieller 1954).

    0 and inf where that is before the first x or beyond the last. All are NaN if the curve is.
    """
    if np.isnan(value).any():
        return (float("nan"),) * 3
    with np.errstate(invalid="ignore"):
        curves = value, value - half, value + half
    # The first x at which it may be down, and the last at which it may still be up.
    middle, low = (_first(x, y > level, y, level) for y in curves[:2])
    high = _first(x, np.maximum.accumulate((curves[2] > level)[::-1])[::-1], curves[2], level)
    return middle, low, high


def _first(x, above, y, level) -> float:
    """Where `above` ends; inf if it never does, 0 if it never holds."""
    if above.all():
        return float("inf")
    i = int(np.flatnonzero(~above)[0])
    if i == 0:
        return 0.0
    if not np.isfinite(y[i - 1 : i + 1]).all() or x[i - 1] <= 0:
        return float(x[i])
    return crossing(x[i - 1 : i + 1], y[i - 1 : i + 1], level)
