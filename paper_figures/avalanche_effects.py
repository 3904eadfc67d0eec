"""Effects of the claims on the avalanche: functions of the datasets of all folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from avax.analysis import intervals, lengths
from avax.analysis.intervals import Estimate
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


def lowest(*estimates: Estimate) -> Estimate:
    """The least of several differences, which is above 0 where all of them are, and below 0 where
    one is: each end is the least of theirs. Not known if one of them is not.
    """
    ends = np.min([x[:3] for x in estimates], axis=0)
    return Estimate(*map(float, ends), min(x.num for x in estimates))


def beyond_all(rate: str, last: int, *datasets) -> Estimate:
    """Label error of the loop on direct answers beyond a frozen generator's and beyond a sham's."""
    than_frozen = compounded(rate, "direct", last, *datasets)
    return lowest(than_frozen, beyond(rate, "direct", "sham", last, *datasets))


def worse_than_all(rate: str, after: int, *datasets) -> Estimate:
    """Errors of the loop on direct answers, on fixed lengths, beyond all it is compared with."""
    return lowest(*(worse(rate, than, after, *datasets) for than in fixed.WORSE_THAN))


def beyond(rate: str, arm: str, control: str, last: int, *datasets) -> Estimate:
    return mean(found.beyond(prepared(*datasets)[rate], arm, control, last))


def worse(rate: str, than: str, after: int, *datasets) -> Estimate:
    """Errors of the loop on direct answers, on the fixed lengths, minus those of something else."""
    return mean(fixed.worse(prepared(*datasets)[rate], "direct", than, after))


def loses_half(rate: str, last: int, *datasets) -> Estimate:
    """Digits lost a round with no label rejected, minus half of those gained on true ones."""
    decay, growth = fixed.paces(prepared(*datasets)[rate], last)
    return intervals.mean(decay - growth / 2)


def solved_beyond(rate: str, arm: str, control: str, after: int, *datasets) -> Estimate:
    """Digits solved by a loop on direct answers beyond one on the untouched base's."""
    return mean(fixed.compounded(prepared(*datasets)[rate], arm, control, after))


def steps_compounded(rate: str, arm: str, last: int, *datasets) -> Estimate:
    return mean(fixed.steps_compounded(prepared(*datasets)[rate], arm, last))


def wrong_ways(rate: str, arm: str, last: int, *datasets) -> Estimate:
    """Share of right answers that were found by a wrong step, mean over rounds 1 to `last`."""
    shares = fixed.wrong_ways(prepared(*datasets)[rate].arms[arm])
    return intervals.mean(found.mean_of_known(shares[:, :last]))


def longer(rate: str, arm: str, than: str, *datasets) -> Estimate:
    return intervals.mean(found.longer(prepared(*datasets)[rate], arm, LEVELS[0], than))


def outlasted(rate: str, arm: str, *datasets) -> Estimate:
    return intervals.mean(found.outlasted(prepared(*datasets)[rate], arm, LEVELS[0]))


def cut(digits: int, *datasets) -> Estimate:
    """Of labels that the untouched base makes, which no learning rate changes."""
    return found.cut(prepared(*datasets)[FIRST], digits)


def stopped(rate: str, arm: str, *datasets) -> Estimate:
    return intervals.mean(found.stopped(prepared(*datasets)[rate], arm))
