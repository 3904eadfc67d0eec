"""Means over seeds, and how far they would be elsewhere with other seeds. NumPy and SciPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr


def mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is known (not NaN); NaN where nothing is."""
    known = ~np.isnan(values)
    return np.where(known, values, 0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)


def interval(
    values: xr.DataArray, num_bootstrap: int = 1000
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the dimension `seed` of what is known, and its 95 % bootstrap interval.

    Arrays of the other dimensions, in their order; NaN where no seed is known.
    """
    stacked = values.transpose("seed", ...).values.astype(float)
    num_seeds = len(stacked)
    picks = _picks(num_seeds, num_bootstrap)
    # How often each seed is in each sample: means are then products of matrices.
    counts = (picks[..., None] == np.arange(num_seeds)).sum(1).astype(float)
    known = ~np.isnan(stacked)
    weight = np.tensordot(counts, known, 1)
    total = np.tensordot(counts, np.where(known, stacked, 0), 1)
    samples = total / np.where(weight > 0, weight, np.nan)
    unknown = np.isnan(samples).all(0)
    samples = np.where(unknown[None], 0.0, samples)
    low, high = (
        np.where(unknown, np.nan, np.nanquantile(samples, q, axis=0)) for q in (0.025, 0.975)
    )
    return mean(stacked), low, high


def t_interval(values: xr.DataArray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the dimension `seed` of what is known, and its 95 % t interval.

    Arrays of the other dimensions, in their order. The interval is NaN for fewer than two seeds;
    where a seed is -inf, so is the mean, and the interval is NaN.
    """
    from scipy.special import stdtrit

    stacked = values.transpose("seed", ...).values.astype(float)
    middle, num = mean(stacked), (~np.isnan(stacked)).sum(0)
    is_finite = np.isfinite(middle)
    apart = np.where(np.isnan(stacked) | ~is_finite, 0, stacked - np.where(is_finite, middle, 0))
    free = np.where(is_finite & (num > 1), num - 1, np.nan)
    half = stdtrit(free, 0.975) * np.sqrt((apart**2).sum(0) / free / (free + 1))
    return middle, np.where(is_finite, middle, np.nan) - half, middle + half


def bootstrap(
    values: np.ndarray, statistic: Callable[[np.ndarray], float], num_bootstrap: int = 2000
) -> np.ndarray:
    """f[num_bootstrap]: a statistic of f[S, ...] where its first axis, the seeds, is resampled."""
    picks = _picks(len(values), num_bootstrap)
    return np.array([statistic(values[pick]) for pick in picks], float)


def _picks(num_seeds: int, num_bootstrap: int) -> np.ndarray:
    """i64[num_bootstrap, S]: the seeds of each sample, always the same ones."""
    return np.random.default_rng(0).integers(num_seeds, size=(num_bootstrap, num_seeds))


def shown(values: xr.DataArray, digits: int = 2) -> str:
    """Mean over seeds of one number, and its interval."""
    numbers = (round(float(x), digits) + 0.0 for x in interval(values))  # no -0.00
    middle, low, high = (f"{x:.{digits}f}" for x in numbers)
    return f"{middle} ({low}, {high})"
