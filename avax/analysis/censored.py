"""Geometric means of places that some units have beyond what was run: censored values.

Where a base gains at every FPR up to 1 its boundary is not 1: it is "above 1". The logarithm of the
place is taken as normal between units, censored ones by the probability of their side (Tobin 1958,
in the parameters of Olsen 1978, in which the likelihood is concave).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from avax.analysis.intervals import Estimate, quantile_of_t

LEAST_SEEN = 3  # units whose place is known, for a normal to be fitted
FARTHEST = 30.0  # standard deviations of what is seen: an end that lies beyond is open
LOG_ROOT = 0.5 * np.log(2 * np.pi)


def geometric(place, side=0) -> Estimate:
    """The geometric mean over units, which is the median too if logarithms are normal; 95 %.

    Without censored units it is the t interval of the logarithms. With some it is what the profile
    likelihood of a censored normal does not reject, with the quantile of t for as many units as are
    seen: so that it is the same interval if all are. With fewer than three seen it is the median
    (censored units as far away), and the interval between order statistics: of six units or more,
    or of five (93.75 %), else unbounded. Ends are 0 or inf where nothing bounds them.

    Args:
      place: f[..., S], above 0. NaN: not known, left out.
      side: i[..., S]: 0 where a unit's place is known, 1 where it lies above `place`, -1 below.
    """
    place = np.asarray(place, float)
    x = np.log(place).reshape(-1, place.shape[-1])
    side = np.broadcast_to(side, place.shape).reshape(x.shape)
    found = np.array(
        [_of_units(v[~np.isnan(v)], s[~np.isnan(v)]) for v, s in zip(x, side, strict=True)]
    )
    fitted = np.isnan(found[:, 0]) & (found[:, 3] > 1)
    if fitted.any():
        found[fitted, :3] = _likelihood(x[fitted], side[fitted])
    found = found.reshape(*place.shape[:-1], 4)
    with np.errstate(over="ignore"):
        numbers = np.exp(found[..., :3])
    if place.ndim == 1:
        return Estimate(*numbers.tolist(), int(found[3]))
    return Estimate(*np.moveaxis(numbers, -1, 0), found[..., 3].astype(int))


def _of_units(x: np.ndarray, side: np.ndarray) -> tuple[float, float, float, int]:
    """Of logarithms f[S]: value, ends and units; NaN where a normal is to be fitted."""
    num, seen = len(x), x[side == 0]
    if num < 2:
        value = _far(x, side, 0)[0] if num else np.nan
        return value, np.nan, np.nan, num
    if len(seen) == num:
        half = quantile_of_t(num) * x.std(ddof=1) / np.sqrt(num)
        return x.mean(), x.mean() - half, x.mean() + half, num
    if len(seen) < LEAST_SEEN or np.ptp(seen) == 0:
        return *_median(x, side), num
    return np.nan, np.nan, np.nan, num


def _far(x: np.ndarray, side: np.ndarray, kept: int) -> np.ndarray:
    """Censored units at infinity, but for those of the side `kept`."""
    return np.where((side == 0) | (side == kept), x, np.where(side > 0, np.inf, -np.inf))


def _median(x: np.ndarray, side: np.ndarray) -> tuple[float, float, float]:
    """The median, and the widest order statistics that 2.5 % of samples have on one side of it."""
    from scipy.special import bdtr

    num = len(x)
    middle = np.sort(_far(x, side, 0))[[(num - 1) // 2, num // 2]]
    value = middle[0] if np.isinf(middle[0]) else middle.mean()
    allowed = np.flatnonzero(bdtr(np.arange(num), num, 0.5) <= (0.025 if num != 5 else 0.032))
    if not len(allowed):
        return value, -np.inf, np.inf
    last = allowed[-1]
    # A unit above its place bounds the median from below as if it stood there.
    low, high = np.sort(_far(x, side, 1)), np.sort(_far(x, side, -1))
    return value, low[last], high[num - 1 - last]


def _likelihood(x: np.ndarray, side: np.ndarray) -> np.ndarray:
    """f[B, 3]: maximum and profile-likelihood interval of the mean of a censored normal.

    Args:
      x, side: f[B, S] and i[B, S], at least three of a row seen and not all equal; NaN left out.
    """
    seen, known = (side == 0) & ~np.isnan(x), ~np.isnan(x)
    num = seen.sum(1)
    shift = (np.where(seen, x, 0).sum(1) / num)[:, None]
    scale = np.sqrt((np.where(seen, x - shift, 0) ** 2).sum(1) / num)[:, None]
    units = _Units(np.where(known, (x - shift) / scale, 0), np.where(known, side, 0), seen, known)
    best, theta = _maximum(units)
    most = _profile(best, theta, units)[0]
    least = most - known.sum(1) / 2 * np.log1p(quantile_of_t(num) ** 2 / (num - 1))
    ends = []
    for sign in (-1, 1):
        inner, outer, near = best, best + sign * FARTHEST, theta
        is_open = _profile(outer, np.full(len(best), 1 / FARTHEST), units)[0] > least
        for _ in range(30):
            middle = (inner + outer) / 2
            value, near = _profile(middle, near, units)
            inner, outer = np.where(value > least, (middle, outer), (inner, middle))
        ends.append(np.where(is_open, sign * np.inf, (inner + outer) / 2))
    return shift + scale * np.stack([best, *ends], 1)


class _Units(NamedTuple):
    """Logarithms in standard deviations of what is seen; 0 where none is `known`."""

    x: np.ndarray  # f[B, S]
    side: np.ndarray
    seen: np.ndarray
    known: np.ndarray


def _hazard(z: np.ndarray) -> np.ndarray:
    """Density over distribution function of a normal."""
    from scipy.special import log_ndtr

    return np.exp(-0.5 * z**2 - LOG_ROOT - log_ndtr(z))


def _maximum(units: _Units) -> tuple[np.ndarray, np.ndarray]:
    """Mean and 1 / standard deviation, f[B] each, by Newton's method on a concave function."""
    x, side, seen, known = units
    delta, theta = np.zeros(len(x)), np.ones(len(x))
    for _ in range(60):
        z = side * (delta[:, None] - theta[:, None] * x)
        hazard = np.where(seen, 0, _hazard(z))
        pull = np.where(seen, theta[:, None] * x - delta[:, None], side * hazard) * known
        weight = np.where(seen, 1, hazard * (hazard + z)) * known
        up, right = pull.sum(1), seen.sum(1) / theta - (x * pull).sum(1)
        a, b = weight.sum(1), -(weight * x).sum(1)
        c = seen.sum(1) / theta**2 + (weight * x**2).sum(1)
        steps = np.stack([c * up - b * right, a * right - b * up]) / (a * c - b**2)
        steps *= np.minimum(1, 0.5 * theta / np.maximum(np.abs(steps[1]), 1e-300))
        delta, theta = delta + steps[0], theta + steps[1]
        if (np.abs(steps) < 1e-9 * theta).all():
            break
    return delta / theta, theta


def _profile(mean: np.ndarray, theta: np.ndarray, units: _Units) -> tuple[np.ndarray, np.ndarray]:
    """f[B]: the largest log likelihood at a mean, and 1 / standard deviation there, which is looked
    for from `theta` on.
    """
    from scipy.special import log_ndtr

    x, side, seen, known = units
    num, apart = seen.sum(1), mean[:, None] - x
    squares = (np.where(seen, apart, 0) ** 2).sum(1)
    away = side * apart
    for _ in range(30):
        z = theta[:, None] * away
        hazard = np.where(seen, 0, _hazard(z)) * known
        slope = num / theta - theta * squares + (away * hazard).sum(1)
        bend = num / theta**2 + squares + (away**2 * hazard * (hazard + z)).sum(1)
        step = np.clip(slope / bend, -0.8 * theta, 4 * theta)
        theta = theta + step
        if (np.abs(step) < 1e-6 * theta).all():
            break
    inside = np.where(seen | ~known, 0, log_ndtr(theta[:, None] * away)).sum(1)
    return num * np.log(theta) - 0.5 * theta**2 * squares + inside, theta
