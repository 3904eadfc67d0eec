"""Which one number of a verifier decides? Candidates, and how well each orders the outcomes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from avax.analysis import monotone
from avax.analysis.intervals import Estimate, jackknife

# All grow as the verifier gets worse, and so the outcome is expected to fall.
NUMBERS = {
    "FPR / (1 - FNR)": lambda fpr, fnr: fpr / np.maximum(1 - fnr, 1e-9),
    "1 - J": lambda fpr, fnr: fpr + fnr,  # Youden's J = TPR - FPR
    "FPR": lambda fpr, fnr: fpr + 0 * fnr,
    "FNR": lambda fpr, fnr: fnr + 0 * fpr,
}

NOTHING_LEFT = 1e-12  # the share of the variance that is left where all is explained


def explained(order: xr.DataArray, number: str) -> Estimate:
    """Share of the variance between settings, in a base that was not looked at, that a number
    explains: R^2 by leaving out one base at a time.

    Each base is predicted by the best falling function of the number (isotonic regression, so that
    no shape is assumed) through the means of all other bases. Its level is its own: prediction and
    outcome are taken from their means over the base's settings. The interval is the jackknife's.
    Below 0 if the number misleads; runs' noise keeps it below 1, so
    read it beside `ceiling`. NaN for one base, and if outcomes are all the same.

    Args:
      order: order parameter with the dimensions fpr, fnr and seed (the bases), and maybe replicate,
        over which it is averaged first. Settings with a run that diverged are left out; NaN where a
        base was not run.
    """
    x, values = by_setting(order, number)
    return _left_out(values, lambda others: _monotone_through(x, others))


def ceiling(order: xr.DataArray) -> Estimate:
    """What `explained` would be if a number told each setting's mean exactly: the noise ceiling.

    Each base is predicted by the means of the others, and what these add to the error by being of
    few bases is taken off. What is left to 1 is noise of runs, and what settings do to one base and
    not to others.
    """
    _, values = by_setting(order, "FPR")
    return _left_out(values, _mean, is_exact=False)


def by_setting(order: xr.DataArray, number: str) -> tuple[np.ndarray, np.ndarray]:
    """A number f[N] of each setting, and the order parameter f[N, S], without diverged settings and
    those that no base was run at; NaN where a base was not run.
    """
    if "replicate" in order.dims:
        order = order.mean("replicate")
    flat = order.transpose("fpr", "fnr", "seed")
    values = flat.values.reshape(-1, flat.sizes["seed"])
    x = NUMBERS[number](*np.meshgrid(flat.fpr.values, flat.fnr.values, indexing="ij")).reshape(-1)
    known = ~np.isinf(values).any(1) & ~np.isnan(values).all(1)
    return x[known], values[known]


def fitted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The best falling function of x at each x, by least squares; equal x have one value."""
    return _monotone_through(x, y[:, None])


def _mean(values: np.ndarray) -> np.ndarray:
    """f[N]: mean over bases f[N, S] of what is known, NaN where nothing is."""
    known = ~np.isnan(values)
    num = known.sum(1)
    return np.where(known, values, 0).sum(1) / np.where(num > 0, num, np.nan)


def _monotone_through(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """f[N]: a falling function through all values f[N, S]; linear between places that were run."""
    places = np.broadcast_to(x[:, None], values.shape)
    ticks, mean, count = monotone.merged(places.ravel(), values.ravel())
    if not len(ticks):
        return np.full(len(x), np.nan)
    return np.interp(x, ticks, monotone.decreasing(mean, -np.inf, count))


def _left_out(values: np.ndarray, predicted: Callable, is_exact: bool = True) -> Estimate:
    """1 - squares of what is left / squares of outcomes f[N, S], each base predicted by others.

    The interval is the jackknife's of the logarithm of what is left: every base is left out, and
    all is done anew with the others.

    Args:
      predicted: f[N] of the values f[N, S - 1] of other bases.
      is_exact: False takes off what means of so many bases add to the error.
    """

    def left(bases: np.ndarray) -> float:
        if len(bases) < 2:
            return float("nan")
        sums = np.zeros(2)
        for base in bases:
            others = values[:, bases[bases != base]]
            expected, num = predicted(others), (~np.isnan(others)).sum(1)
            known = ~np.isnan(values[:, base]) & ~np.isnan(expected)
            if known.sum() > 1:
                weight = 1.0 if is_exact else (num / (num + 1))[known]
                own, expected = (x[known] - x[known].mean() for x in (values[:, base], expected))
                sums += (weight * (own - expected) ** 2).sum(), (own**2).sum()
        return max(sums[0] / sums[1], NOTHING_LEFT) if sums[1] > 0 else float("nan")

    value, low, high, num = jackknife(np.arange(values.shape[1]), left, log=True)
    return Estimate(1 - value, 1 - high, 1 - low, num)
