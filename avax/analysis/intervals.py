"""Estimates with intervals over independent bases. NumPy and SciPy."""

from __future__ import annotations

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
