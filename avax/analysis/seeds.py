"""Means over seeds, each of which has a base of its own, for figures and words."""

from __future__ import annotations

import numpy as np
import xarray as xr

from avax.analysis import intervals


def mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is known (not NaN); NaN where nothing is."""
    known = ~np.isnan(values)
    return np.where(known, values, 0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)


def interval(values: xr.DataArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the dimension `seed` of what is known, and its 95 % t interval.

    Arrays of the other dimensions, in their order. The interval is NaN for fewer than two seeds,
    and where a run diverged: nothing bounds it there.
    """
    middle, low, high, _ = intervals.mean(values)
    ends = (np.where(np.isfinite(x), x, np.nan) for x in (low, high))
    return np.asarray(middle), *ends


def shown(values: xr.DataArray, digits: int = 2) -> str:
    """Mean over seeds of one number, and its interval."""
    numbers = (round(float(x), digits) + 0.0 for x in interval(values))  # no -0.00
    middle, low, high = (f"{x:.{digits}f}" for x in numbers)
    return f"{middle} ({low}, {high})"
