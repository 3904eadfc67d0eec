"""Effects of the claims about outcomes and steps: functions of the datasets of all folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths
from avax.analysis.intervals import Estimate
from paper_figures import places
from paper_figures import steps as found
from paper_figures.claims import UNKNOWN, remembered
from paper_figures.places import of
from paper_figures.steps import FROZEN, PARTS

PLACES = {"steps": "3e-3", "steps_rate_1e-3": "1e-3"}  # learning rates by folder
FIRST = next(iter(PLACES.values()))
HALF, LATE, ALL = (4, 6, 8)  # rounds: chains of 20, 28 and 36 additions
Data = dict[str, xr.Dataset]


@remembered
def prepared(*datasets: xr.Dataset | None) -> dict[str, Data]:
    """The parts of all folders by learning rate, or of the first of them."""
    return places.split(datasets, PLACES.values(), len(PARTS), lambda *x: found.named(x))


def mean(gains: np.ndarray) -> Estimate:
    """Of f[S, M] over bases, those of a seed as one."""
    return intervals.mean(found.over_moduli(gains))


def gained_by(rate: str, part: str, after: int, *datasets: xr.Dataset | None) -> Estimate:
    """Additions gained on the untouched base, mean over m."""
    return mean(found.gained(found.clean(prepared(*datasets)[rate][part]), after))


def more(rate: str, one: str, other: str, after: int, *datasets: xr.Dataset | None) -> Estimate:
    """Additions gained by one verifier minus by another, mean over m."""
    both = (found.clean(prepared(*datasets)[rate][part]) for part in (one, other))
    return mean(found.beyond(*both, after))


def beyond_frozen(rate: str, part: str, after: int, *datasets: xr.Dataset | None) -> Estimate:
    """Additions gained more than from what the frozen base writes, mean over m."""
    data = prepared(*datasets)[rate]
    frozen = found.frozen_of(data).get((part, FROZEN))
    return UNKNOWN if frozen is None else mean(found.beyond(data[part], frozen, after))


def collapsed(rate: str, part: str, after: int, *datasets: xr.Dataset | None) -> Estimate:
    """How far a loop is, after a round, below both the untouched base and the sham, in additions;
    mean over m. Below 0, in retention or in reach, if it collapsed.
    """
    data = prepared(*datasets)[rate]
    judged = found.collapse(data, part, after)
    return UNKNOWN if judged is None else lengths.depth(judged, lengths.base_length(data[part]))


def as_false_positives(rate: str, after: int, *datasets: xr.Dataset | None) -> Estimate:
    """What outcomes gain where errors cancel, minus with as many false positives; mean over m."""
    return mean(found.as_false_positives(prepared(*datasets)[rate], after))


def cost_by_chance(rate: str, after: int, *datasets: xr.Dataset | None) -> Estimate:
    """How much more of what is left to gain outcomes cost for each unit of 1 / m."""
    return intervals.mean(found.cost_by_chance(prepared(*datasets)[rate], after))


def times_m(modulus: int, *datasets: xr.Dataset | None) -> Estimate:
    """P(last sum right | a step is wrong) of the untouched base's chains, over 1 / m."""
    data = prepared(*datasets)[FIRST]
    frozen = found.frozen_of(data).get(("none", FROZEN))
    if frozen is None or modulus not in (moduli := frozen.modulus.values.tolist()):
        return UNKNOWN
    value, low, high, num = found.pooled(found.cancelled(frozen))[moduli.index(modulus)]
    return Estimate(value * modulus, low * modulus, high * modulus, num)


def at_rates(effects: Mapping[str, Callable]) -> dict[str, Callable]:
    """Effects that take a learning rate first, at each of them."""
    return places.everywhere(PLACES.values(), effects)


def after(effect: Callable, *args: str, rounds: tuple[int, ...] = (HALF, ALL)) -> dict:
    """An effect that takes a round last, after some rounds at all learning rates."""
    return at_rates({f"round {r}": of(effect, *args, r) for r in rounds})
