"""How much outcomes differ between bases, and between runs of one base."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from avax.analysis.intervals import COVERAGE, Estimate


class Components(NamedTuple):
    """Variances of a one-way random-effects model: value = mean + base + run.

    Attributes:
      between: of bases. Its value is not below 0: see `raw_between`.
      within: of runs of one base.
      raw_between: the unbiased estimate, below 0 where bases differ less than runs lead to expect.
    """

    between: Estimate
    within: Estimate
    raw_between: float


def variance_components(values: np.ndarray) -> Components:
    """Variance between bases and between runs of one base, both assumed to be normal.

    Of the means of bases and the harmonic mean of their numbers of runs (Thomas and Hultquist
    1978), with the interval of Burdick and Graybill (1992, section 3.3); that within bases is that
    of chi squared. NaN where there are fewer than two bases, or no base has two runs.

    Args:
      values: f[base, run], of one setting; NaN where a base has fewer runs.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values).any(1)]
    known = np.isfinite(values)
    runs, num = known.sum(1), len(values)
    free, free_within = num - 1, int(runs.sum()) - num
    if num < 2 or free_within < 1:
        unknown = Estimate(*[float("nan")] * 3, num)
        return Components(unknown, unknown, float("nan"))
    means = np.where(known, values, 0).sum(1) / runs
    apart = np.where(known, values - means[:, None], 0)
    within = (apart**2).sum() / free_within
    of_means, of_runs = means.var(ddof=1), within * (1 / runs).mean()
    low, high = _difference(of_means, of_runs, free, free_within)
    raw = of_means - of_runs
    ends = (within * free_within / q for q in _chi_squared(free_within)[::-1])
    return Components(
        Estimate(max(raw, 0.0), max(low, 0.0), max(high, 0.0), num),
        Estimate(within, *ends, num),
        raw,
    )


def _chi_squared(free: int) -> tuple[float, float]:
    """The lower and the upper quantile."""
    from scipy.special import chdtri

    return float(chdtri(free, (1 + COVERAGE) / 2)), float(chdtri(free, (1 - COVERAGE) / 2))


def _difference(first: float, second: float, free: int, other: int) -> tuple[float, float]:
    """Interval of a mean square less another one."""
    from scipy.special import fdtri

    tail = (1 - COVERAGE) / 2
    (lower, upper), (lower_2, upper_2) = _chi_squared(free), _chi_squared(other)
    g1, h1 = 1 - free / upper, free / lower - 1
    g2, h2 = 1 - other / upper_2, other / lower_2 - 1
    f_up, f_down = fdtri(free, other, 1 - tail), fdtri(free, other, tail)
    g12 = ((f_up - 1) ** 2 - (g1 * f_up) ** 2 - h2**2) / f_up
    h12 = ((1 - f_down) ** 2 - (h1 * f_down) ** 2 - g2**2) / f_down
    below = (g1 * first) ** 2 + (h2 * second) ** 2 + g12 * first * second
    above = (h1 * first) ** 2 + (g2 * second) ** 2 + h12 * first * second
    return first - second - np.sqrt(max(below, 0)), first - second + np.sqrt(max(above, 0))
