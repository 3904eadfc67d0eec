"""Effects of the claims on the avalanche: functions of the datasets of all folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths
from avax.analysis.intervals import Estimate
from avax.analysis.runway import label_error
from paper_figures import avalanche as found
from paper_figures import avalanche_fixed as fixed
from paper_figures import places
from paper_figures.avalanche import LEVELS, PARTS, Runs
from paper_figures.claims import UNKNOWN, remembered

PLACES = {"avalanche": "1e-3", "avalanche_rate_3e-3": "3e-3"}  # learning rates by folder
FIRST = next(iter(PLACES.values()))


@remembered
def prepared(*datasets: xr.Dataset | None) -> dict[str, Runs]:
    """The runs of all folders by learning rate, or of the first of them."""
    return places.split(datasets, PLACES.values(), len(PARTS), found.split)


def at_rates(effects: Mapping[str, Callable]) -> dict[str, Callable]:
    """Effects that take a learning rate first, at each of them."""
    return places.everywhere(PLACES.values(), effects)


def mean(values: np.ndarray | None) -> Estimate:
    """Over bases; not known of a control that was not run."""
    return UNKNOWN if values is None else intervals.mean(values)


def compounded(rate: str, arm: str, last: int, *datasets) -> Estimate:
    return intervals.mean(found.compounded(prepared(*datasets)[rate], arm, last))


def faster(rate: str, *datasets) -> Estimate:
    """Growth a round of direct labels in the loop over that a digit of the untouched base."""
    loop, base = found.paces(prepared(*datasets)[rate], "direct")
    return found.as_factor(loop - base)


def collapsed(rate: str, after: int, *datasets) -> Estimate:
    """How far the loop on direct answers is, after a round, below both the untouched base and the
    sham, in digits; below 0 in retention or in reach if it collapsed.
    """
    runs = prepared(*datasets)[rate]
    sham = runs.controls.get(("direct", "sham"))
    if sham is None:
        return UNKNOWN
    both = (x.isel(round=slice(after + 1)) for x in (runs.arms["direct"], sham))
    return lengths.depth(lengths.collapse(*both), lengths.base_length(sham))


def worse(rate: str, after: int, *datasets) -> Estimate:
    """Errors of the loop on direct answers minus a frozen generator's, on the fixed lengths."""
    return mean(fixed.worse(prepared(*datasets)[rate], "direct", after))


def decay_over_growth(rate: str, last: int, *datasets) -> Estimate:
    return fixed.decay_over_growth(prepared(*datasets)[rate], last)


def ways_compounded(rate: str, arm: str, last: int, *datasets) -> Estimate:
    return mean(fixed.ways_compounded(prepared(*datasets)[rate], arm, last))


def longer(rate: str, arm: str, than: str, *datasets) -> Estimate:
    return intervals.mean(found.longer(prepared(*datasets)[rate], arm, LEVELS[0], than))


def outlasted(rate: str, arm: str, *datasets) -> Estimate:
    return intervals.mean(found.outlasted(prepared(*datasets)[rate], arm, LEVELS[0]))


def cut(digits: int, *datasets) -> Estimate:
    """Of labels that the untouched base makes, which no learning rate changes."""
    return found.as_factor(found.cut(prepared(*datasets)[FIRST], digits))


def ended(rate: str, *datasets) -> Estimate:
    """Label error with both checks in the last round minus that in the first."""
    error = label_error(prepared(*datasets)[rate].arms["vote_commutative"])
    return intervals.mean(error[:, -1] - error[:, 0])


def announced(rate: str, *datasets) -> Estimate:
    """Mean over the runs of each base that fell."""
    return intervals.mean(found.mean_of_known(found.leads(prepared(*datasets)[rate])))
