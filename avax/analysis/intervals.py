"""Estimates with intervals over independent units: bases, which the dimension `seed` numbers.

A unit is what was drawn independently: a base policy with all its runs. Runs of one base are not
independent, so their mean is one value. `docs/intervals.md` says what each interval assumes, and
how often it covers the truth in simulations. NumPy and SciPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

COVERAGE = 0.95


class Estimate(NamedTuple):
    """A number and its 95 % interval, or arrays of them.

    An end is infinite where the data can't bound it; both are NaN where there is no interval, as
    with one unit.
    """

    value: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray
    num: int | np.ndarray  # independent units

    def excludes(self, null: float = 0.0) -> bool | np.ndarray:
        """Whether a value lies outside of the interval; never where there is none."""
        return (self.low > null) | (self.high < null)


def quantile_of_t(num: np.ndarray | int, coverage: float = COVERAGE) -> np.ndarray:
    """The factor of the standard error from `num` units; NaN for fewer than two."""
    from scipy.special import stdtrit

    free = np.asarray(num, float) - 1
    return stdtrit(np.where(free > 0, free, np.nan), (1 + coverage) / 2)


def mean(values, axis: int | str = -1, coverage: float = COVERAGE) -> Estimate:
    """The mean over units and its t interval. It assumes that the units' values are normal.

    An infinite unit makes both ends infinite, as they become when a unit grows without bound.

    Args:
      values: an array, or a DataArray whose units are the dimension `seed` unless `axis` says else.
        What is not known is NaN, and left out.
      axis: of the units.
    """
    values = _units_first(values, axis)
    known = ~np.isnan(values)
    num = known.sum(0)
    with np.errstate(invalid="ignore"):  # inf less inf
        middle = np.where(known, values, 0).sum(0) / np.where(num > 0, num, np.nan)
    finite = np.isfinite(middle)
    apart = np.where(known & finite, values - np.where(finite, middle, 0), 0)
    free = np.where(num > 1, num - 1, np.nan)
    error = np.sqrt((apart**2).sum(0) / free / (free + 1))
    half = np.where(finite | (num == 0), quantile_of_t(num, coverage) * error, np.inf)
    return _estimate(middle, *_around(middle, half), num)


def paired(a, b, axis: int | str = -1, coverage: float = COVERAGE) -> Estimate:
    """The mean of a - b over the units that both have, and its t interval.

    Args:
      a: like the values of `mean`. DataArrays are aligned on their coordinates: units that only one
        of them has are left out.
    """
    if isinstance(a, xr.DataArray) and isinstance(b, xr.DataArray):
        a, b = xr.align(a, b, join="inner")
    with np.errstate(invalid="ignore"):  # both diverged: their difference is not known
        return mean(a - b, axis, coverage)


def unpaired(a, b, axis: int | str = -1, coverage: float = COVERAGE) -> Estimate:
    """The mean of a less that of b, whose units are not the same, and its interval (Welch 1947).

    Args:
      a: like the values of `mean`; b may have another number of units. Neither is infinite.

    Returns:
      An estimate whose `num` is that of the side with fewer units.
    """
    from scipy.special import stdtrit

    each = [mean(x, axis) for x in (a, b)]
    nums = np.array([x.num for x in each], float)
    errors = np.array([(x.high - x.low) / 2 for x in each]) / quantile_of_t(nums)
    squares = errors**2
    with np.errstate(invalid="ignore", divide="ignore"):  # no unit differs
        free = squares.sum(0) ** 2 / (squares**2 / (nums - 1)).sum(0)
    quantile = stdtrit(np.where(np.isnan(free), 1, free), (1 + coverage) / 2)
    value = np.subtract(*(x.value for x in each))
    ends = _around(value, quantile * np.sqrt(squares.sum(0)))
    return _estimate(value, *ends, nums.min(0).astype(int))


def jackknife(
    units: np.ndarray, statistic: Callable, log: bool = False, coverage: float = COVERAGE
) -> Estimate:
    """Any smooth statistic of units, with the t interval of its jackknife, which for a mean is that
    of `mean`.

    Every unit is left out once (Tukey 1958). Not for medians and other steps. The interval is NaN
    if the statistic is, and unbounded if it is not finite, or not without one of the units.

    Args:
      units: f[S, ...], first axis the units; those that are NaN throughout are left out. Indices of
        units do as well, for statistics of several arrays.
      statistic: of some of the units; a number or an array.
      log: whether it is a factor, so that the interval is symmetric in its logarithm.
    """
    units = np.asarray(units)
    if units.dtype.kind == "f" and units.size:
        units = units[~np.isnan(units.reshape(len(units), -1)).all(1)]
    num = len(units)
    scale = _log if log else np.asarray
    value = scale(statistic(units)) if num else np.array(np.nan)
    if num < 2:
        found = value, np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    else:
        without = np.stack([scale(statistic(np.delete(units, i, axis=0))) for i in range(num)])
        found = value, *_around(value, quantile_of_t(num, coverage) * jackknife_error(without))
    found = map(np.exp, found) if log else found
    return _estimate(*found, np.full(value.shape, num))


def jackknife_error(without: np.ndarray) -> np.ndarray:
    """f[...]: standard error of a statistic, from its values f[S, ...] without each of the units;
    infinite where one of them is not finite.
    """
    num = len(without)
    known = np.isfinite(without).all(0)
    finite = np.where(known, without, 0)
    error = np.sqrt((num - 1) / num * ((finite - finite.mean(0)) ** 2).sum(0))
    return np.where(known, error, np.inf)


def p_value(estimate: Estimate, null: float = 0.0, log: bool = False) -> np.ndarray:
    """P of a value so far from `null`, two-sided: below 0.05 where the interval excludes it, only.

    For a t interval it is that of the t test; for others as if the end towards `null` were one. At
    most 0.05 or 1 where the value is infinite; 1 where that end is, or where there is no interval.

    Args:
      log: whether the interval is of a factor, and symmetric in its logarithm; `null` is then > 0.
    """
    from scipy.special import stdtr

    scale = _log if log else np.asarray
    value, low, high = (scale(x) for x in estimate[:3])
    null = scale(null)
    with np.errstate(invalid="ignore", divide="ignore"):
        end = np.where(value > null, value - low, high - value)
        distance = np.abs(value - null) / end * quantile_of_t(estimate.num)
        found = 2 * stdtr(np.maximum(np.asarray(estimate.num, float) - 1, 1), -distance)
    found = np.where((end == 0) & (value == null), 1.0, found)
    outside = np.where((low > null) | (high < null), 1 - COVERAGE, 1.0)
    return np.where(np.isfinite(distance) | (end == 0), found, outside)[()]


def holm(p_values) -> np.ndarray:
    """f[N]: P-values of a family of comparisons, adjusted so that the chance of any false finding
    is the level at which they are read (Holm 1979). NaN stays NaN and doesn't count.
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p)  # NaN last
    num = int((~np.isnan(p)).sum())
    factor = np.maximum(num - np.arange(len(p)), 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factor), 1)
    return adjusted


def _units_first(values, axis: int | str) -> np.ndarray:
    if isinstance(values, xr.DataArray):
        name = axis if isinstance(axis, str) else "seed"
        return values.transpose(name, ...).values.astype(float)
    return np.moveaxis(np.asarray(values, float), axis, 0)


def _around(value: np.ndarray, half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both ends; infinite where the value or half the length is, NaN where the value is."""
    with np.errstate(invalid="ignore"):
        unbounded = np.where(np.isinf(half) & ~np.isnan(value), np.inf, np.nan)
        low, high = value - half, value + half
    is_open = ~np.isnan(unbounded) | (np.isinf(value) & ~np.isnan(half))
    return np.where(is_open, -np.inf, low), np.where(is_open, np.inf, high)


def _log(x) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(np.asarray(x, float))


def _estimate(value, low, high, num) -> Estimate:
    """Numbers instead of arrays without axes."""
    if np.ndim(value):
        return Estimate(*(np.asarray(x) for x in (value, low, high, num)))
    return Estimate(float(value), float(low), float(high), int(num))
