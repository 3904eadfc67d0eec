"""How far laws are off, over configurations: beside what a measurement can tell, and a constant.

An error is the logarithm of a predicted boundary over the measured one, of the mean over bases;
what lies beyond all that was run stands at its end.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from avax.analysis import intervals
from avax.analysis.intervals import Estimate
from paper_figures.law import Read, bounded, crossing, predicted

NEAR = (0.05, 0.95)  # ratios between which log(1 - ratio) is scored


class Places(NamedTuple):
    """Logarithms of predicted and measured boundaries f[1 + S, C]: of all bases, and without each
    of them.
    """

    said: np.ndarray
    found: np.ndarray

    @property
    def off(self) -> np.ndarray:
        return self.said - self.found

    def without(self, configuration: int) -> Places:
        """All bases, without one of the configurations."""
        return Places(*(np.delete(x[:1], configuration, axis=1) for x in self))


def places(rule: str, horizon: str, reads: tuple[Read, ...]) -> Places:
    """Of configurations of which the law says something. Bases are paired by their number."""
    said, found = zip(*(_of(rule, horizon, each) for each in map(_Same, reads)), strict=True)
    number = min(map(len, found))
    said, found = (np.stack([x[:number] for x in each], 1) for each in (said, found))
    known = ~np.isnan(said[0])
    return Places(said[:, known], found[:, known])


class _Same:
    """What was read, to be looked up by which it is."""

    def __init__(self, found: Read) -> None:
        self.found = found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.found is other.found

    def __hash__(self) -> int:
        return id(self.found)


@functools.lru_cache(maxsize=512)
def _of(rule: str, horizon: str, same: _Same) -> tuple[np.ndarray, np.ndarray]:
    """f[1 + S] twice: what is said and what was measured, of all bases and without each."""
    found = same.found
    picks = [found.units, *(np.delete(found.units, i) for i in found.units)]
    with np.errstate(all="ignore"):
        said = [bounded(found, predicted(found.of(some), rule, horizon)) for some in picks]
        there = [bounded(found, crossing(found.of(some), horizon)) for some in picks]
    return np.array(said), np.array(there)


def of_all(places: Places, score: Callable[[Places], float], log: bool = False) -> Estimate:
    """A score with its interval over other bases and other configurations: the jackknife's
    variances of both are added, which counts what both share twice.

    Args:
      log: whether the score is above 0, and the interval symmetric in its logarithm.
    """
    num_bases, number = len(places.off) - 1, places.off.shape[1]
    scale = np.log if log else np.asarray
    value = scale(score(Places(*(x[:1] for x in places))))
    bases = [score(Places(*(x[i : i + 1] for x in places))) for i in range(1, 1 + num_bases)]
    others = [score(places.without(i)) for i in range(number)] if number > 2 else [np.nan]
    variance = sum(intervals.jackknife_error(scale(x)) ** 2 for x in (bases, others))
    half = intervals.quantile_of_t(min(num_bases, max(number, 1))) * np.sqrt(variance)
    ends = (float(np.exp(x) if log else x) for x in (value, value - half, value + half))
    return Estimate(*ends, num_bases)


def typical(places: Places) -> float:
    """Root mean square error."""
    return float(np.sqrt((places.off**2).mean()))


def over_constant(places: Places) -> float:
    """The same, less that of the one number for all that is best for these very boundaries."""
    return typical(places) - float(places.found.std())


def errors(places: Places) -> np.ndarray:
    """f[C]: standard error of each configuration's error, of other bases."""
    return intervals.jackknife_error(places.off[1:])


def own(places: Places, noise: np.ndarray) -> float:
    """Mean square error, less what measurement alone would give a law that is right."""
    return float((places.off**2).mean() - (noise**2).mean())


def covered(places: Places) -> float:
    """Share of configurations whose error could be that of a law that is right, at 95 %."""
    half = intervals.quantile_of_t(len(places.off) - 1) * errors(places)
    return float((np.abs(places.off[0]) <= half).mean())


def to_one(places: Places) -> Places:
    """The same of log(1 - ratio): how far from no information at all."""
    return Places(*(np.log(1 - np.clip(np.exp(x), *NEAR)) for x in places))
