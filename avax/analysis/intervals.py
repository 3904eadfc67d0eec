"""Estimates with intervals over independent bases. NumPy and SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A number, its 95 % interval, and over how many independent units it was taken.

    Attributes:
      num: independent units, that is bases.
    """

    value: float
    low: float
    high: float
    num: int


def mean(values: np.ndarray, coverage: float = 0.95) -> Estimate:
    """The mean of one value a base with its t interval; NaN is left out.

    The interval is open where there are fewer than two values.
    """
    from scipy.special import stdtrit

    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    if not len(known):
        return Estimate(np.nan, -np.inf, np.inf, 0)
    middle, free = known.mean(), len(known) - 1
    if not free or not np.isfinite(middle):
        return Estimate(float(middle), -np.inf, np.inf, len(known))
    half = stdtrit(free, (1 + coverage) / 2) * known.std(ddof=1) / np.sqrt(len(known))
    return Estimate(float(middle), float(middle - half), float(middle + half), len(known))


def jackknife(
    units: np.ndarray, statistic: Callable, log: bool = False, coverage: float = 0.95
) -> Estimate:
    """A smooth statistic of units, with the t interval of its jackknife (Tukey 1958).

    Args:
      units: first axis the units; their indices do as well.
      statistic: of some of the units.
      log: whether it is a factor, so that the interval is symmetric in its logarithm.
    """
    from scipy.special import stdtrit

    scale = np.log if log else np.asarray
    units = np.asarray(units)
    num, value = len(units), float(scale(statistic(units)))
    if num < 2:
        return Estimate(value, np.nan, np.nan, num)
    without = np.array([scale(statistic(np.delete(units, i, axis=0))) for i in range(num)], float)
    error = np.sqrt((num - 1) / num * ((without - without.mean()) ** 2).sum())
    half = float(stdtrit(num - 1, (1 + coverage) / 2) * error)
    found = value, value - half, value + half
    return Estimate(*(map(float, np.exp(found)) if log else found), num)
