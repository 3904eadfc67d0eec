"""Geometric means of places that some units have beyond what was run: censored values.

Where a base gains at every FPR up to 1 its boundary is not 1: it is "above 1". The logarithm of the
place is taken as normal between units, censored ones by the probability of their side (Tobin 1958,
in the parameters of Olsen 1978, in which the likelihood is concave).
"""

from __future__ import annotations

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
    side = np.broadcast_to(side, place.shape)
    rows = zip(*(x.reshape(-1, place.shape[-1]) for x in (np.log(place), side)), strict=True)
    found = np.array([_of_units(x[~np.isnan(x)], s[~np.isnan(x)]) for x, s in rows])
    found = found.reshape(*place.shape[:-1], 4)
    with np.errstate(over="ignore"):
        numbers = np.exp(found[..., :3])
    if place.ndim == 1:
        return Estimate(*numbers.tolist(), int(found[3]))
    return Estimate(*np.moveaxis(numbers, -1, 0), found[..., 3].astype(int))


def _of_units(x: np.ndarray, side: np.ndarray) -> tuple[float, float, float, int]:
    """Of logarithms f[S]: value, ends and number of units."""
    num, seen = len(x), x[side == 0]
    if num < 2:
        value = _far(x, side, 0)[0] if num else np.nan
        return value, np.nan, np.nan, num
    if len(seen) == num:
        half = quantile_of_t(num) * x.std(ddof=1) / np.sqrt(num)
        return x.mean(), x.mean() - half, x.mean() + half, num
    if len(seen) < LEAST_SEEN or np.ptp(seen) == 0:
        return *_median(x, side), num
    shift, scale = seen.mean(), seen.std()
    return *(shift + scale * np.array(_likelihood((x - shift) / scale, side))), num


def _far(x: np.ndarray, side: np.ndarray, kept: int) -> np.ndarray:
    """Censored units at infinity, but for those of the side `kept`."""
    return np.where((side == 0) | (side == kept), x, np.where(side > 0, np.inf, -np.inf))


def _median(x: np.ndarray, side: np.ndarray) -> tuple[float, float, float]:
    """The median, and the widest order statistics that 2.5 % of samples have on one side of it."""
    from scipy.special import bdtr

    num = len(x)
    middle = np.sort(_far(x, side, 0))[[(num - 1) // 2, num // 2]]
    with np.errstate(invalid="ignore"):
        value = middle.mean()
    allowed = np.flatnonzero(bdtr(np.arange(num), num, 0.5) <= (0.025 if num != 5 else 0.032))
    if not len(allowed):
        return value, -np.inf, np.inf
    last = allowed[-1]
    # A unit above its place bounds the median from below as if it stood there.
    low, high = np.sort(_far(x, side, 1)), np.sort(_far(x, side, -1))
    return value, low[last], high[num - 1 - last]


def _likelihood(x: np.ndarray, side: np.ndarray) -> tuple[float, float, float]:
    """Maximum and profile-likelihood interval of the mean of a censored normal, f[S]."""
    num, seen = len(x), int((side == 0).sum())
    best, theta = _maximum(x, side)
    most = _profile(np.array([best]), np.array([theta]), x, side)[0][0]
    t = quantile_of_t(seen)
    least = most - num / 2 * np.log1p(t**2 / (seen - 1))
    inner, outer = np.array([best, best]), best + FARTHEST * np.array([-1.0, 1.0])
    thetas = np.full(2, theta)
    is_open = _profile(outer, 1 / np.abs(outer), x, side)[0] > least
    for _ in range(40):
        middle = (inner + outer) / 2
        value, thetas = _profile(middle, thetas, x, side)
        inner, outer = np.where(value > least, (middle, outer), (inner, middle))
    low, high = np.where(is_open, [-np.inf, np.inf], (inner + outer) / 2)
    return best, low, high


def _hazard(z: np.ndarray) -> np.ndarray:
    """Density over distribution function of a normal."""
    from scipy.special import log_ndtr

    return np.exp(-0.5 * z**2 - LOG_ROOT - log_ndtr(z))


def _maximum(x: np.ndarray, side: np.ndarray) -> tuple[float, float]:
    """Mean, and 1 / standard deviation, by Newton's method on a concave function."""
    delta, theta, seen = 0.0, 1.0, side == 0
    for _ in range(60):
        z = np.where(seen, 0, side * (delta - theta * x))
        hazard = _hazard(z)
        pull = np.where(seen, theta * x - delta, side * hazard)
        weight = np.where(seen, 1, hazard * (hazard + z))
        gradient = np.array([pull.sum(), seen.sum() / theta - (x * pull).sum()])
        cross = -(weight * x).sum()
        bottom = seen.sum() / theta**2 + (weight * x**2).sum()
        step = np.linalg.solve([[weight.sum(), cross], [cross, bottom]], gradient)
        step *= min(1, 0.5 * theta / max(abs(step[1]), 1e-300))
        delta, theta = delta + step[0], theta + step[1]
        if np.abs(step).max() < 1e-10 * theta:
            break
    return delta / theta, theta


def _profile(mean, theta, x, side) -> tuple[np.ndarray, np.ndarray]:
    """The largest log likelihood at each mean f[B], and 1 / standard deviation there, which is
    looked for from `theta` on.
    """
    from scipy.special import log_ndtr

    seen = side == 0
    num, apart = seen.sum(), mean[:, None] - x
    squares = (np.where(seen, apart, 0) ** 2).sum(1)
    away = np.where(seen, 0, side * apart)
    for _ in range(30):
        z = theta[:, None] * away
        hazard = _hazard(z)
        slope = num / theta - theta * squares + (away * hazard).sum(1)
        bend = num / theta**2 + squares + (away**2 * hazard * (hazard + z)).sum(1)
        step = np.clip(slope / bend, -0.8 * theta, 4 * theta)
        theta = theta + step
        if (np.abs(step) < 1e-9 * theta).all():
            break
    inside = np.where(seen, 0, log_ndtr(theta[:, None] * away)).sum(1)
    return num * np.log(theta) - 0.5 * theta**2 * squares + inside, theta
