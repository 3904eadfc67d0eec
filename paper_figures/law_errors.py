"""How far laws are off, over configurations: beside what a measurement can tell, and other laws.

An error is the logarithm of a predicted boundary over the measured one, of the mean over bases, or
that of what is missing to 1; a prediction beyond what was run counts as its end. Configurations are
changes of one reference, in families: two learning rates are one family. `seed` numbers bases, and
those of a seed are left out together: whether two configurations have the same base there, or other
ones on the same problems, shows in the covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from avax.analysis import intervals
from avax.analysis.intervals import COVERAGE, Estimate
from paper_figures.law import Read, bounded, crossing, is_open, predicted

LARGEST = 100.0  # own error that is looked at


class Logs(NamedTuple):
    """Logarithms of boundaries, each of all bases first, and then without each of them."""

    said: np.ndarray  # f[1 + S, C]
    found: np.ndarray  # f[1 + S, C]
    families: np.ndarray  # of the configurations, C words
    num: int  # bases of the configuration that has the fewest
    seeds: tuple[int, ...]  # which bases were left out, in their order

    @property
    def off(self) -> np.ndarray:
        return self.said - self.found

    def at(self, row: int) -> Logs:
        """Of all bases, row 0, or without one."""
        return self._replace(said=self.said[row : row + 1], found=self.found[row : row + 1])

    def where(self, kept: np.ndarray) -> Logs:
        """Of some of the configurations."""
        said, found, families = self.said[:, kept], self.found[:, kept], self.families[kept]
        return self._replace(said=said, found=found, families=families)


def logs(
    rule: str,
    horizon: str,
    reads: Sequence[Read],
    families: Sequence[str],
    scale: Callable[[Read, float], float] = bounded,
) -> Logs:
    """Of configurations of which the law says something, and whose boundary lies within what was
    run: of others only the side is known. `scale` is `law.bounded` or `law.missing`.
    """
    seeds = sorted({int(seed) for each in reads for seed in each.seeds})

    def without(each: Read, value: Callable[[Read], float]) -> list[float]:
        """Of all its bases, and without each of all bases that there are."""
        kept = [each.seeds != seed for seed in (None, *seeds)]
        return [scale(each, value(each.of(np.flatnonzero(x)))) for x in kept]

    with np.errstate(all="ignore"):
        said = np.array([without(x, lambda y: predicted(y, rule, horizon)) for x in reads]).T
        found = np.array([without(x, lambda y: crossing(y, horizon)) for x in reads]).T
    known = ~np.isnan(said[0]) & ~np.array([is_open(each, horizon) for each in reads])
    num = min([len(reads[i].seeds) for i in np.flatnonzero(known)], default=0)
    return Logs(said[:, known], found[:, known], np.asarray(families)[known], num, tuple(seeds))


def noise(found: Logs) -> np.ndarray:
    """f[C, C]: covariance of the errors of configurations over other bases, by the jackknife."""
    apart = found.off[1:] - found.off[1:].mean(0)
    return (len(apart) - 1) / len(apart) * apart.T @ apart


def own_error(found: Logs) -> Estimate:
    """A law's own error: its standard deviation about 0 over configurations, without the noise of
    the measurement.

    Errors are taken to be normal with the covariance own^2 + noise, and the interval is all that
    their weighted sum of squares, Q, does not rule out (Viechtbauer 2007, where the mean is known).
    As the noise is estimated from S bases, the lower end is where Q would be Hotelling's.
    """
    from scipy import stats
    from scipy.optimize import brentq

    covariance, number = noise(found), found.off.shape[1]
    num_bases = len(found.off) - 1
    if not np.isfinite(covariance).all() or number < 3 or num_bases <= number:
        return Estimate(np.nan, np.nan, np.nan, found.num)

    def excess(own: float, level: float) -> float:
        weighted = np.linalg.solve(own**2 * np.eye(number) + covariance, found.off[0])
        return float(found.off[0] @ weighted) - level

    def own(level: float) -> float:
        smallest = 1e-6
        return brentq(excess, smallest, LARGEST, (level,)) if excess(smallest, level) > 0 else 0.0

    low, high = (1 - COVERAGE) / 2, (1 + COVERAGE) / 2
    hotelling = number * (num_bases - 1) / (num_bases - number)
    top = hotelling * stats.f.ppf(high, number, num_bases - number)
    return Estimate(own(number), own(top), own(stats.chi2.ppf(low, number)), found.num)


def covered(found: Logs) -> tuple[int, int]:
    """Of how many configurations the interval over bases of predicted over measured boundary holds
    1, as 95 % of them do where a law is right; and how many there are.
    """
    half = intervals.quantile_of_t(len(found.off) - 1) * np.sqrt(np.diag(noise(found)))
    return int((np.abs(found.off[0]) <= half).sum()), len(half)


def over_both(score: Callable[..., float], *each: Logs) -> Estimate:
    """A score of one law's logs or of several on the same configurations, with an interval over
    bases and over families: each is left out once, and the jackknife's variances of both are
    added, which counts what both share twice. Not bounded if there are fewer than three families.
    """
    num_bases, families = len(each[0].said) - 1, each[0].families
    value = score(*(x.at(0) for x in each))
    bases = [score(*(x.at(i) for x in each)) for i in range(1, 1 + num_bases)]
    kinds, others = sorted(set(families)), [np.nan, np.nan]
    if len(kinds) > 2:
        others = [score(*(x.at(0).where(families != kind) for x in each)) for kind in kinds]
    variance = sum(intervals.jackknife_error(np.array(x)) ** 2 for x in (bases, others))
    half = float(intervals.quantile_of_t(min(num_bases, len(kinds))) * np.sqrt(variance))
    return Estimate(value, value - half, value + half, each[0].num)


def beyond(found: Logs, other: Logs) -> Estimate:
    """Mean square error, less that of another law on the same boundaries."""
    return over_both(lambda a, b: float((a.off**2 - b.off**2).mean()), found, other)
